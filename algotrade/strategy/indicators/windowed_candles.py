"""Indicators of the last candles: a value depends on the bytes of its window and on nothing else.

Columns come one by one, in the order high, low, close, volume, so that they may be any: candles of another timeframe,
or smoothed ones.
"""

from __future__ import annotations

import math

import numpy as np

from algotrade.market.candles import Floats
from algotrade.strategy.indicators import folding
from algotrade.strategy.indicators.columns import Aroon, Bands, Ichimoku, Stochastic, Values, like, together, whole
from algotrade.strategy.indicators.windowed import earlier, share


@np.errstate(divide="ignore", invalid="ignore")
def donchian(high: Values, low: Values, window: int = 20) -> Bands:
    """Donchian channel: the highest high and the lowest low of the last `window` rows, and the middle of the two.

    Warm-up: window rows. This row is included, so that no close is ever outside: for a breakout compare with the
    channel of the row before (`.shift(1)`). Source: R. Donchian's four-week rule, 1960s.
    """
    window = whole("donchian", "window", window)
    highs, lows = together("donchian", high=high, low=low)
    upper, lower = folding.high(highs, window), folding.low(lows, window)
    return Bands(like(high, (upper + lower) / 2), like(high, upper), like(high, lower))


@np.errstate(divide="ignore", invalid="ignore")
def stochastic(
    high: Values, low: Values, close: Values, window: int = 14, *, smooth_k: int = 3, smooth_d: int = 3
) -> Stochastic:
    """Stochastic oscillator, 0 to 100: %K is where the close lies between the window's low and high, %D its average.

    k = sma(100 (close - lowest low) / (highest high - lowest low), smooth_k), d = sma(k, smooth_d); `smooth_k=1` is the
    fast form. A market that stood still gives 0, as TA-Lib has it. Warm-up: window + smooth_k - 1 rows for k, another
    smooth_d - 1 for d. Source: G. C. Lane, "Lane's Stochastics", Stocks & Commodities 2:3, 1984; TA-Lib STOCH.
    """
    window = whole("stochastic", "window", window)
    smooth_k, smooth_d = whole("stochastic", "smooth_k", smooth_k), whole("stochastic", "smooth_d", smooth_d)
    highs, lows, closes = together("stochastic", high=high, low=low, close=close)
    bottom = folding.low(lows, window)
    k = folding.mean(100 * share(closes - bottom, folding.high(highs, window) - bottom), smooth_k)
    return Stochastic(like(close, k), like(close, folding.mean(k, smooth_d)))


@np.errstate(divide="ignore", invalid="ignore")
def williams_r(high: Values, low: Values, close: Values, window: int = 14) -> Values:
    """Williams %R, 100 (close - highest high) / (highest high - lowest low), -100 to 0; warm-up: window rows.

    A market that stood still gives 0, as TA-Lib has it. Source: L. Williams, "How I Made One Million Dollars Last Year
    Trading Commodities", 1973; TA-Lib WILLR.
    """
    window = whole("williams_r", "window", window)
    highs, lows, closes = together("williams_r", high=high, low=low, close=close)
    top = folding.high(highs, window)
    return like(close, 100 * share(closes - top, top - folding.low(lows, window)))


@np.errstate(divide="ignore", invalid="ignore")
def cci(high: Values, low: Values, close: Values, window: int = 20) -> Values:
    """Commodity channel index, (x - sma) / (0.015 mean(|x - sma|)) of the typical price x; warm-up: window rows.

    The typical price is (high + low + close) / 3. A market that stood still gives 0. Takes O(rows x window). Source:
    D. R. Lambert, "Commodity Channel Index", Commodities 10, 1980; TA-Lib CCI. `window` is at least 2.
    """
    window = whole("cci", "window", window, least=2)
    typical = _typical(*together("cci", high=high, low=low, close=close))
    mean = folding.mean(typical, window)
    deviation = np.zeros(max(0, len(typical) - window + 1))
    for start in range(window if len(deviation) else 0):  # row by row from the oldest, the same order everywhere
        deviation += np.abs(typical[start : start + len(deviation)] - mean[window - 1 :])
    answer = np.full_like(typical, math.nan)
    answer[window - 1 :] = share((typical - mean)[window - 1 :], 0.015 * (deviation / window))
    return like(close, answer)


@np.errstate(divide="ignore", invalid="ignore")
def mfi(high: Values, low: Values, close: Values, volume: Values, window: int = 14) -> Values:
    """Money flow index, 100 x rising / (rising + falling), 0 to 100; warm-up: window + 1 rows.

    Rising and falling are the sums of typical price x volume over the rows whose typical price, (high + low + close) /
    3, is above and below that of the row before. Where neither moved it is 0, as TA-Lib has it. Source: G. Quong and A.
    Soudack, "Volume-weighted RSI: Money Flow", Stocks & Commodities 7:3, 1989; TA-Lib MFI.
    """
    window = whole("mfi", "window", window)
    highs, lows, closes, volumes = together("mfi", high=high, low=low, close=close, volume=volume)
    typical = _typical(highs, lows, closes)
    flow = np.sign(typical - earlier(typical, 1)) * (typical * volumes)
    rising, falling = (folding.total(np.maximum(part, 0.0), window) for part in (flow, -flow))
    return like(close, 100 * share(rising, rising + falling))


def aroon(high: Values, low: Values, window: int = 14) -> Aroon:
    """Aroon, 0 to 100: up = 100 (window - rows since the highest high) / window, down likewise of the lowest low.

    Looks at window + 1 rows, of equal highs at the latest; warm-up: window + 1 rows. The oscillator is up - down.
    Source: T. Chande, "The Time Price Oscillator", Stocks & Commodities 13:9, 1995; TA-Lib AROON.
    """
    window = whole("aroon", "window", window)
    highs, lows = together("aroon", high=high, low=low)
    up, down = (100 * (window - folding.since_high(column, window + 1)) / window for column in (highs, -lows))
    return Aroon(like(high, up), like(high, down))


@np.errstate(divide="ignore", invalid="ignore")
def vwap(high: Values, low: Values, close: Values, volume: Values, window: int = 20) -> Values:
    """Rolling volume-weighted average price, sum(x volume) / sum(volume) of the typical price x; warm-up: window rows.

    The typical price is (high + low + close) / 3. Over the last `window` rows, not since midnight: a market that never
    closes has no session to begin at. Never outside of the window's typical prices; NaN where nothing was traded.
    """
    window = whole("vwap", "window", window)
    highs, lows, closes, volumes = together("vwap", high=high, low=low, close=close, volume=volume)
    typical = _typical(highs, lows, closes)
    mean = folding.total(typical * volumes, window) / folding.total(volumes, window)
    return like(close, np.clip(mean, folding.low(typical, window), folding.high(typical, window)))


@np.errstate(divide="ignore", invalid="ignore")
def ichimoku(high: Values, low: Values, conversion: int = 9, base: int = 26, span: int = 52) -> Ichimoku:
    """Ichimoku: middles of the last `conversion`, `base` and `span` rows (span_b), and of the first two (span_a).

    A middle is (highest high + lowest low) / 2. Every value stands at the row that it is known at. A chart draws the
    spans `base` rows to the right: the cloud around the price of today is `span_a.shift(26)` and `span_b.shift(26)`.
    The lagging line is the close drawn 26 rows to the left, where nobody knew it: compare close with `close.shift(26)`
    instead. Warm-up: the longest of a line's windows. Source: G. Hosoda, "Ichimoku Kinko Hyo", 1969.
    """
    windows = [
        whole("ichimoku", name, given) for name, given in (("conversion", conversion), ("base", base), ("span", span))
    ]
    highs, lows = together("ichimoku", high=high, low=low)
    quick, middle, slow = ((folding.high(highs, rows) + folding.low(lows, rows)) / 2 for rows in windows)
    return Ichimoku(*(like(high, line) for line in (quick, middle, (quick + middle) / 2, slow)))


def _typical(high: Floats, low: Floats, close: Floats) -> Floats:
    return (high + low + close) / 3
