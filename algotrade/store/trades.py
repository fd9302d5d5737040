"""Public trades in the store: those that were kept, how far a download has come, and the proof of its days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Row, Select, select, tuple_

from algotrade.errors import TryLater
from algotrade.market.candles import Floats, SeriesKey, Times
from algotrade.store.arrivals import Evidence, WriteReport, put_candles
from algotrade.store.database import Database
from algotrade.store.rows import add_series, series_id_of
from algotrade.store.tables import trade_days, trade_progress, trades, upsert

BLOCK_ROWS: Final = 50_000
_SIDES: Final = {1: "buy", -1: "sell", 0: None}
_SIGNS: Final = {"buy": 1, "sell": -1, None: 0}


class TradeBlock(NamedTuple):
    """Some trades of a series, in their order.

    Attributes:
        times_ns: nanoseconds since the epoch, never falling, shape (n,).
        sequences: 0 for the first trade of its nanosecond, 1 for the next, and so on; shape (n,).
        prices: shape (n,).
        quantities: base units, shape (n,).
        sides: of the taker, 1 bought, -1 sold, 0 unknown; shape (n,).
        ids: the exchange's own, None where it gives none.
    """

    times_ns: Times
    sequences: Times
    prices: Floats
    quantities: Floats
    sides: npt.NDArray[np.int8]
    ids: tuple[str | None, ...]


class TradeDay(NamedTuple):
    """What is proved of one day (UTC) of a download.

    Attributes:
        day: its first moment, milliseconds.
        trades: how many were made.
        pages: answers of the exchange whose first new trade is one of them.
        first_cursor: asked for the answer that holds the day's first trade.
        last_cursor: asks for the answer that holds the first trade after it; where the chain is unbroken, the same as
            `first_cursor` of the next day that has trades.
        digest: SHA-256 chained over the trades, the same however they were cut into answers.
        kept: how many of the trades are stored themselves.
    """

    day: int
    trades: int
    pages: int
    first_cursor: str
    last_cursor: str
    digest: str
    kept: int


class PageRecord(NamedTuple):
    """All that one answer of an exchange leaves in the store.

    Attributes:
        before: the state of the download that the answer was taken into; None for a new one.
        state: the state after it.
        times: open times of the candles that it finished, milliseconds, shape (n,).
        columns: their values, shape (5, n).
        covered: spans of bar open times for which the trades are now known; see Evidence.
        days: the days that it changed.
        kept: its trades, where they are to be stored; None where not.
    """

    before: str | None
    state: str
    times: Times
    columns: Floats
    covered: Sequence[tuple[int, int]]
    days: Sequence[TradeDay]
    kept: TradeBlock | None


def keep_page(database: Database, key: SeriesKey, record: PageRecord) -> WriteReport:
    """Store all that an answer leaves, in one transaction: its candles can never be there without its cursor.

    Raises:
        TryLater: another program has gone on with the same download in the meantime; nothing is stored.
    """
    with database.writing() as connection:
        series_id = series_id_of(connection, key)
        if series_id is None:
            series_id = add_series(connection, key)
        if _state(connection, series_id) != record.before:
            raise TryLater(f"another fetch of the {key.symbol} trades of {key.exchange} is under way")
        written = put_candles(connection, key, record.times, record.columns, Evidence(covered=record.covered))
        connection.execute(upsert(trade_progress), {"series_id": series_id, "state": record.state})
        if record.days:
            connection.execute(upsert(trade_days), [{"series_id": series_id, **day._asdict()} for day in record.days])
        if record.kept is not None:
            put_trades(connection, series_id, record.kept)
    return written


def read_state(database: Database, key: SeriesKey) -> str | None:
    """The state of a series' download, as it was kept; None where there has been none."""
    with database.reading() as connection:
        series_id = series_id_of(connection, key)
        return None if series_id is None else _state(connection, series_id)


def read_days(
    database: Database, key: SeriesKey, *, start: int | None = None, end: int | None = None
) -> list[TradeDay]:
    """The proved days of a series in order; from `start` on and before `end`, milliseconds."""
    columns = (trade_days.c[name] for name in TradeDay._fields)
    with database.reading() as connection:
        statement = select(*columns).where(trade_days.c.series_id == series_id_of(connection, key))
        if start is not None:
            statement = statement.where(trade_days.c.day >= start)
        if end is not None:
            statement = statement.where(trade_days.c.day < end)
        return [TradeDay(*row) for row in connection.execute(statement.order_by(trade_days.c.day))]


def put_trades(connection: Connection, series_id: int, block: TradeBlock) -> None:
    """Store trades inside a transaction; one that is there already takes the new values."""
    columns = (column.tolist() for column in block[:4])
    sides = [_SIDES[side] for side in block.sides.tolist()]
    rows = [
        {
            "series_id": series_id,
            "time_ns": time_ns,
            "sequence": sequence,
            "price": price,
            "quantity": quantity,
            "side": side,
            "trade_id": trade_id,
        }
        for time_ns, sequence, price, quantity, side, trade_id in zip(*columns, sides, block.ids, strict=True)
    ]
    for begin in range(0, len(rows), BLOCK_ROWS):
        connection.execute(upsert(trades), rows[begin : begin + BLOCK_ROWS])


def read_trades(
    database: Database, key: SeriesKey, *, start_ns: int | None = None, end_ns: int | None = None
) -> Iterator[TradeBlock]:
    """The kept trades of a series in blocks of at most BLOCK_ROWS, from `start_ns` on and before `end_ns`.

    Each block is read by itself, so that nothing is held open in between and memory stays flat.
    """
    after = (-1 if start_ns is None else start_ns - 1, 2**31 - 1)
    while True:
        with database.reading() as connection:
            series_id = series_id_of(connection, key)
            statement = _trades_after(series_id, after)
            if end_ns is not None:
                statement = statement.where(trades.c.time_ns < end_ns)
            rows = connection.execute(statement.limit(BLOCK_ROWS)).all()
        if rows:
            yield _block(rows)
            after = (rows[-1].time_ns, rows[-1].sequence)
        if len(rows) < BLOCK_ROWS:
            return


def _state(connection: Connection, series_id: int) -> str | None:
    statement = select(trade_progress.c.state).where(trade_progress.c.series_id == series_id)
    return connection.execute(statement).scalar_one_or_none()


def _trades_after(series_id: int | None, after: tuple[int, int]) -> Select[tuple[int, int, float, float, str, str]]:
    place = tuple_(trades.c.time_ns, trades.c.sequence)
    values = (trades.c[name] for name in ("time_ns", "sequence", "price", "quantity", "side", "trade_id"))
    statement = select(*values).where(trades.c.series_id == series_id, place > after)
    return statement.order_by(trades.c.time_ns, trades.c.sequence)


def _block(rows: Sequence[Row[tuple[int, int, float, float, str, str]]]) -> TradeBlock:
    times, sequences, prices, quantities, sides, ids = zip(*rows, strict=True)
    return TradeBlock(
        np.array(times, np.int64),
        np.array(sequences, np.int64),
        np.array(prices, np.float64),
        np.array(quantities, np.float64),
        np.array([_SIGNS[side] for side in sides], np.int8),
        ids,
    )
