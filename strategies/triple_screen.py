"""Two timeframes: the tide decides the side, the wave the moment.

Source: A. Elder, "Trading for a Living", 1993, section 43, the Triple Screen: weekly trend, daily oscillator; the third
screen, an order inside the day, is left out.
"""

import pandas as pd

from algotrade import SignalStrategy, param, sma
from algotrade.indicators import stochastic


class TripleScreen(SignalStrategy):
    """Buy an oversold bar while the candles of `tide` rise; hold until they fall, `patience` bars at most."""

    tide: str = "1w"
    average: int = param(13, low=2, high=100)  # of the tide's candles
    window: int = param(5, low=2, high=100)
    oversold: float = param(30.0, low=1.0, high=99.0)
    patience: int = param(60, low=1, high=400)

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        weeks = sma(self.candles(self.tide).close, self.average)  # of weeks that have closed
        rising = self.align(weeks > weeks.shift(), self.tide)  # seen by each bar at its close
        wave = stochastic(candles.high, candles.low, candles.close, self.window)
        signals = candles[["close"]].assign(wave=wave.d, signal=float("nan"))
        signals.loc[wave.d < self.oversold, "signal"] = 1.0
        signals.loc[~rising, "signal"] = 0.0
        signals["signal"] = signals.signal.ffill(limit=self.patience).fillna(0.0)
        return signals
