"""The simulated exchange's books: accounts, working orders, and what an execution does to them.

It keeps its own accounts, as a real exchange does: a target becomes a quantity here, where the price is known. A ledger
can be copied, so that two ways through a bar can be tried and one of them kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple, Self

from algotrade.engine.account import Account, is_worthless
from algotrade.engine.events import (
    BracketPlaced,
    Charged,
    OrderCancelled,
    OrderEvent,
    OrderFilled,
    OrderRejected,
)
from algotrade.engine.fees import TradedVolume
from algotrade.engine.fills import bankruptcy_price, fee_of, slipped_inside
from algotrade.engine.orders import (
    OTHER_FILLED,
    POSITION_CLOSED,
    REPLACED,
    RUINED,
    Entry,
    Order,
    Role,
    bracket_orders,
)
from algotrade.engine.resting import Resting, new_resting, on_ticks
from algotrade.engine.rules import Rules
from algotrade.engine.sizing import (
    EXPOSURE,
    NOTIONAL,
    QUANTITY,
    REFUSALS,
    Books,
    Terms,
    affordable,
    fixed_quantity,
    quantity_for,
    refusal_of,
    round_down,
    shortage_of,
    side_for,
    side_unless_turned,
    within_margin,
)


class Spot(NamedTuple):
    """Where and when an order is set off.

    Attributes:
        time: of the fill, milliseconds.
        price: before slippage, quote units.
        low: no fill below it.
        high: no fill above it.
        rests: the order was in the book before: it pays the maker's fee and no slippage.
    """

    time: int
    price: float
    low: float = -math.inf
    high: float = math.inf
    rests: bool = False


class Ledger:
    """Accounts by book, and the orders that work.

    Args:
        rules: of the exchange.
        cash: quote units deposited, by book.
    """

    def __init__(self, rules: Rules, cash: Mapping[str, float]) -> None:
        self.accounts = {book: Account(amount, rules.markets) for book, amount in cash.items()}
        self.resting: dict[str, Resting] = {}
        self.volume: dict[str, float] = {}  # of the bar by which our share is measured
        self.used: dict[str, float] = {}  # base units that we filled in it
        self._rules = rules
        self._traded = TradedVolume(rules.costs.fee_schedule)

    def copy(self) -> Self:
        """The same books on their own."""
        other = type(self)(self._rules, {})
        other.accounts = {book: account.copy() for book, account in self.accounts.items()}
        other.resting = dict(self.resting)
        other.volume, other.used = dict(self.volume), dict(self.used)
        other._traded = self._traded.copy()
        return other

    def equity(self) -> float:
        """Value of all accounts, quote units."""
        return sum(account.equity() for account in self.accounts.values())

    def mark(self, symbol: str, price: float) -> None:
        """Note the last price of a symbol."""
        for account in self.accounts.values():
            account.marks[symbol] = price

    def position(self, order: Order) -> float:
        """What the order's book holds of its symbol, base units."""
        return self.accounts[order.book].position(order.symbol)

    def new_volume(self, symbol: str, volume: float) -> None:
        """Begin to measure our share by another bar's volume."""
        self.volume[symbol], self.used[symbol] = volume, 0.0

    # ---- an order is set off ----------------------------------------------------------------------------------------
    def execute(self, resting: Resting, spot: Spot) -> list[OrderEvent]:
        """Fill the order, all of it or what the volume allows, or refuse it; with all that follows from it."""
        order = resting.order
        if self._is_void(order):
            return self.drop(order.order_id, spot.time, POSITION_CLOSED)
        terms = self._terms(order, spot)
        side, quantity, price = self._resolve(resting, spot, terms)
        reason = self._refusal(resting, side, quantity, price, terms)
        if reason:
            del self.resting[order.order_id]
            refused = OrderCancelled if resting.begun else OrderRejected
            return [refused(order.order_id, spot.time, reason)]
        traded = quantity
        if self._rules.costs.max_volume_share > 0.0:
            traded = min(quantity, self._volume_left(order.symbol, terms.quantity_step))
        remaining = quantity - traded
        if remaining > 0.0:
            self.resting[order.order_id] = resting.after_part(remaining, begun=traded > 0.0)
            if traded <= 0.0:
                return []
        else:
            del self.resting[order.order_id]
        held = self.position(order)
        fill = self._booked(order, (side, traded, price), remaining, spot, terms)
        return [fill, *self._after(fill, order, held)]

    def liquidate(self, book: str, symbol: str, time: int) -> list[OrderEvent]:
        """Take a position whose margin is used up: all of the margin is lost, whatever the price."""
        account, terms = self.accounts[book], self._rules.markets[symbol].terms
        position = account.position(symbol)
        side = 1 if position < 0.0 else -1
        price = bankruptcy_price(-side, account.average(symbol), terms.leverage)
        identity = f"{book}:{symbol}@{time}!liquidation" if book else f"{symbol}@{time}!liquidation"
        fill = OrderFilled(identity, symbol, time, side, abs(position), price, 0.0, role=Role.LIQUIDATION, book=book)
        account.apply(fill)
        order = Order(identity, symbol, time, side, role=Role.LIQUIDATION, book=book)
        return [fill, *self._after(fill, order, position)]

    def ruin(self, time: int) -> list[OrderEvent]:
        """Close the books of accounts without value: what they owe is forgiven, and nothing more is traded."""
        events: list[OrderEvent] = []
        for book, account in self.accounts.items():
            held = [symbol for symbol, position in account.positions.items() if position]
            if not is_worthless(account.equity(), account.cash, float(len(held))):
                continue
            for symbol in held:
                events += self.liquidate(book, symbol, time)
            if account.cash != 0.0:
                charge = Charged(held[-1] if held else next(iter(account.marks), ""), time, RUINED, account.cash, book)
                account.charge(charge)
                events.append(charge)
        return events

    # ---- orders come and go -----------------------------------------------------------------------------------------
    def place(self, order: Order, *, now: int, in_bar: bool) -> None:
        """Take an order; it works from now on, and what is left of a bar is the first one in which it does."""
        costs = self._rules.costs
        placed = new_resting(order, now=now, latency_bars=costs.latency_bars, latency_ms=costs.latency_ms)
        self.resting[order.order_id] = placed.at_open(now) if in_bar and not placed.asleep else placed

    def drop(self, identity: str, time: int, reason: str = "") -> list[OrderEvent]:
        """Cancel a working order; nothing happens if it is no longer there."""
        if self.resting.pop(identity, None) is None:
            return []
        return [OrderCancelled(identity, time, reason)]

    def protect(self, parent: Order, entry: Entry) -> list[OrderEvent]:
        """Place the orders of the parent's bracket; one for the whole position takes the place of any before."""
        events: list[OrderEvent] = []
        if entry.quantity is None:
            for other in self._protection(parent.book, parent.symbol):
                if other.order.quantity is None:
                    events += self.drop(other.order.order_id, entry.time, REPLACED)
        tick = self._rules.markets[parent.symbol].terms.price_tick
        for new in bracket_orders(parent, parent.bracket, entry) if parent.bracket is not None else []:
            order = on_ticks(new, tick)
            known = self.resting.get(order.order_id)
            if known is not None and known.remaining is not None:  # the rest of an order that filled in parts
                more = known.remaining + (order.quantity or 0.0)
                order = known.order._replace(quantity=more)
                self.resting[order.order_id] = known._replace(order=order, remaining=more)
            else:
                placed = new_resting(order, now=entry.time, latency_bars=0, latency_ms=0, fresh=False)
                last = self.accounts[parent.book].marks[parent.symbol]  # that of the entry, where it was just filled
                self.resting[order.order_id] = placed.following(last)
            events.append(BracketPlaced(order))
        return events

    # ---- what follows from a fill -----------------------------------------------------------------------------------
    def _after(self, fill: OrderFilled, order: Order, before: float) -> list[OrderEvent]:
        """The other side of a bracket goes, a closed position (of `before`) needs none, a larger one gets its own."""
        events: list[OrderEvent] = []
        if order.parent:
            for other in self._protection(order.book, order.symbol):
                if other.order.parent != order.parent or other.order.order_id == order.order_id:
                    continue
                if fill.remaining <= 0.0:
                    events += self.drop(other.order.order_id, fill.time, OTHER_FILLED)
                elif other.remaining is not None:
                    left = other._replace(remaining=other.remaining - fill.quantity)
                    self.resting[other.order.order_id] = left
        held = self.position(order)
        if order.role is not Role.OWN:
            for entry in self._unfinished(order, flat=held == 0.0):
                events += self.drop(entry.order.order_id, fill.time, OTHER_FILLED)
        if held == 0.0 or held * before < 0.0:
            for other in self._protection(order.book, order.symbol):
                if other.order.side * held >= 0.0:
                    events += self.drop(other.order.order_id, fill.time, POSITION_CLOSED)
        added = held * fill.side > 0.0
        if order.bracket is not None and added:
            quantity = None if order.is_target else min(fill.quantity - fill.fee_quantity, abs(held))
            events += self.protect(order, Entry(fill.side, fill.price, fill.time, quantity))
        return events

    def _unfinished(self, order: Order, *, flat: bool) -> list[Resting]:
        """Orders that have filled in part, and would go on opening what an order of a bracket closes."""
        return [
            resting
            for identity, resting in self.resting.items()
            if resting.begun
            and resting.order.role is Role.OWN
            and (identity == order.parent or (flat and resting.order.book == order.book))
            and resting.order.symbol == order.symbol
        ]

    def _protection(self, book: str, symbol: str) -> list[Resting]:
        """Orders that close, and never open, a position."""
        return [
            resting
            for resting in self.resting.values()
            if resting.order.reduce_only and resting.order.book == book and resting.order.symbol == symbol
        ]

    def _is_void(self, order: Order) -> bool:
        return order.reduce_only and self.position(order) * order.side >= 0.0

    def _booked(
        self, order: Order, traded: tuple[int, float, float], remaining: float, spot: Spot, terms: Terms
    ) -> OrderFilled:
        side, quantity, price = traded
        fee = fee_of(quantity, price, terms.fee_rate)
        in_base = self._rules.costs.fee_in_base and side > 0 and self.position(order) >= 0.0
        fill = OrderFilled(
            order.order_id,
            order.symbol,
            spot.time,
            side,
            quantity,
            price,
            fee,
            remaining,
            quantity * terms.fee_rate if in_base else 0.0,
            spot.rests,
            order.role,
            order.book,
        )
        self.accounts[order.book].apply(fill)
        self.used[order.symbol] = self.used.get(order.symbol, 0.0) + quantity
        self._traded.add(spot.time, quantity * price)
        return fill

    # ---- how much ---------------------------------------------------------------------------------------------------
    def _terms(self, order: Order, spot: Spot) -> Terms:
        """Costs of this fill: of one that rests or one that takes, by the volume traded so far."""
        terms = self._traded.terms(self._rules.markets[order.symbol].terms, spot.time)
        return terms.resting() if spot.rests else terms

    def _resolve(self, resting: Resting, spot: Spot, terms: Terms) -> tuple[int, float, float]:
        """Side, quantity and price of the order where it is set off."""
        side = self.side(resting.order, spot.price)
        if side == 0:
            return 0, 0.0, spot.price
        rate = terms.slippage_rate
        price = slipped_inside(spot.price, side, rate, spot.low, spot.high)
        quantity = self._quantity(resting, side, price, terms)
        volume = self.volume.get(resting.order.symbol, 0.0)
        if self._rules.costs.impact_rate > 0.0 and volume > 0.0 and not spot.rests:
            rate += self._rules.costs.impact_rate * math.sqrt(quantity / volume)
            price = slipped_inside(spot.price, side, rate, spot.low, spot.high)
            quantity = self._quantity(resting, side, price, terms)
        return side, quantity, price

    def side(self, order: Order, price: float) -> int:
        """Side of the order at a price: its own, or the one that leads to its target; 0 where it turned round."""
        if not order.is_target:
            return order.side
        side = side_for(*_target(order), self.rest(order), self.position(order), price)
        return side_unless_turned(order.side, side)

    def _quantity(self, resting: Resting, side: int, price: float, terms: Terms) -> float:
        order, held = resting.order, self.position(resting.order)
        if order.is_target:
            quantity = quantity_for(*_target(order), self.rest(order), held, side, price, terms)
            return quantity if order.exposure is None else self._affordable(order, side, quantity, price, terms)
        if resting.remaining is not None:
            quantity = resting.remaining
        else:
            quantity = abs(held) if order.notional is None else order.notional / price
        if order.reduce_only:
            quantity = min(quantity, max(-side * held, 0.0))
        return fixed_quantity(quantity, held, side, terms.quantity_step)

    def rest(self, order: Order) -> float:
        """Value of the account without the position of the order's symbol."""
        account = self.accounts[order.book]
        value = account.cash
        for symbol, position in account.positions.items():
            if position and symbol != order.symbol:
                value += position * account.marks[symbol]
        return value

    def _affordable(self, order: Order, side: int, quantity: float, price: float, terms: Terms) -> float:
        """What cash, or the margin, pays of a target, which is sized by equity, beside other positions."""
        account = self.accounts[order.book]
        if len(account.positions) == 1:
            return quantity
        if terms.leverage > 1.0 or self._rules.markets[order.symbol].can_short:
            return within_margin(self._books(order, price), side, quantity, price, terms)
        return affordable(side, quantity, account.cash, account.position(order.symbol), price, terms)

    def _books(self, order: Order, price: float) -> Books:
        """What the account could pay the order with."""
        account = self.accounts[order.book]
        held = account.position(order.symbol)
        others = account.exposure() - abs(held) * account.marks[order.symbol]
        return Books(self.rest(order) + held * price, held, others, self._rules.markets[order.symbol].can_short)

    def _volume_left(self, symbol: str, step: float) -> float:
        share = self._rules.costs.max_volume_share * self.volume.get(symbol, 0.0)
        return round_down(max(share - self.used.get(symbol, 0.0), 0.0), step)

    # ---- whether at all ---------------------------------------------------------------------------------------------
    def _refusal(self, resting: Resting, side: int, quantity: float, price: float, terms: Terms) -> str:
        """Reason code if the order is not legal or asks for more than there is; empty if it is right."""
        order = resting.order
        if resting.begun:  # the minima are of orders, not of what is left of one
            terms = terms._replace(min_quantity=0.0, min_notional=0.0)
        refusal = refusal_of(quantity, price, self.rest(order) + self.position(order) * price, terms)
        if refusal == 0 and order.exposure is None:
            refusal = shortage_of(self._books(order, price), side, quantity, price, terms)
        return REFUSALS[refusal]


def _target(order: Order) -> tuple[int, float]:
    """Unit and amount of what an order wants to be held."""
    if order.exposure is not None:
        return EXPOSURE, order.exposure
    if order.target_quantity is not None:
        return QUANTITY, order.target_quantity
    return NOTIONAL, order.target_notional or 0.0
