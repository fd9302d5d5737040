"""What exchanges say about their markets: steps, minima, fees."""

from __future__ import annotations

from sqlalchemy import select

from algotrade.market.instrument import Instrument
from algotrade.store.database import Database
from algotrade.store.tables import markets, upsert


def write_instrument(database: Database, exchange: str, instrument: Instrument, updated_ms: int) -> None:
    """Keep what an exchange says about a market, with the time it said so; the newest replaces the one before."""
    values = {"exchange": exchange, "updated": updated_ms, **instrument._asdict()}
    with database.writing() as connection:
        connection.execute(upsert(markets), values)


def read_instrument(database: Database, exchange: str, symbol: str) -> Instrument | None:
    """What is known of a market; None where nothing is."""
    statement = select(*(markets.c[name] for name in Instrument._fields))
    with database.reading() as connection:
        row = connection.execute(
            statement.where(markets.c.exchange == exchange, markets.c.symbol == symbol)
        ).one_or_none()
        return Instrument(*row) if row else None
