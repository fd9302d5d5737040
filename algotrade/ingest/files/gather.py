"""Judge all rows of the files of a series, and join them in the order of time, before any of them is stored."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import BadGzipFile
from lzma import LZMAError
from typing import Final, NamedTuple
from zipfile import BadZipFile

import numpy as np

from algotrade.errors import FixCommand, FixData
from algotrade.ingest.files.open_rows import ImportOptions, open_rows
from algotrade.ingest.files.rows import (
    BadRow,
    FileRows,
    LastRow,
    count_steps,
    find_bad_rows,
    find_overlaps,
    timeframe_of,
)
from algotrade.ingest.files.sources import Source
from algotrade.ingest.files.spiked_rows import find_spiked_rows
from algotrade.ingest.files.spool import Spool
from algotrade.ingest.files.times import format_against
from algotrade.ingest.files.trade_rows import CandleMaker, find_bad_trades
from algotrade.market.candles import Times, iso

NO_TIMES: Final[Times] = np.empty(0, np.int64)
MOST_BAD_ROWS: Final = 100_000  # they are held in memory; a file with more of them is no file of candles


class Gathered(NamedTuple):
    """What the files hold, beside the candles in the spool.

    Attributes:
        timeframe: the given one, or the one that the rows told.
        inferred: the rows told it.
        bad: rows that are left out.
        has_volume: all files have volumes.
        from_trades: the candles were made of trades.
        spikes: how many candles have a price far from those around them.
        first_spike: open time of the first of them, milliseconds.
        left_out: open times of those that are among the bad rows.
    """

    timeframe: str
    inferred: bool
    bad: tuple[BadRow, ...]
    has_volume: bool
    from_trades: bool
    spikes: int = 0
    first_spike: int = 0
    left_out: Times = NO_TIMES


class Gatherer:
    """Reads files, one after another, into a spool; used once.

    Args:
        spool: where good candles go.
        timeframe: of the candles; "" where the rows are to tell it.
        options: how to read the files.
        now_ms: the time, milliseconds.
    """

    def __init__(self, spool: Spool, timeframe: str, options: ImportOptions, now_ms: int) -> None:
        self._spool, self._timeframe, self._options, self._now_ms = spool, timeframe, options, now_ms
        self._maker: CandleMaker | None = None
        self._steps: Counter[int] = Counter()
        self._bad: list[BadRow] = []
        self._bad_place = "line"
        self._good = 0
        self._has_volume = True

    def gather(self, sources: tuple[Source, ...]) -> Gathered:
        """Judge every row of every file.

        Raises:
            FixData: a file or a row is bad, with the line.
            FixCommand: trades do not tell the timeframe of candles.
        """
        archives = len({source.path for source in sources}) > 1
        several = len(sources) > 1 or bool(sources[0].member)
        for source in sorted(sources, key=self._first_time) if len(sources) > 1 else sources:
            before = len(self._bad)
            name = (source.place if archives else source.name) if several else ""
            with _named(name):
                self._read(source)
            self._bad[before:] = [row._replace(reason=_in(row.reason, name)) for row in self._bad[before:]]
        self._refuse_bad()
        timeframe = self._timeframe or timeframe_of(self._steps)
        if not self._timeframe:
            overlapping = [row for _, bad in checked_blocks(self._spool, timeframe) for row in bad]
            self._add_bad(overlapping, "line" if not self._spool.rows else next(self._spool.blocks()).place)
            self._refuse_bad()
        gathered = Gathered(timeframe, not self._timeframe, (), self._has_volume, from_trades=self._maker is not None)
        return self._find_spikes(gathered)._replace(bad=tuple(self._bad))

    def _find_spikes(self, gathered: Gathered) -> Gathered:
        """Count candles that look wrong; with bad rows skipped they are left out too, unless trades made them."""
        count, first, left_out = 0, 0, list[int]()
        skips = self._options.skip_bad and not gathered.from_trades
        for row in find_spiked_rows(rows for rows, _ in checked_blocks(self._spool, gathered.timeframe)):
            time = row.time or 0
            count, first = count + 1, first if count else time
            if skips:
                left_out.append(time)
                self._add_bad([row], "line")
        return gathered._replace(spikes=count, first_spike=first, left_out=np.array(left_out, np.int64))

    def _read(self, source: Source) -> None:
        with open_rows(source, self._options) as opened:
            if opened.holds_trades:
                self._read_trades(opened.blocks)
            elif self._maker is not None:
                raise FixData("it holds candles, the files before it trades; give one kind of them")
            else:
                self._has_volume &= opened.has_volume
                self._read_candles(opened.blocks)

    def _read_candles(self, blocks: Iterator[FileRows]) -> None:
        last: LastRow | None = None
        for block in blocks:
            bad = find_bad_rows(block, self._now_ms, last)
            rows = block.without(bad)
            if self._timeframe:
                overlapping = find_overlaps(rows, self._timeframe, last)
                rows, bad = rows.without(overlapping), sorted(bad + overlapping, key=lambda row: row.line)
            else:
                self._steps += count_steps(np.r_[last.time, rows.times] if last else rows.times)
            self._add_bad(bad, block.place)
            self._good += len(rows.times)
            last = rows.last() or last
            self._spool.append(self._new_rows(rows))

    def _new_rows(self, rows: FileRows) -> FileRows:
        """The rows that come after those of the files before; the others must be the same there.

        Raises:
            FixData: one is not.
        """
        if self._spool.last_time is None or not len(rows.times) or rows.times[0] > self._spool.last_time:
            return rows
        shared = int(np.searchsorted(rows.times, self._spool.last_time, side="right"))
        known = self._spool.between(int(rows.times[0]), int(rows.times[shared - 1]))
        at = np.searchsorted(known.times, rows.times[:shared])
        clipped = np.minimum(at, len(known.times) - 1)
        if len(known.times):
            same = known.times[clipped] == rows.times[:shared]
            same &= (known.columns[:, clipped] == rows.columns[:, :shared]).all(axis=0)
        else:
            same = np.zeros(shared, np.bool_)
        if not same.all():
            row = int(np.argmin(same))
            raise FixData(
                f"{rows.place} {rows.lines[row]}: the candle {iso(int(rows.times[row]))} is not that of the files "
                "before, which cover its time; nothing was stored"
            )
        return rows._replace(lines=rows.lines[shared:], times=rows.times[shared:], columns=rows.columns[:, shared:])

    def _read_trades(self, blocks: Iterator[FileRows]) -> None:
        if not self._timeframe:
            raise FixCommand("it holds trades; say which candles to make of them", hint="--timeframe 1m")
        if self._maker is None and self._good:
            raise FixData("it holds trades, the files before it candles; give one kind of them")
        self._maker = self._maker or CandleMaker(self._timeframe)
        for block in blocks:
            bad = find_bad_trades(block, self._now_ms, self._maker.last)
            self._add_bad([self._maker.as_candle(row) for row in bad], block.place)
            rows = block.without(bad)
            self._good += len(rows.times)
            self._spool.append(self._maker.add(rows))

    def _add_bad(self, bad: list[BadRow], place: str) -> None:
        if bad and not self._bad:
            self._bad_place = place
        self._bad += bad
        if len(self._bad) > MOST_BAD_ROWS:
            self._refuse_bad(too_many=True)

    def _refuse_bad(self, *, too_many: bool = False) -> None:
        """Unless bad rows may be skipped and good ones are left, an error."""
        bad = self._bad
        if not bad and not self._good:
            raise FixData("it has no rows")
        if not bad or (self._options.skip_bad and self._good and not too_many):
            return
        count = f"more than {MOST_BAD_ROWS}" if too_many else str(len(bad))
        more = f" ({count} bad rows in all)" if len(bad) > 1 else ""
        skips = self._good > len(bad) and not too_many
        form = None if self._good else format_against(bad[0].reason)
        raise FixData(
            f"{self._bad_place} {bad[0].line}: {bad[0].reason}{more}; nothing was stored",
            hint="--skip-bad" if skips else f"--time-format '{form}'" if form else None,
        )

    def _first_time(self, source: Source) -> int:
        """The time of a file's first rows; 0 where it has none, which is said when it is read."""
        with _named(source.place), open_rows(source, self._options) as opened:
            first = next(opened.blocks, None)
            if first is None or not len(first.times):
                return 0
            return int(first.times[0])


def checked_blocks(spool: Spool, timeframe: str) -> Iterator[tuple[FileRows, list[BadRow]]]:
    """The candles of a spool that do not overlap, and those that do, a block at a time."""
    last: LastRow | None = None
    for block in spool.blocks():
        overlapping = find_overlaps(block, timeframe, last)
        rows = block.without(overlapping) if overlapping else block
        last = rows.last() or last
        yield rows, overlapping


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Errors that say which of several files they are about, "" for the only one, and damage said as such."""
    try:
        yield
    except (FixData, FixCommand) as error:
        raise type(error)(_in(error.message, name), hint=error.hint) from None
    except (EOFError, zlib.error, LZMAError, BadGzipFile, BadZipFile) as error:
        raise FixData(_in(f"it is packed, but damaged: {error}", name)) from None


def _in(message: str, name: str) -> str:
    return f"{message} (in {name})" if name else message
