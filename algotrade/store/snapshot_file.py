"""The file of a snapshot: a series' candles in columns, as numpy reads them, and nothing besides.

An .npy array of little-endian 64-bit integers, shape (6, n): row 0 holds the open times in milliseconds, rows 1 to 5
the bits of the float64 columns. The bytes after its header are those that `market.candles.content_hash` digests, so
`tail -c +129 FILE | sha256sum` prints the name of the file.
"""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from algotrade.market.candles import COLUMNS
from algotrade.store.rows import Rows

_LINES: Final = 1 + len(COLUMNS)
_WIDTH: Final = 8  # bytes of a value
_HEADER_BYTES: Final = 128
_CHUNK: Final = 1 << 20


def open_file(path: Path, rows: int) -> BinaryIO | None:
    """The file, open for reading; None where it is missing, not ours to read, or not one of so many rows."""
    try:
        file = path.open("rb")
    except OSError:
        return None
    if _is_whole(file, rows):
        return file
    file.close()
    return None


def map_file(path: Path, rows: int) -> Rows | None:
    """The candles of a file, mapped into memory and read when touched.

    None where it is not what it should be, or the system maps no more: the rows can still be read.

    The mapping is private: what somebody writes into it is seen by nobody else and never reaches the file. It holds on
    to the file's content, also when the file is removed or replaced meanwhile.
    """
    file = open_file(path, rows)
    if file is None:
        return None
    try:
        with file:
            values = np.memmap(file, np.dtype("<i8"), "c", _HEADER_BYTES, (_LINES, rows))
    except OSError:
        return None
    plain = np.asarray(values)  # an ordinary array over the same memory
    return Rows(plain[0], plain[1:].view("<f8"))


def write_rows(file: BinaryIO, total: int, at: int, rows: Rows) -> None:
    """Put rows into the columns of a file of `total` rows, from row number `at` on."""
    for line, values in enumerate((rows.times, *rows.columns)):
        _write_all(file, memoryview(values.tobytes()), _place(total, line, at))


def write_header(file: BinaryIO, rows: int) -> None:
    """The first bytes of a file of so many rows."""
    _write_all(file, memoryview(_header(rows)), 0)


def read_rows(file: BinaryIO, total: int, at: int, count: int) -> Rows:
    """Rows of a file of `total` rows, `count` of them from row number `at` on."""
    lines = [
        np.frombuffer(os.pread(file.fileno(), count * _WIDTH, _place(total, line, at)), "<i8") for line in range(_LINES)
    ]
    return Rows(lines[0], np.array(lines[1:]).view("<f8"))


def copy_rows(source: BinaryIO, target: BinaryIO, rows: int, total: int) -> None:
    """Copy all `rows` of one file to the beginning of the columns of another, which has `total`."""
    for line in range(_LINES):
        begin, end = _place(rows, line, 0), _place(rows, line + 1, 0)
        for offset in range(begin, end, _CHUNK):
            part = os.pread(source.fileno(), min(_CHUNK, end - offset), offset)
            _write_all(target, memoryview(part), _place(total, line, 0) + offset - begin)


def file_hash(file: BinaryIO) -> str:
    """SHA-256 of everything after the header: the name that the file should have."""
    digest = hashlib.sha256()
    file.seek(_HEADER_BYTES)
    while part := file.read(_CHUNK):
        digest.update(part)
    return digest.hexdigest()


def _is_whole(file: BinaryIO, rows: int) -> bool:
    header = _header(rows)
    return (
        os.fstat(file.fileno()).st_size == _place(rows, _LINES, 0) and os.pread(file.fileno(), len(header), 0) == header
    )


def _place(total: int, line: int, at: int) -> int:
    """Where a value stands in a file of `total` rows."""
    return _HEADER_BYTES + (line * total + at) * _WIDTH


def _header(rows: int) -> bytes:
    buffer = io.BytesIO()
    shape = {"descr": "<i8", "fortran_order": False, "shape": (_LINES, rows)}
    np.lib.format.write_array_header_1_0(buffer, shape)
    header = buffer.getvalue()
    assert len(header) == _HEADER_BYTES  # as long as the number of rows has at most 21 digits
    return header


def _write_all(file: BinaryIO, data: memoryview, offset: int) -> None:
    while len(data):
        written = os.pwrite(file.fileno(), data, offset)
        data, offset = data[written:], offset + written
