"""Read a CSV file of candles: what its first line says, then row by row with the line and reason of every bad one.

csv_blocks.py reads the same a hundred times faster, but only what is plainly good; here every row is judged.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from array import array
from collections.abc import Iterator, Sequence
from itertools import count, islice
from typing import Final, NamedTuple

import numpy as np

from algotrade.errors import FixData
from algotrade.ingest.files.rows import BadRow, FileRows
from algotrade.ingest.files.times import TimeReader
from algotrade.market.candles import Floats

DELIMITERS: Final = ",;\t"
GZIP_MAGIC: Final = b"\x1f\x8b"
LONGEST_LINE: Final = 100_000  # bytes; a longer one is no row of candles
BATCH_ROWS: Final = 20_000
TRADE_NAMES: Final = ("time", "price", "quantity")
NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
NO_VALUE: Final = frozenset({"nan", "na", "n/a", "null", "none", "nil", "-", "inf", "+inf", "-inf", "infinity"})


class Wanted(NamedTuple):
    """Positions of the cells that are read from a row."""

    time: int
    numbers: tuple[int, ...]


class Dialect(NamedTuple):
    """How a CSV file is written.

    Attributes:
        delimiter: between cells.
        names: the column names; those of the exchanges' archives where the file has none.
        has_header: whether line 1 holds the names.
        holds_trades: a row is a trade (time, price, quantity), not a candle.
    """

    delimiter: str
    names: tuple[str, ...]
    has_header: bool
    holds_trades: bool = False


def unpacked(stream: io.BufferedReader) -> io.BufferedReader:
    """A file's bytes from its beginning, unpacked when it is packed with gzip, whatever its name says."""
    packed = stream.peek(2)[:2] == GZIP_MAGIC
    return io.BufferedReader(gzip.GzipFile(fileobj=stream)) if packed else stream


def read_dialect(stream: io.BufferedReader) -> Dialect:
    """How the file is written, told from its first line.

    Raises:
        FixData: the file is empty, not text, or no delimiter makes columns of its first line.
    """
    first = stream.readline(LONGEST_LINE)
    if not first:
        raise FixData("the file is empty")
    try:
        text = first.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FixData("line 1 is not UTF-8 text") from None
    if "\0" in text or len(first) == LONGEST_LINE:
        raise FixData("line 1 is not a line of text")
    delimiter = max(DELIMITERS, key=text.count)
    cells = _split(text, delimiter)
    if len(cells) < 2:
        raise FixData(f"line 1: no comma, semicolon or tab separates columns in {text.strip()[:40]!r}")
    numeric = all(NUMBER.fullmatch(cell.strip()) for cell in cells[:6])
    if numeric and len(cells) == len(TRADE_NAMES):
        return Dialect(delimiter, TRADE_NAMES, has_header=False, holds_trades=True)
    if numeric and len(cells) >= 6:
        rest = (f"column {position}" for position in range(7, len(cells) + 1))
        names = ("time", "open", "high", "low", "close", "volume", *rest)
        return Dialect(delimiter, names, has_header=False)
    return Dialect(delimiter, tuple(cell.strip() for cell in cells), has_header=True)


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise FixData(f"line 1: {error}") from None


def judge_rows(
    texts: Iterator[str], first_line: int, wanted: Wanted, dialect: Dialect, times: TimeReader
) -> Iterator[FileRows]:
    """Rows one by one, the unreadable ones with their reason, some ten thousand at a time.

    Args:
        texts: the lines, from the number `first_line` on.
        first_line: counted from 1.
        wanted: the columns that are read.
        dialect: how the file is written.
        times: reads the times, and knows their kind.
    """
    records = _records(texts, first_line, dialect.delimiter)
    while batch := list(islice(records, BATCH_ROWS)):
        lines, opened, values, bad = array("q"), array("q"), array("d"), list[BadRow]()
        for line, cells in batch:
            time: int | None = None
            try:
                time = _read_time(cells, dialect.names, wanted, times)
                numbers = [_read_number(cells[position], dialect.names[position]) for position in wanted.numbers]
            except ValueError as reason:
                bad.append(BadRow(line, str(reason), time))
                continue
            lines.append(line)
            opened.append(time)
            values.extend(numbers)
        table = np.array(values, np.float64).reshape(len(lines), len(wanted.numbers))
        columns = np.ascontiguousarray(table.T)
        yield FileRows(np.array(lines, np.int64), np.array(opened, np.int64), columns, tuple(bad))


def first_texts(stream: io.BufferedReader, dialect: Dialect, position: int, *, at_most: int) -> list[str]:
    """The first different texts of a column below the names, in their order."""
    found: dict[str, None] = {}
    for line, cells in _records(text_lines(stream, 1), 1, dialect.delimiter):
        if line > 1 and not isinstance(cells, str) and len(cells) > position:
            found.setdefault(cells[position].strip())
        if len(found) == at_most:
            break
    return list(found)


def five_columns(columns: Floats) -> Floats:
    """Open, high, low, close and perhaps volume, shape (4 or 5, n), as five; a missing volume is 0."""
    return columns if len(columns) == 5 else np.vstack([columns, np.zeros((1, columns.shape[1]))])


def text_lines(stream: io.BufferedReader | io.BytesIO, first_line: int) -> Iterator[str]:
    """Lines as text; bytes that are not UTF-8 come as lone surrogates, for the row's judge to find.

    Raises:
        FixData: a line is too long to be a row.
    """
    for number in count(first_line):
        line = stream.readline(LONGEST_LINE)
        if not line:
            return
        if len(line) == LONGEST_LINE:
            raise FixData(f"line {number} is longer than {LONGEST_LINE} bytes: not a file of candles")
        yield line.decode("utf-8-sig" if number == 1 else "utf-8", "surrogateescape")


def _records(texts: Iterator[str], first_line: int, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Line number and cells of each row, or the reason why it has none; blank lines are passed over."""
    reader = csv.reader(texts, delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + first_line
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, f"the row cannot be read: {error}"
            continue
        if cells:
            yield line, cells


def _read_time(cells: Sequence[str] | str, names: Sequence[str], wanted: Wanted, times: TimeReader) -> int:
    """Time of a row that has all its cells.

    Raises:
        ValueError: it has none; the text is the reason.
    """
    if isinstance(cells, str):
        raise ValueError(cells)
    if len(cells) != len(names):
        raise ValueError(f"the row has {len(cells)} cells, the file {len(names)} columns")
    if any("\0" in cell for cell in cells):
        raise ValueError("the row holds a NUL byte")
    return times.read(cells[wanted.time])


def _read_number(cell: str, name: str) -> float:
    text = cell.strip()
    if NUMBER.fullmatch(text):
        return float(text)
    raise ValueError(f"column {name[:40]!r} {_why_no_number(text)}")


def _why_no_number(text: str) -> str:
    shown = repr(text[:40])
    if not text:
        return "is empty"
    if text.casefold() in NO_VALUE:
        return f"holds {shown}, which is no value"
    if not text.isprintable():
        return f"holds {shown}, which is not text"
    if text[0] in "=@" or (text[0] in "+-" and text[1:2].isalpha()):
        return f"holds {shown}, a spreadsheet formula"
    if re.fullmatch(r"[+-]?[\d.,' ]*\d[\d.,' ]*", text):
        return f"holds {shown}: a thousands separator or a decimal comma?"
    return f"holds {shown}, which is not a number"
