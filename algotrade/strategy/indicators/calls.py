"""What each recursive indicator asks of TA-Lib: which function, with which settings, and how many rows it needs.

A call is spelt once and used twice: over whole columns (recursive.py) and bar by bar (stream.py). Each function here
bears the name of its indicator and takes that indicator's settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from algotrade.market.candles import Floats
from algotrade.strategy.indicators.columns import Bands, Macd, Stochastic, Supertrend, ordered, positive, whole


class Call(NamedTuple):
    """One TA-Lib function with its settings.

    Attributes:
        name: the indicator's name, for errors.
        function: TA-Lib's name.
        settings: TA-Lib's keyword arguments.
        warm_up: rows until the first value.
        lines: what the answer consists of; None for a single column.
        fields: the names of the lines in TA-Lib's order.
    """

    name: str
    function: str
    settings: Mapping[str, int | float]
    warm_up: int
    lines: type[Any] | None = None
    fields: tuple[str, ...] = ()

    def answer(self, outputs: Any) -> Any:
        """TA-Lib's outputs, one column or number or a tuple of those, in our own order."""
        return outputs if self.lines is None else self.lines(**dict(zip(self.fields, outputs, strict=True)))


def compute(call: Call, columns: list[Floats]) -> Any:
    """The indicator over whole columns: an array of shape (rows,), or lines of those.

    Rows before the first that is finite in all columns are skipped; a NaN or infinity after it spoils all that follows.
    """
    import talib

    begin, end = _clean(columns)
    outputs = getattr(talib, call.function)(*(column[begin:end] for column in columns), **call.settings)
    first, rows = begin + call.warm_up - 1, len(columns[0])
    if call.lines is None:
        return _padded(outputs, begin, first, rows)
    return call.answer([_padded(output, begin, first, rows) for output in outputs])


def _clean(columns: list[Floats]) -> tuple[int, int]:
    """Begin and end of the first run of rows that are finite in all columns."""
    if all(np.isfinite(column).all() for column in columns):
        return 0, len(columns[0])
    finite = np.logical_and.reduce([np.isfinite(column) for column in columns])
    begin = int(finite.argmax()) if finite.any() else len(finite)
    holes = ~finite[begin:]
    return begin, begin + int(holes.argmax()) if holes.any() else len(finite)


def _padded(output: Any, begin: int, first: int, rows: int) -> Floats:
    """TA-Lib's output, which may be of whole numbers, put at its rows among NaN, from the row `first` on."""
    if output.dtype == np.float64 and len(output) == rows:
        answer: Floats = output
    else:
        answer = np.full(rows, np.nan)
        answer[begin : begin + len(output)] = output
    answer[:first] = np.nan
    return answer


def one_window(name: str, function: str, window: object, *, rows: tuple[int, int], least: int = 1) -> Call:
    """A call whose only setting is a window, and whose first value stands at row rows[0] x window + rows[1]."""
    period = whole(name, "window", window, least=least)
    return Call(name, function, {"timeperiod": period}, rows[0] * period + rows[1])


def ema(window: int) -> Call:
    """As `indicators.ema`."""
    return one_window("ema", "EMA", window, rows=(1, 0))


def dema(window: int) -> Call:
    """As `indicators.dema`."""
    return one_window("dema", "DEMA", window, rows=(2, -1))


def tema(window: int) -> Call:
    """As `indicators.tema`."""
    return one_window("tema", "TEMA", window, rows=(3, -2))


def kama(window: int) -> Call:
    """As `indicators.kama`."""
    return one_window("kama", "KAMA", window, rows=(1, 1), least=2)


def rsi(window: int) -> Call:
    """As `indicators.rsi`."""
    return one_window("rsi", "RSI", window, rows=(1, 1), least=2)


def stochastic_rsi(window: int, stochastic_window: int, smooth: int) -> Call:
    """As `indicators.stochastic_rsi`."""
    window = whole("stochastic_rsi", "window", window, least=2)
    lookback = whole("stochastic_rsi", "stochastic_window", stochastic_window)
    smooth = whole("stochastic_rsi", "smooth", smooth)
    settings = {"timeperiod": window, "fastk_period": lookback, "fastd_period": smooth}
    return Call("stochastic_rsi", "STOCHRSI", settings, window + lookback + smooth - 1, Stochastic, ("k", "d"))


def macd(fast: int, slow: int, signal: int) -> Call:
    """As `indicators.macd`."""
    fast, slow = ordered("macd", fast, slow)
    signal = whole("macd", "signal", signal)
    settings = {"fastperiod": fast, "slowperiod": slow, "signalperiod": signal}
    return Call("macd", "MACD", settings, slow + signal - 1, Macd, ("line", "signal", "histogram"))


def ppo(fast: int, slow: int) -> Call:
    """As `indicators.ppo`."""
    fast, slow = ordered("ppo", fast, slow)
    exponential = 1
    return Call("ppo", "PPO", {"fastperiod": fast, "slowperiod": slow, "matype": exponential}, slow)


def atr(window: int) -> Call:
    """As `indicators.atr`."""
    return one_window("atr", "ATR", window, rows=(1, 1))


def natr(window: int) -> Call:
    """As `indicators.natr`."""
    return one_window("natr", "NATR", window, rows=(1, 1), least=2)  # TA-Lib leaves one of 1 unscaled


def keltner(window: int, width: float, atr_window: int) -> Call:
    """As `indicators.keltner`."""
    window, atr_window = whole("keltner", "window", window, least=2), whole("keltner", "atr_window", atr_window)
    settings = {"timeperiod": window, "atrperiod": atr_window, "nbdev": positive("keltner", "width", width)}
    return Call("keltner", "KC", settings, max(window, atr_window + 1), Bands, ("upper", "middle", "lower"))


def adx(window: int) -> Call:
    """As `indicators.adx`."""
    return one_window("adx", "ADX", window, rows=(2, 0), least=2)


def plus_di(window: int) -> Call:
    """As `indicators.plus_di`."""
    return one_window("plus_di", "PLUS_DI", window, rows=(1, 1), least=2)


def minus_di(window: int) -> Call:
    """As `indicators.minus_di`."""
    return one_window("minus_di", "MINUS_DI", window, rows=(1, 1), least=2)


def parabolic_sar(acceleration: float, maximum: float) -> Call:
    """As `indicators.parabolic_sar`."""
    acceleration = positive("parabolic_sar", "acceleration", acceleration)
    maximum = positive("parabolic_sar", "maximum", maximum)
    return Call("parabolic_sar", "SAR", {"acceleration": acceleration, "maximum": maximum}, 2)


def supertrend(window: int, width: float) -> Call:
    """As `indicators.supertrend`."""
    window = whole("supertrend", "window", window, least=2)
    settings = {"timeperiod": window, "multiplier": positive("supertrend", "width", width)}
    return Call("supertrend", "SUPERTREND", settings, window + 1, Supertrend, ("line", "direction"))


def obv() -> Call:
    """As `indicators.obv`."""
    return Call("obv", "OBV", {}, 1)
