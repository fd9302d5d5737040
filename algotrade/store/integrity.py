"""Is what is stored whole, and does it agree with itself? Reads everything, block by block; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, select

from algotrade.market.candles import COLUMNS, SeriesKey, bad_rows, iso
from algotrade.market.timeframe import timeframe_ms
from algotrade.store.database import Database
from algotrade.store.rows import KEY_COLUMNS, Rows, row_blocks, rows_between, series_id_of
from algotrade.store.snapshots import check_snapshot
from algotrade.store.sqlite import damages
from algotrade.store.tables import candles, coverage, revisions


class SeriesHealth(NamedTuple):
    """What a look at all of a series found.

    Attributes:
        key: the series.
        rows: candles.
        first: open time of the first, milliseconds; None where there is none.
        last: of the last.
        problems: sentences; empty where all is well.
        rows_whole: whether nothing but the file beside the rows, which can be made anew, is wrong.
    """

    key: SeriesKey
    rows: int
    first: int | None
    last: int | None
    problems: tuple[str, ...]
    rows_whole: bool = True


def check_database(database: Database) -> list[str]:
    """What is wrong with the database itself, in sentences.

    SQLite looks for pages and indexes that are damaged and rows that belong to no series; PostgreSQL refuses the latter
    itself, and for the former has tools of its own.
    """
    with database.reading() as connection:
        return damages(connection) if connection.dialect.name == "sqlite" else []


def stored_keys(database: Database) -> list[SeriesKey]:
    """Every series, also one without a candle, in the order of its key."""
    with database.reading() as connection:
        return sorted(SeriesKey(*row) for row in connection.execute(select(*KEY_COLUMNS)))


def check_series(database: Database, key: SeriesKey) -> SeriesHealth:
    """Look at every candle of a series, at what is known of it, and at the file that holds it in columns."""
    with database.reading() as connection:
        series_id = series_id_of(connection, key)
        if series_id is None:
            return SeriesHealth(key, 0, None, None, ())
        rows, first, last, problems = 0, None, None, list[str]()
        for block in row_blocks(connection, rows_between(series_id, None, None)):
            problems += _candle_problems(block, last, key.timeframe)
            first = int(block.times[0]) if first is None else first
            rows, last = rows + len(block.times), int(block.times[-1])
        problems += _coverage_problems(connection, series_id)
        problems += _revision_problems(connection, series_id)
    fault = check_snapshot(database, key)
    whole = not problems and (fault is None or fault.file_alone)
    return SeriesHealth(key, rows, first, last, (*problems, *([fault.sentence] if fault else [])), whole)


def _candle_problems(block: Rows, before: int | None, timeframe: str) -> Iterator[str]:
    """The first candle of each kind that cannot be, and the first that opens before the one before it has closed."""
    for reason, bad in bad_rows(*block.columns):
        if bad.any():
            several = f" ({int(bad.sum()):,} such)" if bad.sum() > 1 else ""
            yield f"candle {iso(int(block.times[bad][0]))}: {reason}{several}"
    steps = np.diff(block.times, prepend=block.times[0] - timeframe_ms(timeframe) if before is None else before)
    near = steps < timeframe_ms(timeframe)
    if near.any():
        yield f"candle {iso(int(block.times[near][0]))} opens before the one before it closes"


def _coverage_problems(connection: Connection, series_id: int) -> Iterator[str]:
    statement = select(coverage.c.start, coverage.c.end).where(coverage.c.series_id == series_id)
    end: int | None = None
    for span in connection.execute(statement.order_by(coverage.c.start)):
        if span.end <= span.start or (end is not None and span.start <= end):
            yield f"the span noted as fetched from {iso(span.start)} to {iso(span.end)} is empty or overlaps another"
        end = max(span.end, span.end if end is None else end)


def _revision_problems(connection: Connection, series_id: int) -> Iterator[str]:
    """The newest revision of a candle holds the values that are stored."""
    newer, stored = ([table.c[name] for name in names] for table, names in (
        (revisions, [f"new_{name}" for name in COLUMNS]),
        (candles, COLUMNS),
    ))  # fmt: skip
    both = (revisions.c.series_id == candles.c.series_id) & (revisions.c.time == candles.c.time)
    statement = (
        select(revisions.c.time, *newer, *stored)
        .outerjoin(candles, both)
        .where(revisions.c.series_id == series_id)
        .order_by(revisions.c.time, revisions.c.seen_ms)
    )
    middle = 1 + len(COLUMNS)
    newest = {row[0]: tuple(row[1:middle]) == tuple(row[middle:]) for row in connection.execute(statement)}
    for time in (time for time, same in newest.items() if not same):
        yield f"candle {iso(time)} is not as its newest revision says"
