"""The rows of a file, judged together, whatever kind of file they come from."""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from algotrade.errors import FixData
from algotrade.market.candles import Floats, Times, bad_rows, iso
from algotrade.market.timeframe import COMMON, timeframe_ms

EARLIEST_MS: Final = -2_177_452_800_000  # 1901-01-01; spreadsheets and time formats without a year give 1900


class BadRow(NamedTuple):
    """A row that cannot be stored: its line in the file (its row, in Parquet) counted from 1, and the reason."""

    line: int
    reason: str


class FileRows(NamedTuple):
    """What was read from a file.

    Attributes:
        lines: where each row stands in the file, counted from 1, shape (n,).
        times: open times in milliseconds, shape (n,).
        columns: open, high, low, close and volume, shape (5, n).
        bad: the rows that could not even be read.
        place: what `lines` counts: lines, or the rows of a file without lines.
    """

    lines: Times
    times: Times
    columns: Floats
    bad: tuple[BadRow, ...] = ()
    place: str = "line"

    def without(self, bad: list[BadRow]) -> FileRows:
        """The rows that are not among `bad`."""
        good = ~np.isin(self.lines, np.array([row.line for row in bad], np.int64))
        return self._replace(lines=self.lines[good], times=self.times[good], columns=self.columns[:, good])


def find_bad_rows(rows: FileRows, now_ms: int) -> list[BadRow]:
    """Rows that are no candles of the past, or do not come after all good rows before them; in the file's order."""
    found = list(rows.bad)
    good = np.ones(len(rows.times), np.bool_)
    for reason, mask in [
        ("the time lies before 1901", rows.times < EARLIEST_MS),
        ("the time lies in the future", rows.times > now_ms),
        *bad_rows(*rows.columns),
    ]:
        found += [BadRow(line, reason) for line in rows.lines[mask & good].tolist()]
        good &= ~mask
    return sorted(found + _out_of_order(rows, good))


def _out_of_order(rows: FileRows, good: npt.NDArray[np.bool_]) -> list[BadRow]:
    times = np.where(good, rows.times, np.iinfo(np.int64).min)
    latest = np.maximum.accumulate(times)
    rises = np.r_[True, times[1:] > latest[:-1]]
    if bool((rises | ~good).all()):
        return []
    last_rise = np.maximum.accumulate(np.where(rises, np.arange(len(times)), 0))
    advice = "; the whole file runs newest first: turn it round" if bool((np.diff(rows.times) < 0).all()) else ""
    found = []
    for row in np.flatnonzero(good & ~rises).tolist():
        before, time = int(last_rise[row]), int(times[row])
        what = "repeats that of" if time == times[before] else "comes before that of"
        found.append(
            BadRow(int(rows.lines[row]), f"the time {iso(time)} {what} {rows.place} {rows.lines[before]}{advice}")
        )
    return found


def infer_timeframe(times: Times) -> str:
    """The timeframe whose length is the most common step between rows, the shorter of two equally common ones.

    Raises:
        FixData: fewer than two rows, or no usual timeframe has that length.
    """
    if len(times) < 2:
        raise FixData("one row does not tell the timeframe", hint="--timeframe 1d")
    counts = Counter(np.diff(times).tolist())
    step = min(counts, key=lambda length: (-counts[length], length))
    fitting = [timeframe for timeframe in COMMON if timeframe_ms(timeframe) == step]
    if not fitting:
        raise FixData(
            f"the rows are {step / 60_000:g} minutes apart, which is no usual timeframe", hint="--timeframe 1h"
        )
    return fitting[0]


def find_overlaps(rows: FileRows, timeframe: str) -> list[BadRow]:
    """Rows that open before the good bar before them has closed: the timeframe, or the row, is wrong."""
    step = timeframe_ms(timeframe)
    if not len(rows.times) or bool((np.diff(rows.times) >= step).all()):
        return []
    found: list[BadRow] = []
    last: int | None = None
    for line, time in zip(rows.lines.tolist(), rows.times.tolist(), strict=True):
        if last is not None and time - last < step:
            minutes = (time - last) / 60_000
            found.append(BadRow(line, f"it opens {minutes:g} minutes after the bar before, which is {timeframe} long"))
        else:
            last = time
    return found
