"""Hashes of stretches of candles, so that of two tables that differ one can say where."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from algotrade.market.candles import COLUMNS, Floats, Times, iso, times_ms
from algotrade.market.timeframe import timeframe_ms

AT_MOST: Final = 128  # blocks of a run: a few kilobytes in its result
DIGITS: Final = 16  # of a block's hash, hexadecimal; the whole table's own hash is the proof


class Block(NamedTuple):
    """A stretch of candles: open time of its first possible bar (ms), how many bars it has, and their hash."""

    start: int
    rows: int
    hash: str


class BlockChange(NamedTuple):
    """A block that is not what it was; None on the side that has no bar in it."""

    then: Block | None
    now: Block | None

    @property
    def start(self) -> int:
        """Where it begins, milliseconds."""
        return next(block.start for block in self if block is not None)

    def sentence(self) -> str:
        """Where, and how many bars: "from 2024-03-01T00:00:00Z: 32 bars then, 31 now"."""
        then, now = (0 if block is None else block.rows for block in self)
        what = f"{then} bars then, {now} now" if then != now else f"{then} bars, of other values now"
        return f"from {iso(self.start)}: {what}"


class Blocks(NamedTuple):
    """The blocks of a table, each `length_ms` long, counted from the first bar's open time; empty ones are left out."""

    length_ms: int
    blocks: tuple[Block, ...]


def block_hashes(candles: pd.DataFrame, timeframe: str) -> Blocks:
    """The blocks of a table of candles: at most 128, each 2^n bars long.

    Args:
        candles: closed candles, shape (bars,), at least one.
        timeframe: of a bar.
    """
    times = times_ms(candles)
    length = timeframe_ms(timeframe)
    while (int(times[-1]) - int(times[0])) // length >= AT_MOST:
        length *= 2
    return Blocks(length, tuple(blocks_from(candles, int(times[0]), length)))


def blocks_from(candles: pd.DataFrame, start: int, length_ms: int) -> Iterator[Block]:
    """The blocks of a table, counted from a time of choice: another table's first bar.

    Args:
        candles: closed candles, shape (bars,).
        start: milliseconds; no candle opens before.
        length_ms: of a block.
    """
    times = times_ms(candles)
    values = np.stack([candles[name].to_numpy(np.float64) for name in COLUMNS])
    numbers = (times - start) // length_ms
    edges = np.flatnonzero(np.diff(numbers, prepend=-1, append=-1)) if len(times) else np.empty(0, np.int64)
    for first, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        number = int(numbers[first])
        yield Block(start + number * length_ms, end - first, block_hash(times[first:end], values[:, first:end]))


def block_hash(times: Times, columns: Floats) -> str:
    """The hash of a block's bars: of their times, shape (rows,), and columns, shape (5, rows), little endian."""
    digest = hashlib.sha256(times.astype("<i8").tobytes())
    digest.update(np.ascontiguousarray(columns, "<f8").tobytes())
    return digest.hexdigest()[:DIGITS]


def differing(recorded: Iterable[Block], found: Iterable[Block]) -> list[BlockChange]:
    """Blocks that are not the same on both sides, in order of time."""
    then = {block.start: block for block in recorded}
    now = {block.start: block for block in found}
    pairs = (BlockChange(then.get(start), now.get(start)) for start in sorted({*then, *now}))
    return [pair for pair in pairs if pair.then != pair.now]
