"""Candles read from the store. What writes them is in arrivals.py."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from sqlalchemy import func, select

from algotrade.market.candles import SeriesKey, candle_table, empty_candles
from algotrade.store.database import Database
from algotrade.store.rows import fetch_rows, rows_between, series_id_of
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
