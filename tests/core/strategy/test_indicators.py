"""Indicators by hand, their warm-up, and what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from algotrade.errors import FixStrategy
from algotrade.strategy.indicators import atr, bollinger, ema, highest, lowest, macd, rolling_std, rsi, sma

pytestmark = pytest.mark.filterwarnings("error")

NAN = math.nan
RNG = np.random.default_rng(11)
PRICES = 100 * np.exp(np.cumsum(RNG.normal(0, 0.02, 1500)))
WINDOWED = {"sma": sma, "rolling_std": rolling_std, "highest": highest, "lowest": lowest}
ONE_COLUMN = WINDOWED | {"ema": ema, "rsi": rsi}


@pytest.mark.parametrize(
    ("indicator", "expected"),
    [
        (sma, [NAN, NAN, 2, 10 / 3, 3]),
        (rolling_std, [NAN, NAN, 1, math.sqrt(7 / 3), 2]),
        (highest, [NAN, NAN, 3, 5, 5]),
        (lowest, [NAN, NAN, 1, 2, 1]),
        (ema, [NAN, NAN, 2, 3.5, 2.25]),
    ],
)
def test_by_hand(indicator, expected):
    assert indicator(np.array([1.0, 2, 3, 5, 1]), 3) == pytest.approx(np.array(expected), nan_ok=True)


def test_rsi_by_hand():
    moves = [3, -1, 2, -2]  # gains 3, 0 averaged: 1.5; losses 0.5; then e + (x - e) / 2
    expected = [NAN, NAN, 100 * 1.5 / 2, 100 * 1.75 / (1.75 + 0.25), 100 * 0.875 / (0.875 + 1.125)]
    assert rsi(np.cumsum([10.0, *moves]), 2) == pytest.approx(np.array(expected), nan_ok=True)


def test_atr_by_hand():
    high, low, close = np.array([[11.0, 13, 12, 15], [9.0, 11, 10, 14], [10.0, 12, 11, 14]])
    ranges = [13 - 10, 12 - 10, 15 - 11]
    first = (ranges[0] + ranges[1]) / 2
    expected = [NAN, NAN, first, first + (ranges[2] - first) / 2]
    assert atr(high, low, close, 2) == pytest.approx(np.array(expected), nan_ok=True)


def test_bollinger_bands_lie_population_deviations_around_the_average():
    bands = bollinger(np.array([1.0, 2, 3]), 3, 1.5)
    assert bands.middle[-1] == 2
    assert bands.upper[-1] == pytest.approx(2 + 1.5 * math.sqrt(2 / 3))
    assert bands.lower[-1] == pytest.approx(2 - 1.5 * math.sqrt(2 / 3))


def test_macd_is_the_difference_of_two_averages_and_its_own_average():
    lines = macd(PRICES, 5, 12, 4)
    expected = ema(PRICES, 5) - ema(PRICES, 12)
    settled = slice(600, None)
    assert lines.line[settled] == pytest.approx(expected[settled])
    assert lines.signal[settled] == pytest.approx(ema(expected, 4)[settled])
    assert lines.histogram[settled] == pytest.approx((lines.line - lines.signal)[settled])


@pytest.mark.parametrize(
    ("answer", "first"),
    [
        (sma(PRICES, 20), 19),
        (rolling_std(PRICES, 20), 19),
        (highest(PRICES, 20), 19),
        (lowest(PRICES, 20), 19),
        (bollinger(PRICES, 20).upper, 19),
        (ema(PRICES, 20), 19),
        (rsi(PRICES, 20), 20),
        (macd(PRICES, 12, 26, 9).signal, 33),
        (atr(PRICES + 1, PRICES - 1, PRICES, 20), 20),
    ],
)
def test_values_begin_where_the_docstring_says_and_never_stop(answer, first):
    assert np.isnan(answer[:first]).all()
    assert np.isfinite(answer[first:]).all()


@pytest.mark.parametrize("name", ONE_COLUMN)
def test_a_series_in_gives_a_series_out_with_its_index_and_name(name):
    index = pd.date_range("2024-01-01", periods=1500, freq="D", tz="UTC")
    series = pd.Series(PRICES, index=index, name="close")
    answer = ONE_COLUMN[name](series, 14)
    assert isinstance(answer, pd.Series)
    assert answer.index.equals(index)
    assert answer.name == "close"
    assert np.array_equal(answer.to_numpy(), ONE_COLUMN[name](PRICES, 14), equal_nan=True)


def test_bands_and_lines_are_of_the_kind_that_came_in():
    series = pd.Series(PRICES)
    for answer in (*bollinger(series), *macd(series), atr(series + 1, series - 1, series)):
        assert isinstance(answer, pd.Series)
    for answer in (*bollinger(PRICES), *macd(PRICES), atr(PRICES + 1, PRICES - 1, PRICES)):
        assert isinstance(answer, np.ndarray)


@pytest.mark.parametrize("name", ONE_COLUMN)
def test_the_input_is_left_as_it_is(name):
    series = pd.Series(PRICES.copy())
    ONE_COLUMN[name](series, 14)
    assert (series.to_numpy() == PRICES).all()


@pytest.mark.parametrize("name", ONE_COLUMN)
@pytest.mark.parametrize("rows", [0, 1, 13])
def test_a_window_longer_than_the_data_gives_nan_throughout(name, rows):
    answer = ONE_COLUMN[name](PRICES[:rows], 14)
    assert answer.shape == (rows,)
    assert np.isnan(answer).all()


@pytest.mark.parametrize("name", ["sma", "highest", "lowest", "ema"])
def test_a_window_of_one_is_the_value_itself(name):
    assert (ONE_COLUMN[name](PRICES, 1) == PRICES).all()


def test_the_deviation_of_one_row_is_undefined_for_a_sample_and_none_for_a_population():
    assert np.isnan(rolling_std(PRICES, 1)).all()
    assert (rolling_std(PRICES, 1, ddof=0) == 0).all()


@pytest.mark.parametrize("name", WINDOWED)
def test_a_missing_value_spoils_the_windows_that_hold_it_and_no_other(name):
    holed = PRICES.copy()
    holed[50] = NAN
    answer, whole = WINDOWED[name](holed, 8), WINDOWED[name](PRICES, 8)
    assert np.isnan(answer[50:58]).all()
    kept = np.r_[0:50, 58:1500]
    assert np.array_equal(answer[kept], whole[kept], equal_nan=True)


@pytest.mark.parametrize("name", ["sma", "rolling_std"])
def test_an_infinite_value_spoils_its_windows_without_a_warning(name):
    holed = PRICES.copy()
    holed[50], holed[52] = math.inf, -math.inf
    assert np.isfinite(WINDOWED[name](holed, 8)[60:]).all()


@pytest.mark.parametrize("name", ["ema", "rsi"])
def test_recursive_indicators_begin_after_leading_nans(name):
    late = np.r_[[NAN] * 7, PRICES]
    assert np.array_equal(ONE_COLUMN[name](late, 14)[7:], ONE_COLUMN[name](PRICES, 14), equal_nan=True)
    assert np.isnan(ONE_COLUMN[name](np.full(30, NAN), 14)).all()


@pytest.mark.parametrize("dtype", ["int64", "float32", "bool"])
def test_any_numbers_will_do(dtype):
    given = np.array([1, 0, 1, 1], dtype)
    assert sma(given, 2).tolist()[1:] == [0.5, 0.5, 1.0]
    assert sma(pd.Series(given), 2).tolist()[1:] == [0.5, 0.5, 1.0]


def test_averages_that_are_equal_on_paper_are_equal():
    """Whole ticks: the mean of ten and of twenty rows tie exactly, so a crossing cannot hang on rounding."""
    ticks = RNG.integers(1, 10**7, 10).astype(float)
    both = np.r_[ticks[::-1], ticks]
    assert sma(both, 10)[-1] == sma(both, 20)[-1]


@pytest.mark.parametrize("given", [0, -3, 2.5, 14.0, "14", None, True, NAN])
@pytest.mark.parametrize("name", ONE_COLUMN)
def test_a_window_that_is_no_whole_number_is_refused_by_name(name, given):
    with pytest.raises(FixStrategy, match=rf"^{name}: window must be a whole number of at least [12], given "):
        ONE_COLUMN[name](PRICES, given)


def test_a_window_may_be_any_kind_of_integer():
    assert sma(PRICES, np.int64(5))[-1] == sma(PRICES, 5)[-1]


def test_windows_beyond_reason_are_refused():
    with pytest.raises(FixStrategy, match="ema: window may be 100000 at most, given 100001"):
        ema(PRICES, 100_001)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((26, 12, 9), "fast must be shorter than slow, given fast=26, slow=12"),
        ((12, 12, 9), "fast must be shorter than slow, given fast=12, slow=12"),
        ((1, 12, 9), "fast must be a whole number of at least 2, given 1"),
        ((12, 26, 0), "signal must be a whole number of at least 1, given 0"),
    ],
)
def test_macd_refuses_windows_that_make_no_sense(arguments, text):
    with pytest.raises(FixStrategy, match=f"macd: {text}"):
        macd(PRICES, *arguments)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (pd.DataFrame({"open": [1.0], "close": [1.0]}), "a table of open, close"),
        (np.zeros((2, 3)), r"an array of shape \(2, 3\)"),
        ([1.0, 2.0], "a list"),
        (pd.Series(["a", "b"]), "a column of str"),
    ],
)
def test_what_is_no_column_of_numbers_is_refused(given, text):
    with pytest.raises(FixStrategy, match=f"^sma takes .*, given {text}$"):
        sma(given, 2)


def test_rsi_needs_a_window_of_two():
    with pytest.raises(FixStrategy, match="rsi: window must be a whole number of at least 2, given 1"):
        rsi(PRICES, 1)


def test_atr_refuses_columns_of_different_length():
    with pytest.raises(FixStrategy, match="differ in length: 1500, 1499, 1500"):
        atr(PRICES, PRICES[1:], PRICES)
