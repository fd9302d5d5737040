"""What holds for each indicator: its formula, its warm-up, bar by bar the same, and what it refuses."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import algotrade
from algotrade import indicators
from algotrade.errors import FixStrategy
from algotrade.indicators import Stream
from tests import naive_indicators
from tests.indicator_cases import CASES, COLUMNS, Case, bits, constant, label, lines, market

pytestmark = pytest.mark.filterwarnings("error")

NAN = math.nan
DEFAULTS = list({case.name: case for case in reversed(CASES)}.values())
every = pytest.mark.parametrize("case", CASES, ids=label)
once = pytest.mark.parametrize("case", DEFAULTS, ids=lambda case: case.name)


def bar_by_bar(case: Case, table: dict[str, Any]) -> np.ndarray:
    stream = Stream(case.indicator, **case.settings)
    answers = [stream.update(*row) for row in zip(*(table[name].tolist() for name in case.columns), strict=True)]
    rows = [answer if isinstance(answer, tuple) else (answer,) for answer in answers]
    return np.array(rows, float).reshape(-1, len(case.begins)).T


def test_the_cases_are_all_that_is_exported():
    functions = {name for name in indicators.__all__ if not isinstance(getattr(indicators, name), type)}
    assert {case.name for case in CASES} == functions
    assert set(algotrade._HOME) & functions == {"sma", "ema", "rsi", "macd", "bollinger", "highest", "lowest"} | {
        "rolling_std",
        "atr",
    }
    assert all(getattr(algotrade, name) is getattr(indicators, name) for name in set(algotrade._HOME) & functions)
    assert algotrade.indicators is indicators


@once
def test_the_docstring_names_warm_up_and_nothing_unknown(case):
    text = inspect.getdoc(case.indicator)
    assert ("First value" in text or "at row" in text) if case.recursive else "arm-up: " in text


@every
@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_a_plain_loop_computes(case, seed):
    table = market(300, f"{case.name} {seed}")
    columns = (table[name].tolist() for name in case.columns)
    bound = inspect.signature(case.indicator).bind_partial(**case.settings)
    bound.apply_defaults()
    settings = {name: value for name, value in bound.arguments.items() if name not in COLUMNS}
    plain = getattr(naive_indicators, case.name)(*columns, **settings)
    expected = np.array([row if isinstance(row, tuple) else (row,) for row in plain]).T
    np.testing.assert_allclose(lines(case.of(table)), expected, rtol=1e-9, atol=1e-9)


@every
def test_values_begin_at_the_documented_row_and_never_stop(case):
    for line, begin in zip(lines(case.of(market(300))), case.begins, strict=True):
        assert np.isnan(line[: begin - 1]).all()
        assert np.isfinite(line[begin - 1 :]).all()
    assert Stream(case.indicator, **case.settings).warm_up == max(case.begins)


@every
def test_bar_by_bar_is_bit_for_bit_the_same(case):
    table = market(400, case.name)
    assert bar_by_bar(case, table).tobytes() == lines(case.of(table)).tobytes()


@once
def test_bar_by_bar_has_the_lines_by_name(case):
    answer = case.of(market(3))
    row = Stream(case.indicator, **case.settings).update(*[1.0] * len(case.columns))
    assert type(row) is (type(answer) if isinstance(answer, tuple) else float)


@every
def test_cutting_off_the_future_never_changes_the_past(case):
    table = market(200, case.name)
    whole = lines(case.of(table))
    for end in range(0, 200, 7):
        part = lines(case.of({name: column[:end].copy() for name, column in table.items()}))
        assert part.tobytes() == whole[:, :end].tobytes()


@every
def test_a_windowed_value_needs_its_window_alone(case):
    if case.recursive:
        return
    table, memory = market(300, case.name), max(case.begins)
    whole = lines(case.of(table))
    for end in range(memory, 301, 13):
        part = lines(case.of({name: column[end - memory : end].copy() for name, column in table.items()}))
        assert part[:, -1].tobytes() == whole[:, end - 1].tobytes()


@once
def test_what_came_fifty_windows_ago_is_forgotten(case):
    if case.name in {"obv", "kama"}:  # one never forgets, one forgets slowly: both say so
        return
    table = market(6000, "long")
    window = max(case.begins)
    part = lines(case.of({name: column[6000 - 50 * window :] for name, column in table.items()}))
    np.testing.assert_allclose(part[:, -1], lines(case.of(table))[:, -1], rtol=1e-12, atol=1e-9)


# ---- what goes in ---------------------------------------------------------------------------------------------------
INDEXES = {
    "times": pd.date_range("2024-01-01", periods=90, freq="D", tz="UTC"),
    "numbers from 7": pd.RangeIndex(7, 97),
    "letters": pd.Index([f"row {row}" for row in range(90)]),
    "several levels": pd.MultiIndex.from_product([["A", "B"], range(45)]),
    "one value for all": pd.Index([3] * 90),
}


@once
@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
def test_a_series_in_gives_series_with_its_index_and_the_name_of_the_close(case, index):
    table = market(90)
    answer = case.of({name: pd.Series(column, index=index, name=name) for name, column in table.items()})
    for line in answer if isinstance(answer, tuple) else [answer]:
        assert isinstance(line, pd.Series)
        assert line.index.equals(index)
        assert line.name == ("close" if "close" in case.columns else case.columns[0])
    assert lines(answer).tobytes() == lines(case.of(table)).tobytes()


@once
def test_an_array_in_gives_arrays_and_the_input_is_left_as_it_is(case):
    table, kept = market(90), market(90)
    answer = case.of(table)
    assert all(isinstance(line, np.ndarray) for line in (answer if isinstance(answer, tuple) else [answer]))
    assert all(table[name].tobytes() == kept[name].tobytes() for name in table)


@every
def test_fewer_rows_than_the_window_give_nan_throughout(case):
    for rows in {0, 1, min(case.begins) - 1} - set(range(min(case.begins), 2)):
        answer = lines(case.of(market(rows)))
        assert answer.shape == (len(case.begins), rows)
        assert np.isnan(answer).all()


@once
@pytest.mark.parametrize("dtype", ["int64", "float32"])
def test_any_numbers_will_do(case, dtype):
    table = {name: column.astype(dtype) for name, column in market(90).items()}
    exact = {name: column.astype(float) for name, column in table.items()}
    assert lines(case.of(table)).tobytes() == lines(case.of(exact)).tobytes()


@once
def test_columns_of_different_length_are_refused(case):
    table = market(30)
    if len(case.columns) == 1:
        return
    table[case.columns[-1]] = table[case.columns[-1]][1:]
    with pytest.raises(FixStrategy, match=rf"^{case.name}: {', '.join(case.columns[:-1])} and .* differ in length: 30"):
        case.of(table)


WINDOWS = [
    pytest.param(case, name, id=f"{case.name} {name}")
    for case in DEFAULTS
    for name, parameter in inspect.signature(case.indicator).parameters.items()
    if parameter.annotation == "int" and name != "ddof"
]
FACTORS = [
    pytest.param(case, name, id=f"{case.name} {name}")
    for case in DEFAULTS
    for name, parameter in inspect.signature(case.indicator).parameters.items()
    if parameter.annotation == "float"
]


@pytest.mark.parametrize(("case", "name"), WINDOWS)
@pytest.mark.parametrize("given", [0, -3, 2.5, 14.0, "14", None, True, NAN, 100_001])
def test_a_window_that_is_none_is_refused_in_both_forms(case, name, given):
    wrong = case._replace(settings={**case.settings, name: given})
    text = rf"^{case.name}: {name} (must be a whole number of at least [12], given |may be 100000 at most)"
    with pytest.raises(FixStrategy, match=text):
        wrong.of(market(30))
    with pytest.raises(FixStrategy, match=text):
        Stream(wrong.indicator, **wrong.settings)


AT_LEAST_TWO = {
    *("hull window", "regression_slope window", "cci window", "kama window", "rsi window", "stochastic_rsi window"),
    *("macd fast", "macd slow", "ppo fast", "ppo slow", "natr window", "keltner window", "plus_di window"),
    *("minus_di window", "adx window", "supertrend window"),
}


@pytest.mark.parametrize(("case", "name"), WINDOWS)
def test_a_window_of_one_is_computed_or_refused(case, name):
    short = case._replace(settings={**case.settings, name: 1})
    if f"{case.name} {name}" in AT_LEAST_TWO:
        with pytest.raises(FixStrategy, match=f"^{case.name}: {name} must be a whole number of at least 2, given 1$"):
            short.of(market(60))
    else:
        assert lines(short.of(market(60))).shape == (len(case.begins), 60)


@pytest.mark.parametrize(("case", "name"), FACTORS)
@pytest.mark.parametrize("given", [0, -1.5, "2", None, True, NAN, math.inf])
def test_a_factor_that_is_none_is_refused_in_both_forms(case, name, given):
    wrong = case._replace(settings={**case.settings, name: given})
    with pytest.raises(FixStrategy, match=rf"^{case.name}: {name} must be a number above 0, given "):
        wrong.of(market(30))
    with pytest.raises(FixStrategy, match=f"{name} must be a number above 0"):
        Stream(wrong.indicator, **wrong.settings)


# ---- markets that stand still, numbers that are missing -------------------------------------------------------------
STILL = {
    "rolling_std": 0, "zscore": 0, "momentum": 0, "roc": 0, "regression_slope": 0, "stochastic": 0, "williams_r": 0,
    "cci": 0, "mfi": 0, "rsi": 0, "stochastic_rsi": 0, "macd": 0, "ppo": 0, "atr": 0, "natr": 0, "adx": 0,
    "plus_di": 0, "minus_di": 0, "aroon": 100,
}  # fmt: skip


@every
@pytest.mark.parametrize("price", [100.0, 0.1, 1e-8, 63_211.7])
def test_a_market_that_stands_still_has_a_value(case, price):
    answer = lines(case.of(constant(120, price)))
    if case.name == "supertrend":
        answer = answer[:1]
    expected = np.full(len(answer), STILL.get(case.name, price))
    rounding = 1e-12 * max(price, 1) if case.name in STILL else 0
    np.testing.assert_allclose(answer[:, -1], expected, rtol=1e-12, atol=rounding)


@every
@pytest.mark.parametrize("missing", [NAN, math.inf, -math.inf])
@pytest.mark.parametrize("column", [0, -1])
def test_a_missing_number_does_the_same_in_both_forms(case, missing, column):
    table = market(200, case.name)
    whole = lines(case.of(table))
    table[case.columns[column]][80] = missing
    holed, rows = lines(case.of(table)), bar_by_bar(case, table)
    assert bits(holed[:, :80]) == bits(whole[:, :80])
    assert bits(rows) == bits(holed)
    if case.recursive:
        assert np.isnan(holed[:, 80:]).all()
    else:
        assert bits(holed[:, 80 + max(case.begins) :]) == bits(whole[:, 80 + max(case.begins) :])


@every
def test_rows_before_the_first_number_are_skipped(case):
    table = market(150, case.name)
    late = {name: np.r_[[NAN] * 7, column] for name, column in table.items()}
    answer = lines(case.of(late))
    assert answer[:, 7:].tobytes() == lines(case.of(table)).tobytes()
    assert np.isnan(answer[:, :7]).all()
    assert bits(bar_by_bar(case, late)) == bits(answer)
    assert np.isnan(lines(case.of(constant(60, NAN)))).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", [case.name for case in DEFAULTS])
def test_no_warning_comes_of_an_infinite_price(name):
    table = market(60)
    for column in table.values():
        column[20] = column[30] = math.inf
        column[31] = -math.inf
    next(case for case in DEFAULTS if case.name == name).of(table)


# ---- bar by bar: what it refuses ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Stream(indicators.rsi, windw=3), r"rsi has no setting 'windw'\. Did you mean 'window'\?"),
        (lambda: Stream(indicators.obv, window=3), r"obv has no setting 'window'\."),
        (lambda: Stream(indicators.sma), r"sma needs window=, as in Stream\(sma, window=20\)"),
        (lambda: Stream(max), "Stream takes a function of algotrade.indicators, given max"),
        (lambda: Stream("rsi"), "Stream takes a function of algotrade.indicators, given 'rsi'"),
        (lambda: Stream(indicators.atr).update(1.0), "a stream of atr takes high, low, close: 3 at a time, given 1"),
        (lambda: Stream(indicators.rsi).update("a"), r"a stream of rsi takes values as numbers, given \('a',\)"),
        (lambda: Stream(indicators.rsi).update(None), r"a stream of rsi takes values as numbers, given \(None,\)"),
    ],
)
def test_a_stream_says_what_it_takes(make, text):
    with pytest.raises(FixStrategy, match=f"^{text}$"):
        make()


def test_two_streams_of_one_indicator_know_nothing_of_each_other():
    one, two = Stream(indicators.sma, window=2), Stream(indicators.sma, window=2)
    assert math.isnan(one.update(1.0))
    assert math.isnan(two.update(5.0))
    assert (one.update(3.0), two.update(7.0)) == (2.0, 6.0)


# ---- by hand ---------------------------------------------------------------------------------------------------------
def test_equal_highs_count_from_the_latest():
    assert indicators.aroon(np.array([3.0, 5, 5, 1]), np.array([1.0, 0, 0, 0]), 3).up[-1] == pytest.approx(200 / 3)


def test_a_close_of_today_lies_in_the_channel_of_today():
    table = market(100)
    channel = indicators.donchian(table["high"], table["low"], 10)
    assert (table["close"][9:] <= channel.upper[9:]).all()
    assert (table["close"][9:] >= channel.lower[9:]).all()


def test_the_slope_of_a_large_price_keeps_its_digits():
    ramp = 1e9 + 0.001 * np.arange(300)
    assert indicators.regression_slope(ramp, 50)[-1] == pytest.approx(0.001, rel=1e-3)


@pytest.mark.parametrize("price", [0.1, 63_211.7])
def test_the_average_price_of_a_market_that_stands_still_is_its_price(price):
    table = constant(60, price) | {"volume": market(60)["volume"]}
    average = indicators.vwap(table["high"], table["low"], table["close"], table["volume"], 7)
    assert set(average[6:].tolist()) == {(price + price + price) / 3}


def test_volume_that_never_was_has_no_average_price():
    table = market(30) | {"volume": np.zeros(30)}
    assert np.isnan(indicators.vwap(table["high"], table["low"], table["close"], table["volume"], 5)).all()


def test_every_line_of_ichimoku_is_known_at_its_row():
    table = market(120)
    answer = indicators.ichimoku(table["high"], table["low"])
    high, low = table["high"][94:120].max(), table["low"][94:120].min()
    assert answer.base[-1] == (high + low) / 2
    assert answer.span_a[-1] == (answer.conversion[-1] + answer.base[-1]) / 2
