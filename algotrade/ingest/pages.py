"""One answer of an exchange, judged: which candles in it may be stored, which are refused, and where to go on.

Exchanges repeat bars, reverse pages, leave nulls, invent prices and ignore what they were asked; ccxt passes all of
it on. Nothing here talks to one.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from algotrade.ingest.plan import Grid, Interval, subtract
from algotrade.market.candles import Floats, RefusedCandle, Times, bad_rows
from algotrade.market.spikes import FACTOR, find_spikes


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


SPIKE: Final = f"a price is {FACTOR:.0f} times off those around it"


def judge_page(rows: Floats, asked: Interval, now_ms: int, believed: Collection[RefusedCandle] = ()) -> Page:
    """Sort an answer, drop exact repeats, keep what was asked for, refuse what cannot be a candle.

    Args:
        rows: shape (n, 6): open time in milliseconds, open, high, low, close, volume; NaN where the answer had none.
        asked: the bars to keep. A bar outside it is neither stored nor refused.
        now_ms: the exchange's clock; a bar that opens after it is refused.
        believed: candles that were refused as a spike before and are to be believed when they come again unchanged.
    """
    rows, times, refused = _believe_times(rows, now_ms)
    order = np.argsort(times, kind="stable")
    rows, times = rows[order], times[order]
    inside = (times >= asked.start) & (times < asked.end)
    reasons = [*bad_rows(*rows[:, 1:].T), ("two different candles have this time", _conflicts(times, rows[:, 1:]))]
    good = np.ones(len(times), np.bool_)
    for reason, mask in reasons:
        refused += _refused(rows, times, inside & good & mask, reason)
        good &= ~mask
    spikes = good.copy()
    spikes[good] = find_spikes(rows[good, 1:].T)  # those outside what was asked too: they are the measure
    for candle in _refused(rows, times, inside & spikes, SPIKE):
        if candle in believed:
            spikes &= times != candle.time
        else:
            refused.append(candle)
    good &= ~spikes
    good &= inside
    kept, first = np.unique(times[good], return_index=True)
    return Page(kept, np.ascontiguousarray(rows[good, 1:][first].T), np.unique(times), tuple(refused))


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
    """Whether an answer says nothing of the bars just after `since`: it has none before, and its first comes later."""
    return bool(len(seen)) and int(seen[0]) > since + grid.step


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


def proven(whole: Interval, page: Page, step: int) -> list[Interval]:
    """The parts of a fetched interval without its refused candles: those are asked for again next time.

    One refused for its time may be any of those that are missing: then they are asked for again too.
    """
    believable = set(page.seen.tolist())
    doubtful = [Interval(time, time + step) for time, *_ in page.refused if time is not None and time in believable]
    if len(doubtful) < len(page.refused):
        inside = page.seen[(page.seen >= whole.start) & (page.seen < whole.end)]
        begins, ends = np.r_[whole.start, inside + step], np.r_[inside, whole.end]
        doubtful += [Interval(*hole) for hole in zip(begins.tolist(), ends.tolist(), strict=True) if hole[0] < hole[1]]
    return subtract(whole, doubtful)


def _believe_times(rows: Floats, now_ms: int) -> tuple[Floats, Times, list[RefusedCandle]]:
    """The rows whose open time can be believed, those times, and the refusal of every other row."""
    known = np.isfinite(rows[:, 0]) & (rows[:, 0] >= 0) & (rows[:, 0] < 2**53)
    times = np.where(known, rows[:, 0], 0).astype(np.int64)
    future = times > now_ms
    refused = [candle._replace(time=None) for candle in _refused(rows, times, ~known, "it has no open time")]
    refused += _refused(rows, times, future, "it opens in the future")
    believed = known & ~future
    return rows[believed], times[believed], refused


def _refused(rows: Floats, times: Times, mask: npt.NDArray[np.bool_], reason: str) -> list[RefusedCandle]:
    """The masked rows as refused candles, in the order of their times."""
    found = {
        RefusedCandle(time, reason, tuple(value if np.isfinite(value) else None for value in values))
        for time, values in zip(times[mask].tolist(), rows[mask, 1:].tolist(), strict=True)
    }
    return sorted(found, key=lambda candle: candle.time or 0)


def _conflicts(times: Times, values: Floats) -> npt.NDArray[np.bool_]:
    """Mask of the rows, sorted by time, that share their time with a row of other values."""
    differs = (times[1:] == times[:-1]) & (values[1:] != values[:-1]).any(axis=1)
    return np.isin(times, times[1:][differs])
