"""The fill model: when, at what price, at what fee. The only one; kernel, event loop and paper exchange all call it.

* A market order decided at the close of bar t fills at the open of the next bar, worse by the slippage.
* Inside a bar the price goes along legs: from the open to one extreme, to the other, to the close. On a leg a stop
  fills where the price touches it, or at the leg's start where it is there already; worse by the slippage, but never
  outside of what the bar has traded.
* A limit fills once the price trades through it, at the limit; where the leg begins beyond it already, there, which is
  better.
* The fee is charged on the notional of each fill: the taker's for market and stop orders, the maker's for limits that
  rested.

Scalar functions of floats; `side` is +1 for a buy and -1 for a sell. NaN for a price means that nothing fills.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from algotrade.engine._jit import scalar

NEVER: Final = math.nan
TICK_TOLERANCE: Final = 1e-9  # of a tick: so that a price which is a tick in decimals stays where it is
LAST_BIT: Final = 2.0**-52  # of a price


class Costs(NamedTuple):
    """What trading and holding cost, as fractions.

    Attributes:
        fee_rate: of the notional of each fill that takes (0.004 is 0.4 %).
        slippage_rate: by which the price of a market or stop order is worse.
        maker_fee_rate: of the notional of each fill of an order that rested; None: as `fee_rate`.
        spread_rate: between bid and ask, of the price; market and stop orders pay the half of it.
        impact_rate: by which a market or stop order as large as the volume of a bar moves the price; others by the
            square root of their share (R. Almgren et al., "Direct Estimation of Equity Market Impact", 2005).
        max_volume_share: of a bar's volume that our orders fill at most, 0 for no bound.
        fee_schedule: (volume of 30 days in quote units, maker, taker) in rising order: the fees that hold from that
            volume on, in the place of the two above.
        fee_in_base: fees of buys are taken from what is bought.
        borrow_rate: of a short's notional, a year.
        maintenance_rate: of a position's notional; a leveraged position with less margin is liquidated.
        latency_bars: opens that an order lets pass before it works.
        latency_ms: until an order works; needs trades or finer candles.
    """

    fee_rate: float = 0.004
    slippage_rate: float = 0.0005
    maker_fee_rate: float | None = None
    spread_rate: float = 0.0
    impact_rate: float = 0.0
    max_volume_share: float = 0.0
    fee_schedule: tuple[tuple[float, float, float], ...] = ()
    fee_in_base: bool = False
    borrow_rate: float = 0.0
    maintenance_rate: float = 0.005
    latency_bars: int = 0
    latency_ms: int = 0


@scalar
def slipped_price(price: float, side: int, slippage_rate: float) -> float:
    """Price of a market order: `price` made worse by the slippage."""
    return price * (1.0 + side * slippage_rate)


@scalar
def slipped_inside(price: float, side: int, slippage_rate: float, low: float, high: float) -> float:
    """Price of a stop that was set off inside a bar: worse by the slippage, but no price that was not traded."""
    return min(max(slipped_price(price, side, slippage_rate), low), high)


@scalar
def fee_of(quantity: float, price: float, fee_rate: float) -> float:
    """Fee in quote units of a fill of `quantity` (positive) at `price`."""
    return quantity * price * fee_rate


@scalar
def stop_on_leg(side: int, level: float, start: float, end: float) -> float:
    """Price at which a stop is set off while the price goes from `start` to `end`; NaN if it is not.

    A buy stop is set off at `level` or above, a sell stop at or below.
    """
    if side * start >= side * level:
        return start
    if side * end >= side * level:
        return level
    return NEVER


@scalar
def limit_on_leg(side: int, level: float, start: float, end: float, touch: bool) -> float:  # noqa: FBT001 (compiled)
    """Price at which a limit order fills while the price goes from `start` to `end`; NaN if it does not.

    The price has to trade through the limit; with `touch`, reaching it is enough.
    """
    if side * start < side * level:
        return start
    if side * end < side * level or (touch and side * end <= side * level):
        return level
    return NEVER


@scalar
def trailing_level(side: int, best: float, fraction: float, amount: float) -> float:
    """Stop price of a trailing stop: behind the best price seen by `fraction` of it, or by `amount` where that is NaN.

    A sell stop (side -1) trails below, a buy stop above.
    """
    if math.isnan(fraction):
        return best + side * amount
    return best * (1.0 + side * fraction)


@scalar
def followed(side: int, best: float, begins: float, price: float) -> float:
    """Best price that a trailing stop has seen once the price got to `price`; NaN while it does not follow yet.

    Args:
        side: of the stop.
        best: before; NaN while it does not follow.
        begins: price from which on it follows; NaN: at once.
        price: where the price got to.
    """
    if math.isnan(best):
        return price if math.isnan(begins) or -side * price >= -side * begins else best
    return price if -side * price > -side * best else best


@scalar
def followed_from(side: int, level: float, fraction: float, amount: float) -> float:
    """Best price behind which a trailing stop is at `level`, to the last bit nearer rather than further; NaN: none.

    The other way round of `trailing_level`.
    """
    if math.isnan(fraction):
        best = level - side * amount
    elif 1.0 + side * fraction > 0.0:
        best = level / (1.0 + side * fraction)
    else:
        return NEVER
    while side * trailing_level(side, best, fraction, amount) > side * level:
        best -= side * abs(best) * LAST_BIT
    return best


@scalar
def leads_to(side: int, best: float, begins: float, price: float) -> float:
    """Where a trailing stop has to be led for its best price to be `price`, or the next to it that it can be.

    NaN: it is there or further already.

    Args:
        side: of the stop.
        best: that it has seen; NaN while it does not follow.
        begins: price from which on it follows; NaN: at once.
        price: that is wanted.
    """
    if math.isnan(best):
        return begins if -side * begins > -side * price else price
    return price if -side * price > -side * best else NEVER


@scalar
def step_holds(time: int, placed: int, after: int) -> bool:
    """Whether the step of a take-profit that changes with time is reached; all in milliseconds."""
    return time - placed >= after


@scalar
def comes_first(price: float, other: float, start: float) -> bool:
    """Whether the price, on its way from `start`, is at `price` before it is at `other`; NaN: never there."""
    return not math.isnan(price) and (math.isnan(other) or abs(price - start) < abs(other - start))


@scalar
def level_from(price: float, side: int, fraction: float) -> float:
    """Price at which a position of `side`, opened at `price`, has gained `fraction` of it (lost, where negative)."""
    return price * (1.0 + side * fraction)


@scalar
def liquidation_price(side: int, average: float, leverage: float, maintenance_rate: float) -> float:
    """Price at which the isolated margin of a position falls to the maintenance margin; NaN if it cannot.

    margin = notional / leverage; liquidated where margin + profit = maintenance_rate x notional at that price.

    Args:
        side: of the position.
        average: its average entry price.
        leverage: notional over margin.
        maintenance_rate: of the notional.
    """
    if side > 0 and leverage <= 1.0:
        return NEVER
    return average * (1.0 - side / leverage) / (1.0 - side * maintenance_rate)


@scalar
def liquidation_on_leg(
    position: float, average: float, leverage: float, maintenance_rate: float, start: float, end: float
) -> float:
    """Price at which a position is liquidated while the price goes from `start` to `end`; NaN if it is not."""
    if position == 0.0:
        return NEVER
    side = 1 if position > 0.0 else -1
    return stop_on_leg(-side, liquidation_price(side, average, leverage, maintenance_rate), start, end)


@scalar
def bankruptcy_price(side: int, average: float, leverage: float) -> float:
    """Price at which the isolated margin is gone: where a liquidated position is closed, so that all of it is lost."""
    return average * (1.0 - side / leverage)


@scalar
def rounded_price(price: float, direction: int, tick: float) -> float:
    """Multiple of `tick` next to `price`, below (-1) or above (+1); tick 0 leaves it as it is."""
    if tick <= 0.0:
        return price
    if direction > 0:
        return -((-price / tick + TICK_TOLERANCE) // 1.0) * tick
    return (price / tick + TICK_TOLERANCE) // 1.0 * tick


@scalar
def limit_on_tick(side: int, price: float, tick: float) -> float:
    """Limit price that the market allows, on the side that fills later."""
    return rounded_price(price, -side, tick)


@scalar
def stop_on_tick(side: int, price: float, tick: float) -> float:
    """Stop price that the market allows, on the side that is set off later."""
    return rounded_price(price, side, tick)
