"""Bars inside a stored series that no exchange was ever asked for: what a download that was cut off leaves behind."""

from __future__ import annotations

from typing import NamedTuple

from algotrade.ingest.plan import Interval, subtract
from algotrade.market.candles import SeriesKey
from algotrade.market.timeframe import timeframe_ms
from algotrade.store.candles import count_bars, span
from algotrade.store.corrections import open_quarantine
from algotrade.store.coverage import read_coverage
from algotrade.store.database import Database


class Undownloaded(NamedTuple):
    """How many bars were never asked for, and the open time of the first of them that can be, milliseconds."""

    bars: int
    first: int


def find_undownloaded(database: Database, key: SeriesKey) -> Undownloaded | None:
    """What was never asked for between the first and the last stored bar; None for nothing.

    No candle is read: what the exchange has answered for is remembered, and elsewhere bars are counted.

    Args:
        database: the store.
        key: a series of an exchange's own candles.
    """
    stored, step = span(database, key), timeframe_ms(key.timeframe)
    if stored is None or stored.rows > (stored.last - stored.first) // step:
        return None
    covered = [Interval(*part) for part in read_coverage(database, key)]
    found = Undownloaded(0, 0)
    for start, end in subtract(Interval(stored.first, stored.last), covered):
        first = stored.first - (stored.first - start) // step * step  # the bars lie on the grid of the first one
        bars = -((first - end) // step)
        known = count_bars(database, key, start, end - 1) + len(open_quarantine(database, key, start, end - 1))
        if bars > known:
            found = Undownloaded(found.bars + bars - known, found.first if found.bars else first)
    return found if found.bars else None
