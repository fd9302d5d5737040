"""One answer of an exchange, judged: which candles in it may be stored, which are refused, and where to go on.

Exchanges repeat bars, reverse pages, leave nulls, invent prices and ignore what they were asked; ccxt passes all of
it on. Nothing here talks to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from algotrade.ingest.plan import Grid, Interval, subtract
from algotrade.market.candles import Floats, Times, bad_rows


class RefusedCandle(NamedTuple):
    """A candle that was not stored: its open time (None where it has none) and the reason."""

    time: int | None
    reason: str


class Page(NamedTuple):
    """What an answer is worth.

    Attributes:
        times: open times of the candles to store, strictly rising, shape (n,).
        columns: their open, high, low, close and volume, shape (5, n).
        seen: open times of everything in the answer that has a believable one, strictly rising, shape (m,): also
            bars outside the asked interval, the forming one, and those refused for their prices.
        refused: what is wrong with the rest.
    """

    times: Times
    columns: Floats
    seen: Times
    refused: tuple[RefusedCandle, ...]


class Cursor(NamedTuple):
    """How far a walk through an interval has come.

    Attributes:
        since: the open time to ask from next.
        reached: every bar that opens before it has been dealt with.
    """

    since: int
    reached: int


def judge_page(rows: Floats, asked: Interval, now_ms: int) -> Page:
    """Sort an answer, drop exact repeats, keep what was asked for, refuse what cannot be a candle.

    Args:
        rows: shape (n, 6): open time in milliseconds, open, high, low, close, volume; NaN where the answer had none.
        asked: the bars to keep. A bar outside it is neither stored nor refused.
        now_ms: the exchange's clock; a bar that opens after it is refused.
    """
    rows, times, refused = _believe_times(rows, now_ms)
    order = np.argsort(times, kind="stable")
    rows, times = rows[order], times[order]
    inside = (times >= asked.start) & (times < asked.end)
    values, asked_times = rows[inside, 1:], times[inside]
    reasons = [*bad_rows(*values.T), ("two different candles have this time", _conflicts(asked_times, values))]
    good = np.ones(len(asked_times), np.bool_)
    for reason, mask in reasons:
        refused += [RefusedCandle(time, reason) for time in np.unique(asked_times[mask & good]).tolist()]
        good &= ~mask
    kept, first = np.unique(asked_times[good], return_index=True)
    return Page(kept, np.ascontiguousarray(values[good][first].T), np.unique(times), tuple(refused))


def advance(cursor: Cursor, seen: Times, grid: Grid) -> Cursor:
    """Where to go on after an answer.

    The next page begins with the last bar of this one, so that none is lost whether the exchange counts `since` in
    or out. An answer with nothing new means that one page of time is empty. Either way every second step, at the
    latest, deals with at least one more bar: no answer can hold a walk for ever.
    """
    if len(seen) and seen[-1] >= cursor.reached:
        return Cursor(since=int(seen[-1]), reached=int(seen[-1]) + grid.step)
    ahead = max(cursor.reached, cursor.since + max(grid.page - 1, 1) * grid.step)
    return Cursor(since=ahead, reached=ahead)


def is_stale(seen: Times, since: int, grid: Grid) -> bool:
    """Whether an answer lies a page or more before what it was asked for: the exchange repeats an old page."""
    return bool(len(seen)) and int(seen[-1]) < since - grid.page_ms


def begins_late(seen: Times, since: int, grid: Grid) -> bool:
    """Whether bars are missing between `since` and the first bar of an answer that comes after it."""
    later = seen[seen >= since]
    return bool(len(later)) and int(later[0]) > since + grid.step


def is_newest_page(seen: Times, grid: Grid, now_ms: int) -> bool:
    """Whether an answer is a full page that ends now: what an exchange gives that does not look at `since`."""
    return len(seen) >= grid.page and int(seen[-1]) > now_ms - 2 * grid.step


def answered_until(seen: Times, end: int, grid: Grid) -> int:
    """Up to which open time an answer, not empty, has settled a walk that ends at `end`.

    What comes after its last bar is open: a bar that has just closed may not be published yet. Up to the first bar
    beyond the end everything is settled, also the moments between, because no bar opens there.
    """
    beyond = seen[seen >= end]
    if not len(beyond):
        return min(int(seen[-1]) + grid.step, end)
    return int(beyond[0]) if beyond[0] - end < grid.step else end


def proven(whole: Interval, refused: Sequence[RefusedCandle], step: int) -> list[Interval]:
    """The parts of a fetched interval without its refused candles: those are asked for again next time."""
    return subtract(whole, [Interval(time, time + step) for time, _ in refused if time is not None])


def _believe_times(rows: Floats, now_ms: int) -> tuple[Floats, Times, list[RefusedCandle]]:
    """The rows whose open time can be believed, those times, and the refusal of every other row."""
    known = np.isfinite(rows[:, 0]) & (rows[:, 0] >= 0) & (rows[:, 0] < 2**53)
    times = np.where(known, rows[:, 0], 0).astype(np.int64)
    future = times > now_ms
    refused = [RefusedCandle(None, "it has no open time")] * int((~known).sum())
    refused += [RefusedCandle(time, "it opens in the future") for time in np.unique(times[future]).tolist()]
    believed = known & ~future
    return rows[believed], times[believed], refused


def _conflicts(times: Times, values: Floats) -> npt.NDArray[np.bool_]:
    """Mask of the rows, sorted by time, that share their time with a row of other values."""
    differs = (times[1:] == times[:-1]) & (values[1:] != values[:-1]).any(axis=1)
    return np.isin(times, times[1:][differs])
