"""The four verbs in their order: fetch_data, generate_signals, execute_backtest, evaluate_metrics.

The command line and the Python API (notebook.py) both go this way, so a notebook and a terminal give the same figures.
"""

from __future__ import annotations

import dataclasses
import platform
import time
from importlib import metadata
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import pandas as pd

from algotrade.backtest.event_loop import run_event_loop
from algotrade.backtest.kernel import run_kernel
from algotrade.backtest.known_signals import KnownSignals
from algotrade.backtest.setup import Setup
from algotrade.config import Settings
from algotrade.errors import FixCommand, FixData, did_you_mean
from algotrade.evaluate.breakdown import break_even_fee
from algotrade.evaluate.document import run_document
from algotrade.evaluate.kept import result_of_document, series_of
from algotrade.evaluate.portfolio import Outcome
from algotrade.evaluate.provenance import Provenance
from algotrade.evaluate.result import Result
from algotrade.evaluate.rows import targets_of_rows
from algotrade.ingest.past import past_candles
from algotrade.ingest.source import DataRequest, MarketData, load_candles
from algotrade.market.candles import content_hash, iso, times_ms
from algotrade.market.instrument import Instrument
from algotrade.market.revisions import Revision
from algotrade.market.timeframe import timeframe_ms
from algotrade.sources import code_hash, file_name_of, source_of
from algotrade.store.database import Database
from algotrade.store.runs import keep_check, read_check
from algotrade.strategy.base import Strategy, refuse_unfed
from algotrade.strategy.checks import Budget, Checks, check_key, check_strategy
from algotrade.strategy.signals import SignalStrategy, decides_by_signals, wanted_of

UNKNOWN_FEE: Final = 0.004  # where neither a person nor the market says otherwise
LIBRARIES: Final = ("algotrade", "numpy", "pandas", "numba", "TA-Lib")
VERBS_OF_ORIGIN: Final = MappingProxyType({"official": "fetch", "demo": "backtest"})  # that bring older bars
WORRYING_FEE: Final = 0.02  # above, somebody may have meant percent
CHECK_MODES: Final = ("budget", "full", "none")


# ---- the four verbs -------------------------------------------------------------------------------------------------
def fetch_data(request: DataRequest, database: Database, settings: Settings) -> MarketData:
    """Candles for a run; see ingest/source.py for where they come from."""
    return load_candles(request, database, settings)


def generate_signals(strategy: Strategy, candles: pd.DataFrame) -> pd.DataFrame | None:
    """Checked signals over all candles; None for a strategy that answers events itself, with or without signals.

    Raises:
        FixStrategy: no candle reaches it, so it would do nothing; or its code raised.
    """
    refuse_unfed(strategy)
    return strategy.signals(candles) if decides_by_signals(strategy) else None


def execute_backtest(strategy: Strategy, candles: pd.DataFrame, signals: pd.DataFrame | None, setup: Setup) -> Result:
    """Trade the signals over the candles: by the kernel, or event by event where it cannot express the run.

    Args:
        strategy: decides itself where there are no signals.
        candles: closed candles, checked.
        signals: from `generate_signals`.
        setup: cash, costs, market, limits.
    """
    if signals is None or not isinstance(strategy, SignalStrategy):
        result = run_event_loop(candles, _fresh(strategy, setup), setup)
    elif setup.limits.any():
        wanted = {setup.instrument.symbol: wanted_of(strategy, candles, signals)}
        result = run_event_loop(candles, KnownSignals(wanted), setup)
    else:
        result = run_kernel(candles, wanted_of(strategy, candles, signals), setup)
    return dataclasses.replace(result, candles=candles, signals=signals)


def _fresh(strategy: Strategy, setup: Setup) -> Strategy:
    """The same strategy, having seen nothing: what it remembers of one run must not reach the next."""
    fresh = type(strategy)(**strategy.values)
    fresh.bounds = setup.bounds
    fresh.begin(setup.instrument.symbol, strategy.warmup)
    return fresh


def evaluate_metrics(result: Result) -> dict[str, float]:
    """The summary of a result; each figure is defined in evaluate/metrics.py."""
    return result.summary


# ---- a run with everything that a result says about itself ----------------------------------------------------------
class Run(NamedTuple):
    """A result, its document, and the verdicts on its strategy (None with --check none)."""

    result: Result
    document: dict[str, Any]
    checks: Checks | None


def run_backtest(
    strategy: Strategy, market: MarketData, setup: Setup, *, check: str = "budget", database: Database | None = None
) -> Run:
    """Backtest, check and describe: what `algotrade backtest` prints.

    Args:
        strategy: with its parameters.
        market: candles and where they come from.
        setup: cash, costs, bounds, limits.
        check: "budget" (within a second of CPU time), "full" (every bar) or "none".
        database: keeps the verdicts, so that the same strategy on the same bars is checked once; None keeps none.
    """
    refuse_unknown_mode(check)
    refuse_short_data(strategy, market)
    strategy.bounds = setup.bounds
    signals = generate_signals(strategy, market.candles)
    result = execute_backtest(strategy, market.candles, signals, setup)
    checks = check_honesty(strategy, market.candles, signals, check, database)
    result = dataclasses.replace(result, simulated=market.simulated)
    provenance = Provenance(
        key=market.key,
        instrument=setup.instrument,
        bounds=setup.bounds,
        simulated=market.simulated,
        strategy=describe_strategy(strategy),
        warmup=checks.warmup if checks else strategy.warmup,
        checks={name: verdict._asdict() for name, verdict in checks.named.items()} if checks else {},
        versions=versions(),
        warnings=(*market.notes, *_warnings(setup, signals)),
        limits=setup.limits,
        gap_kinds=market.gap_kinds,
        resampled_from=market.resampling.timeframe if market.resampling else None,
        left_out=market.resampling.left_out if market.resampling else (),
    )
    document = run_document(result, provenance)
    fingerprint = {name: document[name] for name in ("data", "strategy", "costs", "versions")}
    return Run(dataclasses.replace(result, fingerprint=fingerprint), document, checks)


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


def check_honesty(
    strategy: Strategy, candles: pd.DataFrame, signals: pd.DataFrame | None, mode: str, database: Database | None
) -> Checks | None:
    """The verdicts on a strategy, from the store where the same was checked before; None for mode "none"."""
    if mode == "none":
        return None
    key = check_key(
        strategy,
        code_hash=code_hash(strategy),
        data_hash=content_hash(candles),
        mode=f"{mode} {strategy.bounds}",
        versions=versions(),
    )
    kept = read_check(database, key) if database else None
    if kept is not None:
        return Checks.from_dict(kept)
    checks = check_strategy(strategy, candles, signals, Budget(full=mode == "full"), time.process_time)
    if database:
        keep_check(database, key, checks.to_dict())
    return checks


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


def versions() -> dict[str, str]:
    """Of Python, of this program and of the libraries that can change a figure."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in LIBRARIES}}


def fee_rate_of(given: float | None, instrument: Instrument) -> float:
    """The fee of a run: as given, else the market's own taker fee, else 0.4 %."""
    if given is not None:
        return given
    return instrument.taker_fee if instrument.taker_fee is not None else UNKNOWN_FEE


def _warnings(setup: Setup, signals: pd.DataFrame | None) -> list[str]:
    found = {
        "shorts are simulated: this result is not tradable on spot": setup.bounds.allow_short
        and not setup.instrument.can_short,
        f"a fee of {setup.costs.fee_rate:g} is {100 * setup.costs.fee_rate:g} % of every fill": setup.costs.fee_rate
        > WORRYING_FEE,
        "no bar has a signal: every one is NaN": signals is not None and bool(signals["signal"].isna().all()),
    }
    return [sentence for sentence, applies in found.items() if applies]


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
