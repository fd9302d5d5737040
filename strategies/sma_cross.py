"""Trend following by two moving averages.

Source: W. Brock, J. Lakonishok, B. LeBaron, "Simple Technical Trading Rules and the Stochastic Properties of Stock
Returns", Journal of Finance 47(5), 1992, pages 1731-1764: the variable-length rule.
"""

import pandas as pd

from algotrade import SignalStrategy, param, sma


class SmaCross(SignalStrategy):
    """Long while the fast average is above the slow one."""

    fast: int = param(10, low=2, high=100)
    slow: int = param(20, low=5, high=400)

    @property
    def warmup(self) -> int:
        return self.slow

    def validate(self) -> None:
        if self.slow <= self.fast:
            raise ValueError(f"slow must be longer than fast, given fast={self.fast}, slow={self.slow}")

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        signals = candles[["close"]].assign(fast=sma(candles.close, self.fast), slow=sma(candles.close, self.slow))
        signals["signal"] = (signals.fast > signals.slow).astype(float)
        return signals
