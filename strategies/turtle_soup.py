"""False breakouts: a new low that does not hold.

Source: L. Connors, L. B. Raschke, "Street Smarts", 1995, chapter "Turtle Soup": a new low, at least four days after the
last one, is bought back above that one.
"""

from algotrade import Strategy, on, param


class TurtleSoup(Strategy):
    """Buy the return above an old low of `window` bars by a stop-limit; the stop loss is the new low."""

    window: int = param(20, low=6, high=400)
    age: int = param(4, low=1, high=100)  # bars since the old low, at least
    chase: float = param(0.01, low=0.0, high=0.2)  # fraction above the old low that is paid at most
    patience: int = param(10, low=1, high=100)

    @property
    def warmup(self) -> int:
        return self.window + 1

    @on("candles")
    def look_for_a_false_low(self, candle) -> None:
        past = self.candles().low.iloc[-self.window - 1 : -1]
        if self.position or self.orders or len(past) < self.window:
            return
        old = past.min()
        if candle.close < old and past.argmin() <= self.window - self.age:
            self.buy(
                notional=0.95 * self.cash,
                stop=old,
                limit=old * (1 + self.chase),
                expires_after=3,
                stop_loss_price=candle.low,
                max_bars=self.patience,
            )
