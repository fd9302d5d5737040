"""Indicators of the last rows of one column: a value depends on the bytes of its window and on nothing else."""

from __future__ import annotations

import math

import numpy as np

from algotrade.market.candles import Floats
from algotrade.strategy.indicators import folding
from algotrade.strategy.indicators.columns import Bands, Values, like, positive, rows, whole


def sma(values: Values, window: int) -> Values:
    """Simple moving average, the mean of the last `window` rows; warm-up: window rows.

    Exact where sums of the values are, as for whole numbers, so that two averages that are equal on paper are equal
    here. Never outside of the window's lowest and highest value: the average of a constant is that constant.
    """
    window = whole("sma", "window", window)
    return like(values, folding.mean(rows("sma", values), window))


@np.errstate(divide="ignore", invalid="ignore")
def wma(values: Values, window: int) -> Values:
    """Weighted moving average, sum(i x) / sum(i) with i from 1, the oldest row, to window; warm-up: window rows.

    Computed as mean + sum((i - mean(i)) x (x - mean)) / sum(i), which is the same and keeps the digits of large prices.
    """
    window = whole("wma", "window", window)
    mean, co_deviation = folding.trend(rows("wma", values), window)
    return like(values, mean + co_deviation / (window * (window + 1) / 2))


@np.errstate(divide="ignore", invalid="ignore")
def hull(values: Values, window: int) -> Values:
    """Hull moving average, wma(2 wma(window / 2) - wma(window), sqrt(window)), both rounded down.

    Warm-up: window + floor(sqrt(window)) - 1 rows. Source: A. Hull, "Hull Moving Average", alanhull.com, 2005.
    `window` is at least 2.
    """
    window = whole("hull", "window", window, least=2)
    column = rows("hull", values)
    return like(values, wma(2 * wma(column, window // 2) - wma(column, window), math.isqrt(window)))


def rolling_std(values: Values, window: int, *, ddof: int = 1) -> Values:
    """Standard deviation of the last `window` rows, sqrt(sum((x - mean)^2) / (window - ddof)); warm-up: window rows.

    Means and squares are merged block by block (T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating formulae and a
    pairwise algorithm for computing sample variances", 1979), so prices may be large and moves small. Of a constant it
    is 0.0; NaN for a window of 1 and ddof 1.

    Args:
        values: shape (rows,).
        window: rows.
        ddof: 1 for a sample, 0 for a population.
    """
    window, ddof = whole("rolling_std", "window", window), whole("rolling_std", "ddof", ddof, least=0)
    squares = folding.squares(rows("rolling_std", values), window)
    freedom = window - ddof
    return like(values, np.sqrt(squares / freedom) if freedom > 0 else np.full(len(squares), math.nan))


@np.errstate(divide="ignore", invalid="ignore")
def zscore(values: Values, window: int) -> Values:
    """Distance from the average in deviations, (x - sma) / rolling_std(ddof=0); warm-up: window rows.

    1 on the upper band of `bollinger(values, window, width=1)`; 0 for prices that stood still.
    """
    window = whole("zscore", "window", window)
    column = rows("zscore", values)
    return like(values, share(column - sma(column, window), rolling_std(column, window, ddof=0)))


def highest(values: Values, window: int) -> Values:
    """Highest of the last `window` rows, this one included; warm-up: window rows."""
    return like(values, folding.high(rows("highest", values), whole("highest", "window", window)))


def lowest(values: Values, window: int) -> Values:
    """Lowest of the last `window` rows, this one included; warm-up: window rows."""
    return like(values, folding.low(rows("lowest", values), whole("lowest", "window", window)))


@np.errstate(divide="ignore", invalid="ignore")
def bollinger(values: Values, window: int = 20, width: float = 2.0) -> Bands:
    """Bollinger bands, sma +- width x rolling_std(ddof=0); warm-up: window rows.

    Source: J. Bollinger, "Bollinger on Bollinger Bands", 2001.
    """
    width = positive("bollinger", "width", width)
    window = whole("bollinger", "window", window)
    middle = sma(values, window)
    reach = width * rolling_std(values, window, ddof=0)
    return Bands(middle, middle + reach, middle - reach)


@np.errstate(divide="ignore", invalid="ignore")
def momentum(values: Values, window: int = 10) -> Values:
    """Move since `window` rows ago, x - x[-window]; warm-up: window + 1 rows."""
    column = rows("momentum", values)
    return like(values, column - earlier(column, whole("momentum", "window", window)))


@np.errstate(divide="ignore", invalid="ignore")
def roc(values: Values, window: int = 10) -> Values:
    """Rate of change in percent, 100 (x / x[-window] - 1), 0 where x[-window] is 0; warm-up: window + 1 rows."""
    column = rows("roc", values)
    before = earlier(column, whole("roc", "window", window))
    return like(values, 100 * share(column - before, before))


def regression_slope(values: Values, window: int = 14) -> Values:
    """Slope of the least-squares line through the last `window` rows, in units of `values` a row; warm-up: window rows.

    sum((i - mean(i)) x (x - mean)) / sum((i - mean(i))^2) over the rows i of the window, which is at least 2.
    """
    window = whole("regression_slope", "window", window, least=2)
    _mean, co_deviation = folding.trend(rows("regression_slope", values), window)
    return like(values, co_deviation / (window * (window * window - 1) / 12))


def earlier(column: Floats, window: int) -> Floats:
    """The value `window` rows ago; NaN in the first `window` rows."""
    answer = np.full_like(column, math.nan)
    answer[window:] = column[: max(0, len(column) - window)]
    return answer


@np.errstate(divide="ignore", invalid="ignore")
def share(part: Floats, of: Floats) -> Floats:
    """part / of, and 0.0 where `of` is 0, as TA-Lib has it for a market that stood still; a NaN stays."""
    return np.where(of == 0, part * 0.0, part / of)
