"""Funding rates in the store: written so that no settlement is there twice, read in order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, func, select

from algotrade.errors import FixData
from algotrade.market.candles import Floats, Times, iso
from algotrade.market.funding import SETTLEMENT_MS, FundingRates, find_bad_rates, nearest
from algotrade.store.arrivals import WriteReport
from algotrade.store.database import Database
from algotrade.store.tables import funding, upsert


class FundingSeries(NamedTuple):
    """The stored funding rates of a market: times of the first and the last, milliseconds, and how many there are."""

    exchange: str
    symbol: str
    first: int
    last: int
    rates: int


def put_funding(database: Database, exchange: str, symbol: str, times: Times, rates: Floats) -> WriteReport:
    """Store funding rates in one transaction; repeating it changes nothing.

    A stored rate less than a minute away is of the same settlement, and makes way: funding must not be paid twice.

    Args:
        database: the store.
        exchange: whose.
        symbol: of which perpetual contract.
        times: int64, shape (n,), of the settlements in milliseconds, strictly rising, at least a minute apart.
        rates: float64, shape (n,), fractions of the notional.

    Raises:
        FixData: rates that cannot be, or times that do not rise; nothing is stored.
    """
    with database.writing() as connection:
        return place_funding(connection, exchange, symbol, FundingRates(times, rates))


def place_funding(connection: Connection, exchange: str, symbol: str, arriving: FundingRates) -> WriteReport:
    """The same inside a transaction that may yet be given up; see `put_funding`."""
    _check(arriving)
    if not len(arriving.times):
        return WriteReport(0, 0, 0)
    first, last = int(arriving.times[0]) - SETTLEMENT_MS, int(arriving.times[-1]) + SETTLEMENT_MS
    stored = _read(connection, exchange, symbol, first, last)
    places = nearest(arriving.times, stored.times)
    known = places >= 0
    same = np.zeros(len(known), np.bool_)
    same[known] = (stored.times[places[known]] == arriving.times[known]) & (
        stored.rates[places[known]] == arriving.rates[known]
    )
    makes_way = (nearest(stored.times, arriving.times) >= 0) & ~np.isin(stored.times, arriving.times)
    if makes_way.any():
        gone = delete(funding).where(_of(exchange, symbol), funding.c.time == bindparam("gone"))
        connection.execute(gone, [{"gone": time} for time in stored.times[makes_way].tolist()])
    rows = [
        {"exchange": exchange, "symbol": symbol, "time": time, "rate": rate}
        for time, rate in zip(arriving.times[~same].tolist(), arriving.rates[~same].tolist(), strict=True)
    ]
    if rows:
        connection.execute(upsert(funding), rows)
    return WriteReport(int((~known).sum()), int(same.sum()), int((known & ~same).sum()))


def read_funding(
    database: Database, exchange: str, symbol: str, first_ms: int | None = None, last_ms: int | None = None
) -> FundingRates:
    """Stored funding rates in rising time; none where nothing is stored.

    Args:
        database: the store.
        exchange: whose.
        symbol: of which perpetual contract, "BTC/USDT:USDT".
        first_ms: time of the first settlement, milliseconds, inclusive; None for the earliest.
        last_ms: time of the last, inclusive; None for the newest.

    Returns:
        (times int64 in milliseconds, rates float64 as fractions of the notional that long pays short), shape (n,) each.
    """
    with database.reading() as connection:
        return _read(connection, exchange, symbol, first_ms, last_ms)


def funding_series(database: Database) -> list[FundingSeries]:
    """Every market of which funding rates are stored, by exchange and symbol."""
    market = (funding.c.exchange, funding.c.symbol)
    counted = (func.min(funding.c.time), func.max(funding.c.time), func.count())
    with database.reading() as connection:
        rows = connection.execute(select(*market, *counted).group_by(*market).order_by(*market))
        return [FundingSeries(*row) for row in rows]


def count_funding(connection: Connection, exchange: str, symbol: str) -> int:
    """How many funding rates of a market are stored."""
    counted = select(func.count()).select_from(funding).where(_of(exchange, symbol))
    return int(connection.execute(counted).scalar_one())


def remove_funding(connection: Connection, exchange: str, symbol: str) -> None:
    """Remove the funding rates of a market."""
    connection.execute(delete(funding).where(_of(exchange, symbol)))


def drop_funding(database: Database, exchange: str, symbol: str) -> int:
    """Remove the funding rates of a market; how many there were."""
    with database.writing() as connection:
        count = count_funding(connection, exchange, symbol)
        remove_funding(connection, exchange, symbol)
        return count


def check_funding(database: Database) -> list[str]:
    """What is wrong with the stored funding rates, a sentence for each market: rates that cannot be, or twice."""
    return [
        f"funding of {series.exchange} {series.symbol}, {iso(when)}: {reason}"
        for series in funding_series(database)
        for when, reason in _first_fault(read_funding(database, series.exchange, series.symbol))
    ]


def _first_fault(stored: FundingRates) -> list[tuple[int, str]]:
    """Time and reason of a rate that cannot be; empty where all can."""
    return [(int(stored.times[mask][0]), reason) for reason, mask in find_bad_rates(stored) if mask.any()][:1]


def _check(arriving: FundingRates) -> None:
    for when, reason in _first_fault(arriving):
        raise FixData(f"the funding rate of {iso(when)} cannot be stored: {reason}")


def _of(exchange: str, symbol: str) -> ColumnElement[bool]:
    return and_(funding.c.exchange == exchange, funding.c.symbol == symbol)


def _read(connection: Connection, exchange: str, symbol: str, first: int | None, last: int | None) -> FundingRates:
    statement = select(funding.c.time, funding.c.rate).where(_of(exchange, symbol))
    if first is not None:
        statement = statement.where(funding.c.time >= first)
    if last is not None:
        statement = statement.where(funding.c.time <= last)
    rows = connection.execute(statement.order_by(funding.c.time)).all()
    times, rates = zip(*rows, strict=True) if rows else ((), ())
    return FundingRates(np.array(times, np.int64), np.array(rates, np.float64))
