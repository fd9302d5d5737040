"""Several timeframes: coarser candles from those that are traded, and their values back on the finer ones.

A coarser candle is there once it has closed, and not before: its bucket begins and ends with bars that were seen. So
one whose first bars are not known is left out, and what is known of one that still forms is never shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from algotrade.engine.events import CandleClosed
from algotrade.errors import FixStrategy
from algotrade.market.candles import divides, resample, times_ms
from algotrade.market.sums import decimal_sums
from algotrade.market.timeframe import bar_offset, timeframe_ms

FIRST: Final = np.zeros(1, np.intp)


class Resampler:
    """Coarser candles one by one, the same bit for bit as `market.candles.resample` makes of all at once.

    A coarse candle closes with the last finer bar in it; where that is missing, with the first one after it.

    Args:
        source: timeframe of the candles that come in.
        target: the coarser one.
    """

    def __init__(self, source: str, target: str) -> None:
        check_coarser(source, target)
        self._step, self._length, self._offset = timeframe_ms(source), timeframe_ms(target), bar_offset(target)
        self._bucket: list[CandleClosed] = []
        self._open: int | None = None  # time of the bucket that forms
        self._whole = False  # whether it was seen from its beginning

    def add(self, candle: CandleClosed) -> Sequence[CandleClosed]:
        """Take the next candle; the coarse ones that are complete with it, at most two."""
        time, finished = candle.time, []
        if self._open is None or time >= self._open + self._length:
            finished = self._finished()
            into = (time - self._offset) % self._length
            self._whole = self._open is not None or into == 0
            self._open = time - into
        self._bucket.append(candle)
        if time + self._step >= self._open + self._length:
            finished += self._finished()
        return finished

    def _finished(self) -> list[CandleClosed]:
        """The bucket as a candle, if there is one and all of it was seen; another begins."""
        bucket, self._bucket = self._bucket, []
        if not bucket or not self._whole or self._open is None:
            return []
        volumes = np.array([candle.volume for candle in bucket])
        return [
            CandleClosed(
                bucket[-1].symbol,
                self._open,
                bucket[0].open,
                max(candle.high for candle in bucket),
                min(candle.low for candle in bucket),
                bucket[-1].close,
                float(decimal_sums(volumes, FIRST)[0]),
            )
        ]


def closed_candles(candles: pd.DataFrame, source: str, target: str) -> pd.DataFrame:
    """Coarser candles that were closed at the close of the last of these.

    Args:
        candles: closed candles of timeframe `source`.
        source: the finer timeframe.
        target: the coarser one.

    Raises:
        FixStrategy: the one cannot be made of the other.
    """
    check_coarser(source, target)
    return resample(candles, source, target)


def align(series: pd.Series[Any], candles: pd.DataFrame, source: str, target: str) -> pd.Series[Any]:
    """Values of a coarser timeframe on the bars of a finer one: each bar sees the last that was known at its close.

    Args:
        series: one value per coarse candle, indexed by its open time.
        candles: the finer bars.
        source: timeframe of the series, "1d".
        target: timeframe of the candles, "1h".

    Returns:
        Indexed like the candles. Before the first value: NaN, or False for a series of conditions.

    Raises:
        FixStrategy: the times of the series are no open times of such candles.
    """
    check_coarser(target, source)
    length, opens, times = timeframe_ms(source), times_ms(series), times_ms(candles)
    if bool(((opens - bar_offset(source)) % length).any()):
        raise FixStrategy(f"align: the series is not one of {source} candles; give the timeframe that it was made of")
    last = np.searchsorted(opens + length, times + timeframe_ms(target), "right") - 1
    kind, unknown = (np.bool_, False) if series.dtype == bool else (np.float64, math.nan)
    padded = np.append(series.to_numpy(kind), kind(unknown))  # which row -1 is
    return pd.Series(padded[last], index=candles.index, name=series.name)


def check_coarser(source: str, target: str) -> None:
    """Refuse a timeframe that cannot be put together from another."""
    if not source:
        raise FixStrategy(f"{target} candles are made of finer ones, and here it is not known how long those are")
    if not divides(source, target):
        raise FixStrategy(f"{target} candles cannot be put together from {source} candles: choose a multiple of these")
