"""What went wrong on the way here: candles that were refused, and when an exchange said that it was down."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, select, update

from algotrade.market.candles import COLUMNS, SeriesKey
from algotrade.market.gaps import Outage
from algotrade.store.database import Database
from algotrade.store.rows import is_series
from algotrade.store.tables import candles, outages, quarantine, series, upsert


class QuarantinedCandle(NamedTuple):
    """A candle that was refused.

    Attributes:
        time: its open time, milliseconds; None where it had none.
        values: open, high, low, close, volume as they came; None where one was no finite number.
        reason: what is wrong with it.
        seen_ms: when it came first.
        open: no good candle is stored at its time.
    """

    time: int | None
    values: tuple[float | None, ...]
    reason: str
    seen_ms: int
    open: bool


def read_quarantine(
    database: Database, key: SeriesKey, start: int | None = None, end: int | None = None
) -> list[QuarantinedCandle]:
    """Every refused candle of a series in order of time, those without one first; of a span, both ends inclusive."""
    stored = and_(candles.c.series_id == quarantine.c.series_id, candles.c.time == quarantine.c.time)
    values = [quarantine.c[name] for name in COLUMNS]
    statement = (
        select(quarantine.c.time, quarantine.c.reason, quarantine.c.seen_ms, candles.c.time, *values)
        .join(series, series.c.id == quarantine.c.series_id)
        .outerjoin(candles, stored)
        .where(is_series(key))
    )
    if start is not None:
        statement = statement.where(quarantine.c.time >= start)
    if end is not None:
        statement = statement.where(quarantine.c.time <= end)
    with database.reading() as connection:
        rows = connection.execute(statement).all()
    found = [
        QuarantinedCandle(time, tuple(values), reason, seen_ms, open=good is None)
        for time, reason, seen_ms, good, *values in rows
    ]
    return sorted(found, key=lambda row: (row.time is not None, row.time or 0, row.seen_ms, row.reason))


def open_quarantine(
    database: Database, key: SeriesKey, start: int | None = None, end: int | None = None
) -> dict[int, str]:
    """Open time -> reason, of the refused candles that no good one has come for since."""
    return {
        row.time: row.reason for row in read_quarantine(database, key, start, end) if row.open and row.time is not None
    }


def note_outage(database: Database, exchange: str, now_ms: int, evidence: str) -> None:
    """Remember that an exchange says it is down; the first word of it stays until it answers again."""
    values = {"exchange": exchange, "start": now_ms, "end": None, "evidence": evidence}
    with database.writing() as connection:
        if connection.execute(select(outages.c.start).where(_open(exchange))).first() is None:
            connection.execute(upsert(outages), values)


def close_outage(database: Database, exchange: str, now_ms: int) -> None:
    """Remember that an exchange answers again; without an outage nothing is written."""
    with database.reading() as connection:
        if connection.execute(select(outages.c.start).where(_open(exchange))).first() is None:
            return
    with database.writing() as connection:
        connection.execute(update(outages).where(_open(exchange)).values(end=now_ms))


def read_outages(database: Database, exchange: str) -> list[Outage]:
    """When an exchange said that it was down, in order."""
    statement = select(outages.c.start, outages.c.end, outages.c.evidence).where(outages.c.exchange == exchange)
    with database.reading() as connection:
        return [Outage(*row) for row in connection.execute(statement.order_by(outages.c.start))]


def _open(exchange: str) -> ColumnElement[bool]:
    return and_(outages.c.exchange == exchange, outages.c.end.is_(None))
