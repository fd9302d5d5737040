"""Kept runs, and the verdicts of strategy checks that need not be worked out twice."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select

from algotrade.errors import FixCommand, FixData, did_you_mean
from algotrade.store.canonical import canonical_json
from algotrade.store.database import Database
from algotrade.store.tables import checks, runs, upsert

LATEST: Final = "latest"
SIMULATED_DATA: Final = '"simulated":true,"start":'  # two neighbours in `data`; inside a text the quotes are escaped


class RunInfo(NamedTuple):
    """A kept run in a list. `created_ms`: wall time; `final_equity`: None where the run has none."""

    id: str
    created_ms: int
    kind: str
    symbol: str
    timeframe: str
    strategy: str
    final_equity: float | None


def keep_run(database: Database, document: dict[str, Any], *, created_ms: int) -> str:
    """Keep a run for good and return its id, like "r20261120-184502-3f2a", which sorts by time.

    Args:
        database: the store.
        document: the run as `backtest --json` prints it, and what evaluate needs; `run` is set to the id.
        created_ms: the wall clock's time of the run.
    """
    body = {name: value for name, value in document.items() if name != "run"}
    with database.writing() as connection:
        run_id = _free_id(connection, created_ms, canonical_json(body))
        text = canonical_json({**body, "run": run_id})
        values = {
            "id": run_id,
            "created_ms": created_ms,
            "kind": str(document["schema"]).split("/")[0].removeprefix("algotrade."),
            "symbol": document["data"]["symbol"],
            "timeframe": document["data"]["timeframe"],
            "strategy": document["strategy"]["name"],
            "final_equity": json.loads(text)["summary"]["final_equity"],
            "document": text,
        }
        connection.execute(runs.insert(), values)
    return run_id


def load_run(database: Database, run_id: str) -> dict[str, Any]:
    """The document of a kept run.

    Args:
        database: the store.
        run_id: an id, or "latest".

    Raises:
        FixCommand: no such run.
        FixData: the latest of none.
    """
    statement = select(runs.c.document)
    if run_id == LATEST:
        statement = statement.order_by(runs.c.created_ms.desc(), runs.c.id.desc()).limit(1)
    else:
        statement = statement.where(runs.c.id == run_id)
    with database.reading() as connection:
        text = connection.execute(statement).scalar_one_or_none()
    if text is not None:
        return dict(json.loads(text))
    if run_id == LATEST:
        raise FixData("no run is kept yet", hint="algotrade backtest --symbol BTC/USD")
    near = did_you_mean(run_id, [run.id for run in list_runs(database)])
    raise FixCommand(f"there is no run '{run_id}'.{near}", hint="algotrade list runs")


class KeptRun(NamedTuple):
    """A kept run: when it was made, wall clock, and its document."""

    created_ms: int
    document: dict[str, Any]


def find_run(database: Database, run_id: str) -> KeptRun | None:
    """The run of an id, with when it was kept; None if there is none."""
    statement = select(runs.c.created_ms, runs.c.document).where(runs.c.id == run_id)
    with database.reading() as connection:
        row = connection.execute(statement).one_or_none()
    return None if row is None else KeptRun(row[0], dict(json.loads(row[1])))


def list_runs(database: Database) -> list[RunInfo]:
    """Every kept run, the newest first."""
    statement = select(*(runs.c[name] for name in RunInfo._fields))
    with database.reading() as connection:
        rows = connection.execute(statement.order_by(runs.c.created_ms.desc(), runs.c.id.desc()))
        return [RunInfo(*row) for row in rows]


def simulated_runs(database: Database) -> set[str]:
    """Ids of the runs on a simulated market, found by how `canonical_json` writes `data`: no document is parsed."""
    with database.reading() as connection:
        return set(connection.execute(select(runs.c.id).where(runs.c.document.contains(SIMULATED_DATA))).scalars())


def read_check(database: Database, key: str) -> dict[str, Any] | None:
    """The verdict kept under a key; None where there is none."""
    with database.reading() as connection:
        text = connection.execute(select(checks.c.document).where(checks.c.key == key)).scalar_one_or_none()
    return None if text is None else dict(json.loads(text))


def keep_check(database: Database, key: str, document: dict[str, Any]) -> None:
    """Keep a verdict under a key that names all it depends on; the newest replaces the one before."""
    with database.writing() as connection:
        connection.execute(upsert(checks), {"key": key, "document": canonical_json(document)})


def _free_id(connection: Connection, created_ms: int, content: str) -> str:
    """The time and four hexadecimal digits of the content; other digits where the same second has those already."""
    stem = f"{datetime.fromtimestamp(created_ms / 1000, UTC):r%Y%m%d-%H%M%S}"
    taken = set(connection.execute(select(runs.c.id).where(runs.c.id.startswith(stem))).scalars())
    ids = (f"{stem}-{hashlib.sha256(f'{attempt} {content}'.encode()).hexdigest()[:4]}" for attempt in count())
    return next(run_id for run_id in ids if run_id not in taken)
