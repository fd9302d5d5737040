"""Trades out of files, and the candles that are made of them. Times are nanoseconds since the epoch."""

from __future__ import annotations

import numpy as np

from algotrade.ingest.files.rows import BadRow, FileRows, LastRow
from algotrade.market.candles import iso
from algotrade.market.timeframe import bar_start, timeframe_ms
from algotrade.market.trades import NS_PER_MS, CandleBuilder


class CandleMaker:
    """Makes candles of the trades of one or several files.

    The bar of the very first trade is left out unless that trade stands at its beginning, and the bar of the last
    always: there could have been more trades in them.

    Args:
        timeframe: of the candles.
    """

    def __init__(self, timeframe: str) -> None:
        self._timeframe = timeframe
        self._builder: CandleBuilder | None = None
        self.last: LastRow | None = None

    def add(self, trades: FileRows) -> FileRows:
        """Take in the next trades, good ones; give the candles that are over."""
        self.last = trades.last() or self.last
        if self._builder is None and len(trades.times):
            first = int(trades.times[0])
            start = bar_start(first // NS_PER_MS, self._timeframe)
            whole = first == start * NS_PER_MS
            self._builder = CandleBuilder(self._timeframe, start_ms=start + (not whole) * timeframe_ms(self._timeframe))
        if self._builder is None:
            return FileRows(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((5, 0)))
        bars = self._builder.add(trades.times, *trades.columns)
        return FileRows(np.zeros(len(bars.times), np.int64), bars.times, bars.columns)

    def as_candle(self, trade: BadRow) -> BadRow:
        """A bad trade as what is wrong with its bar."""
        if trade.time is None:
            return trade
        return trade._replace(time=bar_start(trade.time // NS_PER_MS, self._timeframe), values=())


def find_bad_trades(rows: FileRows, now_ms: int, before: LastRow | None) -> list[BadRow]:
    """Rows that are no trades of the past, or come before a good one before them; in the file's order.

    Args:
        rows: a block of trades.
        now_ms: the time, milliseconds.
        before: the last good trade of the blocks before; None for the first block.
    """
    prices, quantities = rows.columns
    finite = np.isfinite(prices) & np.isfinite(quantities)
    good = np.ones(len(rows.times), np.bool_)
    found = list(rows.bad)
    for reason, mask in (
        ("a value is not a finite number", ~finite),
        ("the price is not positive", finite & (prices <= 0)),
        ("the quantity is negative", finite & (quantities < 0)),
        ("the time lies in the future", rows.times > now_ms * NS_PER_MS),
    ):
        found += [rows.refuse(row, reason) for row in np.flatnonzero(mask & good).tolist()]
        good &= ~mask
    earliest = before.time if before else np.iinfo(np.int64).min
    latest = np.maximum.accumulate(np.r_[earliest, np.where(good, rows.times, np.iinfo(np.int64).min)])
    for row in np.flatnonzero(good & (rows.times < latest[:-1])).tolist():
        found.append(
            rows.refuse(row, f"the time {iso(int(rows.times[row]) // NS_PER_MS)} comes before that of a row above")
        )
    return sorted(found, key=lambda row: row.line)
