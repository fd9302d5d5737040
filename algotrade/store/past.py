"""What was stored before: the revisions of a series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from algotrade.market.candles import COLUMNS, SeriesKey
from algotrade.market.revisions import Revision
from algotrade.market.span import parse_span
from algotrade.market.timeframe import timeframe_ms
from algotrade.store.database import Database
from algotrade.store.rows import KEY_COLUMNS, is_series
from algotrade.store.runs import load_run
from algotrade.store.tables import revisions, runs, series


def read_revisions(database: Database, key: SeriesKey, start: int, end: int) -> list[Revision]:
    """Changes of the candles that open from `start` to `end`, both inclusive, in order of time and of being seen."""
    old, new = ([revisions.c[f"{age}_{name}"] for name in COLUMNS] for age in ("old", "new"))
    statement = (
        select(revisions.c.time, revisions.c.seen_ms, *old, *new)
        .join(series, series.c.id == revisions.c.series_id)
        .where(is_series(key), revisions.c.time.between(start, end))
        .order_by(revisions.c.time, revisions.c.seen_ms)
    )
    middle = 2 + len(COLUMNS)
    with database.reading() as connection:
        rows = connection.execute(statement)
        return [Revision(row[0], row[1], tuple(row[2:middle]), tuple(row[middle:])) for row in rows]


def revised_runs(database: Database) -> dict[str, int]:
    """Id of a kept run -> how many of its bars were revised since it was kept; those without any are left out."""
    changed = _revised_series(database)
    statement = select(runs.c.id, runs.c.created_ms, runs.c.symbol)
    with database.reading() as connection:
        rows = connection.execute(statement).all()
    found = {}
    for run_id, created_ms, symbol in rows:
        newest = (seen for key, seen in changed.items() if key.symbol == symbol)
        if max(newest, default=0) > created_ms:  # only then is its document worth reading
            found[run_id] = _revised_bars(database, load_run(database, run_id)["data"], created_ms)
    return {run_id: bars for run_id, bars in found.items() if bars}


def _revised_bars(database: Database, data: Mapping[str, Any], created_ms: int) -> int:
    key = SeriesKey(*(data[name] for name in SeriesKey._fields))
    span = parse_span(data["start"], data["end"])
    assert span.start is not None
    assert span.end is not None
    finer = key._replace(timeframe=data.get("resampled_from") or key.timeframe)
    found = read_revisions(database, finer, span.start, span.end + timeframe_ms(key.timeframe) - 1)
    return len({one.time for one in found if one.seen_ms > created_ms})


def _revised_series(database: Database) -> dict[SeriesKey, int]:
    """Series that have revisions, and when the newest one was seen, milliseconds."""
    statement = (
        select(*KEY_COLUMNS, func.max(revisions.c.seen_ms))
        .join(revisions, revisions.c.series_id == series.c.id)
        .group_by(*KEY_COLUMNS)
    )
    with database.reading() as connection:
        return {SeriesKey(*row[:4]): row[4] for row in connection.execute(statement)}
