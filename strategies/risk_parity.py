"""Every coin adds about as much risk: the calm ones weigh more.

Source: S. Maillard, T. Roncalli, J. Teiletche, "The Properties of Equally Weighted Risk Contribution Portfolios",
Journal of Portfolio Management 36(4), 2010, pages 60-70: with equal correlations the weights are inverse volatilities.
"""

from collections.abc import Mapping

import pandas as pd

from algotrade import PortfolioStrategy, closes, hold, inverse_volatility, param, rebalance_on


class RiskParity(PortfolioStrategy):
    """Weights by inverse volatility, brought back to them on the first bar of every month."""

    window: int = param(60, low=2, high=1000)

    def generate_weights(self, candles: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        prices = closes(candles)
        monthly = rebalance_on(prices.index, "1M")
        weights = hold(inverse_volatility(prices, self.window), monthly)
        return weights.assign(rebalance=monthly)
