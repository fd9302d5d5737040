"""The oldest mechanical trend system: weeks decide, on whatever bars it is traded.

Source: R. Donchian, the four-week rule, in J. Murphy, "Technical Analysis of the Financial Markets", 1999, chapter 9;
the trailing stop is C. Le Beau's chandelier exit, in A. Elder, "Come into My Trading Room", 2002.
"""

from algotrade import Strategy, atr, on, param


class FourWeekRule(Strategy):
    """Buy a close above the last `weeks` weeks, sell one below; a stop hangs `ranges` weekly ranges from the best."""

    weeks: int = param(4, low=1, high=100)
    ranges: float = param(2.0, low=0.5, high=20.0)

    warmup = "all"  # how many bars make a week depends on the timeframe

    @on("candles:1w")
    def decide(self, week) -> None:
        candles = self.candles("1w")
        past = candles.iloc[-self.weeks - 1 : -1]
        if len(past) < self.weeks:
            return
        if not self.position and week.close > past.high.max():
            distance = atr(candles.high, candles.low, candles.close, self.weeks).iloc[-1]
            self.target(exposure=1.0, rebalance=True, trailing_amount=self.ranges * distance)
        elif self.position and week.close < past.low.min():
            self.target(exposure=0.0)
