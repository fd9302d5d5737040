"""Long above the supertrend line, short below it.

Source: O. Seban, "Tout le monde merite d'etre riche", 2008: a stop line of so many average ranges that turns with the
trend.
"""

import pandas as pd

from algotrade import SignalStrategy, param
from algotrade.indicators import supertrend


class SupertrendFollow(SignalStrategy):
    """Long while prices are above the line of `width` average ranges, short below it where that is allowed."""

    window: int = param(10, low=2, high=100)
    width: float = param(3.0, low=0.5, high=20.0)

    warmup = "all"  # the line turns with the trend, however long ago that began

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        line, direction = supertrend(candles.high, candles.low, candles.close, self.window, self.width)
        signals = candles[["close"]].assign(line=line, signal=direction.fillna(0.0))
        if not self.bounds.allow_short:
            signals["signal"] = signals.signal.clip(lower=0.0)
        return signals
