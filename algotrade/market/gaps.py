"""Why bars are missing: every hole in a series of candles, split into pieces of one kind each, with the evidence.

A hole says nothing by itself. It is *quarantined* where a candle came and was refused; *not downloaded* where nobody
has asked; *exchange down* where the exchange said so, where its other markets stand still too, or where the bars around
make so long a silence improbable; else *no trades*. The pieces partition the holes exactly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from algotrade.market.candles import Floats, Times
from algotrade.market.gap_pieces import (
    EXCHANGE_DOWN,
    NO_TRADES,
    NOT_DOWNLOADED,
    QUARANTINED,
    Gaps,
    Pieces,
    Verdicts,
    cut,
    joined,
)
from algotrade.market.silence import Chance, Codes, Flags, Holes, Spans, chance_of, closed_weekly, holes_of
from algotrade.market.timeframe import bar_offset, bar_start, timeframe_ms

TOGETHER: Final = math.log(1e-5)  # below this chance the silence of several series at once is not for want of trades
CLOSED: Final = "closed: it has no bar at this time a week before and after either"


class Neighbour(NamedTuple):
    """Another series of the same exchange and timeframe: what its bars say about whether the exchange was up.

    Attributes:
        name: as the evidence names it, "ETH/USD".
        holes: where it has no bar.
        rate: of each hole, the logarithm of the chance that one bar is missing; NaN where its silence says nothing:
            the bars around are not dense, or not all of the hole was asked for.
        first: its first bar's open time.
        last: its last bar's.
    """

    name: str
    holes: Spans
    rate: Floats
    first: int
    last: int


class Outage(NamedTuple):
    """When an exchange said that it was down; `end` is None while it has not answered since."""

    start: int
    end: int | None
    evidence: str


class Known(NamedTuple):
    """What is known about a series besides its bars.

    Attributes:
        authority: whose silence an empty bar is: "kraken" or "the file".
        covered: spans that the exchange has answered for; None for a file, which nobody can be asked about.
        refused: open time -> reason, of the candles that came, were refused, and have no good one since.
        outages: when the exchange said that it was down.
        neighbours: other series of the exchange.
    """

    authority: str
    covered: Sequence[tuple[int, int]] | None = None
    refused: Mapping[int, str] = {}
    outages: Sequence[Outage] = ()
    neighbours: Sequence[Neighbour] = ()


def neighbour(name: str, times: Times, timeframe: str, covered: Sequence[tuple[int, int]] | None) -> Neighbour:
    """What another series, not empty, says.

    Args:
        name: its own.
        times: open times of its bars, rising.
        timeframe: of its bars.
        covered: spans that were asked for; None for a file.
    """
    holes = holes_of(times, timeframe_ms(timeframe))
    starts, ends = holes.spans
    asked = np.ones(len(starts), np.bool_)
    if covered is not None:
        spans = Spans.of(covered)
        found = spans.at(starts)
        asked = (found >= 0) & (spans.at(ends - 1) == found)
    chance = chance_of(holes, holes.bars, times, Spans(starts[~asked], ends[~asked]))
    return Neighbour(
        name, holes.spans, np.where(asked & chance.dense, chance.rate, np.nan), int(times[0]), int(times[-1])
    )


def type_gaps(times: Times, timeframe: str, known: Known) -> Gaps:
    """Every hole between the first and the last bar, split by kind.

    Args:
        times: open times of the bars, rising, shape (n,).
        timeframe: of the bars.
        known: what else is known.
    """
    step = timeframe_ms(timeframe)
    holes = holes_of(times, step)
    records = _records(known, timeframe)
    pieces = cut(holes, step, [*(record.spans for record in records), *(other.holes for other in known.neighbours)])
    verdicts = Verdicts(len(pieces.bars))
    for record in records:
        _judge_by_record(pieces, verdicts, record)
    if verdicts.open.any():
        _judge_by_silence(pieces, verdicts, known, _silence(holes, pieces, times, verdicts.open))
    unknown = "" if known.covered is not None else "; whether anything traded is not known"
    verdicts.give(verdicts.open, NO_TRADES, f"{known.authority} has no bar there{unknown}")
    return joined(pieces, verdicts, step)


def coarser_gaps(gaps: Gaps, source: str, times: Times, target: str) -> Gaps:
    """The holes of a resampled series: a bar is missing for the gravest reason that any finer bar in it is.

    Args:
        gaps: holes of the finer series.
        source: its timeframe.
        times: open times of the coarser bars.
        target: their timeframe.
    """
    step = timeframe_ms(target)
    holes = holes_of(times, step)
    records = [_widened(gaps, kind, source, target) for kind in (QUARANTINED, NOT_DOWNLOADED, EXCHANGE_DOWN)]
    pieces = cut(holes, step, [record.spans for record in records])
    verdicts = Verdicts(len(pieces.bars))
    for record in records:
        _judge_by_record(pieces, verdicts, record)
    verdicts.give(verdicts.open, NO_TRADES, f"there is no {source} bar")
    return joined(pieces, verdicts, step)


# ---- what is on record -----------------------------------------------------------------------------------------------
class _Record(NamedTuple):
    """Spans that are of a kind by what was written down at the time, and the evidence of each."""

    kind: str
    spans: Spans
    texts: Sequence[str]


def _records(known: Known, timeframe: str) -> list[_Record]:
    """Refused candles, what was never asked for, outages; the first that holds a bar decides."""
    step, refused = timeframe_ms(timeframe), {bar_start(time, timeframe): why for time, why in known.refused.items()}
    starts = np.array(sorted(refused), np.int64)
    records = [_Record(QUARANTINED, Spans(starts, starts + step), [refused[start] for start in starts.tolist()])]
    if known.covered is not None:
        covered = Spans.of(known.covered)
        edges = np.iinfo(np.int64)
        never = Spans(np.r_[edges.min, covered.ends], np.r_[covered.starts, edges.max])
        records.append(_Record(NOT_DOWNLOADED, never, ["nobody has asked for it"] * len(never.starts)))
    outages = [_Record(EXCHANGE_DOWN, Spans.of([_lasting(outage)]), [outage.evidence]) for outage in known.outages]
    return records + outages


def _lasting(outage: Outage) -> tuple[int, int]:
    return outage.start, np.iinfo(np.int64).max if outage.end is None else outage.end


def _judge_by_record(pieces: Pieces, verdicts: Verdicts, record: _Record) -> None:
    found = record.spans.at(pieces.starts)
    positions = {text: position for position, text in enumerate(dict.fromkeys(record.texts))}
    if positions:
        which = np.array([positions[text] for text in record.texts], np.intp)
        verdicts.give_each(found >= 0, record.kind, which[found], list(positions))


def _widened(gaps: Gaps, kind: str, source: str, target: str) -> _Record:
    """The pieces of a kind, each taking all of the coarser bars that it touches; of two in a bar the first has it."""
    length, offset = timeframe_ms(target), bar_offset(target)
    found = gaps.of_kinds([kind])
    closes = found.ends + timeframe_ms(source)
    starts, ends = found.starts - (found.starts - offset) % length, closes + (offset - closes) % length
    starts = np.maximum(starts, np.r_[np.iinfo(np.int64).min, ends][:-1])
    own = starts < ends
    texts = [f"{text} (of {source} bars)" for text in gaps.texts]
    return _Record(kind, Spans(starts[own], ends[own]), [texts[which] for which in found.evidence[own].tolist()])


# ---- what silence says -----------------------------------------------------------------------------------------------
class _Silence(NamedTuple):
    """The silence that each piece is a part of: its hole, the chance of that, and whether it recurs every week."""

    hole: Spans
    chance: Chance
    closed: Flags


def _silence(holes: Holes, pieces: Pieces, times: Times, empty: Flags) -> _Silence:
    """The chance of each piece's hole; `empty` are the pieces of which nothing is on record."""
    bars = np.zeros(len(holes.bars), np.int64)
    np.add.at(bars, pieces.hole[empty], pieces.bars[empty])
    chance = chance_of(holes, bars, times, Spans(pieces.starts[~empty], pieces.ends[~empty]))
    closed = closed_weekly(holes, bars > 0, times)
    whole = Spans(holes.spans.starts[pieces.hole], holes.spans.ends[pieces.hole])
    return _Silence(whole, chance.at(pieces.hole), closed[pieces.hole])


class _Others(NamedTuple):
    """The neighbours at each piece: who was silent and who was not, as sets of bits; the chance of that, together.

    Only the bars count that are missing from both: two markets that are often silent touch each other now and then.
    """

    silent: Codes
    active: Codes
    chance: Floats


def _others(neighbours: Sequence[Neighbour], pieces: Pieces, silence: _Silence) -> _Others:
    starts, none = pieces.starts, np.zeros(len(pieces.starts), np.int64)
    silent, active, longest, chance = none.copy(), none.copy(), none.copy(), np.zeros(len(none))
    for bit, other in enumerate(neighbours):
        hole = other.holes.at(starts)
        active |= np.where((hole < 0) & (starts >= other.first) & (starts <= other.last), 1 << bit, 0)
        at = np.flatnonzero(hole >= 0)
        at = at[~np.isnan(other.rate[hole[at]])]
        theirs = hole[at]
        shared = np.minimum(silence.hole.ends[at], other.holes.ends[theirs])
        shared -= np.maximum(silence.hole.starts[at], other.holes.starts[theirs])
        bars = shared * pieces.bars[at] // (pieces.ends[at] - starts[at])
        silent[at] |= 1 << bit
        longest[at] = np.maximum(longest[at], bars)
        chance[at] += other.rate[theirs] * bars
    return _Others(silent, active, chance + silence.chance.rate * longest)


def _judge_by_silence(pieces: Pieces, verdicts: Verdicts, known: Known, silence: _Silence) -> None:
    others = _others(known.neighbours, pieces, silence)
    alone = silence.chance.improbable
    together = (others.silent > 0) & silence.chance.dense & (others.chance < TOGETHER)
    verdicts.give((alone | together) & silence.closed, NO_TRADES, CLOSED)
    names = [other.name for other in known.neighbours]
    file = known.covered is None
    if not file:
        active = [f"there are bars of {who}: the exchange was up" for who in _sets(names)]
        verdicts.give_each((alone | together) & (others.active > 0), NO_TRADES, others.active, active)
    silent = [f"there is no bar of {who} either" for who in _sets(names)]
    verdicts.give_each(together & (others.active == 0), EXCHANGE_DOWN, others.silent, silent)
    densities, which = np.unique(
        np.stack([silence.chance.present, silence.chance.places])[:, alone], axis=1, return_inverse=True
    )
    around = [f"{present:,} of {places:,} bars around it have trades" for present, places in densities.T.tolist()]
    position = np.zeros(len(alone), np.intp)
    position[alone] = which.ravel()
    if file:
        doubt = [
            f"the file has no bar there, yet {text}: the exchange was down, or the file is not whole" for text in around
        ]
        verdicts.give_each(alone, NOT_DOWNLOADED, position, doubt)
    else:
        verdicts.give_each(alone, EXCHANGE_DOWN, position, [f"likely: {text}" for text in around])


def _sets(names: Sequence[str]) -> list[str]:
    """Every set of the names in words, by the bits of its position."""
    sets = ([name for bit, name in enumerate(names) if chosen >> bit & 1] for chosen in range(1 << len(names)))
    return [" and ".join([", ".join(chosen[:-1]), chosen[-1]] if chosen[1:] else chosen) for chosen in sets]
