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
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from algotrade.errors import FixData
from algotrade.ingest.columns import Columns
from algotrade.ingest.file_rows import BadRow, FileRows
from algotrade.ingest.file_times import TimeReader
from algotrade.market.candles import Floats

DELIMITERS: Final = ",;\t"
GZIP_MAGIC: Final = b"\x1f\x8b"
LONGEST_LINE: Final = 100_000  # bytes; a longer one is no row of candles
NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
NO_VALUE: Final = frozenset({"nan", "na", "n/a", "null", "none", "nil", "-", "inf", "+inf", "-inf", "infinity"})


class Dialect(NamedTuple):
    """How a CSV file is written.

    Attributes:
        delimiter: between cells.
        names: the column names; those of the exchanges' archives where the file has none.
        has_header: whether line 1 holds the names.
    """

    delimiter: str
    names: tuple[str, ...]
    has_header: bool


def open_bytes(path: Path) -> io.BufferedReader:
    """The file's bytes, unpacked when it is packed with gzip, whatever its name says."""
    with path.open("rb") as stream:
        packed = stream.read(2) == GZIP_MAGIC
    return io.BufferedReader(gzip.GzipFile(path)) if packed else path.open("rb")


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
    if len(cells) >= 6 and all(NUMBER.fullmatch(cell.strip()) for cell in cells[:6]):
        rest = (f"column {position}" for position in range(7, len(cells) + 1))
        names = ("time", "open", "high", "low", "close", "volume", *rest)
        return Dialect(delimiter, names, has_header=False)
    return Dialect(delimiter, tuple(cell.strip() for cell in cells), has_header=True)


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise FixData(f"line 1: {error}") from None


def read_rows(path: Path, dialect: Dialect, columns: Columns, times: TimeReader) -> FileRows:
    """Every row of the file, the unreadable ones with their reason."""
    lines, opened, values, bad = array("q"), array("q"), array("d"), list[BadRow]()
    with open_bytes(path) as stream:
        for line, cells in _records(stream, dialect):
            try:
                time, numbers = _read_row(cells, dialect.names, columns, times)
            except ValueError as reason:
                bad.append(BadRow(line, str(reason)))
                continue
            lines.append(line)
            opened.append(time)
            values.extend(numbers)
    table = np.array(values, np.float64).reshape(len(lines), len(columns.numbers))
    return FileRows(np.array(lines, np.int64), np.array(opened, np.int64), five_columns(table), tuple(bad))


def first_texts(path: Path, dialect: Dialect, position: int, *, at_most: int) -> list[str]:
    """The first different texts of a column, in their order."""
    found: dict[str, None] = {}
    with open_bytes(path) as stream:
        for _, cells in _records(stream, dialect):
            if not isinstance(cells, str) and len(cells) > position:
                found.setdefault(cells[position].strip())
            if len(found) == at_most:
                break
    return list(found)


def five_columns(table: Floats) -> Floats:
    """Rows of open, high, low, close and perhaps volume as columns, shape (5, n); a missing volume is 0."""
    full = np.zeros((5, len(table)))
    full[: table.shape[1]] = table.T
    return full


def _records(stream: io.BufferedReader, dialect: Dialect) -> Iterator[tuple[int, list[str] | str]]:
    """Line number and cells of each row, or the reason why it has none; blank lines are passed over."""
    reader = csv.reader(_text_lines(stream), delimiter=dialect.delimiter, strict=True)
    if dialect.has_header:
        next(reader)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, f"the row cannot be read: {error}"
            continue
        if cells:
            yield line, cells


def _text_lines(stream: io.BufferedReader) -> Iterator[str]:
    """Lines as text; bytes that are not UTF-8 come as lone surrogates, for the row's judge to find."""
    encoding = "utf-8-sig"
    while line := stream.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise FixData(f"a line is longer than {LONGEST_LINE} bytes: not a file of candles")
        yield line.decode(encoding, "surrogateescape")
        encoding = "utf-8"


def _read_row(
    cells: Sequence[str] | str, names: Sequence[str], columns: Columns, times: TimeReader
) -> tuple[int, list[float]]:
    """Open time and numbers of a row.

    Raises:
        ValueError: it has none; the text is the reason.
    """
    if isinstance(cells, str):
        raise ValueError(cells)
    if len(cells) != len(names):
        raise ValueError(f"the row has {len(cells)} cells, the file {len(names)} columns")
    if any("\0" in cell for cell in cells):
        raise ValueError("the row holds a NUL byte")
    time = times.read(cells[columns.time])
    return time, [_read_number(cells[position], names[position]) for position in columns.numbers]


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
