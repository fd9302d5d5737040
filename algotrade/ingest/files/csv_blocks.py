"""Read a CSV file fast: a block of bytes at a time, and row by row only where a block needs it.

A good block is read here: cells are found by their delimiters, times computed from their digits, numbers parsed by
numpy. At the first doubt (a quote, a cell too many, a time of another kind, a value that is no finite number) the
block goes to csv_file.py, which reads it row by row and says what is wrong, if anything is. What is accepted here is
accepted there with the same values; a property test holds the two together.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from algotrade.ingest.files.csv_file import LONGEST_LINE, Dialect, Wanted, judge_rows, text_lines
from algotrade.ingest.files.rows import FileRows
from algotrade.ingest.files.times import TimeReader, epoch_ticks
from algotrade.market.candles import Floats, Times

BLOCK_BYTES: Final = 1 << 22
NEWLINE, RETURN, ZERO, DOT = b"\n\r0."
DATE_TIME: Final = re.compile(rb"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{3})?)?(Z|\+00:00)?)?")
EPOCH: Final = re.compile(rb"\d{9,19}(\.\d{0,9})?")

Bytes = npt.NDArray[np.uint8]


class _Cells(NamedTuple):
    """Where the cells of a block lie among its bytes: marks, shape (rows, columns - 1), starts and ends of rows."""

    characters: Bytes
    starts: Times
    marks: Times
    ends: Times

    def column(self, position: int) -> tuple[Times, Times]:
        """Where each row's cell begins, and where it is over."""
        begins = self.starts if position == 0 else self.marks[:, position - 1] + 1
        return begins, self.ends if position == self.marks.shape[1] else self.marks[:, position]


def read_blocks(
    stream: io.BufferedReader, dialect: Dialect, wanted: Wanted, times: TimeReader, *, fast: bool = True
) -> Iterator[FileRows]:
    """Every row of a file in blocks, the unreadable ones with their reason.

    Args:
        stream: the file's bytes from its beginning.
        dialect: how it is written.
        wanted: the columns that are read, in the order of the result's.
        times: reads the times; what it gives them in is the unit of the result's.
        fast: False to read row by row, where times are written in a format of their own.

    Raises:
        FixData: a line is too long to be a row.
    """
    line = 1
    if dialect.has_header:
        stream.readline()
        line = 2
    for block in _blocks(stream):
        rows = plain_rows(block, dialect, wanted, times) if fast else None
        if rows is not None:
            yield rows._replace(lines=rows.lines + line)
        elif b'"' in block:  # a quote may hold lines together, so that blocks do not end where rows do
            texts = chain(text_lines(io.BytesIO(block), line), text_lines(stream, line + block.count(b"\n")))
            yield from judge_rows(texts, line, wanted, dialect, times)
            return
        else:
            yield from judge_rows(text_lines(io.BytesIO(block), line), line, wanted, dialect, times)
        line += block.count(b"\n")


def plain_rows(block: bytes, dialect: Dialect, wanted: Wanted, times: TimeReader) -> FileRows | None:
    """The rows of a block in which nothing is wrong or even unusual, counted from 0; None if anything is."""
    cells = _find_cells(block, dialect)
    if cells is None:
        return None
    opened = _read_times(cells, wanted.time, times)
    values = None if opened is None else _read_numbers(block, dialect, wanted)
    if opened is None or values is None:
        return None
    return FileRows(np.arange(len(opened), dtype=np.int64), opened, values)


def _blocks(stream: io.BufferedReader) -> Iterator[bytes]:
    """The rest of a file in blocks of whole lines; a line that is too long to be a row is cut."""
    while piece := stream.read(BLOCK_BYTES):
        yield piece if piece.endswith(b"\n") else piece + stream.readline(LONGEST_LINE)


def _find_cells(block: bytes, dialect: Dialect) -> _Cells | None:
    """None unless every row has its cells, and no quote could change what a cell is."""
    if b'"' in block or b"\0" in block:
        return None
    characters = np.frombuffer(block if block.endswith(b"\n") else block + b"\n", np.uint8)
    newlines = np.flatnonzero(characters == NEWLINE)
    starts = np.r_[0, newlines[:-1] + 1]
    returns = characters[newlines - 1] == RETURN
    ends = newlines - returns
    found = np.flatnonzero(characters == ord(dialect.delimiter))
    per_row = len(dialect.names) - 1
    if len(found) != len(newlines) * per_row or block.count(b"\r") != np.count_nonzero(returns):
        return None
    marks = found.reshape(len(newlines), per_row)
    if (marks[:, 0] < starts).any() or (marks[:, -1] > ends).any() or (newlines - starts >= LONGEST_LINE).any():
        return None
    return _Cells(characters, starts, marks, ends)


def _read_times(cells: _Cells, position: int, times: TimeReader) -> Times | None:
    """Ticks of times that are all written like the first; None where one is not, or is no time."""
    begins, closes = cells.column(position)
    form = cells.characters[begins[0] : closes[0]].tobytes()
    is_epoch = EPOCH.fullmatch(form) is not None
    if not is_epoch and (times.per_ms != 1 or DATE_TIME.fullmatch(form) is None):
        return None
    try:
        times.read(form.decode())
    except ValueError:
        return None
    return _epoch_times(cells, begins, closes, times.per_ms) if is_epoch else _calendar_times(cells, begins, closes)


def _epoch_times(cells: _Cells, begins: Times, closes: Times, per_ms: int) -> Times | None:
    """Whole or decimal numbers since the epoch, in one unit."""
    dots = np.r_[np.flatnonzero(cells.characters == DOT), len(cells.characters)]
    points = np.minimum(dots[np.searchsorted(dots, begins)], closes)
    widths, decimals = points - begins, np.maximum(closes - points - 1, 0)
    if widths.min() < 9 or widths.max() > 19 or decimals.max() > 9:
        return None
    whole = _number(cells.characters, points - widths.max(), begins, points, int(widths.max()))
    parts = _number(cells.characters, points + 1, points + 1, closes, 9) if decimals.any() else np.zeros_like(whole)
    if whole is None or parts is None:
        return None
    return epoch_ticks(whole, parts, per_ms)


def _number(characters: Bytes, places: Times, begins: Times, closes: Times, width: int) -> Times | None:
    """The digits at so many places, as one number a row; 0 outside begins..closes. None if one is no digit."""
    number = np.zeros(len(places), np.int64)
    for offset in range(width):
        at = places + offset
        inside = (at >= begins) & (at < closes)
        digit = np.where(inside, characters[np.clip(at, 0, len(characters) - 1)], ZERO).astype(np.int64) - ZERO
        if digit.min() < 0 or digit.max() > 9:
            return None
        number = number * 10 + digit
    return number


def _calendar_times(cells: _Cells, begins: Times, closes: Times) -> Times | None:
    """Dates and times, all written like the first one."""
    width = int(closes[0] - begins[0])
    if (closes - begins != width).any():
        return None
    texts = cells.characters[begins[:, None] + np.arange(width)]
    is_digit = (texts[0] >= ZERO) & (texts[0] <= ZERO + 9)
    digits = texts[:, is_digit].astype(np.int64) - ZERO
    if (texts[:, ~is_digit] != texts[0, ~is_digit]).any() or (digits < 0).any() or (digits > 9).any():
        return None
    full = np.zeros((len(digits), 17), np.int64)
    full[:, : min(digits.shape[1], 17)] = digits[:, :17]  # the offset +00:00 adds nothing
    year, month, day, hour, minute, second, part = (
        full[:, first:last] @ (10 ** np.arange(last - first - 1, -1, -1, dtype=np.int64))
        for first, last in ((0, 4), (4, 6), (6, 8), (8, 10), (10, 12), (12, 14), (14, 17))
    )
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    dates = months.astype("datetime64[D]") + (day - 1)
    real = (year > 0) & (month >= 1) & (month <= 12) & (dates.astype("datetime64[M]") == months)
    if not bool((real & (hour < 24) & (minute < 60) & (second < 60)).all()):
        return None
    found: Times = ((dates.astype(np.int64) * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + part
    return found


def _read_numbers(block: bytes, dialect: Dialect, wanted: Wanted) -> Floats | None:
    """The wanted numbers, shape (columns, rows); None where a cell is no finite number."""
    try:
        values = np.loadtxt(
            io.BytesIO(block),
            dtype=np.float64,
            comments=None,
            delimiter=dialect.delimiter,
            usecols=wanted.numbers,
            ndmin=2,
        )
    except ValueError:
        return None
    return np.ascontiguousarray(values.T) if bool(np.isfinite(values).all()) else None
