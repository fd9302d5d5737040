"""A profit target that asks for less the longer it has to wait.

Source: the table of minimal returns in the sample strategy of the freqtrade project, documentation, "Strategy
customization"; the entry is ours.
"""

from types import MappingProxyType

import pandas as pd

from algotrade import SignalStrategy, bollinger, param


class FallingTarget(SignalStrategy):
    """Buy below the lower band; take 10 % at once, 5 % after three days, 2 % after a week, what there is after two."""

    take_profit_after = MappingProxyType({"3d": 0.05, "7d": 0.02, "14d": 0.0})

    window: int = param(20, low=5, high=200)
    width: float = param(1.5, low=0.5, high=5.0)
    patience: int = param(30, low=1, high=400)
    stop: float = param(0.1, low=0.001, high=0.9)

    @property
    def warmup(self) -> int:
        return self.window + self.patience

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        signals = candles[["close"]].assign(lower=bollinger(candles.close, self.window, self.width).lower)
        cheap = (signals.close < signals.lower).astype(float)
        signals["signal"] = cheap.rolling(self.patience, min_periods=1).max()
        return signals.assign(take_profit=0.10, stop_loss=self.stop)
