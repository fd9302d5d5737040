"""Under which conditions a backtest runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from algotrade.engine.fills import Costs
from algotrade.engine.risk import Limits
from algotrade.engine.rules import WORST, Market, Rules
from algotrade.engine.sizing import Terms
from algotrade.market.instrument import Instrument
from algotrade.market.timeframe import timeframe_ms
from algotrade.strategy.signals import Bounds
from algotrade.strategy.sizes import Sizing

UNKNOWN_FEE: Final = 0.004  # where neither a person nor the market says otherwise


class Setup(NamedTuple):
    """Cash, costs, market and limits of a run.

    Attributes:
        instruments: of each symbol: steps and minima; whether it can be shorted. In the order in which they are asked
            about.
        timeframe: of the candles.
        cash: quote units at the start.
        costs: fee and slippage.
        bounds: leverage, and whether shorts are simulated.
        limits: risk limits; with any of them the event loop runs.
        calendar: "24/7" or "stocks".
        path: which way through a bar is taken where it matters: "worst" or "best" for us.
        touch: a limit fills where the price reaches it, not only where it goes through.
        rebalance_band: by which the share of equity may drift from the target before it is traded again; 0: any drift.
        sizing: what a target of 1 means; None: all of the equity.
        detail: timeframe of finer candles that bars are walked along; None: a bar is walked itself.
        books: names of the strategies that trade, each with a book of its own; empty: there is one.
    """

    instruments: tuple[Instrument, ...]
    timeframe: str
    cash: float = 10_000.0
    costs: Costs = Costs()
    bounds: Bounds = Bounds()
    limits: Limits = Limits()
    calendar: str = "24/7"
    path: str = WORST
    touch: bool = False
    rebalance_band: float = 0.0
    sizing: Sizing | None = None
    detail: str | None = None
    books: tuple[str, ...] = ()

    @property
    def instrument(self) -> Instrument:
        """The first market, the only one of most runs."""
        return self.instruments[0]

    @property
    def symbols(self) -> tuple[str, ...]:
        """What is traded, in order."""
        return tuple(instrument.symbol for instrument in self.instruments)

    @property
    def deposits(self) -> dict[str, float]:
        """Quote units at the start by book: each strategy has the same share of the cash."""
        books = self.books or ("",)
        return {book: float(self.cash) / len(books) for book in books}

    @property
    def terms(self) -> Terms:
        """Costs and legal sizes of the first market as the fill rules want them."""
        return terms_of(self.instrument, self.costs, self.bounds)

    @property
    def rules(self) -> Rules:
        """The simulated exchange of the run."""
        markets = {
            each.symbol: Market(terms_of(each, self.costs, self.bounds), each.can_short or self.bounds.allow_short)
            for each in self.instruments
        }
        return Rules(markets, self.costs, timeframe_ms(self.timeframe), self.path, touch=self.touch)

    @property
    def can_short(self) -> bool:
        """Whether a position in the first market may go below zero."""
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


def fees_of(
    instruments: Sequence[Instrument], taker: float | None = None, maker: float | None = None
) -> tuple[float, float | None]:
    """The taker's and the maker's fee of a run: as given, else the markets' own, else 0.4 %.

    Of several markets the highest counts for all. A maker's fee of None is the taker's.

    Args:
        instruments: of the run.
        taker: as given; None: not given.
        maker: likewise.
    """
    if taker is not None:
        return taker, maker
    takers = [UNKNOWN_FEE if each.taker_fee is None else each.taker_fee for each in instruments]
    makers = [own if each.maker_fee is None else each.maker_fee for own, each in zip(takers, instruments, strict=True)]
    return max(takers), max(makers) if maker is None else maker
