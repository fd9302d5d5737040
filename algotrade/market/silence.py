"""How improbable a silence is: holes between bars, and the chance of each, judged by how dense the bars around it are.

Spans of time are pairs of arrays, so that everything is computed on their edges and never bar by bar.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from algotrade.market.candles import Floats, Times
from algotrade.market.timeframe import UNIT_MS

AROUND: Final = 500  # bars looked at on each side of a hole, to know how dense they are
DENSE: Final = 0.8  # of the places around: where bars are rarer, they are missing in clusters, and chance says nothing
IMPROBABLE: Final = math.log(1e-9)  # below this chance the silence of one series is not for want of trades

Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.intp]


class Spans(NamedTuple):
    """Spans of time, rising and apart, shape (n,): milliseconds from each start up to, not including, its end."""

    starts: Times
    ends: Times

    @classmethod
    def of(cls, pairs: Sequence[tuple[int, int]]) -> Self:
        """The union of spans that may overlap, touch and come in any order."""
        merged: list[list[int]] = []
        for start, end in sorted(pairs):
            if merged and start <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            elif start < end:
                merged.append([start, end])
        starts, ends = np.array(merged, np.int64).reshape(-1, 2).T
        return cls(starts, ends)

    def at(self, times: Times) -> Codes:
        """Which span each time lies in, -1 for none; shape of `times`."""
        if not len(self.starts):
            return np.full(len(times), -1)
        found = np.searchsorted(self.starts, times, "right") - 1
        return np.where((found >= 0) & (times < self.ends[found]), found, -1)


class Holes(NamedTuple):
    """Where bars are missing: each hole as a span, from the first missing bar's open to the last one's close."""

    spans: Spans
    bars: Times


class Chance(NamedTuple):
    """How probable each hole is if bars are missing at random, as often as they are around it; shapes (n,).

    Attributes:
        rate: the natural logarithm of the chance that one bar is missing.
        empty: bars missing in it, as far as that is known.
        present: bars there are around the hole.
        places: bars there could be.
    """

    rate: Floats
    empty: Times
    present: Times
    places: Times

    @property
    def log(self) -> Floats:
        """The natural logarithm of the chance of each whole hole."""
        return self.rate * self.empty

    @property
    def improbable(self) -> Flags:
        """Whether a hole is no accident: longer than chance makes them, among dense bars or longer than all around."""
        return (self.log < IMPROBABLE) & (self.dense | (self.empty > self.places))

    @property
    def dense(self) -> Flags:
        """Whether enough bars are there around a hole for chance to say anything."""
        return self.present >= DENSE * self.places

    def at(self, positions: Codes) -> Chance:
        """The chance of some of the holes."""
        return Chance(self.rate[positions], self.empty[positions], self.present[positions], self.places[positions])


def holes_of(times: Times, step: int) -> Holes:
    """Holes between the first and the last bar; a bar off the grid hides none."""
    jumps = np.diff(times)
    before = np.flatnonzero(jumps > step)
    bars = -(-jumps[before] // step) - 1
    starts = times[before] + step
    return Holes(Spans(starts, starts + bars * step), bars)


def chance_of(holes: Holes, empty: Times, times: Times, unknown: Spans) -> Chance:
    """The chance of each hole: of so many empty bars in a row, where most bars around are there.

    With p present of n places around, a bar is missing with a probability of 1 - (p + 1) / (n + 2) (Laplace's rule of
    succession). Holes come together, as an exchange that goes down does so again within the hour; so the density around
    one is measured without its neighbours that are improbable themselves.

    Args:
        holes: of the series.
        empty: the bars of each hole that nobody has, shape (n,): all but those that are unknown.
        times: open times of the bars.
        unknown: spans of holes about which nothing is known; they count neither as bars nor as places.
    """
    if not len(holes.bars):
        return Chance(np.empty(0), *(np.empty(0, np.int64) for _ in range(3)))
    first = _chance(holes, empty, times, unknown)
    odd = first.log < IMPROBABLE
    apart = [np.r_[column, edges[odd]] for column, edges in zip(unknown, holes.spans, strict=True)]
    return _chance(holes, empty, times, Spans.of(list(zip(*(column.tolist() for column in apart), strict=True))))


def _chance(holes: Holes, empty: Times, times: Times, unknown: Spans) -> Chance:
    (starts, ends), step = holes.spans, int((holes.spans.ends[0] - holes.spans.starts[0]) // holes.bars[0])
    before = np.maximum(starts - AROUND * step, times[0]), starts
    after = ends, np.minimum(ends + AROUND * step, times[-1] + step)
    present, length = np.zeros(len(starts), np.int64), np.zeros(len(starts), np.int64)
    for begin, end in (before, after):
        present += np.searchsorted(times, end) - np.searchsorted(times, begin)
        length += (end - begin) - (_length(unknown, end) - _length(unknown, begin))
    places = np.maximum(length // step, present)
    return Chance(np.log(1 - (present + 1) / (places + 2)), empty, present, places)


def closed_weekly(holes: Holes, known: Flags, times: Times) -> Flags:
    """Holes that recur: a week before and a week after (where the series reaches), their middle lies in a hole too."""
    middles = (holes.spans.starts + holes.spans.ends) // 2
    both = np.ones(len(middles), np.bool_)
    reached = np.zeros(len(middles), np.bool_)
    for shifted in (middles - UNIT_MS["w"], middles + UNIT_MS["w"]):
        inside = (shifted >= times[0]) & (shifted <= times[-1])
        found = holes.spans.at(shifted)
        both &= ~inside | ((found >= 0) & (found != np.arange(len(found))) & known[found])
        reached |= inside
    return both & reached


def _length(spans: Spans, until: Times) -> Times:
    """How much of the spans lies before each time, milliseconds."""
    if not len(spans.starts):
        return np.zeros(len(until), np.int64)
    lengths = np.r_[0, np.cumsum(spans.ends - spans.starts)]
    begun = np.searchsorted(spans.starts, until)
    within = np.where(begun > 0, np.maximum(0, spans.ends[begun - 1] - until), 0)
    return np.asarray(lengths[begun] - within, np.int64)
