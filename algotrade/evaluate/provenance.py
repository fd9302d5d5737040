"""Where a result comes from: what its document says besides the figures."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from algotrade.engine.risk import Limits
from algotrade.engine.rules import WORST
from algotrade.market.candles import SeriesKey
from algotrade.market.instrument import Instrument
from algotrade.strategy.signals import Bounds
from algotrade.strategy.sizes import Sizing


class MarketSource(NamedTuple):
    """Where the candles of one symbol come from.

    Attributes:
        key: the series of candles.
        instrument: what was traded.
        gap_kinds: how many bars are missing by kind; None where nobody knows why.
        resampled_from: the timeframe of the stored candles that these were made of; None where they are stored.
        left_out: spans of bars that could not be made whole, milliseconds.
    """

    key: SeriesKey
    instrument: Instrument
    gap_kinds: Mapping[str, int] | None = None
    resampled_from: str | None = None
    left_out: tuple[tuple[int, int], ...] = ()


class Execution(NamedTuple):
    """How orders were sized and filled, beside the costs.

    Attributes:
        path: which way through an ambiguous bar was taken, "worst" or "best" for us.
        touch: a limit filled where the price reached it.
        detail: timeframe of the finer candles that bars were walked along; None: a bar itself.
        trades: bars were walked along public trades.
        funding: funding of perpetual contracts was charged.
        rebalance_band: by which the share of equity may drift from the target before it is traded again.
        sizing: what a target of 1 means; None: all of the equity.
    """

    path: str = WORST
    touch: bool = False
    detail: str | None = None
    trades: bool = False
    funding: bool = False
    rebalance_band: float = 0.0
    sizing: Sizing | None = None


class Provenance(NamedTuple):
    """Where a result comes from.

    Attributes:
        key: the series of candles; of a portfolio the first one.
        instrument: what was traded; of a portfolio the first one.
        bounds: leverage, and whether shorts were simulated.
        simulated: the market is the demo exchange.
        strategy: name, parameters, hash and source, as the document has them; of several the first one.
        warmup: bars that live trading will give the strategy.
        checks: verdicts by name, each {passed, covered, total, detail}.
        versions: of Python and the libraries that can change a result.
        warnings: sentences.
        limits: risk limits of the run.
        gap_kinds: how many bars are missing by kind; None where nobody knows why.
        resampled_from: the timeframe of the stored candles that these were made of; None where they are stored.
        left_out: spans of bars that could not be made whole, milliseconds.
        execution: how orders were sized and filled.
        markets: of a portfolio, where each symbol's candles come from; empty for one symbol with one strategy.
        strategies: of several, each as `strategy` by the name of its book; empty for one.
    """

    key: SeriesKey
    instrument: Instrument
    bounds: Bounds
    simulated: bool
    strategy: Mapping[str, Any]
    warmup: int | str | None
    checks: Mapping[str, Any]
    versions: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    limits: Limits = Limits()
    gap_kinds: Mapping[str, int] | None = None
    resampled_from: str | None = None
    left_out: tuple[tuple[int, int], ...] = ()
    execution: Execution = Execution()
    markets: tuple[MarketSource, ...] = ()
    strategies: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
