"""The last closed candles that a strategy may look at, kept in one growing block of memory."""

from __future__ import annotations

import numpy as np
import pandas as pd

from algotrade.engine.events import CandleClosed
from algotrade.market.candles import candle_table

ROWS = 6  # time, open, high, low, close, volume


class History:
    """The newest `size` candles, or all of them.

    Args:
        size: candles to keep; None keeps every one.
    """

    def __init__(self, size: int | None) -> None:
        self._size = size
        self._block = np.empty((ROWS, 2 * size if size else 1024))
        self._begin = 0
        self._end = 0

    def __len__(self) -> int:
        return self._end - self._begin

    def append(self, candle: CandleClosed) -> None:
        """Add a closed candle; the oldest goes when there are more than `size`."""
        if self._end == self._block.shape[1]:
            self._make_room()
        self._block[:, self._end] = candle[1:7]
        self._end += 1
        if self._size is not None and len(self) > self._size:
            self._begin += 1

    def table(self) -> pd.DataFrame:
        """The candles as a table of their own: nothing done to it changes the history."""
        block = self._block[:, self._begin : self._end].copy()
        return candle_table(block[0].astype(np.int64), block[1:])

    def _make_room(self) -> None:
        kept = self._block[:, self._begin : self._end]
        block = np.empty((ROWS, max(2 * len(self), 1024)))
        block[:, : len(self)] = kept
        self._block, self._begin, self._end = block, 0, len(self)
