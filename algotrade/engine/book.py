"""A strategy's book: its account, its orders, and what it wants. One account may hold several, each with its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from algotrade.engine.account import Account, View
from algotrade.engine.events import Emitted, Event
from algotrade.engine.orders import DONE, WORKING, ImpossibleTransition, Order, Status, next_status, order_id
from algotrade.engine.requests import Request, TargetRequest


class Decider(Protocol):
    """What the engine asks: a strategy."""

    def handle(self, event: Event | Emitted, view: View) -> Sequence[Request]:
        """Requests in answer to an event."""
        ...


class Tracked(NamedTuple):
    """An order and where it stands."""

    order: Order
    status: Status


class Book:
    """One strategy, what it owns, and where its orders stand.

    Args:
        strategy: decides.
        account: its own.
        name: of the book, "" for the only one.
    """

    def __init__(self, strategy: Decider, account: Account, name: str = "") -> None:
        self.strategy = strategy
        self.account = account
        self.name = name
        self.orders: dict[str, Tracked] = {}
        self.targets: dict[str, float] = {}
        self.retargeted: set[str] = set()  # symbols whose target nobody was told of yet
        self.last_change: dict[str, str] = {}  # by symbol, the order of the target that is in force
        self.stopped = False
        self.aims: dict[str, TargetRequest] = {}  # by symbol, what was asked for when the target changed last
        self.orders_made = 0
        self.view = View(account, self.working_orders, self.new_id)

    def working_orders(self) -> list[Order]:
        """Orders that may still fill, in the order in which they were sent."""
        return [tracked.order for tracked in self.orders.values() if tracked.status in WORKING]

    def aim(self, symbol: str, exposure: float) -> None:
        """Note the target that is in force."""
        if self.targets.get(symbol) != exposure:
            self.targets[symbol] = exposure
            self.retargeted.add(symbol)

    def new_id(self, symbol: str, time: int) -> str:
        """The id of its next order."""
        self.orders_made += 1
        return order_id(symbol, time, self.orders_made, self.name)

    def is_closing(self, symbol: str) -> bool:
        """Whether a part of the symbol's position has been closed by an order that goes on closing it."""
        return any(
            tracked.status is Status.PARTIALLY_FILLED and tracked.order.reduce_only and tracked.order.symbol == symbol
            for tracked in self.orders.values()
        )

    def is_working(self, identity: str) -> bool:
        """Whether an order may still fill."""
        return identity in self.orders and self.orders[identity].status in WORKING

    def leave(self, identity: str, remaining: float) -> None:
        """An order filled in part: what it still trades, base units. A target stays what it is."""
        tracked = self.orders[identity]
        if tracked.order.quantity is not None or tracked.order.notional is not None:
            rest = tracked.order._replace(quantity=remaining, notional=None)
            self.orders[identity] = Tracked(rest, tracked.status)

    def forget_change(self, identity: str) -> None:
        """An order that is cancelled has not missed its target."""
        self.last_change = {symbol: order for symbol, order in self.last_change.items() if order != identity}

    def move(self, identity: str, happened: str) -> None:
        """Something happened to an order.

        Raises:
            ImpossibleTransition: it is not known, or this cannot happen to it.
        """
        if identity not in self.orders:
            raise ImpossibleTransition(f"order {identity} is not known, or was done with, when it was {happened}")
        tracked = self.orders[identity]
        self.orders[identity] = Tracked(tracked.order, next_status(tracked.status, happened))
        if self.orders[identity].status in DONE and self.last_change.get(tracked.order.symbol) != identity:
            del self.orders[identity]
