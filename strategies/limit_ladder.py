"""A ladder of bids below the market, each with its own small profit.

Source: A. Taranto, S. Khan, "Gambler's Ruin Problem and Bi-Directional Grid Constrained Trading and Investment
Strategies", Investment Management and Financial Innovations 17(3), 2020, pages 54-66: it wins often, and one day it
loses all of that.
"""

from algotrade import Strategy, on, param


class LimitLadder(Strategy):
    """Bid on `rungs` steps below the close, and move them with it until one fills; each sells one step higher."""

    rungs: int = param(4, low=1, high=50)
    step: float = param(0.02, low=0.0005, high=0.2)
    patience: int = param(20, low=1, high=1000)

    @on("candles")
    def follow_the_market(self, candle) -> None:
        if self.position:
            return
        prices = [candle.close * (1 - self.step) ** rung for rung in range(1, self.rungs + 1)]
        if len(self.orders) == self.rungs:
            for bid, price in zip(self.orders, prices, strict=True):
                self.replace(bid.order_id, limit=price)
            return
        self.cancel_all()
        share = 0.95 * self.equity / self.rungs
        for price in prices:
            self.buy(notional=share, limit=price, post_only=True, take_profit=self.step, max_bars=self.patience)

    @on("fills")
    def begin_anew(self, fill) -> None:
        if not self.position:
            self.cancel_all()
