"""Rows that were judged good, kept on disk until the whole file is judged: memory stays flat, whatever its length."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryFile
from types import TracebackType
from typing import Final, Self

import numpy as np

from algotrade.ingest.files.rows import FileRows

RECORD: Final = np.dtype([("line", "<i8"), ("time", "<i8"), ("values", "<f8", (5,))])
BLOCK_ROWS: Final = 200_000


class Spool:
    """An unnamed file of candles in rising order, 56 bytes each, gone when it is closed."""

    def __init__(self) -> None:
        self._file = TemporaryFile(prefix="algotrade-")  # noqa: SIM115 - closed by __exit__
        self._place = "line"
        self.rows = 0
        self.last_time: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, rows: FileRows) -> None:
        """Add candles that come after all that are here."""
        if not len(rows.times):
            return
        records = np.empty(len(rows.times), RECORD)
        records["line"], records["time"], records["values"] = rows.lines, rows.times, rows.columns.T
        self._file.seek(self.rows * RECORD.itemsize)
        self._file.write(records.tobytes())
        self._place = rows.place
        self.rows += len(records)
        self.last_time = int(rows.times[-1])

    def blocks(self, start: int = 0) -> Iterator[FileRows]:
        """All rows from number `start` on, counted from 0, a block at a time."""
        for row in range(start, self.rows, BLOCK_ROWS):
            yield self._read(row, min(BLOCK_ROWS, self.rows - row))

    def between(self, first: int, last: int) -> FileRows:
        """The rows whose times, milliseconds, lie from `first` to `last`, both inclusive."""
        start = self._rows_before(first)
        return self._read(start, self._rows_before(last + 1) - start)

    def _rows_before(self, time: int) -> int:
        """How many rows have an earlier time."""
        low, high = 0, self.rows
        while low < high:
            middle = (low + high) // 2
            if int(self._read(middle, 1).times[0]) < time:
                low = middle + 1
            else:
                high = middle
        return low

    def _read(self, row: int, count: int) -> FileRows:
        self._file.seek(row * RECORD.itemsize)
        records = np.frombuffer(self._file.read(count * RECORD.itemsize), RECORD)
        columns = np.ascontiguousarray(records["values"].T)
        return FileRows(records["line"].copy(), records["time"].copy(), columns, place=self._place)
