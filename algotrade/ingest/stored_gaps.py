"""The holes of a stored series, and what the store knows about them: coverage, refused candles, outages, neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from algotrade.market.candles import ORIGINS, SeriesKey, Times, iso, times_ms
from algotrade.market.gap_pieces import NO_TRADES, Gaps
from algotrade.market.gaps import Known, Neighbour, neighbour, type_gaps
from algotrade.market.silence import AROUND, Flags, Spans, holes_of
from algotrade.market.timeframe import timeframe_ms
from algotrade.store.candles import SeriesSpan, bars_beside, list_spans, read_candles, read_times
from algotrade.store.corrections import open_quarantine, read_outages
from algotrade.store.coverage import read_coverage
from algotrade.store.database import Database

MOST_NEIGHBOURS: Final = 4  # more would hardly say more, and each has to be read
UNASKED: Final = ("import", "ticker")  # origins that no exchange was asked for, span by span
WITNESSES: Final = tuple(origin for origin in ORIGINS if origin != "ticker")


class CandlesWithGaps(NamedTuple):
    """Stored candles of a span, and what is known of the series beyond it.

    Attributes:
        candles: those of the span.
        gaps: holes between bars, also beside the span.
        first: open time of the first bar that was looked at, milliseconds; before the span where there is one.
        last: of the last.
    """

    candles: pd.DataFrame
    gaps: Gaps
    first: int
    last: int


def stored_gaps(database: Database, key: SeriesKey) -> Gaps:
    """The holes between the first and the last bar of a stored series, split by kind."""
    return gaps_between(database, key, read_times(database, key))


def read_with_gaps(database: Database, key: SeriesKey, start: int | None, end: int | None) -> CandlesWithGaps:
    """Candles that open from `start` to `end`, both inclusive, and the holes among and beside them.

    More is read than is given back: how dense the bars around a hole are must not depend on where the span ends.
    """
    margin = AROUND * timeframe_ms(key.timeframe)
    wide = read_candles(
        database, key, start=None if start is None else start - margin, end=None if end is None else end + margin
    )
    times = times_ms(wide)
    if not len(times):
        return CandlesWithGaps(wide, gaps_between(database, key, times), 0, 0)
    first = 0 if start is None else int(np.searchsorted(times, start))
    after = len(times) if end is None else int(np.searchsorted(times, end, "right"))
    beside = bars_beside(database, key, int(times[0]), int(times[-1]))
    before, behind = (np.array([time for time in [one] if time is not None], np.int64) for one in beside)
    known = np.concatenate([before, times, behind])
    return CandlesWithGaps(wide.iloc[first:after], gaps_between(database, key, known), int(known[0]), int(known[-1]))


def gaps_between(database: Database, key: SeriesKey, times: Times) -> Gaps:
    """The holes between bars of a stored series that have been read already.

    Args:
        database: the store.
        key: the series.
        times: open times of the bars, rising.
    """
    step = timeframe_ms(key.timeframe)
    holes = holes_of(times, step).spans
    if not len(holes.starts):
        return type_gaps(times, key.timeframe, Known(""))
    covered = None if key.origin in UNASKED else read_coverage(database, key)
    known = Known(
        authority=_authority(key),
        covered=covered,
        refused=open_quarantine(database, key, int(times[0]), int(times[-1])),
        outages=read_outages(database, key.exchange),
        neighbours=_neighbours(database, key, _windows(holes, covered, step)),
    )
    return type_gaps(times, key.timeframe, known)


def _authority(key: SeriesKey) -> str:
    return {"import": "the file", "ticker": "the recording"}.get(key.origin, key.exchange)


def _windows(holes: Spans, covered: list[tuple[int, int]] | None, step: int) -> list[tuple[int, int]]:
    """Where neighbours have to be looked at: around every hole that the exchange has answered for."""
    asked = np.ones(len(holes.starts), np.bool_) if covered is None else _touches(Spans.of(covered), holes)
    around = Spans(holes.starts[asked] - AROUND * step, holes.ends[asked] + AROUND * step)
    windows = Spans.of(list(zip(around.starts.tolist(), around.ends.tolist(), strict=True)))
    whole = (int(windows.starts[0]), int(windows.ends[-1])) if len(windows.starts) else (0, 0)
    if 2 * int((windows.ends - windows.starts).sum()) > whole[1] - whole[0]:
        return [whole] if len(windows.starts) else []
    return list(zip(windows.starts.tolist(), windows.ends.tolist(), strict=True))


def _touches(spans: Spans, holes: Spans) -> Flags:
    """Which holes share a moment with any of the spans."""
    begun = np.searchsorted(spans.starts, holes.ends)
    over = np.searchsorted(spans.ends, holes.starts, "right")
    return np.asarray(begun > over)


def _neighbours(database: Database, key: SeriesKey, windows: list[tuple[int, int]]) -> list[Neighbour]:
    """The other markets of the exchange that say most, in order of their symbols."""
    if not windows:
        return []
    first, last = windows[0][0], windows[-1][1]
    others: dict[str, SeriesSpan] = {}
    for info in sorted(list_spans(database), key=lambda info: ORIGINS.index(info.key.origin)):
        if (info.key.exchange, info.key.timeframe) == (key.exchange, key.timeframe) and info.key.origin in WITNESSES:
            others.setdefault(info.key.symbol, info)
    others.pop(key.symbol, None)
    overlaps = {symbol: min(info.last, last) - max(info.first, first) for symbol, info in others.items()}
    chosen = sorted(
        (symbol for symbol in others if overlaps[symbol] > 0), key=lambda symbol: (-overlaps[symbol], symbol)
    )
    read = (_read_neighbour(database, others[symbol].key, windows) for symbol in sorted(chosen[:MOST_NEIGHBOURS]))
    return [other for other in read if other is not None]


def _read_neighbour(database: Database, key: SeriesKey, windows: list[tuple[int, int]]) -> Neighbour | None:
    parts = [read_times(database, key, start=start, end=end - 1) for start, end in windows]
    times = np.concatenate(parts)
    if not len(times):
        return None
    asked = windows if key.origin in UNASKED else _shared(windows, read_coverage(database, key))
    return neighbour(key.symbol, times, key.timeframe, asked)


def _shared(windows: list[tuple[int, int]], covered: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """What lies in both."""
    both = (
        (max(start, begin), min(end, stop))
        for start, end in windows
        for begin, stop in covered
        if begin < end and start < stop
    )
    return list(both)


def losses(gaps: Gaps) -> Iterator[str]:
    """What is missing though it was traded, or may have been; nothing where bars are missing for want of trades."""
    counts = gaps.counts
    if not counts.keys() - {NO_TRADES}:
        return
    total = sum(counts.values())
    parts = []
    for kind, bars in sorted(counts.items(), key=lambda item: (item[0] == NO_TRADES, -item[1])):
        pieces = gaps.of_kinds([kind])
        ((start, end, *_),) = pieces.foremost(1).rows()
        where = f"{iso(start)} to {iso(end)}" if start < end else iso(start)
        where = where if len(pieces.bars) == 1 else f"{len(pieces.bars):,} times, longest {where}"
        parts.append(f"{bars:,} {kind}" if kind == NO_TRADES else f"{bars:,} {kind} ({where})")
    yield f"{total:,} {'bar' if total == 1 else 'bars'} missing: {', '.join(parts)}"
