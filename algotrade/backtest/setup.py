"""Under which conditions a backtest runs."""

from __future__ import annotations

from typing import NamedTuple

from algotrade.engine.fills import Costs
from algotrade.engine.risk import Limits
from algotrade.engine.rules import WORST, Market, Rules
from algotrade.engine.sizing import Terms
from algotrade.market.instrument import Instrument
from algotrade.market.timeframe import timeframe_ms
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
        path: which way through a bar is taken where it matters: "worst" or "best" for us.
        touch: a limit fills where the price reaches it, not only where it goes through.
    """

    instrument: Instrument
    timeframe: str
    cash: float = 10_000.0
    costs: Costs = Costs()
    bounds: Bounds = Bounds()
    limits: Limits = Limits()
    calendar: str = "24/7"
    path: str = WORST
    touch: bool = False

    @property
    def terms(self) -> Terms:
        """Costs and legal sizes as the fill rules want them."""
        return terms_of(self.instrument, self.costs, self.bounds)

    @property
    def rules(self) -> Rules:
        """The simulated exchange of the run."""
        market = Market(self.terms, self.can_short)
        return Rules(
            {self.instrument.symbol: market}, self.costs, timeframe_ms(self.timeframe), self.path, touch=self.touch
        )

    @property
    def can_short(self) -> bool:
        """Whether a position may go below zero."""
        return self.instrument.can_short or self.bounds.allow_short


def terms_of(instrument: Instrument, costs: Costs, bounds: Bounds) -> Terms:
    """Costs and legal sizes of a market as the fill rules want them."""
    maker = costs.fee_rate if costs.maker_fee_rate is None else costs.maker_fee_rate
    return Terms(  # one type, so that the kernel is compiled once
        fee_rate=float(costs.fee_rate),
        slippage_rate=float(costs.slippage_rate + costs.spread_rate / 2.0),
        quantity_step=float(instrument.quantity_step),
        min_quantity=float(instrument.min_quantity),
        min_notional=float(instrument.min_notional),
        maker_fee_rate=float(maker),
        price_tick=float(instrument.price_tick),
        leverage=max(float(bounds.leverage), 1.0),
        maintenance_rate=float(costs.maintenance_rate),
    )
