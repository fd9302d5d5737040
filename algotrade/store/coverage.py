"""What has been asked of an exchange, so that the same is not asked twice.

A span is covered when the exchange has answered for all of it: a bar missing inside is one that it does not have.
"""

from __future__ import annotations

from sqlalchemy import Connection, and_, select

from algotrade.market.candles import SeriesKey
from algotrade.store.database import Database
from algotrade.store.rows import is_series
from algotrade.store.tables import coverage, series


def read_coverage(database: Database, key: SeriesKey) -> list[tuple[int, int]]:
    """Covered spans of a series in rising order: bar open times from the first up to, not including, the second."""
    statement = select(coverage.c.start, coverage.c.end).join(series, series.c.id == coverage.c.series_id)
    with database.reading() as connection:
        rows = connection.execute(statement.where(is_series(key)).order_by(coverage.c.start))
        return [(row.start, row.end) for row in rows]


def cover(connection: Connection, series_id: int, start: int, end: int) -> None:
    """Remember that a span was answered for, joined with those it touches, inside a transaction that writes more.

    Args:
        connection: of the transaction.
        series_id: of the series.
        start: the first bar's open time in milliseconds.
        end: where the span ends; a bar that opens then is not in it.
    """
    if end <= start:
        return
    touching = and_(coverage.c.series_id == series_id, coverage.c.start <= end, coverage.c.end >= start)
    spans = connection.execute(select(coverage.c.start, coverage.c.end).where(touching)).all()
    connection.execute(coverage.delete().where(touching))
    connection.execute(
        coverage.insert().values(
            series_id=series_id,
            start=min([start, *(span.start for span in spans)]),
            end=max([end, *(span.end for span in spans)]),
        )
    )
