"""Metrics, each defined once: one metric is one pure function of numpy arrays.

Equity is the account value marked at each close, in quote units, shape (bars,). Returns are simple and per bar, shape
(bars - 1,): the first bar has none. Fractions, never percent. `bars_per_year` comes from the timeframe
(market/timeframe.py) and has no default: 252 is as wrong for a market that never closes as 365 is for stocks.

What is undefined is NaN, never 0: a Sharpe ratio without spread, a yearly return without time, anything of nothing.
After ruin (equity not above zero) returns are undefined; total return and drawdown still are defined.

Definitions follow W. F. Sharpe, "The Sharpe Ratio", Journal of Portfolio Management 21 (1994), F. A. Sortino and
R. van der Meer, "Downside risk", ibid. 17 (1991), and T. W. Young, "Calmar ratio", Futures 20 (1991), the last over the
whole span instead of three years.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from algotrade.market.candles import Floats, Times

YEAR_MS: Final = 365.25 * 86_400_000
BLOCK_BARS: Final = 1024
ROUNDING: Final = 1e-15  # a return is a ratio less one: a spread below this is rounding, not risk


def returns_of(equity: Floats) -> Floats:
    """Simple returns per bar, r[t] = equity[t + 1] / equity[t] - 1.

    Args:
        equity: quote units, shape (bars,).

    Returns:
        Fractions, shape (bars - 1,), empty for no bars; NaN where there was no equity left to make a return on.
    """
    before, after = equity[:-1], equity[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = after / before
    ratios[before <= 0.0] = math.nan
    ratios -= 1.0
    return ratios


def total_return(equity: Floats) -> float:
    """Last equity over first, less one; NaN without bars, or if it does not start above zero."""
    return _growth(equity) - 1.0


def annual_return(equity: Floats, times: Times) -> float:
    """Compound annual growth rate, (end / start) ** (1 / years) - 1, by the calendar.

    Args:
        equity: quote units, shape (bars,).
        times: open times of the bars, milliseconds, shape (bars,); years = (last - first) / 365.25 days.

    Returns:
        Fraction per year; -1 after losing everything. NaN if no time has passed, if equity ends below zero, and where
        a few bars' growth would compound to more than a float can hold.
    """
    growth = _growth(equity)
    years = float(times[-1] - times[0]) / YEAR_MS if len(times) else 0.0
    if not growth >= 0.0 or not years > 0.0:
        return math.nan
    try:
        return math.pow(growth, 1.0 / years) - 1.0
    except OverflowError:
        return math.nan


def annual_volatility(returns: Floats, bars_per_year: float) -> float:
    """Sample standard deviation of the returns, std(r, ddof=1) x sqrt(bars_per_year); NaN for fewer than two."""
    return _spread(returns) * math.sqrt(bars_per_year)


def sharpe(returns: Floats, bars_per_year: float) -> float:
    """Sharpe ratio at a risk-free rate of 0, mean(r) / std(r, ddof=1) x sqrt(bars_per_year).

    Args:
        returns: fractions per bar, shape (bars - 1,).
        bars_per_year: scales from bars to years.

    Returns:
        NaN for fewer than two returns, for returns that are all alike, and after ruin.
    """
    return _ratio(_mean(returns), _spread(returns)) * math.sqrt(bars_per_year)


def sortino(returns: Floats, bars_per_year: float) -> float:
    """Sortino ratio with target 0, mean(r) x sqrt(bars_per_year) / sqrt(mean(min(r, 0)^2)).

    The mean under the root runs over all returns, not over the negative ones alone.

    Args:
        returns: fractions per bar, shape (bars - 1,).
        bars_per_year: scales from bars to years.

    Returns:
        NaN without returns, without a single loss, and after ruin.
    """
    losses = np.minimum(returns, 0.0)
    downside = math.sqrt(_mean(np.square(losses, out=losses)))
    return _ratio(_mean(returns), downside) * math.sqrt(bars_per_year)


def drawdowns(equity: Floats) -> Floats:
    """How far equity is below its highest so far, equity / cummax(equity) - 1.

    Args:
        equity: quote units, shape (bars,).

    Returns:
        Fractions, not positive, shape (bars,); below -1 if equity falls below zero; NaN until it is above zero.
    """
    highest = np.maximum.accumulate(equity)
    highest[: np.searchsorted(highest, 0.0, side="right")] = math.nan
    ratios = np.divide(equity, highest, out=highest)
    ratios -= 1.0
    return ratios


def max_drawdown(equity: Floats) -> float:
    """Deepest drawdown, min(equity / cummax(equity) - 1): a fraction, not positive; NaN without bars.

    A running maximum is slow, so a long curve is searched in blocks. No bar of a block can be deeper than the block's
    lowest equity under the highest until its end; only blocks whose bound allows for the deepest are looked into.
    """
    if len(equity) <= BLOCK_BARS or not equity.min() > 0.0:
        return float(drawdowns(equity).min()) if len(equity) else math.nan
    starts = np.arange(0, len(equity), BLOCK_BARS)
    highest = np.maximum.accumulate(np.maximum.reduceat(equity, starts))
    bounds = np.minimum.reduceat(equity, starts) / highest - 1.0

    def deepest_in(block: int) -> float:
        highest_before = highest[block - 1 : block]  # none before the first
        return float(drawdowns(np.append(highest_before, equity[starts[block] :][:BLOCK_BARS])).min())

    deepest = deepest_in(int(bounds.argmin()))
    return min([deepest, *(deepest_in(int(block)) for block in np.flatnonzero(bounds < deepest))])


def calmar(annual: float, deepest: float) -> float:
    """Annual return over the depth of the maximum drawdown.

    Args:
        annual: fraction per year, from `annual_return`.
        deepest: fraction, not positive, from `max_drawdown`.

    Returns:
        NaN if there was no drawdown.
    """
    return _ratio(annual, -deepest)


def exposure(fill_bars: npt.NDArray[np.int64], signed_quantities: Floats, bars: int) -> float:
    """Fraction of bars with a position, long or short, at their close.

    Args:
        fill_bars: bar of each fill, rising, shape (fills,).
        signed_quantities: base units, bought positive and sold negative, shape (fills,).
        bars: number of bars; NaN comes back for none.
    """
    if bars == 0:
        return math.nan
    until = np.append(fill_bars[1:], bars)[: len(fill_bars)]  # the bar of a fill itself if another follows in it
    closes = until - fill_bars
    return float(closes[np.cumsum(signed_quantities) != 0.0].sum() / bars)


def win_rate(profits: Floats) -> float:
    """Fraction of closed round trips whose profit after fees is above zero; NaN without any. Shape (round trips,)."""
    return float(np.count_nonzero(profits > 0.0) / len(profits)) if len(profits) else math.nan


def profit_factor(profits: Floats) -> float:
    """Sum of profits over sum of losses, both after fees, of shape (round trips,); NaN without a loss."""
    lost = -float(profits[profits < 0.0].sum())
    return float(profits[profits > 0.0].sum()) / lost if lost > 0.0 else math.nan


def _growth(equity: Floats) -> float:
    return float(equity[-1] / equity[0]) if len(equity) and equity[0] > 0.0 else math.nan


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else math.nan


def _spread(values: Floats) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else math.nan


def _ratio(gain: float, risk: float) -> float:
    return gain / risk if risk > ROUNDING else math.nan
