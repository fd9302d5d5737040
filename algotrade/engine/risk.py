"""Limits checked before an order leaves the engine; the same code in backtest, paper and live.

An order that only reduces a position always passes: a limit must never keep anyone in a trade. The orders of a bracket
are placed by the exchange and never come here.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from algotrade.engine.account import Account
from algotrade.engine.events import OrderFilled
from algotrade.engine.orders import Order, OrderType
from algotrade.engine.protections import DAY_MS, Denial, EquityGuard, LossGuard
from algotrade.market.candles import iso
from algotrade.market.timeframe import UNIT_MS

MAX_ORDER_NOTIONAL: Final = "max_order_notional"
MAX_POSITION_NOTIONAL: Final = "max_position_notional"
MAX_OPEN_POSITIONS: Final = "max_open_positions"
MAX_ORDERS_PER_MINUTE: Final = "max_orders_per_minute"
MAX_ORDERS_PER_DAY: Final = "max_orders_per_day"

MINUTE_MS: Final = UNIT_MS["m"]


class Limits(NamedTuple):
    """Upper bounds; None means no bound.

    Attributes:
        max_order_notional: of one order, quote units, at the last price.
        max_position_notional: of a symbol's position after the order, over all books, quote units, at the last price.
        max_orders_per_day: orders in a UTC day.
        max_daily_loss: quote units lost since the last equity of the UTC day before; reached, only reducing orders
            pass until the day ends.
        max_orders_per_minute: orders in 60 seconds of event time.
        max_drawdown: fraction of the highest equity; reached, only reducing orders pass from then on.
        max_open_positions: symbols held at one time; one that an earlier market order closes does not count.
        cooldown_bars: bars after a losing round trip in which a book does not add to a position in its symbol.
        max_consecutive_losses: losing round trips in a row of a book in a symbol, which lock it.
        lock_bars: bars for which it is locked; None: for good.
    """

    max_order_notional: float | None = None
    max_position_notional: float | None = None
    max_orders_per_day: int | None = None
    max_daily_loss: float | None = None
    max_orders_per_minute: int | None = None
    max_drawdown: float | None = None
    max_open_positions: int | None = None
    cooldown_bars: int | None = None
    max_consecutive_losses: int | None = None
    lock_bars: int | None = None

    def any(self) -> bool:
        """Whether there is a limit at all."""
        return any(limit is not None for limit in self)


class RiskGate:
    """Denies orders that would break a limit, with the name of the limit as the reason.

    Args:
        limits: upper bounds.
        accounts: by book, with what they own before the first bar; read whenever an order asks.
    """

    def __init__(self, limits: Limits, accounts: Mapping[str, Account]) -> None:
        self._limits = limits
        self._accounts = accounts
        self._equity = EquityGuard(limits.max_daily_loss, limits.max_drawdown, self._total_equity())
        self._losses = LossGuard(limits.cooldown_bars, limits.max_consecutive_losses, limits.lock_bars)
        self._passed: deque[int] = deque()  # times of the orders of the last minute
        self._now = 0
        self._orders_today = 0

    def note_close(self, time: int, symbols: Iterable[str]) -> None:
        """Bars of these symbols closed at one moment; the accounts are marked at all of them."""
        self._turn_to(time)
        self._equity.close(time, self._total_equity())
        for symbol in symbols:
            self._losses.close(symbol)

    def note_fill(self, fill: OrderFilled, account: Account) -> None:
        """Something filled; the book's account is as it was before."""
        self._losses.fill(fill, account.position(fill.symbol))

    def denial_of(self, order: Order, working: Sequence[Order] = ()) -> Denial | None:
        """Why the order may not go out; None where it may, and then it counts.

        Args:
            order: that wants to go out.
            working: orders of all books that went out before and may still fill, those of brackets left out.
        """
        self._turn_to(order.time)
        denial = None if self._only_reduces(order, working) else self._broken_limit(order, working)
        if denial is None:
            self._orders_today += 1
            self._passed.append(self._now)
        return denial

    def _turn_to(self, time: int) -> None:
        """Event time goes on; an event that tells of an earlier moment does not turn it back."""
        if time // DAY_MS > self._now // DAY_MS:
            self._orders_today = 0
        self._now = max(self._now, time)
        while self._passed and self._passed[0] <= self._now - MINUTE_MS:
            self._passed.popleft()

    def _only_reduces(self, order: Order, working: Sequence[Order]) -> bool:
        if order.reduce_only:
            return True
        before = self._position(order.book, order.symbol, working)
        after = position_wanted(order, before, self._accounts[order.book])
        return abs(after) <= abs(before) and after * before >= 0.0

    def _broken_limit(self, order: Order, working: Sequence[Order]) -> Denial | None:
        return (
            self._size_denial(order, working)
            or self._positions_denial(order, working)
            or self._count_denial()
            or self._equity.denial(self._now, self._total_equity())
            or self._losses.denial(order.book, order.symbol)
        )

    # ---- how much ---------------------------------------------------------------------------------------------------
    def _size_denial(self, order: Order, working: Sequence[Order]) -> Denial | None:
        limits, account = self._limits, self._accounts[order.book]
        if limits.max_order_notional is None and limits.max_position_notional is None:
            return None
        if order.symbol not in account.marks:
            bounded = MAX_POSITION_NOTIONAL if limits.max_order_notional is None else MAX_ORDER_NOTIONAL
            return Denial(bounded, "no price of it is known yet")
        price = account.marks[order.symbol]
        before = self._reach(order, order.book, working)
        after = position_wanted(order, before, account)
        size = abs(after - before) * price
        if limits.max_order_notional is not None and size > limits.max_order_notional:
            return Denial(MAX_ORDER_NOTIONAL, f"{size:.10g}, at most {limits.max_order_notional:.10g}")
        if limits.max_position_notional is None:
            return None
        others = sum(self._reach(order, book, working) for book in self._accounts if book != order.book)
        value = abs(others + after) * price
        if value > limits.max_position_notional and abs(others + after) > abs(others + before):
            return Denial(MAX_POSITION_NOTIONAL, f"{value:.10g}, at most {limits.max_position_notional:.10g}")
        return None

    def _positions_denial(self, order: Order, working: Sequence[Order]) -> Denial | None:
        most = self._limits.max_open_positions
        if most is None:
            return None
        known = {symbol for account in self._accounts.values() for symbol in account.positions}
        known |= {other.symbol for other in working}
        held = {symbol for symbol in known if any(self._position(book, symbol, working) for book in self._accounts)}
        held |= {other.symbol for other in working if other.order_type is not OrderType.MARKET}
        if order.symbol in held or len(held) < most:
            return None
        return Denial(MAX_OPEN_POSITIONS, f"{len(held)} held, at most {most}")

    def _position(self, book: str, symbol: str, working: Sequence[Order]) -> float:
        """What a book holds of a symbol once its market orders have filled, base units."""
        account = self._accounts[book]
        position = account.position(symbol)
        for other in working:
            if other.symbol == symbol and other.book == book and other.order_type is OrderType.MARKET:
                position = position_wanted(other, position, account)
        return position

    def _reach(self, order: Order, book: str, working: Sequence[Order]) -> float:
        """The same once those limits and stops have filled, too, that take it to where the order wants to go."""
        account = self._accounts[book]
        before = position = self._position(book, order.symbol, working)
        direction = position_wanted(order, before, account) - before
        for other in working:
            if other.symbol == order.symbol and other.book == book and other.order_type is not OrderType.MARKET:
                after = position_wanted(other, position, account)
                position = after if (after - position) * direction > 0.0 else position
        return position

    # ---- how many ---------------------------------------------------------------------------------------------------
    def _count_denial(self) -> Denial | None:
        limits = self._limits
        if limits.max_orders_per_minute is not None and len(self._passed) >= limits.max_orders_per_minute:
            until = f"until {iso(self._passed[0] + MINUTE_MS)}" if self._passed else ""
            return Denial(MAX_ORDERS_PER_MINUTE, until)
        if limits.max_orders_per_day is not None and self._orders_today >= limits.max_orders_per_day:
            return Denial(MAX_ORDERS_PER_DAY, f"until {iso((self._now // DAY_MS + 1) * DAY_MS)}")
        return None

    def _total_equity(self) -> float:
        return sum(account.equity() for account in self._accounts.values())


def position_wanted(order: Order, position: float, account: Account) -> float:
    """Position in base units that the order makes of `position`, at the last price and before costs."""
    if order.target_quantity is not None:
        return order.target_quantity
    price = account.marks.get(order.symbol, math.nan)
    if order.target_notional is not None:
        return order.target_notional / price
    if order.exposure is not None:
        return order.exposure * account.equity() / price
    quantity = order.quantity if order.quantity is not None else (order.notional or 0.0) / price
    return position + order.side * quantity
