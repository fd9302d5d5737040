"""Trend following by the convergence and divergence of two exponential averages.

Source: G. Appel, "Technical Analysis: Power Tools for Active Investors", 2005, chapter 8.
"""

import pandas as pd

from algotrade import SignalStrategy, macd, param


class MacdTrend(SignalStrategy):
    """Long while the MACD line is above its signal line."""

    fast: int = param(12, low=2, high=100)
    slow: int = param(26, low=5, high=200)
    smoothing: int = param(9, low=2, high=100)

    @property
    def warmup(self) -> int:
        return 50 * max(self.slow, self.smoothing)

    def validate(self) -> None:
        if self.slow <= self.fast:
            raise ValueError(f"slow must be longer than fast, given fast={self.fast}, slow={self.slow}")

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        lines = macd(candles.close, self.fast, self.slow, self.smoothing)
        signals = candles[["close"]].assign(macd=lines.line, macd_signal=lines.signal)
        signals["signal"] = (signals.macd > signals.macd_signal).astype(float)
        return signals
