"""A move of a good part of yesterday's range tends to go on.

Source: L. Williams, "Long-Term Secrets to Short-Term Trading", 1999, chapter 4, volatility breakouts.
"""

from algotrade import Strategy, on, param


class VolatilityBreakout(Strategy):
    """Buy by a stop `stretch` of the last range above the close, good for a day; out at a profit, a loss or in time."""

    stretch: float = param(1.0, low=0.05, high=5.0)
    stop: float = param(0.05, low=0.001, high=0.9)
    goal: float = param(0.1, low=0.001, high=10.0)
    patience: int = param(5, low=1, high=100)

    @on("candles")
    def place_the_stop(self, candle) -> None:
        reach = self.stretch * (candle.high - candle.low)
        if self.position or self.orders or not reach:
            return
        self.buy(
            notional=0.95 * self.cash,
            stop=candle.close + reach,
            time_in_force="day",
            stop_loss=self.stop,  # these three begin with the fill, and the first that is reached ends the others
            take_profit=self.goal,
            max_bars=self.patience,
        )
