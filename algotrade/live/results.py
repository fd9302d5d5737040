"""A session as a result: what its journal says happened, judged like a backtest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from algotrade.errors import FixData
from algotrade.evaluate.document import Provenance, run_document
from algotrade.evaluate.recording import Recording
from algotrade.evaluate.result import Result
from algotrade.live.plan import plan_of, setup_of
from algotrade.live.replay import canonical_rows, record_of
from algotrade.market.candles import SeriesKey
from algotrade.store.journal import Journal


def session_result(path: Path) -> tuple[Result, dict[str, Any]]:
    """The result and the run document of a session, from its journal alone.

    Raises:
        FixData: no candle has closed in it yet.
    """
    with Journal.open(path, read_only=True) as journal:
        header = journal.header
        recording = Recording()
        for row in canonical_rows(journal):
            recording.add(record_of(row))
    plan, setup = plan_of(header["plan"]), setup_of(header)
    result = recording.result(setup)
    if not len(result.equity_values):
        raise FixData(f"no candle has closed in session {path.stem} yet", hint="algotrade list sessions")
    provenance = Provenance(
        key=SeriesKey(plan.exchange, plan.symbol, plan.timeframe, header["origin"]),
        instrument=setup.instrument,
        simulated=header["simulated"],
        strategy=header["strategy"],
        warmup=header["warmup"],
        checks=header["checks"],
        versions=header["versions"],
    )
    return result, {**run_document(result, provenance), "run": path.stem}
