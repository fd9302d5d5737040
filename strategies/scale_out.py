"""Take a part of the profit early, and let the rest run without risk.

Source: V. K. Tharp, "Trade Your Way to Financial Freedom", 1998, who measures profits in R, the initial risk, and warns
that scaling out makes winners smaller.
"""

from algotrade import Strategy, on, param


class ScaleOut(Strategy):
    """Buy a new high; sell half once it has won what it risked, then hold the rest from the entry price on."""

    window: int = param(20, low=2, high=400)
    risk: float = param(0.05, low=0.001, high=0.5)

    @property
    def warmup(self) -> int:
        return self.window + 1

    @on("candles")
    def enter(self, candle) -> None:
        past = self.candles().iloc[-self.window - 1 : -1]
        if self.position > 0 and candle.close < past.low.min():
            self.close()
        elif not self.position and len(past) == self.window and candle.close > past.high.max():
            self.buy(notional=0.95 * self.cash)

    @on("fills")
    def protect_what_is_held(self, fill) -> None:
        if fill.side > 0:
            self.protect(stop_loss=self.risk)
            self.sell(quantity=fill.quantity / 2, limit=fill.price * (1 + self.risk), reduce_only=True)
        elif self.position:
            self.protect(stop_loss_price=self.entry_price)
        else:
            self.cancel_all()
