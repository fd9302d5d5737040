"""All that a download of trades has left in the store, to be compared."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import select

from algotrade.errors import AlgotradeError
from algotrade.ingest.fetch import FetchRequest
from algotrade.ingest.report import FetchReport
from algotrade.ingest.trades.fetch import fetch_trades
from algotrade.market.candles import SeriesKey
from algotrade.store.database import Database
from algotrade.store.tables import candles, coverage, revisions, series, trade_days, trade_progress, trades
from tests.shell.ingest.traded_exchange import TradedExchange

KEY = SeriesKey("kraken", "BTC/USD", "1m", "trades")


def fetch(
    exchange: TradedExchange,
    database: Database,
    start: int | None = None,
    end: int | None = None,
    *,
    keep_trades: bool = True,
    timeframe: str = "1m",
) -> FetchReport:
    request = FetchRequest("BTC/USD", timeframe, start, end)
    return asyncio.run(fetch_trades(exchange, database, request, keep_trades=keep_trades))


def error_of(report: FetchReport) -> AlgotradeError:
    assert report.error is not None
    assert not report.complete
    return report.error


def everything(database: Database, key: SeriesKey = KEY) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the series in every table that a download writes to, in order, without the series' number."""
    tables = (candles, coverage, revisions, trade_days, trade_progress, trades)
    found: dict[str, list[tuple[Any, ...]]] = {}
    with database.reading() as connection:
        wanted = (series.c[name] == value for name, value in key._asdict().items())
        number = connection.execute(select(series.c.id).where(*wanted)).scalar_one_or_none()
        for table in tables:
            columns = [column for column in table.columns if column.name != "series_id"]
            statement = select(*columns).where(table.c.series_id == number).order_by(*table.primary_key.columns)
            found[table.name] = [tuple(row) for row in connection.execute(statement)]
    return found


def whatever_the_cuts(database: Database, key: SeriesKey = KEY) -> dict[str, list[tuple[Any, ...]]]:
    """The same without what tells how the trades were cut into answers, and how far the newest one went."""
    found = everything(database, key)
    del found["trade_progress"]
    days = found.pop("trade_days")
    found["digests"] = [(day, count, digest, kept) for day, count, _, _, _, digest, kept in days]
    return found
