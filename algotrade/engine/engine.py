"""The engine: state is a fold. `process(event) -> effects`, without clock, I/O or randomness.

The same engine runs in backtest, on paper and live; they differ only in who supplies the events and who performs the
effects. It owns the account as we know it, the orders and where they stand, and the intention: the exposure that the
strategy wants. The strategy sees a bar only when it is closed.

When a target trades: when it differs from the one before, or when the order of its last change was cancelled from
outside. An order that was refused is an answer: it is not sent again until the target changes.

A strategy whose code raises is stopped: an effect says so, and from then on it is asked nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from algotrade.engine.account import Account, View
from algotrade.engine.events import (
    HOLD,
    REFUSED,
    STOPPED,
    TRADE,
    BarOpened,
    Cancel,
    CancelRequest,
    CandleClosed,
    Decided,
    Denied,
    Effect,
    Event,
    OpenRevised,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderRequest,
    Request,
    StrategyStopped,
    Submit,
    TargetRequest,
    TimerStruck,
    TradePrinted,
)
from algotrade.engine.orders import DONE, WORKING, ImpossibleTransition, Order, Status, next_status, order_id
from algotrade.engine.risk import Limits, RiskGate
from algotrade.engine.sizing import target_changed
from algotrade.errors import AlgotradeError


class Decider(Protocol):
    """What the engine asks: a strategy."""

    def handle(self, event: Event, view: View) -> Sequence[Request]:
        """Requests in answer to an event."""
        ...


class Tracked(NamedTuple):
    """An order and where it stands."""

    order: Order
    status: Status


class Engine:
    """Folds events into state and answers with effects.

    Args:
        strategy: decides.
        cash: quote units at the start.
        limits: checked before an order goes out.
    """

    def __init__(self, strategy: Decider, *, cash: float, limits: Limits | None = None) -> None:
        self.account = Account(cash)
        self.orders: dict[str, Tracked] = {}
        self.targets: dict[str, float] = {}
        self.stopped = False
        self._last_change: dict[str, str] = {}
        self._strategy = strategy
        self._gate = RiskGate(limits or Limits(), cash)
        self._orders_made = 0

    def process(self, event: Event) -> list[Effect]:
        """Take one event in; return what is to be done, in order."""
        match event:
            case BarOpened(symbol=symbol, open=price) | OpenRevised(symbol=symbol, open=price):
                self.account.mark(symbol, price)
                return []
            case CandleClosed():
                return self._on_candle(event)
            case TradePrinted(symbol=symbol, price=price):
                self.account.mark(symbol, price)
                return self._ask(event, symbol, event.time)
            case TimerStruck(time=time):
                return [effect for symbol in self.account.marks for effect in self._ask(event, symbol, time)]
            case OrderFilled(symbol=symbol, time=time):
                self._move(event.order_id, "filled")
                self.account.apply(event)
                return self._ask(event, symbol, time)
            case OrderAccepted():
                self._move(event.order_id, "accepted")
            case OrderRejected():
                self._move(event.order_id, "rejected")
            case OrderCancelled():
                self._move(event.order_id, "cancelled")
        return []

    def working_orders(self) -> list[Order]:
        """Orders that may still fill, in the order in which they were sent."""
        return [tracked.order for tracked in self.orders.values() if tracked.status in WORKING]

    def _on_candle(self, candle: CandleClosed) -> list[Effect]:
        self.account.mark(candle.symbol, candle.close)
        self._gate.begin_bar(candle.time, self.account.equity())
        effects = self._ask(candle, candle.symbol, candle.time)
        action = STOPPED if self.stopped else HOLD
        if any(isinstance(effect, Submit) for effect in effects):
            action = TRADE
        elif any(isinstance(effect, Denied) for effect in effects):
            action = REFUSED
        view = self.account.view(candle.symbol)
        exposure = self.targets.get(candle.symbol, math.nan)
        decided = Decided(candle.symbol, candle.time, exposure, action, view.position, view.cash, view.equity)
        return [*effects, decided]

    def _ask(self, event: Event, symbol: str, time: int) -> list[Effect]:
        if self.stopped:
            return []
        try:
            requests = self._strategy.handle(event, self.account.view(symbol))
        except AlgotradeError as error:
            self.stopped = True
            return [StrategyStopped(symbol, time, error.message)]
        return [effect for request in requests for effect in self._answer(request, time)]

    def _answer(self, request: Request, time: int) -> list[Effect]:
        match request:
            case CancelRequest(order_id=identity):
                is_working = identity in self.orders and self.orders[identity].status in WORKING
                return [Cancel(identity, time)] if is_working else []
            case TargetRequest(symbol=symbol, exposure=exposure):
                return self._aim(symbol, exposure, time)
            case OrderRequest():
                order = Order(
                    self._new_id(request.symbol, time),
                    request.symbol,
                    time,
                    request.side,
                    quantity=request.quantity,
                    notional=request.notional,
                )
                return [self._send(order)]

    def _aim(self, symbol: str, exposure: float, time: int) -> list[Effect]:
        """Effects of a target: none while it is in force, else one order (and the cancel of the one it replaces)."""
        last = self._last_change.get(symbol)
        missed = last is not None and self.orders[last].status is Status.CANCELLED
        if not target_changed(self.targets.get(symbol, 0.0), exposure) and not missed:
            self.targets[symbol] = exposure
            return []
        self.targets[symbol] = exposure
        replaced = [Cancel(last, time)] if last is not None and self.orders[last].status in WORKING else []
        order = Order(self._new_id(symbol, time), symbol, time, 0, exposure=exposure)
        sent = self._send(order)
        if last is not None and self.orders[last].status in DONE:
            del self.orders[last]
        self._last_change.pop(symbol, None)
        if isinstance(sent, Submit):
            self._last_change[symbol] = order.order_id
        return [*replaced, sent]

    def _send(self, order: Order) -> Effect:
        replaced = self._last_change.get(order.symbol) if order.exposure is not None else None
        beside = [
            other for other in self.working_orders() if other.symbol == order.symbol and other.order_id != replaced
        ]
        reason = self._gate.denial_of(order, self.account, beside)
        if reason:
            return Denied(order, reason)
        self.orders[order.order_id] = Tracked(order, Status.SUBMITTED)
        return Submit(order)

    def _new_id(self, symbol: str, time: int) -> str:
        self._orders_made += 1
        return order_id(symbol, time, self._orders_made)

    def _move(self, identity: str, happened: str) -> None:
        if identity not in self.orders:
            raise ImpossibleTransition(f"order {identity} is not known, or was done with, when it was {happened}")
        tracked = self.orders[identity]
        self.orders[identity] = Tracked(tracked.order, next_status(tracked.status, happened))
        if self.orders[identity].status in DONE and self._last_change.get(tracked.order.symbol) != identity:
            del self.orders[identity]
