"""Read a CSV file of candles fast, or not at all.

Good files are read here, a block of bytes at a time: cells are found by their delimiters, times computed from their
digits, numbers parsed by numpy. At the first doubt (a quote, a cell too many, a time of another width, a value that
is no finite number) the answer is None, and csv_file.py reads the file row by row and says what is wrong, if anything
is. What is accepted here is accepted there with the same values; a property test holds the two together.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from algotrade.ingest.columns import Columns
from algotrade.ingest.csv_file import LONGEST_LINE, Dialect, five_columns, open_bytes
from algotrade.ingest.file_rows import FileRows
from algotrade.ingest.file_times import epoch_ms, epoch_units
from algotrade.market.candles import Floats, Times

BLOCK_BYTES: Final = 1 << 24
NEWLINE, RETURN, ZERO = b"\n\r0"
DATE_TIME: Final = re.compile(rb"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{3})?)?(Z|\+00:00)?)?")
EPOCH: Final = re.compile(rb"\d{9,19}")

Bytes = npt.NDArray[np.uint8]


def read_plain_rows(path: Path, dialect: Dialect, columns: Columns) -> FileRows | None:
    """Every row of a file in which nothing is wrong or even unusual; None if anything is."""
    times: list[Times] = []
    tables: list[Floats] = []
    form: bytes | None = None  # of the first time, which all others must share
    with open_bytes(path) as stream:
        if dialect.has_header:
            stream.readline()
        for block in _blocks(stream):
            texts = _time_texts(block, dialect, columns.time)
            if texts is None:
                return None
            form = form or texts[0].tobytes()
            opened, table = _read_times(texts, form), _read_numbers(block, dialect, columns)
            if opened is None or table is None:
                return None
            times.append(opened)
            tables.append(table)
    if not times:
        return None
    all_times: Times = np.concatenate(times)
    lines = np.arange(len(all_times), dtype=np.int64) + (2 if dialect.has_header else 1)
    return FileRows(lines, all_times, five_columns(np.concatenate(tables)))


def _blocks(stream: io.BufferedReader) -> Iterator[bytes]:
    """The rest of a file in blocks of whole lines, each ended by a newline."""
    rest = b""
    while piece := stream.read(BLOCK_BYTES):
        lines, newline, rest = (rest + piece).rpartition(b"\n")
        if newline:
            yield lines + newline
    if rest:
        yield rest + b"\n"


def _time_texts(block: bytes, dialect: Dialect, column: int) -> Bytes | None:
    """The cells of the time column, shape (rows, width); None unless every row has its cells and all are as wide."""
    if b'"' in block or b"\0" in block:
        return None
    characters = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(characters == NEWLINE)
    starts = np.r_[0, ends[:-1] + 1]
    found = np.flatnonzero(characters == ord(dialect.delimiter))
    if len(found) != len(ends) * (len(dialect.names) - 1):
        return None
    marks = found.reshape(len(ends), len(dialect.names) - 1)
    if (marks[:, 0] < starts).any() or (marks[:, -1] > ends).any() or (ends - starts >= LONGEST_LINE).any():
        return None
    if block.count(b"\r") != np.count_nonzero(characters[ends - 1] == RETURN):
        return None
    begins = starts if column == 0 else marks[:, column - 1] + 1
    closes = ends - (characters[ends - 1] == RETURN) if column == marks.shape[1] else marks[:, column]
    width = int(closes[0] - begins[0])
    if width == 0 or (closes - begins != width).any():
        return None
    texts: Bytes = characters[begins[:, None] + np.arange(width)]
    return texts


def _read_times(texts: Bytes, form: bytes) -> Times | None:
    """Milliseconds of times written like `form`; None where one is not, or is no time."""
    if texts.shape[1] != len(form):
        return None
    pattern = np.frombuffer(form, np.uint8)
    is_digit = (pattern >= ZERO) & (pattern <= ZERO + 9)
    digits = texts[:, is_digit].astype(np.int64) - ZERO
    if (texts[:, ~is_digit] != pattern[~is_digit]).any() or (digits < 0).any() or (digits > 9).any():
        return None
    if EPOCH.fullmatch(form):
        return _epoch_times(digits)
    return _calendar_times(digits) if DATE_TIME.fullmatch(form) else None


def _epoch_times(digits: Times) -> Times | None:
    values = _as_number(digits)
    units = epoch_units(values)
    if (values < 0).any() or (units != units[0]).any() or units[0] < 0:  # below zero: it overflowed
        return None
    return epoch_ms(values, int(units[0]))


def _calendar_times(digits: Times) -> Times | None:
    """Milliseconds of year, month, day, hour, minute, second and their thousandths, as far as there are digits."""
    full = np.zeros((len(digits), 17), np.int64)
    full[:, : min(digits.shape[1], 17)] = digits[:, :17]  # the offset +00:00 adds nothing
    year, month, day = _as_number(full[:, :4]), _as_number(full[:, 4:6]), _as_number(full[:, 6:8])
    hour, minute, second = _as_number(full[:, 8:10]), _as_number(full[:, 10:12]), _as_number(full[:, 12:14])
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    dates = months.astype("datetime64[D]") + (day - 1)
    real = (year > 0) & (month >= 1) & (month <= 12) & (dates.astype("datetime64[M]") == months)
    if not bool((real & (hour < 24) & (minute < 60) & (second < 60)).all()):
        return None
    return ((dates.astype(np.int64) * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + _as_number(full[:, 14:])


def _as_number(digits: Times) -> Times:
    """Decimal digits, shape (n, width), as one number a row."""
    number: Times = digits @ (10 ** np.arange(digits.shape[1] - 1, -1, -1, dtype=np.int64))
    return number


def _read_numbers(block: bytes, dialect: Dialect, columns: Columns) -> Floats | None:
    """Prices and volume, a row each; None where a cell is no finite number."""
    try:
        values = np.loadtxt(
            io.BytesIO(block),
            dtype=np.float64,
            comments=None,
            delimiter=dialect.delimiter,
            usecols=columns.numbers,
            ndmin=2,
        )
    except ValueError:
        return None
    return values if bool(np.isfinite(values).all()) else None
