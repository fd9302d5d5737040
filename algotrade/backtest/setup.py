"""Under which conditions a backtest runs."""

from __future__ import annotations

from typing import NamedTuple

from algotrade.engine.fills import Costs
from algotrade.engine.risk import Limits
from algotrade.engine.sizing import Terms
from algotrade.market.instrument import Instrument
from algotrade.strategy.signals import Bounds


class Setup(NamedTuple):
    """Cash, costs, market and limits of a run.

    Attributes:
        instrument: symbol, steps and minima; whether it can be shorted.
        timeframe: of the candles.
        cash: quote units at the start.
        costs: fee and slippage.
        bounds: leverage, and whether shorts are simulated.
        limits: risk limits; with any of them the event loop runs.
        calendar: "24/7" or "stocks".
    """

    instrument: Instrument
    timeframe: str
    cash: float = 10_000.0
    costs: Costs = Costs()
    bounds: Bounds = Bounds()
    limits: Limits = Limits()
    calendar: str = "24/7"

    @property
    def terms(self) -> Terms:
        """Costs and legal sizes as the fill rules want them."""
        market = self.instrument
        known = (*self.costs, market.quantity_step, market.min_quantity, market.min_notional)
        return Terms(*map(float, known))  # one type, so that the kernel is compiled once

    @property
    def can_short(self) -> bool:
        """Whether a position may go below zero."""
        return self.instrument.can_short or self.bounds.allow_short
