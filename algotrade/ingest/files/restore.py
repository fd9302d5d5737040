"""Put back what `data export` wrote: the series that a file names, its candles as they were.

A file is read twice, block by block: judged whole before any of it is stored, then stored in one transaction.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from algotrade.errors import AlgotradeError, FixData
from algotrade.ingest.files.csv_file import GZIP_MAGIC
from algotrade.ingest.files.export import HEADER, METADATA, RowsHash, arrow_schema
from algotrade.ingest.files.importing import EXCHANGE
from algotrade.ingest.files.names import printable, quoted
from algotrade.ingest.files.parquet_file import PARQUET_MAGIC
from algotrade.ingest.files.placing import Placing
from algotrade.market.candles import COLUMNS, ORIGINS, SeriesKey, candle_table, check_candles, iso, times_ms
from algotrade.market.instrument import validate_symbol
from algotrade.market.timeframe import timeframe_ms
from algotrade.store.arrivals import NO_EVIDENCE, WriteReport
from algotrade.store.database import Database
from algotrade.store.rows import BLOCK_ROWS, Rows
from algotrade.store.snapshots import refresh_snapshot

OTHERS_HINT: Final = "algotrade fetch --symbol BTC/USD --from FILE"
DAMAGED: Final = (ValueError, KeyError, TypeError, EOFError, zlib.error, OSError)  # what readers say of a broken file


class Contents(NamedTuple):
    """What a file holds: the series, how many candles, the open time of the first and the last."""

    key: SeriesKey
    rows: int
    first: int
    last: int


class RestoreReport(NamedTuple):
    """What became of a file: what it holds, and what writing it did."""

    contents: Contents
    written: WriteReport


def import_own(database: Database, path: Path, *, replace: bool = False) -> RestoreReport:
    """Store the candles of a file that `export_candles` wrote, under the key that it names.

    Args:
        database: the store.
        path: the file.
        replace: write over stored candles that differ; both values are kept as a revision.

    Raises:
        FixData: not such a file, damaged, changed since, with a candle that cannot be, or, unless it replaces them,
            with one that is stored with other values; nothing is stored.
    """
    contents = check_own(path)
    with database.writing() as connection:
        placing = Placing(connection, contents.key, NO_EVIDENCE, replace=replace)
        for block in _blocks(path):
            placing.put(*block)
        if objection := placing.objection():
            again = f"algotrade data import {quoted(path)} --replace"
            raise FixData(f"{printable(path.name)}: {objection}", hint=again)
    refresh_snapshot(database, contents.key)
    return RestoreReport(contents, placing.written)


def check_own(path: Path) -> Contents:
    """Judge all of a file that `export_candles` wrote; see `import_own`."""
    name = printable(path.name)
    try:
        return _judged(path)
    except AlgotradeError as error:
        raise FixData(f"{name}: {error.message}", hint=error.hint) from None
    except DAMAGED as error:
        reason = (str(getattr(error, "strerror", None) or error).splitlines() or [type(error).__name__])[0]
        raise FixData(f"{name} cannot be read: {reason[:120]}", hint=OTHERS_HINT) from None


def _judged(path: Path) -> Contents:
    note = _note(path)
    key = _checked_key(note)
    step, digest = timeframe_ms(key.timeframe), RowsHash()
    rows, first, last = 0, None, None
    for block in _blocks(path):
        check_candles(candle_table(*block))
        start = int(block.times[0])
        steps = np.diff(block.times, prepend=start - step if last is None else last)
        near = block.times[steps < step]
        if len(near):
            raise FixData(f"candle {iso(int(near[0]))} opens before the one before it closes")
        first = start if first is None else first
        rows, last = rows + len(block.times), int(block.times[-1])
        digest.add(block)
    if first is None or last is None:
        raise FixData("it has no candle")
    if "rows_sha256" in note and (note["rows"], note["rows_sha256"]) != (rows, digest.text()):
        raise FixData("its candles are not those that were exported: their hash is another")
    return Contents(key, rows, first, last)


def _checked_key(note: dict[str, Any]) -> SeriesKey:
    key = SeriesKey(*(str(note[name]) for name in SeriesKey._fields))
    validate_symbol(key.symbol)
    timeframe_ms(key.timeframe)
    if EXCHANGE.fullmatch(key.exchange) is None or key.origin not in ORIGINS:
        raise FixData("it names no exchange, or an origin that there is not")
    return key


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC


def _note(path: Path) -> dict[str, Any]:
    """What the file says of itself: the key, and in Parquet the number and the hash of its rows."""
    if not path.is_file():
        raise FixData("it is a folder" if path.is_dir() else "there is no such file")
    if not _is_parquet(path):
        first = next(_csv_blocks(path, 1), None)
        if first is None or not len(first):
            raise FixData("it has no candle")
        return {name: str(first[name].iloc[0]) for name in SeriesKey._fields}
    with _parquet(path) as file:
        text = (file.metadata.metadata or {}).get(METADATA)
        if text is None or not file.schema_arrow.equals(_schema()):
            raise FixData("it is not a file that `data export` wrote", hint=OTHERS_HINT)
        return dict(json.loads(text))


def _blocks(path: Path) -> Iterator[Rows]:
    """The candles of a file, in order; of a CSV file every row has to name the same series."""
    if _is_parquet(path):
        with _parquet(path) as file:
            for batch in file.iter_batches(BLOCK_ROWS):
                times = batch.column(0).cast("int64").to_numpy(zero_copy_only=False)
                values = [batch.column(at).to_numpy(zero_copy_only=False) for at in range(1, 1 + len(COLUMNS))]
                yield Rows(np.asarray(times, np.int64), np.stack(values))
        return
    key = None
    for table in _csv_blocks(path, BLOCK_ROWS):
        names = table[list(SeriesKey._fields)].drop_duplicates()
        key = tuple(names.iloc[0]) if key is None else key
        if len(names) > 1 or tuple(names.iloc[0]) != key:
            raise FixData("it holds more than one series")
        moments = pd.DatetimeIndex(pd.to_datetime(table["time"], format="ISO8601", utc=True))
        columns = [np.fromiter(map(float, table[name]), np.float64) for name in COLUMNS]
        yield Rows(times_ms(table.set_index(moments)), np.stack(columns))


def _csv_blocks(path: Path, rows: int) -> Iterator[pd.DataFrame]:
    with path.open("rb") as file:
        packed = file.read(2) == GZIP_MAGIC
    with pd.read_csv(
        path,
        dtype=str,  # numbers too: Python reads back exactly what it wrote
        chunksize=rows,
        compression="gzip" if packed else None,
        keep_default_na=False,
        low_memory=False,
    ) as blocks:
        for block in blocks:
            if tuple(block.columns) != HEADER:
                raise FixData("it is not a file that `data export` wrote", hint=OTHERS_HINT)
            yield block


def _parquet(path: Path) -> Any:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise FixData("Parquet files need pyarrow", hint="pip install 'algotrade[parquet]'") from None
    try:
        return ParquetFile(path)
    except ArrowException as error:
        raise FixData(f"not a whole Parquet file: {str(error).splitlines()[0][:120]}") from None


def _schema() -> Any:
    import pyarrow

    return arrow_schema(pyarrow)
