"""Momentum that locks in what it has won.

Source: K. Kaminski, A. Lo, "When Do Stop-Loss Rules Stop Losses?", Journal of Financial Markets 18, 2014, pages
234-254: they do where prices have momentum.
"""

import pandas as pd

from algotrade import SignalStrategy, param, sma


class TrailingMomentum(SignalStrategy):
    """Long above the average; once it has won `activation`, a stop follows the best price at a distance of `trail`."""

    window: int = param(50, low=2, high=400)
    trail: float = param(0.1, low=0.001, high=0.9)
    activation: float = param(0.1, low=0.001, high=10.0)

    @property
    def warmup(self) -> int:
        return self.window

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        signals = candles[["close"]].assign(average=sma(candles.close, self.window))
        signals["signal"] = (signals.close > signals.average).astype(float)
        return signals.assign(trailing_stop=self.trail, trailing_activation=self.activation)
