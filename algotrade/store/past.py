"""What was stored before: the revisions of a series."""

from __future__ import annotations

from sqlalchemy import func, select

from algotrade.market.candles import COLUMNS, SeriesKey
from algotrade.market.revisions import Revision
from algotrade.store.database import Database
from algotrade.store.tables import revisions, series


def read_revisions(database: Database, key: SeriesKey, start: int, end: int) -> list[Revision]:
    """Changes of the candles that open from `start` to `end`, both inclusive, in order of time and of being seen."""
    old, new = ([revisions.c[f"{age}_{name}"] for name in COLUMNS] for age in ("old", "new"))
    statement = (
        select(revisions.c.time, revisions.c.seen_ms, *old, *new)
        .join(series, series.c.id == revisions.c.series_id)
        .where(*(series.c[name] == value for name, value in key._asdict().items()))
        .where(revisions.c.time.between(start, end))
        .order_by(revisions.c.time, revisions.c.seen_ms)
    )
    middle = 2 + len(COLUMNS)
    with database.reading() as connection:
        rows = connection.execute(statement)
        return [Revision(row[0], row[1], tuple(row[2:middle]), tuple(row[middle:])) for row in rows]


def revised_series(database: Database) -> dict[SeriesKey, int]:
    """The series that have revisions, and when the newest one was seen, milliseconds."""
    names = (series.c.exchange, series.c.symbol, series.c.timeframe, series.c.origin)
    statement = (
        select(*names, func.max(revisions.c.seen_ms))
        .join(revisions, revisions.c.series_id == series.c.id)
        .group_by(*names)
    )
    with database.reading() as connection:
        return {SeriesKey(*row[:4]): row[4] for row in connection.execute(statement)}
