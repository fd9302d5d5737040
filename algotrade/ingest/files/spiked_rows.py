"""Prices out of all proportion in a file, found as its rows go by: what a person should look at, not what is false."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from algotrade.ingest.files.rows import BadRow, FileRows
from algotrade.ingest.pages import SPIKE
from algotrade.market.spikes import NEIGHBOURS, find_spikes


def find_spiked_rows(blocks: Iterable[FileRows]) -> Iterator[BadRow]:
    """Rows with a price far from those before and after, judged like an exchange's, over the borders of blocks.

    Args:
        blocks: good candles in rising time.
    """
    held: FileRows | None = None  # the last rows judged, which are neighbours still, and those that lack theirs
    judged = 0  # how many of them
    for block in blocks:
        held = block if held is None else _joined(held, block)
        until = len(held.times) - NEIGHBOURS
        if until <= judged:
            continue
        yield from _spiked(held, judged, until)
        kept = max(until - NEIGHBOURS, 0)
        held, judged = _from(held, kept), until - kept
    if held is not None:
        yield from _spiked(held, judged, len(held.times))


def _spiked(rows: FileRows, start: int, end: int) -> Iterator[BadRow]:
    spikes = np.flatnonzero(find_spikes(rows.columns)[start:end]) + start
    return (rows.refuse(row, SPIKE) for row in spikes.tolist())


def _joined(one: FileRows, other: FileRows) -> FileRows:
    return other._replace(
        lines=np.r_[one.lines, other.lines],
        times=np.r_[one.times, other.times],
        columns=np.hstack([one.columns, other.columns]),
    )


def _from(rows: FileRows, start: int) -> FileRows:
    return rows._replace(lines=rows.lines[start:], times=rows.times[start:], columns=rows.columns[:, start:])
