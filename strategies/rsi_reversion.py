"""Mean reversion by the relative strength index.

Source: J. W. Wilder, "New Concepts in Technical Trading Systems", 1978, section VI: above 70 is overbought, below 30
oversold.
"""

import pandas as pd

from algotrade import SignalStrategy, param, rsi


class RsiReversion(SignalStrategy):
    """Buy when the relative strength index is oversold; sell when it has recovered, or after `patience` bars."""

    window: int = param(14, low=2, high=100)
    oversold: float = param(30.0, low=1.0, high=99.0)
    recovered: float = param(50.0, low=1.0, high=99.0)
    patience: int = param(30, low=1, high=400)  # bars without a new entry; bounds what a signal depends on

    @property
    def warmup(self) -> int:
        return 50 * self.window + self.patience

    def validate(self) -> None:
        if self.recovered <= self.oversold:
            raise ValueError(f"recovered must be above oversold, given {self.recovered} and {self.oversold}")

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        signals = candles[["close"]].assign(rsi=rsi(candles.close, self.window), signal=float("nan"))
        signals.loc[signals.rsi < self.oversold, "signal"] = 1.0
        signals.loc[signals.rsi > self.recovered, "signal"] = 0.0
        signals["signal"] = signals.signal.ffill(limit=self.patience).fillna(0.0)
        return signals
