"""An order that works at the exchange, and when the price sets it off."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from algotrade.engine.fills import (
    NEVER,
    followed,
    followed_from,
    leads_to,
    limit_on_leg,
    limit_on_tick,
    step_holds,
    stop_on_leg,
    stop_on_tick,
    trailing_level,
)
from algotrade.engine.orders import Order, OrderType, Role, TimeInForce
from algotrade.market.timeframe import UNIT_MS

MS_PER_DAY: Final = UNIT_MS["d"]


class Resting(NamedTuple):
    """An order that works.

    Attributes:
        order: as it was sent.
        remaining: base units still to fill; None where the size is known at the fill only.
        skips: bars that pass before it works.
        asleep: it does not work in this bar.
        active_from: milliseconds, before which it does not fill.
        fresh: no open has passed since it works: where it fills at once, it takes.
        armed: the price has set off its stop, and what is left is a limit order.
        best: best price since a trailing stop follows it; NaN before.
        bars_left: bars in which it still works; None: no bound.
        day: UTC day of the first bar in which it works; None before.
        begun: a part of it has filled.
    """

    order: Order
    remaining: float | None
    skips: int = 0
    asleep: bool = False
    active_from: int = 0
    fresh: bool = True
    armed: bool = False
    best: float = math.nan
    bars_left: int | None = None
    day: int | None = None
    begun: bool = False

    def due(self, time: int) -> bool:
        """Whether it may fill at this time."""
        return not self.asleep and self.active_from <= time

    def expired(self, time: int) -> bool:
        """Whether a bar that opens at this time is no longer its own."""
        if self.bars_left is not None and self.bars_left <= 0:
            return True
        over = self.order.time_in_force is TimeInForce.DAY and self.day is not None
        return over and time // MS_PER_DAY != self.day

    def at_open(self, time: int) -> Resting:
        """As it is in the bar that opens at this time."""
        if self.skips > 0:
            return self._replace(skips=self.skips - 1, asleep=True)
        changed = self._replace(asleep=False) if self.asleep else self
        if self.day is None and self.order.time_in_force is TimeInForce.DAY:
            changed = changed._replace(day=time // MS_PER_DAY)
        if self.bars_left is not None:
            changed = changed._replace(bars_left=self.bars_left - 1)
        return changed

    def limit_at(self, time: int) -> float:
        """The limit price that holds at this time: a take-profit may change with the time since the entry."""
        order, level = self.order, self.order.limit
        for after, price in order.steps:
            if step_holds(time, order.time, after):
                level = price
        return math.nan if level is None else level

    def following(self, price: float) -> Resting:
        """A trailing stop after the price got here: it begins to follow, or follows further."""
        order = self.order
        if order.order_type is not OrderType.TRAILING_STOP:
            return self
        best = followed(order.side, self.best, math.nan if order.stop is None else order.stop, price)
        return self if best == self.best or math.isnan(best) else self._replace(best=best)

    def fills_on_leg(self, start: float, end: float, time: int, tick: float, *, touch: bool) -> float:
        """Price at which the order is set off while the price goes from `start` to `end`; NaN if it is not.

        A stop-limit order is set off twice: by its stop, and then as a limit order.
        """
        order = self.order
        if order.order_type is OrderType.TRAILING_STOP:
            if math.isnan(self.best):
                return NEVER
            fraction = math.nan if order.trail is None else order.trail
            level = trailing_level(order.side, self.best, fraction, order.trail_amount or 0.0)
            return stop_on_leg(order.side, stop_on_tick(order.side, level, tick), start, end)
        if order.order_type is OrderType.STOP or (order.order_type is OrderType.STOP_LIMIT and not self.armed):
            return stop_on_leg(order.side, order.stop or 0.0, start, end)
        return limit_on_leg(order.side, self.limit_at(time), start, end, touch)

    def turn_before(self, extreme: float, tick: float) -> float:
        """Price at which the way to `extreme` begins, if it is right there that it sets a trailing stop off; NaN: none.

        A stop that is set off earlier on the way, whose level is there already, has none.
        """
        order = self.order
        if order.order_type is not OrderType.TRAILING_STOP:
            return NEVER
        fraction = math.nan if order.trail is None else order.trail
        level = limit_on_tick(order.side, extreme, tick)  # the nearest price that a stop can have
        best = followed_from(order.side, level, fraction, order.trail_amount or 0.0)
        return leads_to(order.side, self.best, math.nan if order.stop is None else order.stop, best)

    def after_part(self, left: float, *, begun: bool) -> Resting:
        """What the volume did not allow to fill; the rest of a stop that was set off is a market order."""
        order = self.order
        if order.order_type in (OrderType.STOP, OrderType.TRAILING_STOP):
            order = order._replace(order_type=OrderType.MARKET)
        sized = order.quantity is not None or order.notional is not None
        return self._replace(order=order, remaining=left if sized else None, begun=self.begun or begun)

    @property
    def is_limit_now(self) -> bool:
        """Whether what sets it off next fills it as a limit order."""
        return self.order.order_type is OrderType.LIMIT or (
            self.order.order_type is OrderType.STOP_LIMIT and self.armed
        )


def new_resting(order: Order, *, now: int, latency_bars: int, latency_ms: int, fresh: bool = True) -> Resting:
    """An order as the exchange takes it; one of a bracket is there already, so nothing delays it."""
    own = order.role is Role.OWN
    if order.role is Role.MAX_BARS:
        return Resting(order, order.quantity, skips=order.after_bars - 1, asleep=True, fresh=fresh)
    skips = latency_bars if own else 0
    return Resting(
        order,
        order.quantity,
        skips=skips,
        asleep=skips > 0,
        active_from=now + latency_ms if own else 0,
        fresh=fresh,
        bars_left=order.expires_after,
    )


def on_ticks(order: Order, tick: float) -> Order:
    """The order with its prices on the market's ticks, on the side that fills later; tick 0 leaves them."""
    if tick <= 0.0:
        return order
    side = order.side
    return order._replace(
        limit=None if order.limit is None else limit_on_tick(side, order.limit, tick),
        stop=None if order.stop is None else stop_on_tick(side, order.stop, tick),
        steps=tuple((after, limit_on_tick(side, price, tick)) for after, price in order.steps),
    )
