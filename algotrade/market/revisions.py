"""Candles that were stored, and then came again with other values: taking such changes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pandas as pd

from algotrade.market.blocks import BlockChange, Blocks, block_hash, blocks_from, differing
from algotrade.market.candles import COLUMNS, Floats, Times, candle_table, times_ms


class Revision(NamedTuple):
    """A stored candle that came with other values.

    Attributes:
        time: its open time, milliseconds.
        seen_ms: when it came, wall clock.
        old: open, high, low, close, volume as they were stored before.
        new: the same as they came.
    """

    time: int
    seen_ms: int
    old: tuple[float, ...]
    new: tuple[float, ...]

    @property
    def changed(self) -> dict[str, tuple[float, float]]:
        """Column -> (before, after), for those that changed."""
        return {
            name: (before, after)
            for name, before, after in zip(COLUMNS, self.old, self.new, strict=True)
            if before != after
        }


class Restored(NamedTuple):
    """Candles as near to earlier ones as can be.

    Attributes:
        candles: with the changes taken back that explain a difference.
        undone: those changes, one for each bar, in order of time.
        differing: blocks that they do not explain; empty where the candles are the earlier ones.
    """

    candles: pd.DataFrame
    undone: tuple[Revision, ...]
    differing: tuple[BlockChange, ...]


def restore(candles: pd.DataFrame, start: int, recorded: Blocks, revisions: Sequence[Revision]) -> Restored:
    """The candles as they were when their blocks were recorded.

    A block whose hash differs gets its revisions taken back, the newest first, until the hash is the recorded one.

    Args:
        candles: as they are stored now, shape (bars,), of the span that was recorded.
        start: open time of the first recorded bar, milliseconds.
        recorded: the blocks then.
        revisions: of the span, in any order.
    """
    times = times_ms(candles)
    columns = np.stack([candles[name].to_numpy(np.float64) for name in COLUMNS])
    undone: list[Revision] = []
    left: list[BlockChange] = []
    for change in differing(recorded.blocks, blocks_from(candles, start, recorded.length_ms)):
        then, now = change
        found = None
        if then is not None and now is not None and then.rows == now.rows:
            inside = slice(*np.searchsorted(times, (then.start, then.start + recorded.length_ms)).tolist())
            stored = set(times[inside].tolist())
            known = [one for one in revisions if one.time in stored]
            found = _take_back(times[inside], columns[:, inside], known, then.hash)
        if found is None:
            left.append(change)
        else:
            undone += found
    return Restored(candle_table(times, columns), tuple(_joined(undone)), tuple(left))


def _joined(revisions: Sequence[Revision]) -> Iterator[Revision]:
    """Those of one bar as one: what it was before the first, what it is since the last."""
    for _, group in groupby(sorted(revisions), key=lambda one: one.time):
        first, *more = group
        yield (more or [first])[-1]._replace(old=first.old)


def earlier(
    candles: pd.DataFrame, revisions: Sequence[Revision]
) -> Iterator[tuple[pd.DataFrame, tuple[Revision, ...]]]:
    """The candles before the newest changes, before those before them, and so on; each with what was taken back.

    Args:
        candles: as they are stored now, shape (bars,).
        revisions: of them, in any order.
    """
    times = times_ms(candles)
    columns = np.stack([candles[name].to_numpy(np.float64) for name in COLUMNS])
    undone: list[Revision] = []
    stored = set(times.tolist())
    for changes in _newest_first([one for one in revisions if one.time in stored]):
        _undo(times, columns, changes)
        undone += changes
        yield candle_table(times, columns.copy()), tuple(_joined(undone))


def _take_back(times: Times, columns: Floats, revisions: Sequence[Revision], wanted: str) -> list[Revision] | None:
    """Revisions to take back until the hash is the wanted one, written into `columns`; None where none will do."""
    tried = columns.copy()
    undone: list[Revision] = []
    for changes in _newest_first(revisions):
        _undo(times, tried, changes)
        undone += changes
        if block_hash(times, tried) == wanted:
            columns[:] = tried
            return undone
    return None


def _newest_first(revisions: Sequence[Revision]) -> Iterator[list[Revision]]:
    """Those that were seen at the same moment, of a bar at most one, the newest moment first."""
    ordered = sorted(revisions, key=lambda one: one.seen_ms, reverse=True)
    return (list(group) for _, group in groupby(ordered, key=lambda one: one.seen_ms))


def _undo(times: Times, columns: Floats, revisions: Sequence[Revision]) -> None:
    """Put the values before these changes back into `columns`; every changed bar is among `times`."""
    columns[:, np.searchsorted(times, [one.time for one in revisions])] = np.array([one.old for one in revisions]).T
