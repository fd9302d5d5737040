"""Mean reversion by Bollinger bands.

Source: J. Bollinger, "Bollinger on Bollinger Bands", 2001, method III (reversals), without its volume indicators.
"""

import pandas as pd

from algotrade import SignalStrategy, bollinger, param


class BollingerReversion(SignalStrategy):
    """Buy below the lower band; sell at the average, or after `patience` bars."""

    window: int = param(20, low=5, high=200)
    width: float = param(2.0, low=0.5, high=5.0)
    patience: int = param(20, low=1, high=400)  # bars without a new entry; bounds what a signal depends on

    @property
    def warmup(self) -> int:
        return self.window + self.patience

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        middle, upper, lower = bollinger(candles.close, self.window, self.width)
        signals = candles[["close"]].assign(middle=middle, upper=upper, lower=lower, signal=float("nan"))
        signals.loc[signals.close < signals.lower, "signal"] = 1.0
        signals.loc[signals.close >= signals.middle, "signal"] = 0.0
        signals["signal"] = signals.signal.ffill(limit=self.patience).fillna(0.0)
        return signals
