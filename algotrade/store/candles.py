"""Candles read from the store, from a snapshot where there is one. What writes them is in arrivals.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from sqlalchemy import Connection, ScalarSelect, func, select

from algotrade.market.candles import SeriesKey, Times, candle_table, empty_candles
from algotrade.store.database import Database
from algotrade.store.rows import KEY_COLUMNS, Rows, fetch_rows, joined, row_blocks, rows_between, series_id_of
from algotrade.store.snapshots import find_snapshot, map_snapshot
from algotrade.store.tables import candles, series, snapshots

if TYPE_CHECKING:
    import pandas as pd

_BEFORE_ALL: Final = -(2**63)


class Span(NamedTuple):
    """First and last bar's open time in milliseconds, and how many bars there are."""

    first: int
    last: int
    rows: int


class SeriesSpan(NamedTuple):
    """A stored series: its first and last bar's open time in milliseconds."""

    key: SeriesKey
    first: int
    last: int


class SeriesInfo(NamedTuple):
    """A stored series and its span."""

    key: SeriesKey
    first: int
    last: int
    rows: int


def read_candles(
    database: Database, key: SeriesKey, *, start: int | None = None, end: int | None = None, last: int | None = None
) -> pd.DataFrame:
    """Candles in rising order; an empty table where nothing is stored.

    Args:
        database: the store.
        key: the series.
        start: the first bar's open time in milliseconds, inclusive.
        end: the last bar's open time in milliseconds, inclusive.
        last: only the newest so many of them.
    """
    if last is not None and last < 0:
        raise ValueError(f"last counts bars, given {last}")
    with database.reading() as connection:
        series_id = series_id_of(connection, key)
        if series_id is None:
            return empty_candles()
        found = find_snapshot(connection, series_id)
        kept = None if found is None else map_snapshot(database, found)
        if found is None or kept is None:
            return candle_table(*_read_rows(connection, series_id, start, end, last))
        head = _part(kept, start, end)
        behind = found.last + 1 if start is None else max(start, found.last + 1)
        tail = _read_rows(connection, series_id, behind, end, last)
    if last is not None:
        head = _newest(head, last - len(tail.times))
    return candle_table(*(joined([head, tail]) if len(tail.times) else head))


def read_times(database: Database, key: SeriesKey, *, start: int | None = None, end: int | None = None) -> Times:
    """Open times of candles in rising order, milliseconds, shape (n,): a sixth of the memory that the candles take.

    Args:
        database: the store.
        key: the series.
        start: the first bar's open time in milliseconds, inclusive.
        end: the last bar's open time in milliseconds, inclusive.
    """
    with database.reading() as connection:
        series_id = series_id_of(connection, key)
        if series_id is None:
            return np.empty(0, np.int64)
        parts = [np.empty(0, np.int64)]
        found = find_snapshot(connection, series_id)
        kept = None if found is None else map_snapshot(database, found)
        if found is not None and kept is not None:
            parts.append(_part(kept, start, end).times)
            start = found.last + 1 if start is None else max(start, found.last + 1)
        parts += [block.times for block in row_blocks(connection, rows_between(series_id, start, end))]
        return np.concatenate(parts)


def _read_rows(connection: Connection, series_id: int, start: int | None, end: int | None, last: int | None) -> Rows:
    statement = rows_between(series_id, start, end)
    if last is None:
        return fetch_rows(connection, statement)
    times, columns = fetch_rows(connection, statement.order_by(None).order_by(candles.c.time.desc()).limit(last))
    return Rows(times[::-1].copy(), columns[:, ::-1].copy())


def _part(rows: Rows, start: int | None, end: int | None) -> Rows:
    """The rows from one open time to another, both inclusive, without a copy."""
    begin = 0 if start is None else int(np.searchsorted(rows.times, start))
    stop = len(rows.times) if end is None else int(np.searchsorted(rows.times, end, side="right"))
    return Rows(rows.times[begin:stop], rows.columns[:, begin:stop])


def _newest(rows: Rows, count: int) -> Rows:
    begin = max(len(rows.times) - count, 0)
    return Rows(rows.times[begin:], rows.columns[:, begin:])


def span(database: Database, key: SeriesKey) -> Span | None:
    """First bar, last bar and number of bars of a series; None where nothing is stored.

    A snapshot's bars are counted already: others take 0.07 s a million.
    """
    with database.reading() as connection:
        series_id = series_id_of(connection, key)
        found = None if series_id is None else find_snapshot(connection, series_id)
        counted = select(func.min(candles.c.time), func.max(candles.c.time), func.count())
        counted = counted.where(candles.c.series_id == series_id)
        if found is not None:
            counted = counted.where(candles.c.time > found.last)
        first, last, rows = connection.execute(counted).one()
        if found is not None:
            return Span(found.first, found.last if last is None else last, found.rows + rows)
        return Span(first, last, rows) if rows else None


def count_bars(database: Database, key: SeriesKey, start: int, end: int) -> int:
    """How many stored bars open from `start` to `end`, milliseconds, both inclusive."""
    with database.reading() as connection:
        own = candles.c.series_id == series_id_of(connection, key)
        counted = select(func.count()).select_from(candles).where(own, candles.c.time.between(start, end))
        return int(connection.execute(counted).scalar_one())


def bars_beside(database: Database, key: SeriesKey, start: int, end: int) -> tuple[int | None, int | None]:
    """Open times of the last bar before `start` and of the first after `end`; None where there is none."""
    with database.reading() as connection:
        own = candles.c.series_id == series_id_of(connection, key)
        before = connection.execute(select(func.max(candles.c.time)).where(own, candles.c.time < start)).scalar_one()
        after = connection.execute(select(func.min(candles.c.time)).where(own, candles.c.time > end)).scalar_one()
        return before, after


def list_spans(database: Database) -> list[SeriesSpan]:
    """Every stored series in the order of its key, uncounted: it costs the same however many candles there are."""
    with database.reading() as connection:
        rows = connection.execute(select(*KEY_COLUMNS, *_ends()).order_by(*KEY_COLUMNS))
        return [SeriesSpan(SeriesKey(*row[:4]), *row[4:]) for row in rows if row[4] is not None]


def list_series(database: Database) -> list[SeriesInfo]:
    """Every stored series, in the order of its key; of a snapshot's bars none is counted again."""
    behind = (
        select(func.count())
        .where(candles.c.series_id == series.c.id, candles.c.time > func.coalesce(snapshots.c.last, _BEFORE_ALL))
        .scalar_subquery()
    )
    own = (snapshots.c.series_id == series.c.id) & (snapshots.c.rows > 0)
    statement = select(*KEY_COLUMNS, *_ends(), func.coalesce(snapshots.c.rows, 0) + behind).outerjoin(snapshots, own)
    with database.reading() as connection:
        rows = connection.execute(statement.order_by(*KEY_COLUMNS))
        return [SeriesInfo(SeriesKey(*row[:4]), *row[4:]) for row in rows if row[4] is not None]


def _ends() -> list[ScalarSelect[int]]:
    """A series' first and last open time, each looked up: both at once would read every row."""
    return [
        select(end(candles.c.time)).where(candles.c.series_id == series.c.id).scalar_subquery()
        for end in (func.min, func.max)
    ]
