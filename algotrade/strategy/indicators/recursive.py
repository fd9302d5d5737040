"""Indicators that remember all rows before, from TA-Lib.

What came long ago fades: after about 50 windows it is below the last bit, so a strategy that uses one declares a
`warmup` of 50 times its longest window, or takes it unasked. A NaN or infinity before the first value is skipped; one
after it spoils all that follows.
"""

from __future__ import annotations

from typing import Any

from algotrade.strategy.indicators import calls
from algotrade.strategy.indicators.columns import Bands, Macd, Stochastic, Supertrend, Values, like, together


# ---- averages -------------------------------------------------------------------------------------------------------
def ema(values: Values, window: int) -> Values:
    """Exponential moving average, e = e + (x - e) x 2 / (window + 1), begun with the mean of the first `window` rows.

    First value at row `window`; settled after 50 windows. Source: TA-Lib EMA.
    """
    return _column(calls.ema(window), values=values)


def dema(values: Values, window: int) -> Values:
    """Double exponential moving average, 2 e1 - e2 with e1 = ema(x), e2 = ema(e1).

    First value at row 2 window - 1; settled after 50 windows. Source: P. G. Mulloy, "Smoothing Data with Faster Moving
    Averages", Stocks & Commodities 12:1, 1994; TA-Lib DEMA.
    """
    return _column(calls.dema(window), values=values)


def tema(values: Values, window: int) -> Values:
    """Triple exponential moving average, 3 e1 - 3 e2 + e3 with e1 = ema(x), e2 = ema(e1), e3 = ema(e2).

    First value at row 3 window - 2; settled after 50 windows. Source: Mulloy, 1994; TA-Lib TEMA.
    """
    return _column(calls.tema(window), values=values)


def kama(values: Values, window: int = 10) -> Values:
    """Kaufman's adaptive moving average, k = k + (x - k) s^2, fast in a trend and slow in noise.

    s = e (2/3 - 2/31) + 2/31; e, the efficiency, is |x - x[-window]| over the sum of the |moves| between. Begun with
    the row before its first value, at row window + 1. Noise can hold s near 2/31, so that it settles slowly: 50 windows
    of 10 rows, at least 5000 rows of a market without a trend. Source: P. J. Kaufman, "Smarter Trading", 1995; TA-Lib
    KAMA. `window` is at least 2.
    """
    return _column(calls.kama(window), values=values)


# ---- oscillators ----------------------------------------------------------------------------------------------------
def rsi(values: Values, window: int = 14) -> Values:
    """Relative strength index, 100 x gains / (gains + losses), both averaged by e = e + (x - e) / window; 0 to 100.

    Prices that never moved give 0, as TA-Lib has it. First value at row window + 1; settled after 50 windows. Source:
    TA-Lib RSI; J. W. Wilder, "New Concepts in Technical Trading Systems", 1978. `window` is at least 2.
    """
    return _column(calls.rsi(window), values=values)


def stochastic_rsi(values: Values, window: int = 14, stochastic_window: int = 14, smooth: int = 3) -> Stochastic:
    """Where the rsi lies between its own lowest and highest, 0 to 100, as k; d = sma(k, smooth).

    k = 100 (rsi - lowest rsi) / (highest rsi - lowest rsi) over `stochastic_window` rows, 0 where the rsi stood still.
    Charts that smooth both lines show d as %K and sma(d, smooth) as %D. First values at row window + stochastic_window
    + smooth - 1; settled after 50 windows. Source: T. Chande and S. Kroll, "The New Technical Trader", 1994; TA-Lib
    STOCHRSI. `window` is at least 2.
    """
    lines: Stochastic = _lines(calls.stochastic_rsi(window, stochastic_window, smooth), values=values)
    return lines


def macd(values: Values, fast: int = 12, slow: int = 26, signal: int = 9) -> Macd:
    """Moving average convergence divergence: line = ema(fast) - ema(slow), signal = ema(line), and their difference.

    First values at row slow + signal - 1; settled after 50 x slow rows. Source: TA-Lib MACD; G. Appel, "Technical
    Analysis: Power Tools for Active Investors", 2005. `fast` is at least 2, and shorter than `slow`.
    """
    lines: Macd = _lines(calls.macd(fast, slow, signal), values=values)
    return lines


def ppo(values: Values, fast: int = 12, slow: int = 26) -> Values:
    """Percentage price oscillator, 100 (ema(fast) - ema(slow)) / ema(slow): macd that compares over prices.

    First value at row slow; settled after 50 x slow rows. Source: TA-Lib PPO; Appel, 2005. `fast` is at least 2, and
    shorter than `slow`.
    """
    return _column(calls.ppo(fast, slow), values=values)


# ---- ranges ---------------------------------------------------------------------------------------------------------
def atr(high: Values, low: Values, close: Values, window: int = 14) -> Values:
    """Average true range, e = e + (x - e) / window of max(high, last close) - min(low, last close); in price units.

    First value at row window + 1; settled after 50 windows. Source: TA-Lib ATR; Wilder, 1978.
    """
    return _column(calls.atr(window), high=high, low=low, close=close)


def natr(high: Values, low: Values, close: Values, window: int = 14) -> Values:
    """Average true range in percent of the close, 100 atr / close.

    First value at row window + 1; settled after 50 windows. Source: J. Forman, "Cross-Market Evaluations with
    Normalized Average True Range", Stocks & Commodities 24:5, 2006; TA-Lib NATR. `window` is at least 2.
    """
    return _column(calls.natr(window), high=high, low=low, close=close)


def keltner(
    high: Values, low: Values, close: Values, window: int = 20, width: float = 2.0, *, atr_window: int = 10
) -> Bands:
    """Keltner channel, ema(x, window) +- width x atr(atr_window) of the typical price x, (high + low + close) / 3.

    Both begin with the mean of their own last rows at row max(window, atr_window + 1), where the first values stand;
    settled after 50 windows. Source: C. W. Keltner, "How to Make Money
    in Commodities", 1960, with L. B. Raschke's ema and atr; TA-Lib KC. `window` is at least 2.
    """
    lines: Bands = _lines(calls.keltner(window, width, atr_window), high=high, low=low, close=close)
    return lines


# ---- trend ----------------------------------------------------------------------------------------------------------
def plus_di(high: Values, low: Values, close: Values, window: int = 14) -> Values:
    """Positive directional indicator, 100 x summed upward moves of the high / summed true range; 0 to 100.

    A row counts high - last high if that is above 0 and above last low - low, else 0; sums fade by s = s - s / window +
    x. First value at row window + 1; settled after 50 windows. Source: Wilder, 1978; TA-Lib PLUS_DI. `window` is at
    least 2.
    """
    return _column(calls.plus_di(window), high=high, low=low, close=close)


def minus_di(high: Values, low: Values, close: Values, window: int = 14) -> Values:
    """Negative directional indicator: as `plus_di`, of the downward moves of the low; 0 to 100.

    First value at row window + 1; settled after 50 windows. Source: Wilder, 1978; TA-Lib MINUS_DI.
    """
    return _column(calls.minus_di(window), high=high, low=low, close=close)


def adx(high: Values, low: Values, close: Values, window: int = 14) -> Values:
    """Average directional index, e = e + (x - e) / window of x = 100 |plus_di - minus_di| / (plus_di + minus_di).

    How strong a trend is, 0 to 100, whichever way it goes. First value at row 2 window; settled after 50 windows.
    Source: Wilder, 1978; TA-Lib ADX. `window` is at least 2.
    """
    return _column(calls.adx(window), high=high, low=low, close=close)


def parabolic_sar(high: Values, low: Values, acceleration: float = 0.02, maximum: float = 0.2) -> Values:
    """Parabolic stop and reverse, s = s + a (best price since the turn - s), turned when a price passes it.

    a begins at `acceleration` and grows by it with every new best price, up to `maximum`; s never enters the range of
    the last two rows. First value at row 2; it forgets all before a turn, so it settles with the first turns that it
    shares with a longer run, not after a number of windows. Source: Wilder, 1978; TA-Lib SAR.
    """
    return _column(calls.parabolic_sar(acceleration, maximum), high=high, low=low)


def supertrend(high: Values, low: Values, close: Values, window: int = 10, width: float = 3.0) -> Supertrend:
    """A stop that trails by width x atr(window) from (high + low) / 2, and turns when the close passes it.

    The line is the lower band while prices rise (direction 1), where it never falls, and the upper band while they fall
    (direction -1), where it never rises. First values at row window + 1; settled after 50 windows and a turn. Source:
    O. Seban, "Tout le monde mérite d'être riche", 2008; TA-Lib SUPERTREND. `window` is at least 2.
    """
    lines: Supertrend = _lines(calls.supertrend(window, width), high=high, low=low, close=close)
    return lines


# ---- volume ---------------------------------------------------------------------------------------------------------
def obv(close: Values, volume: Values) -> Values:
    """On-balance volume: the first row's volume, plus that of rising closes, less that of falling ones.

    It never forgets where it began, so its level means nothing: compare it with itself (`momentum(obv(...), 20)`), or
    declare `warmup = "all"`. First value at row 1. Source: J. E. Granville, "Granville's New Key to Stock Market
    Profits", 1963; TA-Lib OBV.
    """
    return _column(calls.obv(), close=close, volume=volume)


def _column(call: calls.Call, **columns: Values) -> Values:
    return like(_model(columns), calls.compute(call, together(call.name, **columns)))


def _lines(call: calls.Call, **columns: Any) -> Any:
    lines = calls.compute(call, together(call.name, **columns))
    return type(lines)(*(like(_model(columns), line) for line in lines))


def _model(columns: dict[str, Values]) -> Values:
    """The column whose index and name an answer takes: the close, or the first one."""
    return columns["close"] if "close" in columns else next(iter(columns.values()))
