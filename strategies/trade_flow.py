"""Who was in a hurry: buyers or sellers. Needs stored public trades: backtest it with --trades.

Source: T. Chordia, A. Subrahmanyam, "Order Imbalance and Individual Stock Returns: Theory and Evidence", Journal of
Financial Economics 72(3), 2004, pages 485-518.
"""

from algotrade import Strategy, on, param


class TradeFlow(Strategy):
    """Long after a bar in which takers bought more than they sold by `excess` of all that was traded."""

    excess: float = param(0.1, low=0.0, high=1.0)

    _bought, _sold = 0.0, 0.0

    @on("trades")
    def count(self, trade) -> None:
        if trade.side > 0:
            self._bought += trade.quantity
        else:
            self._sold += trade.quantity

    @on("candles")
    def decide(self, candle) -> None:
        bought, sold, self._bought, self._sold = self._bought, self._sold, 0.0, 0.0
        self.target(exposure=float(bought - sold > self.excess * (bought + sold)))
