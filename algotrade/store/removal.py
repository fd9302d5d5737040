"""Taking a series out of the store, with all that is known of it."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import Connection, Table, delete, func, select

from algotrade.market.candles import SeriesKey
from algotrade.store.database import Database
from algotrade.store.funding import count_funding, remove_funding
from algotrade.store.rows import series_id_of
from algotrade.store.snapshots import drop_snapshot
from algotrade.store.tables import metadata, series

COUNTED: Final = ("candles", "quarantine", "revisions", "trades")


class Holdings(NamedTuple):
    """What the store has of a series, in rows; of its market's funding rates, those that go with its last series."""

    candles: int
    quarantine: int
    revisions: int
    trades: int
    funding: int


def holdings_of(database: Database, key: SeriesKey) -> Holdings | None:
    """What would be removed; None where the series is not stored."""
    with database.reading() as connection:
        series_id = series_id_of(connection, key)
        if series_id is None:
            return None
        tables = (metadata.tables[name] for name in COUNTED)
        counts = (select(func.count()).select_from(table).where(table.c.series_id == series_id) for table in tables)
        candles, quarantine, revisions, trades = (connection.execute(count).scalar_one() for count in counts)
        funding = count_funding(connection, key.exchange, key.symbol) if _is_last(connection, key) else 0
        return Holdings(candles, quarantine, revisions, trades, funding)


def drop_series(database: Database, key: SeriesKey) -> bool:
    """Remove a series in one transaction: candles, coverage, trades, how far they were fetched, and every note on it.

    Nothing says any more that its span was asked for, so a fetch brings all of it again. With the last series of a
    market its funding rates go too. Kept runs stay.

    Returns:
        Whether there was anything to remove.
    """
    with database.writing() as connection:
        series_id = series_id_of(connection, key)
        if series_id is not None:
            if _is_last(connection, key):
                remove_funding(connection, key.exchange, key.symbol)
            for table in _tables_of_series():
                connection.execute(delete(table).where(table.c.series_id == series_id))
            connection.execute(delete(series).where(series.c.id == series_id))
    drop_snapshot(database, key)  # its file; the row went with the others
    return series_id is not None


def _is_last(connection: Connection, key: SeriesKey) -> bool:
    """Whether no other series of the market is stored."""
    own = select(func.count()).where(series.c.exchange == key.exchange, series.c.symbol == key.symbol)
    return int(connection.execute(own).scalar_one()) == 1


def _tables_of_series() -> list[Table]:
    return [table for table in metadata.tables.values() if "series_id" in table.c]
