"""Portfolio strategies with planted leaks, and clean ones that look as if they had one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from algotrade.strategy.allocation import closes, hold, inverse_volatility, rebalance_on, top
from algotrade.strategy.base import param
from algotrade.strategy.weights import PortfolioStrategy

Tables = Mapping[str, pd.DataFrame]


# ---- leaks ----------------------------------------------------------------------------------------------------------
class BestOfTomorrow(PortfolioStrategy):
    """Holds what will rise most."""

    def generate_weights(self, candles: Tables) -> pd.DataFrame:
        prices = closes(candles)
        return top(prices.shift(-1) / prices, 1).where(prices.notna(), 0.0)


class FilledBackwards(PortfolioStrategy):
    """Missing closes come from later ones, so a gap knows its end."""

    def generate_weights(self, candles: Tables) -> pd.DataFrame:
        prices = closes(candles, missed=0)
        return top(prices.bfill() / prices.bfill().shift(5), 1).where(closes(candles).notna(), 0.0)


class RanksOfAllTime(PortfolioStrategy):
    """Shares by the best close of the whole history."""

    def generate_weights(self, candles: Tables) -> pd.DataFrame:
        prices = closes(candles)
        return top(prices / prices.max(), 1)


class KnowsWhoSurvives(PortfolioStrategy):
    """Holds only what still has candles at the end."""

    def generate_weights(self, candles: Tables) -> pd.DataFrame:
        prices = closes(candles)
        alive = prices.iloc[-1].notna()
        return top(prices.where(alive, axis=1), 2)


class RebalancesBeforeTheMove(PortfolioStrategy):
    """Equal weights, rebalanced when tomorrow moves much."""

    def generate_weights(self, candles: Tables) -> pd.DataFrame:
        prices = closes(candles)
        known = prices.notna()
        move = (prices.shift(-1) / prices - 1).abs().max(axis=1)
        return known.mul(1.0 / len(candles)).assign(rebalance=(move > 0.03).to_numpy())


# ---- clean ----------------------------------------------------------------------------------------------------------
class Rotation(PortfolioStrategy):
    """The strongest two, chosen weekly."""

    window: int = param(20, low=2, high=200)

    def generate_weights(self, candles: Tables) -> pd.DataFrame:
        prices = closes(candles)
        weekly = rebalance_on(prices.index, "1w")
        return hold(top(prices / prices.shift(self.window), 2), weekly).assign(rebalance=weekly)


class Parity(PortfolioStrategy):
    """Shares by the inverse of the volatility, new at every bar."""

    window: int = param(20, low=2, high=200)

    def generate_weights(self, candles: Tables) -> pd.DataFrame:
        return inverse_volatility(closes(candles), self.window)


class EqualShares(PortfolioStrategy):
    """The same share of each that has begun, rebalanced monthly."""

    def generate_weights(self, candles: Tables) -> pd.DataFrame:
        known = closes(candles, missed=10_000).notna()
        return known.mul(1.0 / len(candles)).assign(rebalance=rebalance_on(known.index, "1M"))


class StrongestNow(PortfolioStrategy):
    """What rose most over the last bars, NaN before there are enough."""

    warmup = 40

    def generate_weights(self, candles: Tables) -> pd.DataFrame:
        prices = closes(candles)
        strength = prices / prices.shift(10) - 1
        return top(strength, 1).where(strength.notna().any(axis=1).cummax(), np.nan)


LEAKS = (BestOfTomorrow, FilledBackwards, RanksOfAllTime, KnowsWhoSurvives, RebalancesBeforeTheMove)
CLEAN = (Rotation, Parity, EqualShares, StrongestNow)
