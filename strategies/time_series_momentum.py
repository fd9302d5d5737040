"""Trend following at a constant risk.

Source: T. Moskowitz, Y. H. Ooi, L. H. Pedersen, "Time Series Momentum", Journal of Financial Economics 104(2), 2012,
pages 228-250: the sign of the last year's return, sized to a volatility of 40 % a year; see also A. Moreira, T. Muir,
"Volatility-Managed Portfolios", Journal of Finance 72(4), 2017.
"""

import pandas as pd

from algotrade import SignalStrategy, Sizing, param
from algotrade.indicators import roc


class TimeSeriesMomentum(SignalStrategy):
    """Long after a rise over `window` bars, short after a fall where that is allowed; less of it in wild times."""

    sizing = Sizing("volatility", 0.4, window=60)

    window: int = param(365, low=2, high=2000)

    @property
    def warmup(self) -> int:
        return self.window + 1

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        signals = candles[["close"]].assign(change=roc(candles.close, self.window))
        signals["signal"] = (signals.change > 0).astype(float)
        if self.bounds.allow_short:
            signals.loc[signals.change < 0, "signal"] = -1.0
        return signals
