"""A session as a result: what its journal says happened, judged like a backtest."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from algotrade.errors import FixData
from algotrade.evaluate.document import run_document
from algotrade.evaluate.provenance import Provenance
from algotrade.evaluate.recording import Recording
from algotrade.evaluate.result import Result
from algotrade.live.plan import plan_of, setup_of
from algotrade.live.replay import canonical_rows, record_of
from algotrade.live.sessions import open_journal, strategy_of
from algotrade.market.candles import SeriesKey, candle_table
from algotrade.strategy.signals import decides_by_signals


def session_result(path: Path) -> tuple[Result, dict[str, Any]]:
    """The result and the run document of a session, from its journal alone.

    Raises:
        FixData: no candle has closed in it yet.
    """
    with open_journal(path, read_only=True) as journal:
        header = journal.header
        recording = Recording()
        for row in canonical_rows(journal):
            recording.add(record_of(row))
    plan, setup = plan_of(header["plan"]), setup_of(header)
    result = dataclasses.replace(recording.result(setup), simulated=header["simulated"])
    if not len(result.equity_values):
        raise FixData(f"no candle has closed in session {path.stem} yet", hint="algotrade list sessions")
    provenance = Provenance(
        key=SeriesKey(plan.exchange, plan.symbol, plan.timeframe, header["origin"]),
        instrument=setup.instrument,
        bounds=setup.bounds,
        simulated=header["simulated"],
        strategy=header["strategy"],
        warmup=header["warmup"],
        checks=header["checks"],
        versions=header["versions"],
        limits=setup.limits,
    )
    return result, {**run_document(result, provenance), "run": path.stem}


def session_with_indicators(path: Path) -> Result:
    """The result of a session with the indicators that its strategy computed, warm-up candles included."""
    result, _ = session_result(path)
    with open_journal(path, read_only=True) as journal:
        header = journal.header
    strategy = strategy_of(header)
    if not decides_by_signals(strategy) or result.signals is None:
        return result
    rows = np.array(header["warm_up_candles"], np.float64).reshape(-1, 6)
    before = candle_table(rows[:, 0].astype(np.int64), rows[:, 1:].T)
    signals = strategy.signals(pd.concat([before, result.candles])).iloc[len(before) :]
    return dataclasses.replace(result, signals=signals.assign(signal=result.signals["signal"]))
