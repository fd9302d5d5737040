"""The turn of the month: salaries and savings plans buy then.

Source: J. Lakonishok, S. Smidt, "Are Seasonal Anomalies Real? A Ninety-Year Perspective", Review of Financial Studies
1(4), 1988, pages 403-425: the last day of a month and the first three of the next.
"""

import pandas as pd

from algotrade import SignalStrategy, Sizing, param


class TurnOfMonth(SignalStrategy):
    """Hold the last day of a month and the first `days` of the next, as much as half of Kelly's rule says."""

    sizing = Sizing("kelly", 0.5, window=250)
    warmup = 1  # what the sizing needs comes on top

    days: int = param(3, low=1, high=20)

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        coming = candles.index + pd.Timedelta(days=1)  # on daily bars: a signal is filled at the open of the next one
        turning = coming.is_month_end | (coming.day <= self.days)
        return candles[["close"]].assign(signal=turning.astype(float))
