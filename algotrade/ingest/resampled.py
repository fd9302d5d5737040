"""Coarser candles from stored finer ones: made anew each time, never stored as if they were data."""

from __future__ import annotations

from typing import Final, NamedTuple

import pandas as pd

from algotrade.ingest.stored_gaps import read_with_gaps
from algotrade.market.candles import Reach, SeriesKey, empty_candles, resample, times_ms
from algotrade.market.gap_pieces import EXCHANGE_DOWN, NOT_DOWNLOADED, QUARANTINED, Gaps
from algotrade.market.gaps import coarser_gaps
from algotrade.market.silence import Spans
from algotrade.market.span import Span
from algotrade.market.timeframe import bar_start, timeframe_ms
from algotrade.store.candles import read_candles
from algotrade.store.database import Database

INCOMPLETE: Final = (EXCHANGE_DOWN, NOT_DOWNLOADED, QUARANTINED)  # what a coarse bar must not miss a fine one for


class Resampling(NamedTuple):
    """How coarser candles were made; enough to make the same ones again from the same finer ones.

    Attributes:
        timeframe: of the finer candles.
        left_out: spans between the first and the last coarse bar whose bars were not complete, milliseconds.
    """

    timeframe: str
    left_out: tuple[tuple[int, int], ...]


class Resampled(NamedTuple):
    """Coarser candles, why some are missing, and how they were made."""

    candles: pd.DataFrame
    gaps: Gaps
    resampling: Resampling


def resample_stored(database: Database, key: SeriesKey, timeframe: str, span: Span) -> Resampled:
    """The complete bars of a span, made from a finer series.

    Args:
        database: the store.
        key: the finer series.
        timeframe: of the bars to make.
        span: of their open times, both ends inclusive.
    """
    fine, coarse = timeframe_ms(key.timeframe), timeframe_ms(timeframe)
    start = None if span.start is None else bar_start(span.start + coarse - 1, timeframe)
    end = None if span.end is None else bar_start(span.end, timeframe) + coarse - 1
    candles, gaps, first, last = read_with_gaps(database, key, start, end)
    if not len(candles):
        return Resampled(empty_candles(), gaps, Resampling(key.timeframe, ()))
    reach = Reach(first, last + fine, gaps.of_kinds(INCOMPLETE).spans(fine))
    bars = resample(candles, key.timeframe, timeframe, reach)
    missing = coarser_gaps(gaps, key.timeframe, times_ms(bars), timeframe)
    left_out = Spans.of(missing.of_kinds(INCOMPLETE).spans(coarse))
    spans = tuple(zip(left_out.starts.tolist(), left_out.ends.tolist(), strict=True))
    return Resampled(bars, missing, Resampling(key.timeframe, spans))


def resample_again(database: Database, key: SeriesKey, span: Span, resampling: Resampling) -> pd.DataFrame:
    """The bars of an earlier run: from its first to its last, without those that were left out then.

    Args:
        database: the store.
        key: the series of the run, of its own timeframe.
        span: open times of its first and last bar.
        resampling: how its bars were made.
    """
    finer, fine = finer_of(key, span, resampling)
    return join_again(read_candles(database, finer, start=fine.start, end=fine.end), key, span, resampling)


def finer_of(key: SeriesKey, span: Span, resampling: Resampling) -> tuple[SeriesKey, Span]:
    """The series that a run's bars were made of, and the span of its candles that went into them."""
    assert span.end is not None
    return key._replace(timeframe=resampling.timeframe), Span(span.start, span.end + timeframe_ms(key.timeframe) - 1)


def join_again(candles: pd.DataFrame, key: SeriesKey, span: Span, resampling: Resampling) -> pd.DataFrame:
    """The bars of an earlier run from the finer candles; see `resample_again`."""
    assert span.start is not None
    assert span.end is not None
    reach = Reach(span.start, span.end + timeframe_ms(key.timeframe), resampling.left_out)
    return resample(candles, resampling.timeframe, key.timeframe, reach)
