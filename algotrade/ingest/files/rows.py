"""The rows of a file, judged block by block, whatever kind of file they come from."""

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
    """A row that cannot be stored.

    Attributes:
        line: where it stands in the file (its row, where a file has no lines), counted from 1.
        reason: what is wrong with it.
        time: its open time in milliseconds, where that could be read.
        values: its open, high, low, close and volume, where they could be.
    """

    line: int
    reason: str
    time: int | None = None
    values: tuple[float, ...] = ()


class LastRow(NamedTuple):
    """The last good row of the blocks before."""

    time: int
    line: int


class FileRows(NamedTuple):
    """What was read from a file: a block of its rows, or all of them.

    Attributes:
        lines: where each row stands in the file, counted from 1, shape (n,).
        times: open times in milliseconds, shape (n,).
        columns: open, high, low, close and volume, shape (5, n); price and quantity, shape (2, n), of trades.
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
        return self.kept(~np.isin(self.lines, np.array([row.line for row in bad], np.int64)))

    def kept(self, good: npt.NDArray[np.bool_]) -> FileRows:
        """The rows that a mask, shape (n,), holds true for."""
        return self._replace(lines=self.lines[good], times=self.times[good], columns=self.columns[:, good], bad=())

    def refuse(self, row: int, reason: str) -> BadRow:
        """One of the rows, a position counted from 0, as a bad one."""
        return BadRow(int(self.lines[row]), reason, int(self.times[row]), tuple(self.columns[:, row].tolist()))

    def last(self) -> LastRow | None:
        """The last row; None where there is none."""
        return LastRow(int(self.times[-1]), int(self.lines[-1])) if len(self.times) else None


def find_bad_rows(rows: FileRows, now_ms: int, before: LastRow | None = None) -> list[BadRow]:
    """Rows that are no candles of the past, or do not come after all good rows before them; in the file's order.

    Args:
        rows: a block of the file.
        now_ms: the time, milliseconds.
        before: the last good row of the blocks before; None for the first block.
    """
    found = list(rows.bad)
    good = np.ones(len(rows.times), np.bool_)
    for reason, mask in [
        ("the time lies before 1901", rows.times < EARLIEST_MS),
        ("the time lies in the future", rows.times > now_ms),
        *bad_rows(*rows.columns),
    ]:
        found += [rows.refuse(row, reason) for row in np.flatnonzero(mask & good).tolist()]
        good &= ~mask
    return sorted(found + _out_of_order(rows, good, before), key=lambda row: row.line)


def _out_of_order(rows: FileRows, good: npt.NDArray[np.bool_], before: LastRow | None) -> list[BadRow]:
    first = before or LastRow(np.iinfo(np.int64).min, 0)
    times = np.r_[first.time, np.where(good, rows.times, np.iinfo(np.int64).min)]
    lines = np.r_[first.line, rows.lines]
    rises = np.r_[True, times[1:] > np.maximum.accumulate(times)[:-1]]
    if bool((rises[1:] | ~good).all()):
        return []
    last_rise = np.maximum.accumulate(np.where(rises, np.arange(len(times)), 0))
    falls = before is None and bool((np.diff(rows.times) < 0).all())
    advice = "; the file runs newest first: turn it round" if falls else ""
    found = []
    for row in (np.flatnonzero(good & ~rises[1:]) + 1).tolist():
        earlier, time = int(last_rise[row]), int(times[row])
        what = "repeats that of" if time == times[earlier] else "comes before that of"
        found.append(rows.refuse(row - 1, f"the time {iso(time)} {what} {rows.place} {lines[earlier]}{advice}"))
    return found


def count_steps(times: Times) -> Counter[int]:
    """How often each distance between two rows appears, milliseconds."""
    return Counter(dict(zip(*(part.tolist() for part in np.unique(np.diff(times), return_counts=True)), strict=True)))


def infer_timeframe(times: Times) -> str:
    """The timeframe of rows with these open times, see `timeframe_of`."""
    return timeframe_of(count_steps(times))


def timeframe_of(steps: Counter[int]) -> str:
    """The timeframe whose length is the most common step between rows, the shorter of two equally common ones.

    Raises:
        FixData: fewer than two rows, or no usual timeframe has that length.
    """
    if not steps:
        raise FixData("one row does not tell the timeframe", hint="--timeframe 1d")
    step = min(steps, key=lambda length: (-steps[length], length))
    fitting = [timeframe for timeframe in COMMON if timeframe_ms(timeframe) == step]
    if not fitting:
        raise FixData(
            f"the rows are {step / 60_000:g} minutes apart, which is no usual timeframe", hint="--timeframe 1h"
        )
    return fitting[0]


def find_overlaps(rows: FileRows, timeframe: str, before: LastRow | None = None) -> list[BadRow]:
    """Rows that open before the good bar before them has closed: the timeframe, or the row, is wrong."""
    step = timeframe_ms(timeframe)
    times = np.r_[before.time, rows.times] if before else rows.times
    if bool((np.diff(times) >= step).all()):
        return []
    found: list[BadRow] = []
    last = before.time if before else None
    for row, time in enumerate(rows.times.tolist()):
        if last is not None and time - last < step:
            minutes = (time - last) / 60_000
            reason = f"it opens {minutes:g} minutes after the bar before, which is {timeframe} long"
            found.append(rows.refuse(row, reason))
        else:
            last = time
    return found
