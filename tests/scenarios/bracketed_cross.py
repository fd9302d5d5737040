"""The strategy that every machine, a paper session and other backtesters are compared on."""

import pandas as pd

from algotrade import SignalStrategy, param, sma


class BracketedCross(SignalStrategy):
    """Long while the fast average is above the slow one, between a stop and a target; out is out until it crosses."""

    fast: int = param(10, low=2, high=100)
    slow: int = param(20, low=5, high=400)
    stop: float = param(0.03, low=0.0001, high=0.5)
    goal: float = param(0.06, low=0.0001, high=1.0)

    @property
    def warmup(self) -> int:
        return self.slow

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        rising = sma(candles.close, self.fast) > sma(candles.close, self.slow)
        return candles[["close"]].assign(signal=rising.astype(float), stop_loss=self.stop, take_profit=self.goal)
