"""Import candles from a file: CSV, CSV packed with gzip, Parquet. All of it is judged before any of it is stored."""

from __future__ import annotations

import re
import shlex
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from algotrade.errors import FixCommand, FixData
from algotrade.exchange.base import DEMO
from algotrade.ingest.columns import find_columns, refuse_several_symbols, symbol_column
from algotrade.ingest.csv_blocks import read_plain_rows
from algotrade.ingest.csv_file import first_texts, open_bytes, read_dialect, read_rows
from algotrade.ingest.file_rows import BadRow, FileRows, find_bad_rows, find_overlaps, infer_timeframe
from algotrade.ingest.file_times import TimeReader
from algotrade.ingest.parquet_file import PARQUET_MAGIC, read_parquet
from algotrade.market.candles import SeriesKey
from algotrade.market.instrument import validate_symbol
from algotrade.market.timeframe import timeframe_ms
from algotrade.store.arrivals import write_candles
from algotrade.store.database import Database

EXCHANGE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


class ImportOptions(NamedTuple):
    """How to read a file.

    Attributes:
        columns: field to column name, for those that are not recognised: {"time": "Trade Day"}.
        time_format: as for strptime; None to recognise ISO 8601 and numbers since 1970.
        close_only: the file has no open, high and low; they are stored as the close.
        skip_bad: store the good rows and list the bad ones, instead of storing nothing.
    """

    columns: Mapping[str, str] = MappingProxyType({})
    time_format: str | None = None
    close_only: bool = False
    skip_bad: bool = False


AS_RECOGNISED: Final = ImportOptions()


class ImportReport(NamedTuple):
    """What became of a file.

    Attributes:
        key: the series that was written.
        rows: good rows, each a candle.
        added: candles that were not stored before.
        unchanged: candles that were stored with the same values.
        revised: candles that were stored with other values; those of the file are stored now.
        skipped: rows that were not stored, and why.
        first: open time of the file's first candle.
        last: open time of its last.
        gaps: bars missing between the two.
        note: what a person should know, in sentences; "" when there is nothing to say.
    """

    key: SeriesKey
    rows: int
    added: int
    unchanged: int
    revised: int
    skipped: tuple[BadRow, ...]
    first: int
    last: int
    gaps: int
    note: str

    @property
    def timeframe(self) -> str:
        """The given timeframe, or the one that the rows told."""
        return self.key.timeframe


def import_file(
    db: Database, path: Path, key: SeriesKey, options: ImportOptions = AS_RECOGNISED, *, now_ms: int
) -> ImportReport:
    """Store a file's candles with the origin "import", all of them in one transaction.

    Args:
        db: the store.
        path: the file.
        key: the series; with an empty timeframe the rows tell it, and the origin is always "import".
        options: how to read the file.
        now_ms: the time, milliseconds; rows after it are refused, and a bar that is still forming is left out.

    Raises:
        FixData: the file or a row of it is bad, with the line; nothing is stored.
        FixCommand: the symbol, exchange, timeframe, a column's field or the time format makes no sense.
    """
    validate_symbol(key.symbol)
    if EXCHANGE.fullmatch(key.exchange) is None:
        raise FixCommand(f"{key.exchange[:40]!r} is not a name like kraken", hint="algotrade list exchanges")
    if key.exchange == DEMO:
        raise FixCommand(
            "the demo exchange makes its candles up; a file's go under another name",
            hint=f"algotrade fetch --exchange mine --symbol {key.symbol} --from {_quoted(path)}",
        )
    if key.timeframe:
        timeframe_ms(key.timeframe)
    try:
        return _import(db, path, key._replace(origin="import"), options, now_ms)
    except (FixData, FixCommand) as error:
        raise type(error)(f"{_shown(path)}: {error.message}", hint=_whole_hint(error.hint, path, key)) from None
    except (EOFError, zlib.error) as error:
        raise FixData(f"{_shown(path)} is packed with gzip, but damaged: {error}") from None
    except OSError as error:
        raise FixData(f"{_shown(path)} cannot be read: {error.strerror or error}") from None


def _import(db: Database, path: Path, key: SeriesKey, options: ImportOptions, now_ms: int) -> ImportReport:
    rows, has_volume = _read(path, options)
    rows, skipped = _drop(rows, find_bad_rows(rows, now_ms), options)
    inferred = "" if key.timeframe else infer_timeframe(rows.times)
    key = key._replace(timeframe=key.timeframe or inferred)
    rows, overlapping = _drop(rows, find_overlaps(rows, key.timeframe), options)
    step = timeframe_ms(key.timeframe)
    closed = int(np.searchsorted(rows.times, now_ms - step, side="right"))
    if not closed:
        raise FixData("its only bar is still forming")
    times, columns = rows.times[:closed], rows.columns[:, :closed]
    written = write_candles(db, key, times, columns)
    notes = {
        f"the timeframe is {inferred}, from the step between rows": bool(inferred),
        "open, high and low are stored as the close": options.close_only,
        "the file has no volume: it is stored as 0": not has_volume,
        "the last bar is still forming and was left out": closed < len(rows.times),
    }
    first, last = int(times[0]), int(times[-1])
    return ImportReport(
        key,
        closed,
        *written,
        skipped=tuple(sorted(skipped + overlapping)),
        first=first,
        last=last,
        gaps=(last - first) // step + 1 - closed,
        note="; ".join(note for note, applies in notes.items() if applies),
    )


def _read(path: Path, options: ImportOptions) -> tuple[FileRows, bool]:
    """Every row of a file, and whether it has volumes."""
    if not path.is_file():
        raise FixData("it is a folder" if path.is_dir() else "there is no such file")
    with path.open("rb") as stream:
        magic = stream.read(4)
    if magic == PARQUET_MAGIC:
        return read_parquet(path, options.columns, options.time_format, close_only=options.close_only)
    if magic[:2] == b"PK":
        raise FixData("it is packed with zip; unpack it first")
    with open_bytes(path) as text:
        dialect = read_dialect(text)
    columns = find_columns(dialect.names, options.columns, close_only=options.close_only)
    position = symbol_column(dialect.names)
    if position is not None:
        refuse_several_symbols(first_texts(path, dialect, position, at_most=3))
    times = TimeReader(options.time_format)
    plain = None if options.time_format else read_plain_rows(path, dialect, columns)
    return plain or read_rows(path, dialect, columns, times), columns.volume is not None


def _drop(rows: FileRows, bad: list[BadRow], options: ImportOptions) -> tuple[FileRows, list[BadRow]]:
    """The rows without the bad ones; unless bad rows may be skipped and good ones are left, an error."""
    good = rows.without(bad)
    if not bad and not len(good.times):
        raise FixData("it has no rows")
    if bad and not (options.skip_bad and len(good.times)):
        more = f" ({len(bad)} bad rows in all)" if len(bad) > 1 else ""
        raise FixData(
            f"{rows.place} {bad[0].line}: {bad[0].reason}{more}; nothing was stored",
            hint="--skip-bad" if len(good.times) > len(bad) else None,
        )
    return good, bad


def _whole_hint(hint: str | None, path: Path, key: SeriesKey) -> str | None:
    """The command to type, where a reader of files could only name the flag."""
    if hint is None or not hint.startswith("--"):
        return hint
    return f"algotrade fetch --exchange {key.exchange} --symbol {key.symbol} --from {_quoted(path)} {hint}"


def _quoted(path: Path) -> str:
    """A path as a shell takes it; a word for it where it holds what a terminal would obey."""
    return shlex.quote(str(path)) if str(path).isprintable() else "FILE"


def _shown(path: Path) -> str:
    """A file's name for messages, without anything that a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in path.name or str(path))
