"""Write a stored series into a file: Parquet, CSV, CSV packed with gzip. Block by block: memory stays flat.

The file names its series, so that restore.py can put it back; a Parquet file carries a hash of its rows as well.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import numpy as np

from algotrade.errors import FixCommand, FixConfiguration, FixData
from algotrade.market.candles import COLUMNS, SeriesKey
from algotrade.market.span import Span
from algotrade.store.canonical import canonical_json
from algotrade.store.database import Database
from algotrade.store.rows import Rows, row_blocks, rows_between, series_id_of

FORMATS: Final = (".parquet", ".csv", ".csv.gz")
HEADER: Final = (*SeriesKey._fields, "time", *COLUMNS)
METADATA: Final = b"algotrade"  # of a Parquet file: the series, the number of rows, their hash
EXPORT_HINT: Final = "algotrade data export --symbol BTC/USD --timeframe 1h --to candles.parquet"
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class ExportReport(NamedTuple):
    """What was written: the series, how many candles, the open time of the first and the last, the hash of the rows."""

    key: SeriesKey
    rows: int
    first: int
    last: int
    hash: str


class RowsHash:
    """SHA-256 of candles row by row: open time as int64, the five values as float64, little endian."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, block: Rows) -> None:
        """Take the next rows."""
        rows = np.empty((len(block.times), 1 + len(COLUMNS)), "<i8")
        rows[:, 0] = block.times
        rows[:, 1:] = np.ascontiguousarray(block.columns.T, "<f8").view("<i8")
        self._digest.update(rows.tobytes())

    def text(self) -> str:
        """The hash so far, hexadecimal."""
        return self._digest.hexdigest()


def export_candles(database: Database, key: SeriesKey, span: Span, path: Path, *, force: bool = False) -> ExportReport:
    """Write the candles of a span; the whole file, or none of it.

    Args:
        database: the store.
        key: the series.
        span: of open times.
        path: its name says the format.
        force: replace a file that is there.

    Raises:
        FixCommand: another format, or a file is there.
        FixData: no candle is stored in the span; or pyarrow, which Parquet needs, is not installed.
        FixConfiguration: the file cannot be written.
    """
    suffix = check_target(path, force=force)
    write = _write_parquet if suffix == ".parquet" else _write_csv
    with database.reading() as connection:
        series_id = series_id_of(connection, key)
        blocks = iter(()) if series_id is None else row_blocks(connection, rows_between(series_id, *span))
        first = next(blocks, None)
        if first is None:
            raise FixData(f"no candles of {' '.join(key)} are stored in that span", hint="algotrade list data")
        with _finished(path) as unfinished:
            counted = _Counted(key, first, blocks)
            write(unfinished, counted, packed=suffix == ".csv.gz")
    return counted.report()


def check_target(path: Path, *, force: bool) -> str:
    """The ending of the file's name, which says its format.

    Raises:
        FixCommand: there is no such format, or the file is there and may not be replaced.
    """
    suffix = next((suffix for suffix in reversed(FORMATS) if path.name.lower().endswith(suffix)), None)
    if suffix is None:
        raise FixCommand(f"a file for candles ends in {', '.join(FORMATS)}, given {path.name}", hint=EXPORT_HINT)
    if path.exists() and not force:
        raise FixCommand(f"{path} is there already; --force replaces it", hint="algotrade data export -h")
    return suffix


class _Counted:
    """Blocks of rows, looked at as they pass by."""

    def __init__(self, key: SeriesKey, first: Rows, rest: Iterable[Rows]) -> None:
        self.key = key
        self._blocks = (first, rest)
        self._hash = RowsHash()
        self._rows, self._first, self._last = 0, int(first.times[0]), 0

    def __iter__(self) -> Iterator[Rows]:
        first, rest = self._blocks
        yield self._seen(first)
        yield from map(self._seen, rest)

    def _seen(self, block: Rows) -> Rows:
        self._hash.add(block)
        self._rows += len(block.times)
        self._last = int(block.times[-1])
        return block

    def report(self) -> ExportReport:
        return ExportReport(self.key, self._rows, self._first, self._last, self._hash.text())


@contextmanager
def _finished(path: Path) -> Iterator[IO[bytes]]:
    """A file under another name, which takes the wanted one when the block ends well."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise FixConfiguration(f"cannot write {path}: {error.strerror}") from None
    finally:
        unfinished.unlink(missing_ok=True)


def _write_parquet(file: IO[bytes], blocks: _Counted, *, packed: bool) -> None:
    try:
        import pyarrow
        from pyarrow.parquet import ParquetWriter
    except ImportError:
        raise FixData("Parquet files need pyarrow", hint="pip install 'algotrade[parquet]'") from None
    schema = arrow_schema(pyarrow)
    with ParquetWriter(file, schema) as writer:
        for block in blocks:
            times = pyarrow.array(block.times, schema.field("time").type)
            writer.write_table(pyarrow.table([times, *map(pyarrow.array, block.columns)], schema=schema))
        report = blocks.report()
        note = {**report.key._asdict(), "rows": report.rows, "rows_sha256": report.hash}
        writer.add_key_value_metadata({METADATA: canonical_json(note)})


def arrow_schema(pyarrow: Any) -> Any:
    """Of the Parquet files: `time` in milliseconds, UTC, and five float64, none of them empty."""
    columns = [("time", pyarrow.timestamp("ms", tz="UTC")), *((name, pyarrow.float64()) for name in COLUMNS)]
    return pyarrow.schema([pyarrow.field(name, kind, nullable=False) for name, kind in columns])


def _write_csv(file: IO[bytes], blocks: _Counted, *, packed: bool) -> None:
    target = gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) if packed else file
    text = io.TextIOWrapper(target, encoding="utf-8", newline="", write_through=True)
    text.write(",".join(HEADER) + "\n")
    begin = ",".join(map(_cell, blocks.key))
    for block in blocks:
        moments = np.datetime_as_string(block.times.view("datetime64[ms]"), unit="ms").tolist()
        rows = zip(moments, *block.columns.tolist(), strict=True)
        text.write("".join(f"{begin},{time}Z,{','.join(map(repr, values))}\n" for time, *values in rows))
    text.detach()
    if packed:
        target.close()


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula, and that needs no quotes."""
    harmless = text.replace(",", " ").replace('"', " ").replace("\n", " ")
    return f"'{harmless}" if harmless.startswith(FORMULA) else harmless
