"""Whatever the candles are: every indicator is the same bar by bar, and knows nothing of what comes later."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from algotrade.indicators import Stream
from tests.indicator_cases import CASES, Case, bits, label, lines

pytestmark = pytest.mark.filterwarnings("error")
SMALL = [case for case in CASES if max(case.begins) <= 30]


@st.composite
def markets(draw: st.DrawFn) -> dict[str, np.ndarray]:
    """Few ticks, so that prices tie and stand still; or any prices; now and then a number is missing."""
    rows = draw(st.integers(0, 60))
    ticks = st.integers(1, 4).map(float)
    prices = draw(st.sampled_from([ticks, st.floats(1e-6, 1e9), st.one_of(ticks, st.just(math.nan))]))
    drawn = np.sort(draw(arrays(np.float64, (3, rows), elements=prices)), axis=0)
    volume = draw(arrays(np.float64, rows, elements=st.sampled_from([0.0, 1.0, 2.5])))
    return {"values": drawn[1], "low": drawn[0], "close": drawn[1], "high": drawn[2], "volume": volume}


@pytest.mark.parametrize("case", SMALL, ids=label)
@given(table=markets(), data=st.data())
@settings(max_examples=25)
def test_a_row_is_the_same_bar_by_bar_and_whatever_follows(
    case: Case, table: dict[str, np.ndarray], data: st.DataObject
) -> None:
    whole = lines(case.of(table))
    stream = Stream(case.indicator, **case.settings)
    rows = zip(*(table[name].tolist() for name in case.columns), strict=True)
    answers = [stream.update(*row) for row in rows]
    assert bits(np.array(answers, float).reshape(-1, len(case.begins)).T) == bits(whole)
    end = data.draw(st.integers(0, whole.shape[1]))
    part = lines(case.of({name: column[:end].copy() for name, column in table.items()}))
    assert bits(part) == bits(whole[:, :end])


@pytest.mark.parametrize("case", [case for case in SMALL if not case.recursive], ids=label)
@given(table=markets(), data=st.data())
@settings(max_examples=25)
def test_a_windowed_value_needs_its_window_alone(case: Case, table: dict[str, np.ndarray], data: st.DataObject) -> None:
    whole, memory = lines(case.of(table)), max(case.begins)
    end = data.draw(st.integers(0, whole.shape[1]))
    part = lines(case.of({name: column[max(0, end - memory) : end].copy() for name, column in table.items()}))
    assert bits(part[:, -1:]) == bits(whole[:, max(0, end - 1) : end])
