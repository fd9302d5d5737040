"""A session as a result: what its journal says happened, judged like a backtest."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from algotrade.backtest.setup import Setup
from algotrade.errors import FixData
from algotrade.evaluate.document import run_document
from algotrade.evaluate.portfolio import Outcome
from algotrade.evaluate.provenance import Execution, MarketSource, Provenance
from algotrade.evaluate.recording import Recording
from algotrade.evaluate.result import Result
from algotrade.live.header import setup_of, strategies_of
from algotrade.live.plan import TRADES, plan_of
from algotrade.live.replay import canonical_rows, record_of
from algotrade.live.sessions import open_journal, outcome_of
from algotrade.market.candles import SeriesKey, candle_table
from algotrade.strategy.signals import decides_by_signals


def session_result(path: Path) -> tuple[Outcome, dict[str, Any]]:
    """The result and the run document of a session, from its journal alone.

    Raises:
        FixData: no candle has closed in it yet.
    """
    with open_journal(path, read_only=True) as journal:
        header = journal.header
        setup = setup_of(header)
        recording = Recording(setup.symbols, setup.deposits)
        for row in canonical_rows(journal):
            recording.add(record_of(row))
    result = dataclasses.replace(outcome_of(recording, setup), simulated=header["simulated"])
    if not len(result.equity_values):
        raise FixData(f"no candle has closed in session {path.stem} yet", hint="algotrade list sessions")
    return result, {**run_document(result, _provenance(header, setup)), "run": path.stem}


def _provenance(header: Mapping[str, Any], setup: Setup) -> Provenance:
    plan, described = plan_of(header["plan"]), header["strategies"]
    sources = [
        MarketSource(SeriesKey(plan.exchange, each.symbol, plan.timeframe, header["origin"]), each)
        for each in setup.instruments
    ]
    several = len(sources) > 1 or len(described) > 1
    first, *_ = described
    return Provenance(
        **sources[0]._asdict(),
        bounds=setup.bounds,
        simulated=header["simulated"],
        strategy=_without(first, "warmup", "checks"),
        warmup=first["warmup"],
        checks=first["checks"],
        versions=header["versions"],
        limits=setup.limits,
        execution=Execution(
            path=setup.path,
            touch=setup.touch,
            trades=plan.source == TRADES,
            rebalance_band=setup.rebalance_band,
            sizing=setup.sizing,
        ),
        markets=tuple(sources) if several else (),
        strategies={each["name"]: _without(each, "warmup", "checks") for each in described} if setup.books else {},
    )


def _without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in names}


def session_with_indicators(path: Path) -> Outcome:
    """The result of a session with the indicators that its strategy computed, warm-up candles included.

    Parts of a portfolio have the targets that were recorded, and no indicators.
    """
    result, _ = session_result(path)
    if not isinstance(result, Result):
        return result
    with open_journal(path, read_only=True) as journal:
        header = journal.header
    (strategy,) = strategies_of(header).values()
    if not decides_by_signals(strategy) or result.signals is None:
        return result
    rows = np.array(header["warm_up_candles"][0], np.float64).reshape(-1, 6)
    before = candle_table(rows[:, 0].astype(np.int64), rows[:, 1:].T)
    signals = strategy.signals(pd.concat([before, result.candles])).iloc[len(before) :]
    return dataclasses.replace(result, signals=signals.assign(signal=result.signals["signal"]))
