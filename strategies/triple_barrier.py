"""Three barriers around every entry: a profit, a loss, and a time.

Source: M. Lopez de Prado, "Advances in Financial Machine Learning", 2018, section 3.4, the triple-barrier method.
"""

import pandas as pd

from algotrade import SignalStrategy, Sizing, param, rolling_std, sma


class TripleBarrier(SignalStrategy):
    """Enter above the average; leave `width` deviations up or down, or after `patience` bars; risk 1 % of equity."""

    sizing = Sizing("risk", 0.01)  # the stop's distance decides how much is bought

    window: int = param(20, low=5, high=400)
    width: float = param(2.0, low=0.1, high=20.0)
    patience: int = param(10, low=1, high=400)

    @property
    def warmup(self) -> int:
        return self.window + 1

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        moves = candles.close / candles.close.shift() - 1
        signals = candles[["close"]].assign(average=sma(candles.close, self.window))
        signals["signal"] = (signals.close > signals.average).astype(float)
        barrier = (self.width * rolling_std(moves, self.window)).clip(0.001, 0.5)
        return signals.assign(stop_loss=barrier, take_profit=barrier, max_bars=self.patience)
