"""The four verbs in their order: fetch_data, generate_signals, execute_backtest, evaluate_metrics.

The command line and the Python API (notebook.py) both go this way, so a notebook and a terminal give the same figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import pandas as pd

from algotrade.backtest.execution import Prepared, execute, prepare
from algotrade.backtest.kernel import run_kernel
from algotrade.backtest.setup import Setup, fees_of
from algotrade.config import Settings
from algotrade.errors import FixCommand, FixData, did_you_mean
from algotrade.evaluate.breakdown import break_even_fee
from algotrade.evaluate.document import run_document
from algotrade.evaluate.kept import result_of_document, series_of
from algotrade.evaluate.portfolio import Outcome
from algotrade.evaluate.provenance import Execution, MarketSource, Provenance
from algotrade.evaluate.result import Result
from algotrade.evaluate.rows import targets_of_rows
from algotrade.honesty import check_honesty, check_weights_honesty
from algotrade.ingest.inside import Markets, Wish, load_series, read_inside
from algotrade.ingest.past import past_candles
from algotrade.ingest.source import DataRequest, MarketData, load_candles
from algotrade.market.candles import iso, times_ms
from algotrade.market.instrument import Instrument
from algotrade.market.revisions import Revision
from algotrade.market.timeframe import timeframe_ms
from algotrade.sources import code_hash, file_name_of, source_of, versions
from algotrade.store.database import Database
from algotrade.strategy.base import Strategy, refuse_unfed
from algotrade.strategy.checks import Checks
from algotrade.strategy.signals import decides_by_signals
from algotrade.strategy.weights import PortfolioStrategy

VERBS_OF_ORIGIN: Final = MappingProxyType({"official": "fetch", "demo": "backtest"})  # that bring older bars
WORRYING_RATE: Final = 0.02  # above, somebody may have meant percent
FED: Final = ("candles", "timer")  # kinds of events that every run gives
CHECK_MODES: Final = ("budget", "full", "none")


# ---- the four verbs -------------------------------------------------------------------------------------------------
def fetch_data(request: DataRequest, database: Database, settings: Settings) -> MarketData:
    """Candles for a run; see ingest/source.py for where they come from."""
    return load_candles(request, database, settings)


def fetch_markets(requests: Sequence[DataRequest], wish: Wish, database: Database, settings: Settings) -> Markets:
    """Candles of several symbols, and what a run wants to know besides; see ingest/inside.py."""
    return read_inside(load_series(requests, wish, database, settings), wish, database)


def generate_signals(strategy: Strategy, candles: pd.DataFrame) -> pd.DataFrame | None:
    """Checked signals over all candles; None for a strategy that answers events itself, with or without signals.

    Raises:
        FixStrategy: no candle reaches it, so it would do nothing; or its code raised.
    """
    refuse_unfed(strategy, FED)
    return strategy.signals(candles) if decides_by_signals(strategy) else None


def execute_backtest(strategy: Strategy, candles: pd.DataFrame, signals: pd.DataFrame | None, setup: Setup) -> Result:
    """Trade the signals of one symbol over its candles; see backtest/execution.py for which machine runs.

    Args:
        strategy: decides itself where there are no signals.
        candles: closed candles, checked.
        signals: from `generate_signals`.
        setup: cash, costs, market, limits.
    """
    symbol = setup.instrument.symbol
    prepared = prepare(strategy, {symbol: candles}, setup, None if signals is None else {symbol: signals})
    result = execute({"": prepared}, {symbol: candles}, setup)
    assert isinstance(result, Result)
    return result


def evaluate_metrics(result: Result) -> dict[str, float]:
    """The summary of a result; each figure is defined in evaluate/metrics.py."""
    return result.summary


# ---- a run with everything that a result says about itself ----------------------------------------------------------
class Run(NamedTuple):
    """A result, its document, and the verdicts on its strategy (None with --check none)."""

    result: Outcome
    document: dict[str, Any]
    checks: Checks | None


def run_backtest(
    strategy: Strategy | Mapping[str, Strategy],
    market: MarketData | Markets,
    setup: Setup,
    *,
    check: str = "budget",
    database: Database | None = None,
) -> Run:
    """Backtest, check and describe: what `algotrade backtest` prints.

    Args:
        strategy: with its parameters; or several by the names of their books.
        market: candles and where they come from; or those of several symbols, and what is known besides.
        setup: cash, costs, bounds, limits.
        check: "budget" (within a second of CPU time), "full" (every bar) or "none".
        database: keeps the verdicts, so that the same strategy on the same bars is checked once; None keeps none.

    Raises:
        FixCommand: the setup asks for what only finer candles or trades could tell.
    """
    strategies = strategy if isinstance(strategy, Mapping) else {"": strategy}
    markets = market if isinstance(market, Markets) else Markets((market,))
    refuse_unknown_mode(check)
    refuse_blind_latency(setup, markets)
    tables = {symbol: each.candles for symbol, each in zip(setup.symbols, markets.series, strict=True)}
    books = {}
    for book, each in strategies.items():
        refuse_unfed(each, _fed(markets, strategies))
        refuse_short_data(each, max(markets.series, key=lambda one: len(one.candles)))
        books[book] = prepare(each, tables, setup)
    result = replace(execute(books, tables, setup, markets.inside), simulated=markets.series[0].simulated)
    checks = _verdicts(books, tables, check, database)
    provenance = _provenance(books, markets, setup, checks)
    provenance = provenance._replace(warnings=(*provenance.warnings, *_left_holding(result)))
    document = run_document(result, provenance)
    fingerprint = {name: document[name] for name in ("data", "strategy", "costs", "versions")}
    return Run(replace(result, fingerprint=fingerprint), document, checks)


def _fed(markets: Markets, strategies: Mapping[str, Strategy]) -> set[str]:
    """The kinds of events that strategies are given in a run."""
    given = {"trades": bool(markets.inside.prints), "emitted": len(strategies) > 1}
    return {*FED, *(kind for kind, applies in given.items() if applies)}


def _verdicts(
    books: Mapping[str, Prepared], tables: Mapping[str, pd.DataFrame], check: str, database: Database | None
) -> Checks | None:
    """The verdicts on the strategies; of several those of the first that fails one.

    Weights and answers to events are judged over all symbols, signals for one after the other over the first of them.
    """
    found = [check_prepared(prepared, tables, check, database) for prepared in books.values()]
    failing = (checks for checks in found if checks is not None and checks.failed)
    return next(failing, found[0])


def check_prepared(
    prepared: Prepared, tables: Mapping[str, pd.DataFrame], check: str, database: Database | None
) -> Checks | None:
    """The verdicts on a strategy over the candles of its symbols."""
    strategy, signals, _wanted, weights = prepared
    if weights is not None and isinstance(strategy, PortfolioStrategy):
        return check_weights_honesty(strategy, tables, weights, check, database)
    first, candles = next(iter(tables.items()))
    several = None if signals or len(tables) == 1 else tables
    return check_honesty(strategy, several or candles, signals[first] if signals else None, check, database)


def _provenance(books: Mapping[str, Prepared], markets: Markets, setup: Setup, checks: Checks | None) -> Provenance:
    sources = [
        MarketSource(
            key=each.key,
            instrument=instrument,
            gap_kinds=each.gap_kinds,
            resampled_from=each.resampling.timeframe if each.resampling else None,
            left_out=each.resampling.left_out if each.resampling else (),
        )
        for each, instrument in zip(markets.series, setup.instruments, strict=True)
    ]
    described = {book: describe_strategy(prepared.strategy) for book, prepared in books.items()}
    first = next(iter(books.values())).strategy
    return Provenance(
        **sources[0]._asdict(),
        bounds=setup.bounds,
        simulated=any(each.simulated for each in markets.series),
        strategy=next(iter(described.values())),
        warmup=checks.warmup if checks else first.warmup,
        checks={name: verdict._asdict() for name, verdict in checks.named.items()} if checks else {},
        versions=versions(),
        warnings=(*_notes(markets), *_warnings(setup, books)),
        limits=setup.limits,
        execution=Execution(
            path=setup.path,
            touch=setup.touch,
            detail=setup.detail,
            trades=bool(markets.inside.prints),
            funding=bool(markets.inside.funding),
            rebalance_band=setup.rebalance_band,
            sizing=first.sizing,
        ),
        markets=tuple(sources) if len(sources) > 1 or len(books) > 1 else (),
        strategies=described if len(books) > 1 else {},
    )


def _notes(markets: Markets) -> list[str]:
    """What a person should read of the data; of several symbols with the symbol before it."""
    several = len(markets.series) > 1
    named = [f"{each.key.symbol}: {note}" if several else note for each in markets.series for note in each.notes]
    return [*named, *markets.notes]


def refuse_blind_latency(setup: Setup, markets: Markets) -> None:
    """Say that a delay shorter than a bar means nothing where nobody knows what happened inside the bars.

    Raises:
        FixCommand: milliseconds of latency with neither finer candles nor trades.
    """
    if setup.costs.latency_ms and not (markets.inside.detail or markets.inside.prints):
        raise FixCommand(
            f"a latency of {setup.costs.latency_ms} ms lies inside a bar of {setup.timeframe}, of which only four"
            " prices are known; finer candles (--detail) or trades (--trades) tell more, or say it in --latency-bars",
            hint="algotrade backtest --latency-bars 1",
        )


def refuse_unknown_mode(check: str) -> None:
    """Say that there is no such kind of check, before anything runs."""
    if check not in CHECK_MODES:
        raise FixCommand(
            f"--check is one of {', '.join(CHECK_MODES)}, given '{check}'.{did_you_mean(check, CHECK_MODES)}",
            hint="algotrade backtest --check full",
        )


def refuse_short_data(strategy: Strategy, market: MarketData) -> None:
    """Say that a window is longer than the data, before anything runs on it.

    Only a strategy that declares its warm-up can be judged: without, a large whole number may be something else than a
    window. Recursive indicators declare far more than their window, so the smaller of the two counts.

    Raises:
        FixData: fewer bars than the longest window.
    """
    windows = [value for value in strategy.values.values() if type(value) is int]
    declared = strategy.warmup if isinstance(strategy.warmup, int) else 0
    longest, bars = min(max(windows, default=declared), declared), len(market.candles)
    if longest > bars:
        raise FixData(
            f"{strategy.name()} looks back {longest:,} bars, but there are only {bars:,}",
            hint=_more_bars(market, longest),
        )


def _more_bars(market: MarketData, longest: int) -> str:
    """The command that reaches further back, where there is anything to reach for: a file holds what it holds."""
    exchange, symbol, timeframe, origin = market.key
    if origin not in VERBS_OF_ORIGIN or not len(market.candles):
        return "algotrade list data"
    start = max(0, int(times_ms(market.candles)[0]) - longest * timeframe_ms(timeframe))
    series = f"--exchange {exchange} --symbol {symbol} --timeframe {timeframe}"
    return f"algotrade {VERBS_OF_ORIGIN[origin]} {series} --start {iso(start)[:10]}"


def describe_strategy(strategy: Strategy) -> dict[str, Any]:
    """What identifies a strategy and is enough to load it again: name, class, file, parameters, source, hash.

    The hash is of all its code, see `code_hash`; the source is its own file's alone.
    """
    return {
        "name": strategy.name(),
        "class": type(strategy).__name__,
        "file": file_name_of(strategy),
        "parameters": dict(strategy.values),
        "hash": code_hash(strategy),
        "source": source_of(strategy),
    }


def fee_rate_of(given: float | None, instrument: Instrument) -> float:
    """The fee of a run: as given, else the market's own taker fee, else 0.4 %."""
    return fees_of([instrument], given)[0]


def _warnings(setup: Setup, books: Mapping[str, Prepared]) -> list[str]:
    costs = setup.costs
    rates = {
        "a fee": costs.fee_rate,
        "a maker fee": costs.maker_fee_rate or 0.0,
        "a slippage": costs.slippage_rate,
        "a spread": costs.spread_rate,
    }
    tables = [table for prepared in books.values() for table in (prepared.signals or {}).values()]
    found = {
        "shorts are simulated: this result is not tradable on spot": setup.bounds.allow_short
        and not all(instrument.can_short for instrument in setup.instruments),
        **{
            f"{name} of {rate:g} is {100 * rate:g} % of every fill; was percent meant?": rate > WORRYING_RATE
            for name, rate in rates.items()
        },
        "no bar has a signal: every one is NaN": bool(tables)
        and all(bool(each["signal"].isna().all()) for each in tables),
    }
    return [sentence for sentence, applies in found.items() if applies]


def _left_holding(result: Outcome) -> list[str]:
    """Symbols whose candles end before the others' while they are still held."""
    if isinstance(result, Result):
        return []
    return [
        f"{symbol} is still held when its candles end at {iso(time)}: it counts at its last close from then on"
        for symbol, time in result.held_beyond_the_end.items()
    ]


# ---- judging a kept run again ---------------------------------------------------------------------------------------
class KeptRun(NamedTuple):
    """A kept run's result, and the bars that were revised since: they were taken as they were then."""

    result: Outcome
    revised: tuple[Revision, ...]


def kept_result(document: dict[str, Any], database: Database) -> Outcome:
    """The result of a kept run; see `kept_run`."""
    return kept_run(document, database).result


def kept_run(document: dict[str, Any], database: Database) -> KeptRun:
    """A kept run: its fills over the stored candles, or the demo market's, as they were when it was made.

    Raises:
        FixData: the candles of the run cannot be had any more.
    """
    past = {data["symbol"]: past_candles({"data": data}, database) for data in series_of(document)}
    for data in series_of(document):
        differing = past[data["symbol"]].differing
        if differing:
            raise FixData(
                f"the stored candles of {data['exchange']} {data['symbol']} {data['timeframe']} are no longer those of"
                f" the run: they differ first {differing[0].sentence()}",
                hint=f"algotrade verify {document['run']}",
            )
    undone = tuple(revision for each in past.values() for revision in each.undone)
    return KeptRun(result_of_document(document, {name: each.candles for name, each in past.items()}), undone)


def profit_ends_at(document: dict[str, Any], result: Outcome) -> float:
    """The fee rate at which the profit of the same decisions is gone; see `evaluate.breakdown.break_even_fee`."""
    if not isinstance(result, Result):
        return break_even_fee(lambda rate: _same_fills(result, rate), result.cash)
    setup = Setup(
        instruments=(Instrument(**document["instrument"]),),
        timeframe=result.timeframe,
        cash=result.cash,
        costs=result.costs,
        calendar=result.calendar,
    )
    targets = targets_of_rows(document["targets"] or [], result.times)

    def same_targets(rate: float) -> float:
        run = run_kernel(result.candles, targets, setup._replace(costs=result.costs._replace(fee_rate=rate)))
        return float(run.equity_values[-1])

    def same_quantities(rate: float) -> float:
        return _same_fills(result, rate)

    explained = same_targets(result.costs.fee_rate) == result.equity_values[-1]  # not so: limits, or own orders
    return break_even_fee(same_targets if explained else same_quantities, result.cash)


def _same_fills(result: Outcome, fee_rate: float) -> float:
    """Final equity if the same quantities had been traded at another fee."""
    traded = float((result.filled.quantity * result.filled.price).sum())
    return float(result.equity_values[-1]) + float(result.filled.fee.sum()) - fee_rate * traded
