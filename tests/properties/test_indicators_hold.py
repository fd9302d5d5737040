"""What every indicator promises: only its window counts, bit for bit; and it is what a plain loop computes."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from algotrade.strategy.indicators import atr, bollinger, ema, highest, lowest, macd, rolling_std, rsi, sma

pytestmark = pytest.mark.filterwarnings("error")

WINDOWED = {
    "sma": sma,
    "rolling_std": rolling_std,
    "highest": highest,
    "lowest": lowest,
    "upper band": lambda values, window: bollinger(values, window).upper,
}
prices = st.floats(min_value=1e-8, max_value=1e9)
columns = arrays(np.float64, st.integers(1, 80), elements=prices)


@pytest.mark.parametrize("name", WINDOWED)
@given(values=columns, window=st.integers(1, 40), data=st.data())
@settings(max_examples=60)
def test_a_value_from_the_last_window_rows_is_the_value_from_all_rows(name, values, window, data):
    whole = WINDOWED[name](values, window)
    row = data.draw(st.integers(0, len(values) - 1))
    end = row + 1
    alone = WINDOWED[name](values[max(0, end - window) : end].copy(), window)
    assert alone[-1:].tobytes() == whole[row:end].tobytes()


@pytest.mark.parametrize("name", WINDOWED)
@pytest.mark.parametrize("window", [1, 2, 3, 20, 31, 32, 33, 100, 255])
def test_long_columns_keep_that_promise_wherever_they_begin(name, window):
    """Long enough for vectorised loops, at offsets that change the alignment of memory."""
    values = 50_000 + np.cumsum(np.random.default_rng(3).normal(0, 40, 5000))
    whole = WINDOWED[name](values, window)
    for start in (1, 2, 3, 5, 8, 1001, 4000):
        part = WINDOWED[name](values[start:], window)
        assert part[window - 1 :].tobytes() == whole[start + window - 1 :].tobytes()


@given(columns, st.integers(1, 40))
def test_windows_equal_plain_loops(values, window):
    for row in range(window - 1, len(values)):
        rows = values[row - window + 1 : row + 1].tolist()
        assert sma(values, window)[row] == pytest.approx(math.fsum(rows) / window, rel=1e-12)
        assert highest(values, window)[row] == max(rows)
        assert lowest(values, window)[row] == min(rows)
        assert min(rows) <= sma(values, window)[row] <= max(rows)
        if row in (window - 1, len(values) - 1):
            exact = float(statistics.pvariance([statistics.Fraction(value) for value in rows])) ** 0.5
            tolerance = 1e-12 * max(rows)
            assert rolling_std(values, window, ddof=0)[row] == pytest.approx(exact, rel=1e-9, abs=tolerance)


@given(prices, st.integers(1, 400))
def test_the_average_of_a_constant_is_that_constant_and_its_deviation_none(price, window):
    values = np.full(window + 3, price)
    assert (sma(values, window)[window - 1 :] == price).all()
    assert (rolling_std(values, window, ddof=0)[window - 1 :] == 0).all()


@given(st.lists(st.integers(1, 2**40), min_size=1, max_size=60), st.integers(1, 60))
def test_averages_of_whole_numbers_are_rounded_once(ticks, window):
    for row in range(window - 1, len(ticks)):
        expected = sum(ticks[row - window + 1 : row + 1]) / window  # exact integers, one division
        assert sma(np.array(ticks, float), window)[row] == expected


def test_small_moves_of_a_large_price_keep_their_deviation():
    values = 1e7 + np.random.default_rng(5).normal(0, 0.1, 500)
    expected = np.std(values[-50:] - 1e7, ddof=1)
    # 0.0918; the textbook's sum of squares gives 0.143
    assert rolling_std(values, 50)[-1] == pytest.approx(expected, rel=1e-7)


RECURSIVE = {
    "ema": (lambda c: ema(c, 14), 14),
    "rsi": (lambda c: rsi(c, 14), 14),
    "macd line": (lambda c: macd(c, 12, 26, 9).line, 26),
    "macd signal": (lambda c: macd(c, 12, 26, 9).signal, 26),
    "atr": (lambda c: atr(c * 1.01, c * 0.99, c, 14), 14),
}


@pytest.mark.parametrize("name", RECURSIVE)
def test_recursive_indicators_forget_what_is_fifty_periods_old(name):
    indicator, period = RECURSIVE[name]
    values = 30_000 * np.exp(np.cumsum(np.random.default_rng(9).normal(0, 0.01, 6000)))
    whole, part = indicator(values), indicator(values[4000:])
    settled = 50 * period
    assert part[settled:] == pytest.approx(whole[4000 + settled :], rel=1e-12, abs=1e-9)
