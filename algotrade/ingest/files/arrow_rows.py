"""Rows of numbers out of Arrow's tables, a batch at a time: what Parquet and Feather files hold (extra `parquet`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from algotrade.errors import FixData
from algotrade.ingest.files.rows import BadRow, FileRows
from algotrade.ingest.files.times import UNITS, TimeReader, epoch_ms, epoch_units
from algotrade.market.candles import Floats, Times

TICKS_IN_MS: Final = {"s": 0, "ms": 1, "us": 2, "ns": 3}  # Arrow's units, as an index into UNITS

Read = tuple[Times, list[BadRow]]  # milliseconds, 0 for the rows that are also given as bad; rows counted from 1


def read_batches(batches: Iterable[Any], names: Sequence[str], time_format: str | None) -> Iterator[FileRows]:
    """Every row, counted from 1.

    Args:
        batches: record batches.
        names: the columns of the time, and of the numbers in the order in which they are wanted.
        time_format: for times kept as text, as for strptime.

    Raises:
        FixData: a column holds no numbers or no times.
    """
    read_times: Callable[[Any], Read] | None = None
    done = 0
    for batch in batches:
        columns = np.stack([_numbers(batch.column(name), name) for name in names[1:]])
        read_times = read_times or _time_reader(batch.column(names[0]).type, time_format)
        times, bad = read_times(batch.column(names[0]))
        lines = np.arange(1, len(times) + 1, dtype=np.int64)
        rows = FileRows(lines, times, columns, place="row").without(bad)
        bad = [row._replace(line=row.line + done) for row in bad]
        yield rows._replace(lines=rows.lines + done, bad=tuple(bad))
        done += len(times)


def _numbers(column: Any, name: str) -> Floats:
    from pyarrow import float64, types

    kind = column.type
    if not (types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)):
        raise FixData(f"column {name[:40]!r} holds {kind}, not numbers")
    return np.asarray(column.cast(float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)


def _time_reader(kind: Any, time_format: str | None) -> Callable[[Any], Read]:
    """What reads the times of a column of that kind, batch after batch."""
    from pyarrow import types

    if types.is_string(kind) or types.is_large_string(kind):
        reader = TimeReader(time_format)
        return lambda column: _read_texts(column.to_pylist(), reader)
    if types.is_timestamp(kind) or types.is_date(kind):
        return _read_timestamps
    if types.is_integer(kind):
        return _EpochColumn().read
    raise FixData(f"the time column holds {kind}: not times, whole numbers or text")


def _read_timestamps(column: Any) -> Read:
    from pyarrow import timestamp, types

    if types.is_date(column.type):
        column = column.cast(timestamp("ms"))
    values, empty, bad = _whole_numbers(column)
    return np.where(empty, 0, epoch_ms(values, TICKS_IN_MS[column.type.unit])), bad


def _whole_numbers(column: Any) -> tuple[Times, Any, list[BadRow]]:
    """Values, 0 where there is none; where there is none; and the rows of those."""
    from pyarrow import int64

    found = column.cast(int64())
    empty = np.asarray(found.is_null().to_numpy(zero_copy_only=False), np.bool_)
    values = np.asarray(found.fill_null(0).to_numpy(zero_copy_only=False), np.int64)
    return values, empty, [BadRow(row, "the time is empty") for row in (np.flatnonzero(empty) + 1).tolist()]


class _EpochColumn:
    """Numbers since 1970 in the unit of the first one."""

    def __init__(self) -> None:
        self._unit: int | None = None

    def read(self, column: Any) -> Read:
        values, empty, bad = _whole_numbers(column)
        units = epoch_units(values)
        if empty.all():
            return values, bad
        if self._unit is None:
            self._unit = int(units[~empty][0])
        odd = ~empty & ((units != self._unit) | (units < 0))
        what = (
            f"not in {UNITS[self._unit]} as the first one is"
            if self._unit >= 0
            else "no number of seconds since 1970, or of parts of them"
        )
        bad += [BadRow(row + 1, f"the time {values[row]} is {what}") for row in np.flatnonzero(odd).tolist()]
        return np.where(odd, 0, epoch_ms(values, max(self._unit, 0))), bad


def _read_texts(texts: list[str | None], reader: TimeReader) -> Read:
    times, bad = np.zeros(len(texts), np.int64), list[BadRow]()
    for row, text in enumerate(texts):
        try:
            times[row] = reader.read(text or "")
        except ValueError as reason:
            bad.append(BadRow(row + 1, str(reason)))
    return times, bad
