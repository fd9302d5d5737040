"""Candles read from the store. What writes them is in arrivals.py.

Rows go through the driver's own cursor under SQLAlchemy's connection: a million candles are read in a second and
written in two, five times faster than as row objects.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple, cast

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Select, func, select

from algotrade.market.candles import COLUMNS, Floats, SeriesKey, Times, candle_table, empty_candles
from algotrade.store.database import Database
from algotrade.store.tables import candles, series


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
        statement = rows_between(series_id, start, end)
        if last is None:
            return candle_table(*fetch_rows(connection, statement))
        newest = statement.order_by(None).order_by(candles.c.time.desc()).limit(last)
        times, columns = fetch_rows(connection, newest)
        return candle_table(times[::-1].copy(), columns[:, ::-1].copy())


def span(database: Database, key: SeriesKey) -> Span | None:
    """First bar, last bar and number of bars of a series; None where nothing is stored."""
    with database.reading() as connection:
        statement = select(func.min(candles.c.time), func.max(candles.c.time), func.count())
        first, last, rows = connection.execute(
            statement.where(candles.c.series_id == series_id_of(connection, key))
        ).one()
        return Span(first, last, rows) if rows else None


def list_spans(database: Database) -> list[SeriesSpan]:
    """Every stored series in the order of its key, uncounted: it costs the same however many candles there are."""
    names = (series.c.exchange, series.c.symbol, series.c.timeframe, series.c.origin)
    first, last = (
        select(extreme(candles.c.time)).where(candles.c.series_id == series.c.id).scalar_subquery()
        for extreme in (func.min, func.max)
    )
    with database.reading() as connection:
        rows = connection.execute(select(*names, first, last).order_by(*names))
        return [SeriesSpan(SeriesKey(*row[:4]), *row[4:]) for row in rows if row[4] is not None]


def list_series(database: Database) -> list[SeriesInfo]:
    """Every stored series, in the order of its key."""
    names = (series.c.exchange, series.c.symbol, series.c.timeframe, series.c.origin)
    statement = (
        select(*names, func.min(candles.c.time), func.max(candles.c.time), func.count())
        .join(candles, candles.c.series_id == series.c.id)
        .group_by(*names)
        .order_by(*names)
    )
    with database.reading() as connection:
        return [SeriesInfo(SeriesKey(*row[:4]), *row[4:]) for row in connection.execute(statement)]


def series_id_of(connection: Connection, key: SeriesKey) -> int | None:
    """A series' number in the tables; None where there is none yet."""
    columns = (series.c[name] == value for name, value in key._asdict().items())
    return connection.execute(select(series.c.id).where(*columns)).scalar_one_or_none()


def add_series(connection: Connection, key: SeriesKey) -> int:
    """Create a series and return its number."""
    inserted = connection.execute(series.insert().values(**key._asdict())).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def rows_between(series_id: int, start: int | None, end: int | None) -> Select[tuple[int, float]]:
    """Its rows from one open time to another, both inclusive, in rising order."""
    statement = select(candles.c.time, *(candles.c[name] for name in COLUMNS)).where(candles.c.series_id == series_id)
    if start is not None:
        statement = statement.where(candles.c.time >= start)
    if end is not None:
        statement = statement.where(candles.c.time <= end)
    return statement.order_by(candles.c.time)


def fetch_rows(connection: Connection, statement: Select[tuple[int, float]]) -> tuple[Times, Floats]:
    """Times, shape (n,), and columns, shape (5, n). Milliseconds fit a float exactly for 280,000 years."""
    rows = cast(Iterable[tuple[float, ...]], connection.execute(statement).cursor)
    values = np.fromiter(chain.from_iterable(rows), np.float64).reshape(-1, 1 + len(COLUMNS))
    return values[:, 0].astype(np.int64), np.ascontiguousarray(values[:, 1:].T)
