"""Two coins that moved together and have come apart: bet on their coming together again.

Source: E. Gatev, W. Goetzmann, K. G. Rouwenhorst, "Pairs Trading: Performance of a Relative-Value Arbitrage Rule",
Review of Financial Studies 19(3), 2006, pages 797-827: open at two deviations, close where the prices cross.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from algotrade import PortfolioStrategy, closes, param
from algotrade.indicators import zscore


class PairSpread(PortfolioStrategy):
    """Short the dear one and long the cheap one of two symbols; needs --allow-short."""

    window: int = param(60, low=5, high=1000)
    apart: float = param(2.0, low=0.5, high=10.0)
    patience: int = param(60, low=1, high=1000)  # bars without a new sign of it; bounds what a weight depends on

    def generate_weights(self, candles: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        if len(candles) != 2:
            raise ValueError(f"a pair is two symbols, given {', '.join(candles)}")
        prices = closes(candles)
        first, second = prices.columns
        spread = zscore(np.log(prices[first] / prices[second]), self.window)
        side = pd.Series(float("nan"), prices.index).mask(spread > self.apart, -0.5).mask(spread < -self.apart, 0.5)
        side = side.mask(spread * spread.shift() <= 0, 0.0).ffill(limit=self.patience).fillna(0.0)
        return pd.DataFrame({first: side, second: -side})
