"""Several symbols side by side: the moments at which any of them has a candle."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from algotrade.market.candles import Times, times_ms

Rows = npt.NDArray[np.int64]


def moments_of(candles: Mapping[str, pd.DataFrame]) -> Times:
    """Open times of all bars of all symbols, each once and rising, int64 milliseconds, shape (moments,)."""
    return union_of([times_ms(table) for table in candles.values()])


def union_of(columns: list[Times]) -> Times:
    """Every time that is in one of several rising columns, each once and rising, shape (moments,)."""
    if not columns:
        return np.empty(0, np.int64)
    first, *others = columns
    if all(np.array_equal(first, other) for other in others):
        return first
    every = np.sort(np.concatenate(columns))
    each: Times = every[np.diff(every, prepend=every[:1] - 1) != 0]
    return each


def rows_of(own: Times, moments: Times) -> Rows:
    """Which of the moments a symbol's own times are, shape (bars,)."""
    begin = _begin_without_gaps(own, moments)
    return np.searchsorted(moments, own) if begin is None else np.arange(begin, begin + len(own))


def last_bars(own: Times, moments: Times) -> Rows:
    """The symbol's bar at each moment, or else its last one before; -1 before its first; shape (moments,)."""
    begin = _begin_without_gaps(own, moments)
    if begin is None:
        return np.searchsorted(own, moments, side="right") - 1
    bars: Rows = np.clip(np.arange(len(moments)) - begin, -1, len(own) - 1)
    return bars


def _begin_without_gaps(own: Times, moments: Times) -> int | None:
    """Row of the first of a symbol's times, where it has every moment from then to its last; None where it has not."""
    begin = int(np.searchsorted(moments, own[0])) if len(own) else 0
    return begin if np.array_equal(moments[begin : begin + len(own)], own) else None
