"""Put a file's candles into the store, block by block in one transaction: never over what is there unasked.

The name of a series is all that joins a file to it, and a name is easily mistyped. So a file that differs from what is
stored is refused as a whole, with the first difference, unless it was said that it replaces it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import Connection

from algotrade.market.candles import COLUMNS, Floats, SeriesKey, Times, iso
from algotrade.store.arrivals import Evidence, WriteReport, changed_candles, put_candles

CLOSE: Final = COLUMNS.index("close")


class Difference(NamedTuple):
    """A candle that is stored with other values: its open time, the column, the value there and that in the file."""

    time: int
    column: str
    stored: float
    given: float


class Placing:
    """The candles of a file on their way into the store; used once.

    Args:
        connection: of the transaction, which the caller lets fail where there is an `objection`.
        key: the series.
        evidence: of every block: when it was seen.
        replace: write over stored candles that differ; both values are kept as a revision.
    """

    def __init__(self, connection: Connection, key: SeriesKey, evidence: Evidence, *, replace: bool) -> None:
        self._connection, self._key, self._evidence, self._replace = connection, key, evidence, replace
        self._rows = 0
        self._changed = 0
        self._first: Difference | None = None
        self.written = WriteReport(0, 0, 0)

    def put(self, times: Times, columns: Floats) -> None:
        """Write the next block; after the first difference that may not be written, differences are only counted."""
        self._rows += len(times)
        if not self._replace:
            self._count_changes(times, columns)
        if not self._changed:
            done = put_candles(self._connection, self._key, times, columns, self._evidence)
            self.written = WriteReport(*(sum(pair) for pair in zip(self.written, done, strict=True)))

    def objection(self) -> str:
        """Once all is put: why the transaction must not be kept, as a sentence; "" if it may."""
        if self._first is None:
            return ""
        time, column, stored, given = self._first
        there, here = (f"{value:,.10g}" for value in (stored, given))
        if there == here:
            there, here = repr(stored), repr(given)
        return (
            f"{self._changed:,} of its {self._rows:,} bars are stored with other values, the first "
            f"{iso(time).removesuffix('T00:00:00Z')}: {column} {there} there, {here} in the file; nothing was stored"
        )

    def _count_changes(self, times: Times, columns: Floats) -> None:
        changed = changed_candles(self._connection, self._key, times, columns)
        if not len(changed.times):
            return
        self._changed += len(changed.times)
        if self._first is None:
            time = int(changed.times[0])
            stored, given = changed.columns[:, 0], columns[:, times.searchsorted(time)]
            differing = [CLOSE, *range(len(COLUMNS))]
            at = next(column for column in differing if stored[column] != given[column])
            self._first = Difference(time, COLUMNS[at], float(stored[at]), float(given[at]))
