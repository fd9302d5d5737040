"""Short-term reversal: what fell too fast tends to come back, or not.

Source: N. Jegadeesh, "Evidence of Predictable Behavior of Security Returns", Journal of Finance 45(3), 1990,
pages 881-898.
"""

from algotrade import Strategy, on, param


class BuyTheDip(Strategy):
    """Buy a bar that falls by `drop`; sell at a profit of `rebound`, or after `patience` bars."""

    drop: float = param(0.05, low=0.001, high=0.9)
    rebound: float = param(0.05, low=0.001, high=10.0)
    patience: int = param(10, low=1, high=1000)

    _bars_held = 0

    @on("fills")
    def begin_to_count(self, fill) -> None:
        self._bars_held = 0

    @on("candles")
    def decide(self, candle) -> None:
        if self.position == 0:
            if candle.close <= candle.open * (1 - self.drop):
                self.target(exposure=1.0)
            return
        self._bars_held += 1
        if candle.close >= self.entry_price * (1 + self.rebound) or self._bars_held >= self.patience:
            self.target(exposure=0.0)
