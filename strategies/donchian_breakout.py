"""Trend following by breakouts, as the Turtles traded them.

Source: R. Donchian's channel; C. Faith, "Way of the Turtle", 2007, the 20-bar entry with the 10-bar exit (System 1).
"""

import pandas as pd

from algotrade import SignalStrategy, highest, lowest, param


class DonchianBreakout(SignalStrategy):
    """Buy a close above the highest high; sell below the lowest low, or after `patience` bars without a new high."""

    entry: int = param(20, low=2, high=200)
    exit: int = param(10, low=2, high=200)
    patience: int = param(60, low=1, high=400)  # bounds what a signal depends on

    @property
    def warmup(self) -> int:
        return max(self.entry, self.exit) + 1 + self.patience

    def validate(self) -> None:
        if self.exit > self.entry:
            raise ValueError(f"exit must not be longer than entry, given entry={self.entry}, exit={self.exit}")

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        high, low = highest(candles.high, self.entry).shift(1), lowest(candles.low, self.exit).shift(1)
        signals = candles[["close"]].assign(highest=high, lowest=low, signal=float("nan"))
        signals.loc[signals.close > signals.highest, "signal"] = 1.0
        signals.loc[signals.close < signals.lowest, "signal"] = 0.0
        signals["signal"] = signals.signal.ffill(limit=self.patience).fillna(0.0)
        return signals
