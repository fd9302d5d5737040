"""Buying a sharp pullback in a rising market, for a few days only.

Source: L. Connors, C. Alvarez, "Short Term Trading Strategies That Work", 2008, chapter 9, the 2-period RSI; the limit
price is ours.
"""

import pandas as pd

from algotrade import SignalStrategy, param, rsi, sma


class RsiPullback(SignalStrategy):
    """Bid below an oversold close above its long average; sell over the short one, or after `patience` bars."""

    window: int = param(2, low=2, high=20)
    oversold: float = param(10.0, low=1.0, high=50.0)
    trend: int = param(200, low=10, high=400)
    rest: int = param(5, low=2, high=50)
    bid: float = param(0.005, low=0.0, high=0.2)  # fraction below the close
    patience: int = param(10, low=1, high=100)

    @property
    def warmup(self) -> int:
        return max(self.trend, 50 * self.window) + self.patience

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        close = candles.close
        signals = candles[["close"]].assign(
            rsi=rsi(close, self.window), trend=sma(close, self.trend), signal=float("nan")
        )
        signals.loc[(signals.rsi < self.oversold) & (close > signals.trend), "signal"] = 1.0
        signals.loc[close > sma(close, self.rest), "signal"] = 0.0
        signals["signal"] = signals.signal.ffill(limit=self.patience).fillna(0.0)
        # Columns beside the signal count at the bar where it changes: how to enter, and when to give up.
        return signals.assign(limit=close * (1 - self.bid), max_bars=self.patience)
