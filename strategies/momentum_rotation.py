"""Momentum rotation: the past winners among several coins, chosen anew every week.

Source: N. Jegadeesh, S. Titman, "Returns to Buying Winners and Selling Losers", Journal of Finance 48(1), 1993.
"""

from collections.abc import Mapping

import pandas as pd

from algotrade import PortfolioStrategy, closes, hold, param, rebalance_on, top


class MomentumRotation(PortfolioStrategy):
    """Each week, hold the coins that rose most over the last `window` bars, none that fell."""

    window: int = param(90, low=2, high=1000)
    most: int = param(2, low=1, high=50)

    def generate_weights(self, candles: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        prices = closes(candles)
        momentum = prices / prices.shift(self.window) - 1
        weekly = rebalance_on(prices.index, "1w")
        weights = hold(top(momentum.where(momentum > 0), self.most), weekly)
        return weights.assign(rebalance=weekly)
