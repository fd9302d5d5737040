"""The candle table: one shape everywhere, checked at the door.

A candle table is a DataFrame with index `time` (UTC bar open time, strictly rising, datetime64[ms, UTC]) and float64
columns `open high low close volume`. Only closed bars; missing bars are absent, never invented.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from algotrade.errors import FixData
from algotrade.market.sums import decimal_sums
from algotrade.market.timeframe import bar_offset, timeframe_ms

if TYPE_CHECKING:
    import pandas as pd  # at run time where a table is made: a fetch makes none, and starts a third of a second sooner

COLUMNS: Final = ("open", "high", "low", "close", "volume")
ORIGINS: Final = ("official", "import", "trades", "ticker", "demo")  # in the order a run prefers them

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]


class SeriesKey(NamedTuple):
    """Which candles: where they come from, of what, how long a bar is, and who made them."""

    exchange: str
    symbol: str
    timeframe: str
    origin: str = "official"


class RefusedCandle(NamedTuple):
    """A candle that was not believed: its open time (None where it has none), why, and its five values as they came.

    A value that was not a finite number is None.
    """

    time: int | None
    reason: str
    values: tuple[float | None, ...] = (None,) * len(COLUMNS)


def candle_table(time_ms: Times, columns: Any) -> pd.DataFrame:
    """Build the table from open times and the five columns.

    Args:
        time_ms: int64, shape (n,), milliseconds since the epoch.
        columns: float64, five arrays of shape (n,) in the order of COLUMNS, or an array of shape (5, n).
    """
    import pandas as pd

    index = utc_index(np.asarray(time_ms, np.int64)).rename("time")
    data = {name: np.asarray(values, np.float64) for name, values in zip(COLUMNS, columns, strict=True)}
    return pd.DataFrame(data, index=index, copy=False)


def utc_index(time_ms: Times) -> pd.DatetimeIndex:
    """Milliseconds since the epoch as times in UTC, datetime64[ms, UTC]; the smallest int64 is "no time" (NaT)."""
    import pandas as pd

    return pd.DatetimeIndex(time_ms.view("datetime64[ms]")).tz_localize("UTC")


def empty_candles() -> pd.DataFrame:
    """A table without bars."""
    return candle_table(np.empty(0, np.int64), np.empty((5, 0)))


def times_ms(table: pd.DataFrame | pd.Series[Any]) -> Times:
    """Open times of a table's bars as int64 milliseconds, shape (n,), whatever unit the index has."""
    import pandas as pd

    index = table.index
    if not isinstance(index, pd.DatetimeIndex):
        raise FixData(f"the index must hold times, given {type(index).__name__} of {index.dtype}")
    if index.tz is None:
        raise FixData("the index has no time zone; candles are in UTC: candles.index.tz_localize('UTC')")
    in_ms = index if index.unit == "ms" else index.as_unit("ms")  # which copies even where nothing changes
    return np.asarray(in_ms.asi8, np.int64)


def iso(time_ms: int) -> str:
    """A time as ISO 8601 in UTC: "2024-01-31T04:00:00Z" (milliseconds only where there are any)."""
    unit = "s" if time_ms % 1000 == 0 else "ms"
    return f"{np.datetime64(int(time_ms), 'ms').astype(f'datetime64[{unit}]')}Z"


def check_candles(candles: pd.DataFrame) -> pd.DataFrame:
    """Return the table with its five columns, or say what is wrong with it and where.

    Raises:
        FixData: a column that is missing, there twice or not of numbers, times that are missing, repeat or fall, a
            value that is not finite, a price that is not positive, high below low or not around open and close, a
            negative volume; with the first bar's time.
    """
    missing = [name for name in COLUMNS if name not in candles.columns]
    if missing:
        raise FixData(f"candles lack the column(s) {', '.join(missing)}; given {', '.join(map(str, candles.columns))}")
    twice = [name for name in COLUMNS if list(candles.columns).count(name) > 1]
    if twice:
        raise FixData(f"candles have the column(s) {', '.join(twice)} more than once")
    times = times_ms(candles)
    if candles.index.hasnans:
        raise FixData(f"candle {int(candles.index.isna().argmax()) + 1} of {len(times)} has no time")
    table = candles[list(COLUMNS)]
    if len(times) > 1 and not bool((np.diff(times) > 0).all()):
        first = int(times[1:][np.diff(times) <= 0][0])
        raise FixData(f"candle times must rise; {iso(first)} does not come after the bar before it")
    values = _numbers(table)
    for reason, rows in bad_rows(*values.T):
        if rows.any():
            raise FixData(f"candle {iso(int(times[rows][0]))}: {reason}")
    return table.astype(np.float64) if any(dtype != np.float64 for dtype in table.dtypes) else table


def _numbers(table: pd.DataFrame) -> Floats:
    try:
        return np.asarray(table.to_numpy(np.float64))
    except (TypeError, ValueError) as error:
        raise FixData(f"candles hold something that is not a number ({error})") from None


def bad_rows(
    open_: Floats, high: Floats, low: Floats, close: Floats, volume: Floats
) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    """Every way in which a single candle can be impossible: (reason, mask of the rows), all shapes (n,)."""
    finite = np.isfinite(open_) & np.isfinite(high) & np.isfinite(low) & np.isfinite(close) & np.isfinite(volume)
    return [
        ("a value is not a finite number", ~finite),
        ("a price is not positive", finite & ((open_ <= 0) | (high <= 0) | (low <= 0) | (close <= 0))),
        ("high is below low", finite & (high < low)),
        ("high is below open or close", finite & (high >= low) & ((high < open_) | (high < close))),
        ("low is above open or close", finite & (high >= low) & ((low > open_) | (low > close))),
        ("volume is negative", finite & (volume < 0)),
    ]


class Reach(NamedTuple):
    """What is known of a finer series.

    Attributes:
        start: open time of a bar of it, before which nothing is known.
        end: close time of a bar of it, after which nothing is known.
        incomplete: spans in between, up to but not including their ends, where bars are missing that had trades or may
            have had.
    """

    start: int
    end: int
    incomplete: Sequence[tuple[int, int]] = ()


def resample(candles: pd.DataFrame, source: str, target: str, known: Reach | None = None) -> pd.DataFrame:
    """Coarser candles from finer ones, aligned to UTC; only complete bars come out.

    A coarse bar is complete when the finer series reaches over it, so that what is missing inside had no trades. Its
    volume is the exact sum of decimals, so that days from minutes are the same as days from hours, bit for bit.

    Args:
        candles: closed candles of timeframe `source`.
        source: the finer timeframe; must divide `target`.
        target: the coarser timeframe.
        known: what is known of the finer series; None for nothing beyond its bars.
    """
    fine, coarse = timeframe_ms(source), timeframe_ms(target)
    if not divides(source, target):
        raise FixData(f"{target} bars cannot be built from {source} bars: they do not begin and end together")
    times = times_ms(candles)
    if not len(times):
        return empty_candles()
    group = times - (times - bar_offset(target)) % coarse
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    ends = np.r_[starts[1:], len(times)]
    values = candles[list(COLUMNS)].to_numpy(np.float64)
    bars = candle_table(
        group[starts],
        (
            values[starts, 0],
            np.maximum.reduceat(values[:, 1], starts),
            np.minimum.reduceat(values[:, 2], starts),
            values[ends - 1, 3],
            decimal_sums(values[:, 4], starts),
        ),
    )
    known = known or Reach(int(times[0]), int(times[-1]) + fine)
    opens = group[starts]
    reached = (opens >= known.start) & (opens + coarse <= known.end)
    return bars[reached & ~overlapped(opens, coarse, known.incomplete)]


def divides(source: str, target: str) -> bool:
    """Whether every bar of a timeframe is made of whole bars of another: 4h of 1h, but 1w not of 3d."""
    fine = timeframe_ms(source)
    return not timeframe_ms(target) % fine and not (bar_offset(target) - bar_offset(source)) % fine


def overlapped(opens: Times, length: int, spans: Sequence[tuple[int, int]]) -> npt.NDArray[np.bool_]:
    """Which bars share a moment with a span; `opens` are their open times, the spans do not include their ends."""
    starts, ends = (np.sort(column) for column in np.array(spans, np.int64).reshape(-1, 2).T)
    begun, over = np.searchsorted(starts, opens + length), np.searchsorted(ends, opens, "right")
    return np.asarray(begun > over)


def content_hash(candles: pd.DataFrame) -> str:
    """SHA-256 of the times and the five columns, little endian: names the bytes a result was computed from."""
    digest = hashlib.sha256(times_ms(candles).astype("<i8").tobytes())
    for name in COLUMNS:
        digest.update(candles[name].to_numpy("<f8").tobytes())
    return digest.hexdigest()
