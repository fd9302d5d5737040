"""Several symbols side by side: the moments at which any of them has a candle."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from algotrade.market.candles import Times, times_ms


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
    return np.unique(np.concatenate(columns))
