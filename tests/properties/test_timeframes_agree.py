"""Coarser candles one by one, all at once, and from any part of the past are the same candles."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from algotrade.engine.events import CandleClosed
from algotrade.market.candles import candle_table, resample, times_ms
from algotrade.market.timeframe import UNIT_MS
from algotrade.strategy.history import Series
from algotrade.strategy.timeframes import Resampler, align

SOURCE, TARGETS = "5m", ("15m", "1h")
STEP = 5 * UNIT_MS["m"]


@st.composite
def broken_series(draw: st.DrawFn) -> pd.DataFrame:
    """Five-minute candles that begin anywhere, with gaps, and volumes of two decimals."""
    first = draw(st.integers(0, 30))
    present = draw(st.lists(st.booleans(), min_size=1, max_size=60))
    numbers = np.array([first + n for n, there in enumerate([*present, True]) if there])
    seed = draw(st.integers(0, 2**16))
    low, open_, close, high = np.sort(np.random.default_rng(seed).uniform(50, 150, (4, len(numbers))), axis=0)
    volume = np.round(np.random.default_rng(seed + 1).uniform(0, 9, len(numbers)), 2)
    return candle_table(numbers * STEP, (open_, high, low, close, volume))


def events(candles: pd.DataFrame) -> list[CandleClosed]:
    return [
        CandleClosed("X", *row) for row in zip(times_ms(candles).tolist(), *candles.to_numpy().T.tolist(), strict=True)
    ]


@given(broken_series(), st.sampled_from(TARGETS))
def test_one_by_one_equals_all_at_once_at_every_moment(candles: pd.DataFrame, target: str) -> None:
    resampler, told = Resampler(SOURCE, target), []
    for count, event in enumerate(events(candles), 1):
        told += resampler.add(event)
        at_once = resample(candles.iloc[:count], SOURCE, target)
        assert [tuple(bar[1:7]) for bar in told] == [tuple(bar[1:7]) for bar in events(at_once)]


@given(broken_series(), st.integers(1, 40), st.integers(0, 60), st.sampled_from(TARGETS))
def test_a_bounded_memory_sees_what_its_candles_contain(
    candles: pd.DataFrame, size: int, asked_from: int, target: str
) -> None:
    series = Series(size, SOURCE, ())
    for count, event in enumerate(events(candles), 1):
        series.base.append(event)
        series.finished(event)
        if count > asked_from:
            kept = candles.iloc[max(0, count - size) : count]
            pd.testing.assert_frame_equal(series.table(target), resample(kept, SOURCE, target))


@given(broken_series(), st.sampled_from(TARGETS))
def test_cutting_off_the_future_never_changes_what_was_known(candles: pd.DataFrame, target: str) -> None:
    whole = align(resample(candles, SOURCE, target).close, candles, target, SOURCE)
    for count in range(1, len(candles) + 1):
        past = candles.iloc[:count]
        known = align(resample(past, SOURCE, target).close, past, target, SOURCE)
        pd.testing.assert_series_equal(known, whole.iloc[:count])
