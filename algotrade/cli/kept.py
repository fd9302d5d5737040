"""What a person means by a name: a kept run or a live session; "latest" is the newest of both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from algotrade.errors import FixCommand, did_you_mean
from algotrade.store.database import Database
from algotrade.store.journal import list_sessions
from algotrade.store.runs import LATEST, list_runs, load_run


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
    return load_run(database, name)


def _moment(name: str) -> str:
    """What r20261120-184502-3f2a and s20261120-184502-3f2a say of when they began, to the second."""
    return name[1:16]
