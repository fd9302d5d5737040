"""The indicators as their books write them, in plain loops over plain floats: slow, and easy to believe.

Each takes lists of one length and gives a list of that length: numbers, or tuples of those, NaN before the first.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable
from typing import Any

NAN = math.nan
Column = list[float]


def windows(width: int, value: Callable[..., float], *columns: Column) -> Column:
    """`value` of the last `width` rows of each column, at every row that has so many."""
    count = len(columns[0])
    return [
        value(*(column[end - width : end] for column in columns)) if end >= width else NAN
        for end in range(1, count + 1)
    ]


def after_nans(column: Column, indicator: Callable[[Column], Column]) -> Column:
    """An indicator of a column that begins with NaNs."""
    begin = next((row for row, value in enumerate(column) if not math.isnan(value)), len(column))
    return [NAN] * begin + indicator(column[begin:])


def smoothed(column: Column, window: int, factor: float) -> Column:
    """Begun with the mean of the first rows, then a share of the way to each row."""
    answer: Column = []
    for row, value in enumerate(column):
        if row < window - 1:
            answer.append(NAN)
        elif row == window - 1:
            answer.append(sum(column[:window]) / window)
        else:
            answer.append(answer[-1] + (value - answer[-1]) * factor)
    return answer


def ratio(part: float, of: float) -> float:
    return part / of if of else 0.0


def typical(high: Column, low: Column, close: Column) -> Column:
    return [sum(row) / 3 for row in zip(high, low, close, strict=True)]


# ---- windowed -------------------------------------------------------------------------------------------------------
def sma(values: Column, window: int) -> Column:
    return windows(window, statistics.fmean, values)


def wma(values: Column, window: int) -> Column:
    weights = range(1, window + 1)
    return windows(window, lambda rows: sum(map(float.__mul__, map(float, weights), rows)) / sum(weights), values)


def hull(values: Column, window: int) -> Column:
    pairs = zip(wma(values, window // 2), wma(values, window), strict=True)
    return after_nans([2 * half - whole for half, whole in pairs], lambda rows: wma(rows, int(window**0.5)))


def rolling_std(values: Column, window: int, ddof: int = 1) -> Column:
    deviation = statistics.stdev if ddof else statistics.pstdev
    return windows(window, deviation, values)


def zscore(values: Column, window: int) -> Column:
    return windows(window, lambda rows: ratio(rows[-1] - statistics.fmean(rows), statistics.pstdev(rows)), values)


def highest(values: Column, window: int) -> Column:
    return windows(window, max, values)


def lowest(values: Column, window: int) -> Column:
    return windows(window, min, values)


def bollinger(values: Column, window: int, width: float) -> list[Any]:
    means, deviations = sma(values, window), rolling_std(values, window, 0)
    return [(m, m + width * d, m - width * d) for m, d in zip(means, deviations, strict=True)]


def momentum(values: Column, window: int) -> Column:
    return windows(window + 1, lambda rows: rows[-1] - rows[0], values)


def roc(values: Column, window: int) -> Column:
    return windows(window + 1, lambda rows: 100 * (rows[-1] / rows[0] - 1), values)


def regression_slope(values: Column, window: int) -> Column:
    return windows(window, lambda rows: statistics.linear_regression(range(window), rows).slope, values)


def donchian(high: Column, low: Column, window: int) -> list[Any]:
    return [((u + d) / 2, u, d) for u, d in zip(highest(high, window), lowest(low, window), strict=True)]


def stochastic(high: Column, low: Column, close: Column, window: int, smooth_k: int, smooth_d: int) -> list[Any]:
    raw = windows(window, lambda h, d, c: 100 * ratio(c[-1] - min(d), max(h) - min(d)), high, low, close)
    k = after_nans(raw, lambda rows: sma(rows, smooth_k))
    return list(zip(k, after_nans(k, lambda rows: sma(rows, smooth_d)), strict=True))


def williams_r(high: Column, low: Column, close: Column, window: int) -> Column:
    return windows(window, lambda h, d, c: -100 * ratio(max(h) - c[-1], max(h) - min(d)), high, low, close)


def cci(high: Column, low: Column, close: Column, window: int) -> Column:
    def index(rows: Column) -> float:
        mean = statistics.fmean(rows)
        return ratio(rows[-1] - mean, 0.015 * statistics.fmean(abs(row - mean) for row in rows))

    return windows(window, index, typical(high, low, close))


def mfi(high: Column, low: Column, close: Column, volume: Column, window: int) -> Column:
    def index(prices: Column, volumes: Column) -> float:
        rising = sum(p * v for before, p, v in zip(prices, prices[1:], volumes[1:], strict=False) if p > before)
        falling = sum(p * v for before, p, v in zip(prices, prices[1:], volumes[1:], strict=False) if p < before)
        return 100 * ratio(rising, rising + falling)

    return windows(window + 1, index, typical(high, low, close), volume)


def aroon(high: Column, low: Column, window: int) -> list[Any]:
    up = windows(window + 1, lambda rows: 100 * (window - rows[::-1].index(max(rows))) / window, high)
    down = windows(window + 1, lambda rows: 100 * (window - rows[::-1].index(min(rows))) / window, low)
    return list(zip(up, down, strict=True))


def vwap(high: Column, low: Column, close: Column, volume: Column, window: int) -> Column:
    def mean(prices: Column, volumes: Column) -> float:
        return sum(map(float.__mul__, prices, volumes)) / sum(volumes)

    return windows(window, mean, typical(high, low, close), volume)


def ichimoku(high: Column, low: Column, conversion: int, base: int, span: int) -> list[Any]:
    quick, middle, slow = (
        windows(width, lambda h, d: (max(h) + min(d)) / 2, high, low) for width in (conversion, base, span)
    )
    return [(q, m, (q + m) / 2, s) for q, m, s in zip(quick, middle, slow, strict=True)]


# ---- recursive: averages and oscillators ----------------------------------------------------------------------------
def ema(values: Column, window: int) -> Column:
    return smoothed(values, window, 2 / (window + 1))


def dema(values: Column, window: int) -> Column:
    once = ema(values, window)
    twice = after_nans(once, lambda rows: ema(rows, window))
    return [2 * a - b for a, b in zip(once, twice, strict=True)]


def tema(values: Column, window: int) -> Column:
    once = ema(values, window)
    twice = after_nans(once, lambda rows: ema(rows, window))
    thrice = after_nans(twice, lambda rows: ema(rows, window))
    return [3 * a - 3 * b + c for a, b, c in zip(once, twice, thrice, strict=True)]


def kama(values: Column, window: int) -> Column:
    answer = [NAN] * min(window, len(values))
    last = values[window - 1] if len(values) >= window else NAN
    for row in range(window, len(values)):
        path = sum(abs(values[i] - values[i - 1]) for i in range(row - window + 1, row + 1))
        efficiency = abs(values[row] - values[row - window]) / path if path else 1.0
        last += (values[row] - last) * (efficiency * (2 / 3 - 2 / 31) + 2 / 31) ** 2
        answer.append(last)
    return answer


def rsi(values: Column, window: int) -> Column:
    moves = [b - a for a, b in itertools.pairwise(values)]
    gains = smoothed([max(move, 0.0) for move in moves], window, 1 / window)
    losses = smoothed([max(-move, 0.0) for move in moves], window, 1 / window)
    return [NAN] * bool(values) + [100 * ratio(g, g + d) for g, d in zip(gains, losses, strict=True)]


def stochastic_rsi(values: Column, window: int, stochastic_window: int, smooth: int) -> list[Any]:
    def place(rows: Column) -> float:
        return 100 * ratio(rows[-1] - min(rows), max(rows) - min(rows))

    k = after_nans(rsi(values, window), lambda rows: windows(stochastic_window, place, rows))
    d = after_nans(k, lambda rows: sma(rows, smooth))
    return [(NAN, NAN) if math.isnan(b) else (a, b) for a, b in zip(k, d, strict=True)]  # TA-Lib begins both together


def macd(values: Column, fast: int, slow: int, signal: int) -> list[Any]:
    """The faster average begins beside the slower one, at row `slow`, with the mean of its own last rows."""
    late = [NAN] * min(slow - fast, len(values)) + ema(values[slow - fast :], fast)
    line = [a - b for a, b in zip(late, ema(values, slow), strict=True)]
    signals = after_nans(line, lambda rows: ema(rows, signal))
    return [(NAN,) * 3 if math.isnan(s) else (x, s, x - s) for x, s in zip(line, signals, strict=True)]


def ppo(values: Column, fast: int, slow: int) -> Column:
    return [100 * (f - s) / s for f, s in zip(ema(values, fast), ema(values, slow), strict=True)]


# ---- recursive: ranges and trend ------------------------------------------------------------------------------------
def true_ranges(high: Column, low: Column, close: Column) -> Column:
    """Of the second row on."""
    rows = zip(high[1:], low[1:], close, strict=False)
    return [max(h - d, abs(h - before), abs(d - before)) for h, d, before in rows]


def atr(high: Column, low: Column, close: Column, window: int) -> Column:
    return [NAN] * bool(close) + smoothed(true_ranges(high, low, close), window, 1 / window)


def natr(high: Column, low: Column, close: Column, window: int) -> Column:
    return [100 * ratio(a, c) for a, c in zip(atr(high, low, close, window), close, strict=True)]


def keltner(high: Column, low: Column, close: Column, window: int, width: float, atr_window: int) -> list[Any]:
    """Both averages begin at the same row, each with the mean of its own last rows."""
    first = max(window, atr_window + 1)
    late, late_range = first - window, first - atr_window - 1
    middles = ema(typical(high, low, close)[late:], window)
    reaches = atr(*(column[late_range:] for column in (high, low, close)), atr_window)
    lines = zip([NAN] * late + middles, [NAN] * late_range + reaches, strict=False)
    return [(m, m + width * r, m - width * r) for m, r in lines][: len(close)]


def directional(high: Column, low: Column, close: Column, window: int) -> list[Any]:
    """Positive and negative directional indicator."""
    up = [b - a for a, b in itertools.pairwise(high)]
    down = [a - b for a, b in itertools.pairwise(low)]
    plus = fading_sum([u if u > d and u > 0 else 0.0 for u, d in zip(up, down, strict=True)], window)
    minus = fading_sum([d if d > u and d > 0 else 0.0 for u, d in zip(up, down, strict=True)], window)
    ranges = fading_sum(true_ranges(high, low, close), window)
    lines = [(100 * ratio(p, r), 100 * ratio(m, r)) for p, m, r in zip(plus, minus, ranges, strict=True)]
    return [(NAN, NAN)] * bool(close) + lines


def fading_sum(column: Column, window: int) -> Column:
    """Begun with the sum of the first window - 1 rows, as Wilder's worksheet has it; from row `window` on."""
    answer, total = [NAN] * min(window - 1, len(column)), sum(column[: window - 1])
    for value in column[window - 1 :]:
        total += value - total / window
        answer.append(total)
    return answer


def plus_di(high: Column, low: Column, close: Column, window: int) -> Column:
    return [plus for plus, _minus in directional(high, low, close, window)]


def minus_di(high: Column, low: Column, close: Column, window: int) -> Column:
    return [minus for _plus, minus in directional(high, low, close, window)]


def adx(high: Column, low: Column, close: Column, window: int) -> Column:
    index = [100 * ratio(abs(p - m), p + m) for p, m in directional(high, low, close, window)]
    return after_nans(index, lambda rows: smoothed(rows, window, 1 / window))


def parabolic_sar(high: Column, low: Column, acceleration: float, maximum: float) -> Column:
    if len(high) < 2:
        return [NAN] * len(high)
    rising = not (low[0] - low[1] > 0 and low[0] - low[1] > high[1] - high[0])
    stop, best = (low[0], high[1]) if rising else (high[0], low[1])
    speed, answer = acceleration, [NAN]
    for row in range(1, len(high)):
        last_high, last_low = max(high[max(1, row - 1)], high[row]), min(low[max(1, row - 1)], low[row])
        if (low[row] <= stop) if rising else (high[row] >= stop):  # a turn: the stop becomes the best price
            rising, speed = not rising, acceleration
            stop = min(best, last_low) if rising else max(best, last_high)
            best = high[row] if rising else low[row]
            answer.append(stop)
        else:
            answer.append(stop)
            if (high[row] > best) if rising else (low[row] < best):
                best, speed = (high[row] if rising else low[row]), min(speed + acceleration, maximum)
        stop += speed * (best - stop)
        stop = min(stop, last_low) if rising else max(stop, last_high)
    return answer


def supertrend(high: Column, low: Column, close: Column, window: int, width: float) -> list[Any]:
    answer: list[Any] = []
    upper = lower = direction = NAN
    for row, reach in enumerate(atr(high, low, close, window)):
        if math.isnan(reach):
            answer.append((NAN, NAN))
            continue
        middle = (high[row] + low[row]) / 2
        above, below = middle + width * reach, middle - width * reach
        upper = above if math.isnan(upper) or above < upper or close[row - 1] > upper else upper
        lower = below if math.isnan(lower) or below > lower or close[row - 1] < lower else lower
        if math.isnan(direction):
            direction = 1.0
        elif direction > 0:
            direction = -1.0 if close[row] < lower else 1.0
        else:
            direction = 1.0 if close[row] > upper else -1.0
        answer.append((lower if direction > 0 else upper, direction))
    return answer


def obv(close: Column, volume: Column) -> Column:
    answer = list(volume[:1])
    for before, now, traded in zip(close, close[1:], volume[1:], strict=False):
        answer.append(answer[-1] + (traded if now > before else -traded if now < before else 0.0))
    return answer
