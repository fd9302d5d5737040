"""What a person means by a name: a kept run or a live session; "latest" is the newest of both."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from algotrade.cli.invocation import Invocation
from algotrade.discover import strategy_from_source
from algotrade.errors import FixCommand, did_you_mean
from algotrade.evaluate.kept import up_to_date
from algotrade.evaluate.portfolio import Outcome
from algotrade.evaluate.result import Result
from algotrade.live.results import session_with_indicators
from algotrade.pipeline import generate_signals, kept_result
from algotrade.store.database import Database, open_database
from algotrade.store.journal import list_sessions
from algotrade.store.runs import LATEST, list_runs, load_run
from algotrade.strategy.base import Bounds


def find_kept(name: str, sessions_folder: Path, database: Database) -> Path | dict[str, Any]:
    """The journal of a session, or the document of a run.

    Raises:
        FixCommand: neither has that name; with the nearest.
        FixData: the latest of none.
    """
    sessions = {info.id: info.path for info in list_sessions(sessions_folder)}
    runs = [run.id for run in list_runs(database)]
    if name == LATEST:
        newest = [*runs[:1], *sorted(sessions)[-1:]]
        name = max(newest, key=_moment, default=LATEST)
    if name in sessions:
        return sessions[name]
    if name != LATEST and name not in runs:
        near = did_you_mean(name, [*runs, *sessions])
        hint = "algotrade list sessions" if name.startswith("s") else "algotrade list runs"
        raise FixCommand(f"there is no run or session '{name}'.{near}", hint=hint)
    return up_to_date(load_run(database, name))


def result_with_indicators(name: str, invocation: Invocation) -> Outcome:
    """The result of a kept run or session with the indicators that its strategy computes, from the kept source.

    Parts of a portfolio have the targets that were recorded, and no indicators.
    """
    settings = invocation.settings()
    with open_database(settings.database) as database:
        kept = find_kept(name, settings.sessions_folder, database)
        if isinstance(kept, Path):
            return session_with_indicators(kept)
        result = kept_result(kept, database)
    if not isinstance(result, Result):
        return result
    strategy = strategy_from_source(kept["strategy"])
    strategy.bounds = Bounds(kept["costs"]["leverage"], kept["costs"]["allow_short"])
    return dataclasses.replace(result, signals=generate_signals(strategy, result.candles))


def _moment(name: str) -> str:
    """What r20261120-184502-3f2a and s20261120-184502-3f2a say of when they began, to the second."""
    return name[1:16]
