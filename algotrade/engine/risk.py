"""Limits checked before an order leaves the engine; the same code in backtest, paper and live.

An order that only reduces a position always passes: a limit must never keep anyone in a trade.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from algotrade.engine.account import Account
from algotrade.engine.orders import Order
from algotrade.market.timeframe import UNIT_MS

MAX_ORDER_NOTIONAL: Final = "max_order_notional"
MAX_POSITION_NOTIONAL: Final = "max_position_notional"
MAX_ORDERS_PER_DAY: Final = "max_orders_per_day"
MAX_DAILY_LOSS: Final = "max_daily_loss"


class Limits(NamedTuple):
    """Upper bounds; None means no bound.

    Attributes:
        max_order_notional: of one order, quote units, at the last price.
        max_position_notional: of the position after the order, quote units, at the last price.
        max_orders_per_day: orders in a UTC day.
        max_daily_loss: quote units lost since the last equity of the UTC day before; reached, only reducing orders
            pass until the day ends.
    """

    max_order_notional: float | None = None
    max_position_notional: float | None = None
    max_orders_per_day: int | None = None
    max_daily_loss: float | None = None

    def any(self) -> bool:
        """Whether there is a limit at all."""
        return any(limit is not None for limit in self)


class RiskGate:
    """Denies orders that would break a limit, with the name of the limit as the reason.

    Args:
        limits: upper bounds.
        cash: account value before the first bar, quote units.
    """

    def __init__(self, limits: Limits, cash: float) -> None:
        self._limits = limits
        self._day = -1
        self._orders_today = 0
        self._equity_at_start = cash
        self._last_equity = cash

    def begin_bar(self, time: int, equity: float) -> None:
        """Note the account value at a bar; the first of a UTC day starts the day's counts."""
        day = time // UNIT_MS["d"]
        if day != self._day:
            self._day, self._orders_today, self._equity_at_start = day, 0, self._last_equity
        self._last_equity = equity

    def denial_of(self, order: Order, account: Account, working: Iterable[Order] = ()) -> str:
        """The reason why the order may not go out, or the empty string; a passed order is counted.

        Args:
            order: that wants to go out.
            account: as it is now.
            working: orders for the same symbol that went out before and may still fill: they count as filled.
        """
        reason = self._broken_limit(order, account, working)
        if not reason:
            self._orders_today += 1
        return reason

    def _broken_limit(self, order: Order, account: Account, working: Iterable[Order]) -> str:
        limits = self._limits
        before = account.position(order.symbol)
        for earlier in working:
            before = position_wanted(earlier, before, account)
        after = position_wanted(order, before, account)
        if abs(after) <= abs(before) and after * before >= 0.0:
            return ""
        price = account.marks[order.symbol]
        if limits.max_order_notional is not None and abs(after - before) * price > limits.max_order_notional:
            return MAX_ORDER_NOTIONAL
        if limits.max_position_notional is not None and abs(after) * price > limits.max_position_notional:
            return MAX_POSITION_NOTIONAL
        if limits.max_orders_per_day is not None and self._orders_today >= limits.max_orders_per_day:
            return MAX_ORDERS_PER_DAY
        loss = self._equity_at_start - account.equity()
        if limits.max_daily_loss is not None and loss >= limits.max_daily_loss:
            return MAX_DAILY_LOSS
        return ""


def position_wanted(order: Order, position: float, account: Account) -> float:
    """Position in base units that the order makes of `position`, at the last price and before costs."""
    price = account.marks[order.symbol]
    if order.exposure is not None:
        return order.exposure * account.equity() / price
    quantity = order.quantity if order.quantity is not None else (order.notional or 0.0) / price
    return position + order.side * quantity
