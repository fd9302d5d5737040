"""Read candles from JSON: one list of rows [milliseconds, open, high, low, close, volume], bounded and typed.

The list is read a block of bytes at a time, cut behind a row; no more than a block is ever parsed at once.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

import numpy as np

from algotrade.errors import FixData
from algotrade.ingest.files.csv_file import LONGEST_LINE
from algotrade.ingest.files.rows import BadRow, FileRows
from algotrade.ingest.files.times import UNIT_BOUNDS

BLOCK_BYTES: Final = 1 << 21
FIELDS: Final = 6
LARGEST: Final = 2**62  # a whole number beyond it is no time


def read_json(stream: io.BufferedReader) -> Iterator[FileRows]:
    """Every row in blocks, counted from 1.

    Args:
        stream: the file's bytes from its beginning.

    Raises:
        FixData: not such a list.
    """
    done = 0
    for text in _row_texts(stream):
        try:
            rows = json.loads(b"[" + text + b"]")
        except (ValueError, RecursionError) as error:
            raise FixData(f"row {done + 1} or one after it is not JSON: {str(error)[:80]}") from None
        yield _read_rows(rows, done)
        done += len(rows)


def _row_texts(stream: io.BufferedReader) -> Iterator[bytes]:
    """Texts of some rows each, without the comma behind them and without the brackets around all."""
    rest = stream.read(BLOCK_BYTES).lstrip()
    if not rest.startswith(b"["):
        raise FixData("it is not a JSON list of rows")
    rest = rest[1:]
    first = True
    while True:
        piece = stream.read(BLOCK_BYTES)
        if not piece:
            break
        rows, bracket, behind = rest.rpartition(b"]")
        if bracket:
            yield _between(rows + bracket, first=first)
            rest, first = behind, False
        elif len(rest) > LONGEST_LINE:
            raise FixData(f"a row is longer than {LONGEST_LINE} bytes")
        rest += piece
    last = rest.rstrip()
    if not last.endswith(b"]"):
        raise FixData("it is cut off: the list has no end")
    if (text := last[:-1].strip()) or first:
        yield _between(text, first=first) if text else b""


def _between(text: bytes, *, first: bool) -> bytes:
    """A text of rows without the comma that ties it to those before it."""
    text = text.strip()
    if first:
        return text
    if not text.startswith(b","):
        raise FixData("no comma between two rows")
    return text[1:]


def _read_rows(rows: list[Any], done: int) -> FileRows:
    lines = np.arange(done + 1, done + len(rows) + 1, dtype=np.int64)
    bad = [BadRow(int(line), reason) for line, row in zip(lines, rows, strict=True) if (reason := _why_no_row(row))]
    if bad:
        wrong = {row.line for row in bad}
        rows = [row for line, row in zip(lines.tolist(), rows, strict=True) if line not in wrong]
        lines = np.array([line for line in lines.tolist() if line not in wrong], np.int64)
    table = np.fromiter(chain.from_iterable(rows), np.float64).reshape(-1, FIELDS)
    columns = np.ascontiguousarray(table[:, 1:].T)
    return FileRows(lines, table[:, 0].astype(np.int64), columns, tuple(bad), place="row")


def _why_no_row(row: Any) -> str:
    """What is wrong with a row, "" if nothing: true and false are no numbers, and neither is the text "1"."""
    if type(row) is not list:
        return f"it is no list, but {_shown(row)}"
    if len(row) != FIELDS:
        return f"the row has {len(row)} values, not {FIELDS}"
    for value in row:
        if type(value) is not float and (type(value) is not int or abs(value) >= LARGEST):
            return f"it holds {_shown(value)}, which is no usable number"
    if not UNIT_BOUNDS[1] <= row[0] < UNIT_BOUNDS[2]:
        return f"the time {str(row[0])[:40]!r} is not in milliseconds since 1970"
    return ""


def _shown(value: Any) -> str:
    return "a list or object" if isinstance(value, list | dict) else repr(str(value)[:40])
