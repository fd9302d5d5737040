"""The Python API, for notebooks and scripts: `import algotrade as at`, then `at.load` and `at.backtest`.

It goes the way of the command line, through the pipeline, and stands above `show` as the command line does.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, TypedDict, Unpack

import numpy as np
import pandas as pd
from pydantic import ValidationError

from algotrade.backtest.feed import Inside
from algotrade.backtest.setup import Setup
from algotrade.config import load_settings
from algotrade.config.costs import costs_of
from algotrade.config.values import Costs as CostSettings
from algotrade.engine.fills import Costs
from algotrade.engine.rules import WORST
from algotrade.errors import FixCommand, FixData, FixStrategy, did_you_mean
from algotrade.evaluate.portfolio import PortfolioResult
from algotrade.evaluate.result import Result
from algotrade.exchange.base import DEMO
from algotrade.ingest.files.rows import infer_timeframe
from algotrade.ingest.inside import Markets
from algotrade.ingest.source import DataRequest, MarketData, load_candles
from algotrade.market.candles import SeriesKey, check_candles, times_ms
from algotrade.market.funding import FundingRates
from algotrade.market.instrument import Instrument
from algotrade.market.span import parse_span
from algotrade.pipeline import run_backtest
from algotrade.store.database import open_database
from algotrade.strategy.base import Strategy
from algotrade.strategy.signals import Bounds
from algotrade.strategy.sizes import parse_sizing

OF_UNKNOWN_ORIGIN: Final = SeriesKey("memory", "BASE/QUOTE", "1d", "import")
SERIES: Final = "series"  # in a table's `attrs`: the series that its candles come from
MARKET: Final = "market"  # the same for the instrument: steps, minima, fees


class Drawable:
    """What a script's result can do besides: be drawn, and say in a line what came out.

    The core, where results live, knows no screen and no page: so the ones that a script gets are made here.
    """

    document: Mapping[str, Any]
    simulated: bool

    def __repr__(self) -> str:
        data, figures = self.document["data"], self.document["summary"]
        where = f"{data['symbol']} {data['timeframe']}{' SIMULATED' if self.simulated else ''}"
        sharpe = math.nan if figures["sharpe"] is None else figures["sharpe"]
        return (
            f"<{self.document['strategy']['name']} on {where}, {data['bars']:,} bars: final equity"
            f" {figures['final_equity']:,.2f}, {figures['round_trips']} round trips, Sharpe {sharpe:.2f}>"
        )

    def plot(self, path: str | Path = "report.html") -> Path:
        """Write one page that opens offline: candles with fills, indicators, equity, drawdown, figures.

        Args:
            path: the file; replaced if it exists.

        Returns:
            The path.

        Raises:
            FixConfiguration: bokeh is not installed, or the file cannot be written.
        """
        from algotrade.show.report import write_report  # loads what draws, which most scripts never need

        assert isinstance(self, Result | PortfolioResult)
        write_report(self, self.document, Path(path))
        return Path(path)


@dataclass(frozen=True, repr=False)
class NotebookResult(Drawable, Result):
    """A result that can be drawn.

    Attributes:
        document: what `algotrade backtest --json` prints of it.
    """

    document: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class NotebookPortfolio(Drawable, PortfolioResult):
    """The result of several symbols or strategies; likewise."""

    document: Mapping[str, Any] = field(default_factory=dict)


class CostWords(TypedDict, total=False):
    """What trading and holding cost besides fee and slippage: the fields of [costs] in algotrade.toml."""

    maker_fee: float | None
    spread: float
    impact: float
    max_volume_share: float
    latency_bars: int
    latency_ms: int
    borrow_rate: float
    maintenance_rate: float
    fee_in_base: bool
    schedule: tuple[tuple[float, float, float], ...]


def load(
    symbol: str,
    *,
    timeframe: str = "1d",
    exchange: str | None = None,
    start: str | None = None,
    end: str | None = None,
) -> pd.DataFrame:
    """Candles from the store, or from the built-in market for `exchange="demo"`.

    Args:
        symbol: "BTC/USD".
        timeframe: "1h", "1d", ...
        exchange: where they were fetched from; may be left out where only one has them.
        start: first day or moment, UTC, inclusive.
        end: last day or moment, UTC, inclusive.

    Returns:
        The candle table: index `time` (UTC), columns open, high, low, close, volume.
    """
    settings = load_settings()
    request = DataRequest(symbol, timeframe, exchange or settings.defaults.exchange, parse_span(start, end))
    with open_database(settings.database) as database:
        market = load_candles(request, database, settings)
    if market.simulated and request.exchange != DEMO:
        raise FixData(f"{market.notes[0]} is for the command line only", hint=f"algotrade fetch --symbol {symbol}")
    market.candles.attrs |= {SERIES: tuple(market.key), MARKET: tuple(market.instrument)}
    return market.candles


def backtest(  # noqa: PLR0913 (all but two are named, each with a default)
    strategy: Strategy | Sequence[Strategy],
    candles: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    cash: float = 10_000.0,
    fee_rate: float | None = None,
    slippage_rate: float = Costs().slippage_rate,
    timeframe: str | None = None,
    allow_short: bool = False,
    leverage: float = 1.0,
    size: str | None = None,
    rebalance_band: float = 0.0,
    path: str = WORST,
    touch: bool = False,
    detail: pd.DataFrame | Mapping[str, pd.DataFrame] | None = None,
    funding: pd.Series[float] | Mapping[str, pd.Series[float]] | None = None,
    check: str = "budget",
    **costs: Unpack[CostWords],
) -> NotebookResult | NotebookPortfolio:
    """Backtest a strategy over a table of candles, and check it: the figures of the command line, without [risk].

    A failed check is a warning of Python's, and stands in `document["checks"]` with all the others.

    Args:
        strategy: with its parameters, like SmaCross(fast=10, slow=20); or several, each with a share of the cash.
        candles: index of UTC times, columns open, high, low, close, volume; or such tables by symbol, in one account.
        cash: quote units at the start.
        fee_rate: fraction of the notional of each fill; None takes the market's own taker fee, 0.4 % where unknown.
        slippage_rate: by which a market order's price is worse than the open.
        timeframe: of the candles; None takes the most common distance between them.
        allow_short: simulate targets below zero.
        leverage: largest exposure, as a multiple of equity.
        size: what a signal of 1 means, "risk=0.01"; None: all of the equity.
        rebalance_band: by which a share of equity may drift from its target before it is traded again; 0: any drift.
        path: which way through a bar is taken where it matters: "worst" or "best" for us.
        touch: a limit fills where the price reaches it, not only where it goes through.
        detail: finer candles that the bars are walked along; or such tables by symbol.
        funding: rates of a perpetual contract, fractions of the notional, by UTC time; or such series by symbol.
        check: "budget" (within a second of CPU time), "full" (every bar), "none" (for many runs in a row).
        **costs: see CostWords.

    Returns:
        `equity`, `fills`, `round_trips`, `summary["sharpe"]`, `plot()` and more. Of several symbols or strategies
        those of the whole, and of each in `parts`.
    """
    series = _series_of(candles, timeframe)
    symbols = [each.key.symbol for each in series]
    strategies = _strategies_of(strategy)
    finer = _by_symbol(detail, symbols, "detail")
    setup = Setup(
        instruments=tuple(each.instrument for each in series),
        timeframe=series[0].key.timeframe,
        cash=float(cash),
        costs=_costs_of([each.instrument for each in series], fee_rate, slippage_rate, costs),
        bounds=Bounds(float(leverage), allow_short),
        path=path,
        touch=touch,
        rebalance_band=float(rebalance_band),
        sizing=None if size is None else parse_sizing(size),
        detail=infer_timeframe(times_ms(next(iter(finer.values())))) if finer else None,
        books=tuple(strategies) if len(strategies) > 1 else (),
    )
    rates = _by_symbol(funding, symbols, "funding")
    inside = Inside(
        detail={symbol: check_candles(table) for symbol, table in finer.items()},
        funding={symbol: FundingRates(times_ms(each), each.to_numpy(np.float64)) for symbol, each in rates.items()},
    )
    chosen = strategies if setup.books else next(iter(strategies.values()))
    run = run_backtest(chosen, Markets(series, inside), setup, check=check)
    first = next(iter(strategies.values()))
    for name, verdict in run.checks.failed.items() if run.checks else ():
        message = f"{first.name()} fails the {name.replace('_', '-')} check: {verdict.detail}"
        warnings.warn(message, stacklevel=2)
    plain = {each.name: getattr(run.result, each.name) for each in fields(run.result)}
    kind = NotebookResult if isinstance(run.result, Result) else NotebookPortfolio
    return kind(**plain, document=run.document)


def _series_of(candles: pd.DataFrame | Mapping[str, pd.DataFrame], timeframe: str | None) -> tuple[MarketData, ...]:
    """The tables, checked, with what is known of where they come from."""
    several = candles if isinstance(candles, Mapping) else {"": candles}
    if not several:
        raise FixData("there are no candles to run over")
    found = []
    for symbol, given in several.items():
        table = check_candles(given)
        if not len(table):
            raise FixData(f"there are no candles {f'of {symbol} ' if symbol else ''}to run over")
        key = SeriesKey(*given.attrs.get(SERIES, OF_UNKNOWN_ORIGIN))
        key = key._replace(symbol=symbol or key.symbol, timeframe=timeframe or infer_timeframe(times_ms(table)))
        instrument = Instrument(*given.attrs.get(MARKET, (key.symbol,)))._replace(symbol=key.symbol)
        found.append(MarketData(key, table, instrument, simulated=key.exchange == DEMO))
    lengths = {each.key.timeframe: each.key.symbol for each in found}
    if len(lengths) > 1:
        told = ", ".join(f"{symbol} {length}" for length, symbol in lengths.items())
        raise FixData(f"the candles of one run have the same timeframe, given {told}")
    return tuple(found)


def _strategies_of(given: Strategy | Sequence[Strategy]) -> dict[str, Strategy]:
    """The strategies by name."""
    several = [given] if isinstance(given, Strategy) or not isinstance(given, Sequence) else list(given)
    for each in several:
        if not isinstance(each, Strategy):
            raise FixStrategy(f"backtest takes a strategy with its parameters, like SmaCross(fast=10), given {each!r}")
    found = {each.name(): each for each in several}
    if len(found) < len(several) or not found:
        raise FixStrategy("backtest takes one strategy, or several of different names")
    return found


def _by_symbol(given: Any, symbols: Sequence[str], name: str) -> dict[str, Any]:
    """What is given for the only symbol, or by symbol."""
    if given is None:
        return {}
    named = dict(given) if isinstance(given, Mapping) else {symbols[0]: given}
    strange = [symbol for symbol in named if symbol not in symbols]
    if strange:
        raise FixCommand(f"{name} is given for {strange[0]}, which is not traded (there are: {', '.join(symbols)})")
    return named


def _costs_of(
    instruments: Sequence[Instrument], fee_rate: float | None, slippage_rate: float, words: CostWords
) -> Costs:
    """Costs in the engine's words.

    Raises:
        FixCommand: an unknown word, or a value that cannot be.
    """
    try:
        checked = CostSettings(**words)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0])
        near = did_you_mean(name, CostSettings.model_fields) if first["type"] == "extra_forbidden" else ""
        raise FixCommand(f"{name}={first['input']!r}: {first['msg']}.{near}") from None
    return costs_of(checked, fee_rate=fee_rate, slippage_rate=float(slippage_rate), instruments=instruments)
