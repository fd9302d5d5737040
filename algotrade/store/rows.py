"""Candle rows in and out of the tables, inside a transaction that is already open.

Rows go through the driver's own cursor under SQLAlchemy's connection (with PostgreSQL by COPY), in blocks: five times
faster than as row objects, and flat in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from itertools import chain, islice, repeat
from typing import Any, Final, NamedTuple, cast

import numpy as np
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, select

from algotrade.market.candles import COLUMNS, Floats, SeriesKey, Times
from algotrade.store.tables import candles, series, upsert

BLOCK_ROWS: Final = 50_000  # rows that are Python objects at a time
KEY_COLUMNS: Final = (series.c.exchange, series.c.symbol, series.c.timeframe, series.c.origin)  # as in SeriesKey
COPIED_ROWS: Final = 200  # from so many on, PostgreSQL takes them faster by way of a table of their own


class Rows(NamedTuple):
    """Candles in columns: open times in milliseconds, shape (n,), and values in the order of COLUMNS, shape (5, n)."""

    times: Times
    columns: Floats


def is_series(key: SeriesKey) -> ColumnElement[bool]:
    """That a row of the table of series is this one's."""
    return and_(*(column == value for column, value in zip(KEY_COLUMNS, key, strict=True)))


def series_id_of(connection: Connection, key: SeriesKey) -> int | None:
    """A series' number in the tables; None where there is none yet."""
    return connection.execute(select(series.c.id).where(is_series(key))).scalar_one_or_none()


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


def fetch_rows(connection: Connection, statement: Select[tuple[int, float]]) -> Rows:
    """All rows of a statement that selects the time and the five columns, in its order."""
    return joined(list(row_blocks(connection, statement)))


def joined(blocks: list[Rows]) -> Rows:
    """Blocks of rows as one."""
    if len(blocks) == 1:
        return blocks[0]
    times = np.empty(sum(len(block.times) for block in blocks), np.int64)
    columns = np.empty((len(COLUMNS), len(times)))
    begin = 0
    for block in blocks:
        end = begin + len(block.times)
        times[begin:end], columns[:, begin:end] = block
        begin = end
    return Rows(times, columns)


def row_blocks(connection: Connection, statement: Select[tuple[int, float]]) -> Iterator[Rows]:
    """The same in blocks of at most BLOCK_ROWS. Milliseconds fit a float exactly for 280,000 years."""
    with _rows_of(connection, statement) as rows:
        while True:
            block = np.fromiter(chain.from_iterable(islice(rows, BLOCK_ROWS)), np.float64)
            if not len(block):
                return
            values = block.reshape(-1, 1 + len(COLUMNS))
            yield Rows(values[:, 0].astype(np.int64), np.ascontiguousarray(values[:, 1:].T))


def _rows_of(
    connection: Connection, statement: Select[tuple[int, float]]
) -> AbstractContextManager[Iterator[tuple[float, ...]]]:
    if connection.dialect.name == "postgresql":
        from algotrade.store.postgres_rows import rows_of

        return rows_of(connection, statement, BLOCK_ROWS)
    return nullcontext(iter(cast(Iterable[tuple[float, ...]], connection.execute(statement).cursor)))


def put_rows(connection: Connection, table: Table, columns: Sequence[int | Times | Floats]) -> None:
    """Insert rows, given in the table's columns (a number is that of every row), over those that have the same key."""
    rows = max(len(values) for values in columns if not isinstance(values, int))
    if connection.dialect.name == "postgresql" and rows >= COPIED_ROWS:
        from algotrade.store.postgres_rows import copied_in

        copied_in(connection, table, columns, rows)
        return
    lists = (repeat(values, rows) if isinstance(values, int) else values.tolist() for values in columns)
    sql = str(upsert(table).compile(dialect=connection.dialect))
    with closing(connection.connection.cursor()) as cursor:
        cursor.executemany(sql, cast(Any, zip(*lists, strict=True)))  # the drivers take any iterable
