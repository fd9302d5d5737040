"""Read a Parquet file of candles (extra `parquet`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from algotrade.errors import FixData
from algotrade.ingest.columns import find_columns, refuse_several_symbols, symbol_column
from algotrade.ingest.csv_file import five_columns
from algotrade.ingest.file_rows import BadRow, FileRows
from algotrade.ingest.file_times import UNITS, TimeReader, epoch_ms, epoch_units
from algotrade.market.candles import Floats, Times

PARQUET_MAGIC: Final = b"PAR1"
TICKS_IN_MS: Final = {"s": 0, "ms": 1, "us": 2, "ns": 3}  # Arrow's units, as an index into UNITS


def read_parquet(
    path: Path, names: Mapping[str, str], time_format: str | None, *, close_only: bool
) -> tuple[FileRows, bool]:
    """Every row of the file, counted from 1, and whether it has volumes.

    Args:
        path: the file.
        names: field to column name, for those that are not recognised.
        time_format: for times kept as text, as for strptime.
        close_only: take open, high and low from the close.

    Raises:
        FixData: pyarrow is not installed, the file is damaged, a column is missing or holds no numbers.
    """
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise FixData("Parquet files need pyarrow", hint="pip install 'algotrade[parquet]'") from None
    try:
        with ParquetFile(path) as file:
            columns = find_columns(file.schema_arrow.names, names, close_only=close_only)
            used = [file.schema_arrow.names[position] for position in (columns.time, *columns.numbers)]
            table = file.read(columns=used)
            position = symbol_column(file.schema_arrow.names)
            if position is not None:
                name = file.schema_arrow.names[position]
                refuse_several_symbols([str(text) for text in file.read(columns=[name]).column(0).unique().to_pylist()])
    except ArrowException as error:
        raise FixData(f"not a whole Parquet file: {str(error).splitlines()[0][:120]}") from None
    values = np.stack([_numbers(table.column(name), name) for name in used[1:]], axis=1)
    times, bad = _times(table.column(used[0]), time_format)
    lines = np.arange(1, len(times) + 1, dtype=np.int64)
    rows = FileRows(lines, times, five_columns(values), tuple(bad), place="row")
    return rows.without(bad), columns.volume is not None


def _numbers(column: Any, name: str) -> Floats:
    from pyarrow import float64, types

    kind = column.type
    if not (types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)):
        raise FixData(f"column {name[:40]!r} holds {kind}, not numbers")
    return np.asarray(column.cast(float64(), safe=False).to_numpy(), np.float64)


def _times(column: Any, time_format: str | None) -> tuple[Times, list[BadRow]]:
    """Milliseconds, 0 for the rows that are also given as bad."""
    from pyarrow import int64, timestamp, types

    kind = column.type
    if types.is_string(kind) or types.is_large_string(kind):
        return _read_texts(column.to_pylist(), TimeReader(time_format))
    if types.is_date(kind):
        column = column.cast(timestamp("ms"))
    if types.is_timestamp(column.type):
        unit, found = TICKS_IN_MS[column.type.unit], column.cast(int64())
    elif types.is_integer(kind):
        unit, found = -1, column.cast(int64())
    else:
        raise FixData(f"the time column holds {kind}: not times, whole numbers or text")
    empty = np.asarray(found.is_null().to_numpy(), np.bool_)
    values = np.asarray(found.fill_null(0).to_numpy(), np.int64)
    bad = [BadRow(row, "the time is empty") for row in (np.flatnonzero(empty) + 1).tolist()]
    return (epoch_ms(values, unit), bad) if unit >= 0 else _epoch_column(values, empty, bad)


def _epoch_column(values: Times, empty: Any, bad: list[BadRow]) -> tuple[Times, list[BadRow]]:
    units = epoch_units(values)
    if empty.all():
        return values, bad
    first = int(units[~empty][0])
    odd = ~empty & ((units != first) | (units < 0))
    what = (
        f"not in {UNITS[first]} as the first one is"
        if first >= 0
        else "no number of seconds since 1970, or of parts of them"
    )
    bad += [BadRow(row + 1, f"the time {values[row]} is {what}") for row in np.flatnonzero(odd).tolist()]
    return np.where(odd, 0, epoch_ms(values, max(first, 0))), bad


def _read_texts(texts: list[str | None], reader: TimeReader) -> tuple[Times, list[BadRow]]:
    times, bad = np.zeros(len(texts), np.int64), list[BadRow]()
    for row, text in enumerate(texts):
        try:
            times[row] = reader.read(text or "")
        except ValueError as reason:
            bad.append(BadRow(row + 1, str(reason)))
    return times, bad
