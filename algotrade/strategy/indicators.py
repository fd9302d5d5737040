"""Indicators for strategies: a Series or an array in, the same kind out, NaN until there are enough rows.

Windowed ones (sma, rolling_std, highest, lowest, bollinger) at row t depend on the bytes of the last `window` rows and
on nothing else: a live run that holds 200 rows gets bit for bit what a backtest of a million got. A running sum does
not have that property: it remembers rounding from rows long gone. Here a window is folded from blocks of 1, 2, 4, ...
rows, in an order that only the window's length decides, in O(rows x log(window)). A NaN spoils the windows that hold
it and no other.

Recursive ones (ema, rsi, macd, atr) come from TA-Lib and depend on all rows before; after about 50 periods what came
earlier has faded below the last bit. A NaN after the first value spoils all that follows.

All refuse a window that is not a whole number, with FixStrategy; one that is longer than the data gives NaN throughout.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar, cast

import numpy as np
import pandas as pd

from algotrade.errors import FixStrategy
from algotrade.market.candles import Floats

LONGEST: Final = 100_000  # TA-Lib takes no more
Values = TypeVar("Values", "pd.Series[Any]", Floats)
Combine = Callable[[Floats, int, Floats, int], Floats]


class Bollinger(NamedTuple):
    """Bands around an average, each of the input's kind and length."""

    middle: Any
    upper: Any
    lower: Any


class Macd(NamedTuple):
    """The difference of two averages, its own average, and the difference of those; of the input's kind and length."""

    line: Any
    signal: Any
    histogram: Any


# ---- windowed -------------------------------------------------------------------------------------------------------
def sma(values: Values, window: int) -> Values:
    """Simple moving average, the mean of the last `window` rows; warm-up: window rows.

    Exact where sums of the values are, as for whole numbers, so that two averages that are equal on paper are equal
    here. Never outside of the window's lowest and highest value: the average of a constant is that constant.
    """
    window = _whole("sma", "window", window)
    rows = _rows("sma", values)
    mean = _fold(rows, window, _sum) / window
    return _like(values, np.clip(mean, _fold(rows, window, _low), _fold(rows, window, _high)))


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
    window = _whole("rolling_std", "window", window)
    rows = _rows("rolling_std", values)
    squares = _fold(np.stack([rows, np.zeros(len(rows))]), window, _moments)[1]
    freedom = window - ddof
    return _like(values, np.sqrt(squares / freedom) if freedom > 0 else np.full(len(rows), math.nan))


def highest(values: Values, window: int) -> Values:
    """Highest of the last `window` rows, this one included; warm-up: window rows."""
    return _like(values, _fold(_rows("highest", values), _whole("highest", "window", window), _high))


def lowest(values: Values, window: int) -> Values:
    """Lowest of the last `window` rows, this one included; warm-up: window rows."""
    return _like(values, _fold(_rows("lowest", values), _whole("lowest", "window", window), _low))


def bollinger(values: Values, window: int = 20, width: float = 2.0) -> Bollinger:
    """Bollinger bands, sma +- width x rolling_std(ddof=0); warm-up: window rows.

    Source: J. Bollinger, "Bollinger on Bollinger Bands", 2001.
    """
    middle = sma(values, window)
    reach = width * rolling_std(values, window, ddof=0)
    return Bollinger(middle, middle + reach, middle - reach)


# ---- recursive ------------------------------------------------------------------------------------------------------
def ema(values: Values, window: int) -> Values:
    """Exponential moving average, e = e + (x - e) x 2 / (window + 1), begun with the mean of the first `window` rows.

    First value at row `window`; settled after 50 windows. Source: TA-Lib EMA.
    """
    import talib

    return _like(values, talib.EMA(_rows("ema", values), timeperiod=_whole("ema", "window", window)))


def rsi(values: Values, window: int = 14) -> Values:
    """Relative strength index, 100 x gains / (gains + losses), both averaged by e = e + (x - e) / window; 0 to 100.

    Prices that never moved give 0, as TA-Lib has it. First value at row window + 1; settled after 50 windows. Source:
    TA-Lib RSI; J. W. Wilder, "New Concepts in Technical Trading Systems", 1978. `window` is at least 2.
    """
    import talib

    return _like(values, talib.RSI(_rows("rsi", values), timeperiod=_whole("rsi", "window", window, least=2)))


def macd(values: Values, fast: int = 12, slow: int = 26, signal: int = 9) -> Macd:
    """Moving average convergence divergence: line = ema(fast) - ema(slow), signal = ema(line), and their difference.

    First values at row slow + signal - 1; settled after 50 x slow rows. Source: TA-Lib MACD; G. Appel, "Technical
    Analysis: Power Tools for Active Investors", 2005. `fast` is at least 2, and shorter than `slow`.
    """
    import talib

    fast, slow = _whole("macd", "fast", fast, least=2), _whole("macd", "slow", slow, least=2)
    if fast >= slow:
        raise FixStrategy(f"macd: fast must be shorter than slow, given fast={fast}, slow={slow}")
    lines = talib.MACD(
        _rows("macd", values), fastperiod=fast, slowperiod=slow, signalperiod=_whole("macd", "signal", signal)
    )
    return Macd(*(_like(values, line) for line in lines))


def atr(high: Values, low: Values, close: Values, window: int = 14) -> Values:
    """Average true range, e = e + (x - e) / window of max(high, last close) - min(low, last close); in price units.

    First value at row window + 1; settled after 50 windows. Source: TA-Lib ATR; Wilder, 1978.
    """
    import talib

    highs, lows, closes = (_rows("atr", column) for column in (high, low, close))
    if not len(highs) == len(lows) == len(closes):
        raise FixStrategy(f"atr: high, low and close differ in length: {len(highs)}, {len(lows)}, {len(closes)}")
    return _like(close, talib.ATR(highs, lows, closes, timeperiod=_whole("atr", "window", window)))


# ---- folding windows ------------------------------------------------------------------------------------------------
def _fold(rows: Floats, window: int, combine: Combine) -> Floats:
    """Fold every window of `window` rows with `combine(left, its length, right, its length)`.

    Row t of the answer covers rows t - window + 1 to t. Blocks of 1, 2, 4, ... rows are folded everywhere at once; a
    window is put together from the blocks of its length's binary digits, the smallest block first.

    Args:
        rows: shape (n,) or (parts, n).
        window: rows, at least 1.
        combine: works row by row on arrays of one shape; associative up to rounding.

    Returns:
        As `rows`; NaN in the first window - 1 columns.
    """
    length = rows.shape[-1]
    answer = np.full_like(rows, math.nan)
    if window > length:
        return answer
    block, size = rows, 1  # block[..., i] covers rows i to i + size - 1
    folded, covered = rows[..., :0], 0  # likewise, i to i + covered - 1
    with np.errstate(invalid="ignore", over="ignore"):
        while covered < window:
            if window & size:
                start = block[..., covered:]
                folded = combine(folded[..., : start.shape[-1]], covered, start, size) if covered else block
                covered += size
            if covered < window:
                block = combine(block[..., :-size], size, block[..., size:], size)
                size *= 2
    answer[..., window - 1 :] = folded
    return answer


def _sum(left: Floats, _left_count: int, right: Floats, _right_count: int) -> Floats:
    return left + right


def _high(left: Floats, _left_count: int, right: Floats, _right_count: int) -> Floats:
    return np.maximum(left, right)


def _low(left: Floats, _left_count: int, right: Floats, _right_count: int) -> Floats:
    return np.minimum(left, right)


def _moments(left: Floats, left_count: int, right: Floats, right_count: int) -> Floats:
    """Mean and sum of squared deviations, shape (2, n), of two blocks together."""
    share = right_count / (left_count + right_count)
    apart = right[0] - left[0]
    return np.stack([left[0] + apart * share, left[1] + right[1] + apart * apart * (left_count * share)])


# ---- the two kinds of input -----------------------------------------------------------------------------------------
def _rows(name: str, values: object) -> Floats:
    """The values as a float64 array of shape (rows,)."""
    if not isinstance(values, (pd.Series, np.ndarray)) or values.ndim != 1:
        raise FixStrategy(f"{name} takes one column, a Series or an array, given {_described(values)}")
    try:
        return np.ascontiguousarray(values, np.float64)
    except (TypeError, ValueError):
        raise FixStrategy(f"{name} takes numbers, given a column of {values.dtype}") from None


def _described(values: object) -> str:
    if isinstance(values, pd.DataFrame):
        return f"a table of {', '.join(map(str, values.columns))}"
    if isinstance(values, np.ndarray):
        return f"an array of shape {values.shape}"
    return f"a {type(values).__name__}"


def _like(values: Values, answer: Floats) -> Values:
    """The answer as the kind that `values` is; a Series keeps index and name."""
    if isinstance(values, pd.Series):
        return cast("Values", pd.Series(answer, index=values.index, name=values.name))
    return answer


def _whole(name: str, argument: str, given: object, *, least: int = 1) -> int:
    """A window as a whole number from `least` on."""
    refused = f"{name}: {argument} must be a whole number of at least {least}, given {given!r}"
    if isinstance(given, bool | np.bool_):
        raise FixStrategy(refused)
    try:
        window = operator.index(cast("int", given))
    except TypeError:
        raise FixStrategy(refused) from None
    if not least <= window <= LONGEST:
        raise FixStrategy(refused if window < least else f"{name}: {argument} may be {LONGEST} at most, given {window}")
    return window
