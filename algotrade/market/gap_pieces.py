"""Pieces of holes: cut at the edges of what is known, judged one by one, joined again where they say the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from algotrade.market.candles import Times
from algotrade.market.silence import Codes, Flags, Holes, Spans

NO_TRADES: Final = "no trades"
EXCHANGE_DOWN: Final = "exchange down"
NOT_DOWNLOADED: Final = "not downloaded"
QUARANTINED: Final = "quarantined"
KINDS: Final = (NO_TRADES, EXCHANGE_DOWN, NOT_DOWNLOADED, QUARANTINED)


class TypedGap(NamedTuple):
    """A hole or a piece of one: `bars` missing bars of a kind, the first opening at `start`, the last at `end`."""

    start: int
    end: int
    bars: int
    kind: str
    evidence: str


class Gaps(NamedTuple):
    """The pieces of all holes in order of time, in columns of shape (n,): a million of them are no more than numbers.

    Attributes:
        starts: open time of each piece's first missing bar.
        ends: of its last.
        bars: how many are missing.
        kinds: positions in KINDS.
        evidence: positions in `texts`.
        texts: sentences.
    """

    starts: Times
    ends: Times
    bars: Times
    kinds: Codes
    evidence: Codes
    texts: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Missing bars of each kind that there is any of."""
        totals = np.zeros(len(KINDS), np.int64)
        np.add.at(totals, self.kinds, self.bars)
        return {kind: total for kind, total in zip(KINDS, totals.tolist(), strict=True) if total}

    def of_kinds(self, kinds: Sequence[str]) -> Gaps:
        """The pieces of some kinds."""
        return self._at(np.flatnonzero(np.isin(self.kinds, [KINDS.index(kind) for kind in kinds])))

    def within(self, start: int, end: int) -> Gaps:
        """The pieces from one time to another, milliseconds."""
        return self._at(np.flatnonzero((self.starts >= start) & (self.ends <= end)))

    def spans(self, step: int) -> list[tuple[int, int]]:
        """The pieces as spans of time, up to the close of their last bar, which lasts `step` milliseconds."""
        return list(zip(self.starts.tolist(), (self.ends + step).tolist(), strict=True))

    def foremost(self, most: int) -> Gaps:
        """At most so many pieces in order of time: the longest of those that are more than no trades, then of these."""
        return self._at(np.sort(np.lexsort((-self.bars, self.kinds == KINDS.index(NO_TRADES)))[:most]))

    def rows(self) -> list[TypedGap]:
        """The pieces one by one."""
        columns = (column.tolist() for column in self[:5])
        return [
            TypedGap(start, end, bars, KINDS[kind], self.texts[evidence])
            for start, end, bars, kind, evidence in zip(*columns, strict=True)
        ]

    def _at(self, positions: Codes) -> Gaps:
        starts, ends, bars, kinds, evidence, texts = self
        return Gaps(starts[positions], ends[positions], bars[positions], kinds[positions], evidence[positions], texts)


class Pieces(NamedTuple):
    """Parts of holes between two edges of anything that is known: which hole, its first missing bar, end, bars."""

    hole: Codes
    starts: Times
    ends: Times
    bars: Times


class Verdicts:
    """What has been decided about each piece; the first word stands."""

    def __init__(self, pieces: int) -> None:
        self.kinds = np.full(pieces, -1)
        self.evidence = np.zeros(pieces, np.intp)
        self.texts: list[str] = []

    @property
    def open(self) -> Flags:
        """Pieces that nothing is decided about."""
        return self.kinds < 0

    def give(self, pieces: Flags, kind: str, text: str) -> None:
        """Decide about those of the pieces that are open."""
        self.give_each(pieces, kind, np.zeros(len(pieces), np.intp), [text])

    def give_each(self, pieces: Flags, kind: str, which: Codes, texts: Sequence[str]) -> None:
        """The same with evidence of its own for each piece: a position in `texts`."""
        decided = pieces & self.open
        self.kinds[decided] = KINDS.index(kind)
        self.evidence[decided] = which[decided] + len(self.texts)
        self.texts += texts


def cut(holes: Holes, step: int, known: Sequence[Spans]) -> Pieces:
    """The holes cut at every edge of what is known; of each piece, the missing bars that open in it."""
    edges = np.unique(np.concatenate([column for spans in (holes.spans, *known) for column in spans]))
    begins, ends = edges[:-1], edges[1:]
    hole = holes.spans.at(begins)
    inside = hole >= 0
    hole, begins, ends = hole[inside], begins[inside], ends[inside]
    anchors = holes.spans.starts[hole]
    first, after = -(-(begins - anchors) // step), -(-(ends - anchors) // step)
    some = after > first
    starts, stops = anchors + first * step, anchors + after * step
    return Pieces(hole[some], starts[some], stops[some], (after - first)[some])


def joined(pieces: Pieces, verdicts: Verdicts, step: int) -> Gaps:
    """Neighbouring pieces of a hole with the same kind and evidence as one."""
    columns = np.stack([pieces.hole, verdicts.kinds, verdicts.evidence])
    begins = np.flatnonzero(np.r_[True, (columns[:, 1:] != columns[:, :-1]).any(axis=0)][: len(pieces.hole)])
    bars = np.add.reduceat(pieces.bars, begins) if len(begins) else pieces.bars
    starts = pieces.starts[begins]
    last = pieces.ends[np.r_[begins[1:], len(pieces.ends)][: len(begins)] - 1] - step
    return Gaps(starts, last, bars, verdicts.kinds[begins], verdicts.evidence[begins], tuple(verdicts.texts))
