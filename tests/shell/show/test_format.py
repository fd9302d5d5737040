from __future__ import annotations

import unicodedata
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algotrade.show import format as fmt


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.1234, "12.34%"), (-0.4512, "-45.12%"), (0.0, "0.00%"), (-0.0, "0.00%"), (-1e-9, "0.00%"),
        (91.4597, "9,145.97%"),
        (1e20, "1.000e+22%"), (nan, "n/a"), (None, "n/a"), (inf, "infinite"), (-inf, "-infinite"),
    ],
)  # fmt: skip
def test_a_fraction_reads_as_percent(fraction, text):
    assert fmt.percent(fraction) == text


def test_a_sign_is_shown_where_asked_for_but_never_on_zero():
    assert [fmt.percent(value, signed=True) for value in (0.1, -0.1, 0.0, -1e-9)] == [
        "+10.00%",
        "-10.00%",
        "0.00%",
        "0.00%",
    ]


def test_a_percent_figure_carries_no_percent_sign():
    assert [fmt.percent_figure(value) for value in (0.1234, -0.05, nan)] == ["12.3", "-5.0", "n/a"]


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.0026, "0.26%"), (0.004, "0.40%"), (0.0, "0.00%"), (0.0005, "0.05%"), (0.00025, "0.025%"),
        (0.000001, "0.0001%"),
        (0.012345678, "1.234568%"), (nan, "n/a"), (None, "n/a"),
    ],
)  # fmt: skip
def test_a_fee_rate_keeps_the_decimals_it_has(fraction, text):
    assert fmt.rate(fraction) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (10_000.0, "10,000.00"), (-1.005, "-1.00"), (0, "0.00"), (0.00123456, "0.001235"),
        (-0.00123456, "-0.001235"),
        (1.23456e-8, "0.00000001"), (1e-30, "0.00"), (1e18, "1.000e+18"), (nan, "n/a"), (None, "n/a"),
    ],
)  # fmt: skip
def test_money_has_cents_and_shows_what_is_below_one(value, text):
    assert fmt.money(value) == text


def test_money_names_its_currency_except_where_there_is_none_to_name():
    assert fmt.money(1234.5, "USD", signed=True) == "+1,234.50 USD"
    assert fmt.money(nan, "USD") == "n/a"
    assert fmt.money(1.0, "U\x1b[31mSD") == "1.00 U[31mSD"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (43_210.5, "43,210.50"), (1.0834, "1.0834"), (99.99999, "100.0000"), (0.5, "0.50000"),
        (0.00001234, "0.000012340"),
        (1.234e-13, "1.2340e-13"), (0.0, "0.00"), (nan, "n/a"), (None, "n/a"),
    ],
)  # fmt: skip
def test_a_price_has_digits_by_its_size(value, text):
    assert fmt.price(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.2314, "0.2314"), (0.12345678901, "0.12345679"), (100.0, "100"), (1234.5678901, "1,234.5679"),
        (123_456_789.5, "123,456,790"),
        (1e-8, "0.00000001"), (1e-12, "1e-12"), (-0.5, "-0.5"), (0.0, "0"), (nan, "n/a"), (None, "n/a"),
    ],
)  # fmt: skip
def test_a_quantity_has_no_trailing_zeros(value, text):
    assert fmt.quantity(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"), (1.23, "1.2 s"), (9.96, "10 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"),
        (7500, "2 h 05 min"),
        (273_600, "3 d 04 h"), (-5, "0.0 s"), (nan, "n/a"), (inf, "n/a"), (None, "n/a"),
    ],
)  # fmt: skip
def test_a_duration_reads_in_its_two_largest_units(seconds, text):
    assert fmt.duration(seconds) == text


def test_a_countdown_is_a_clock_that_never_goes_below_zero():
    assert [fmt.countdown(value) for value in (41.2, 0.0, -3.0, 3723.0, nan)] == [
        "00:42",
        "00:00",
        "00:00",
        "1:02:03",
        "n/a",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1_706_673_600_000, "2024-01-31 04:00"), ("2024-01-31T04:00:00Z", "2024-01-31 04:00"),
        ("2024-01-31T05:00:00+01:00", "2024-01-31 04:00"), (1_706_673_605_000, "2024-01-31 04:00:05"),
        ("soon\x07", "soon"), (None, "n/a"),
    ],
)  # fmt: skip
def test_a_time_is_utc_and_short(value, text):
    assert fmt.time(value) == text


def test_a_column_of_midnights_is_a_column_of_dates():
    assert fmt.times(["2024-01-31T00:00:00Z", None]) == ["2024-01-31", "n/a"]
    assert fmt.times(["2024-01-31T00:00:00Z", "2024-01-31T04:00:00Z"]) == ["2024-01-31 00:00", "2024-01-31 04:00"]


def test_only_a_full_time_counts_as_one():
    assert fmt.is_time("2024-01-31T04:00:00Z")
    assert not any(map(fmt.is_time, ["2024-01-31", "r20261120-184502-3f2aZ", "", "2024-13-31T04:00:00Z"]))


def test_parameters_read_as_they_are_typed():
    assert fmt.parameters({"fast": 10, "mode": "a\x1bb"}) == "fast=10 mode=ab"


@given(st.text())
def test_plain_text_has_nothing_that_a_terminal_would_obey(text):
    assert not any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in fmt.plain(text))


@given(st.floats())
def test_every_figure_has_a_text(value):
    for function in (
        fmt.number,
        fmt.percent,
        fmt.rate,
        fmt.money,
        fmt.price,
        fmt.quantity,
        fmt.duration,
        fmt.countdown,
    ):
        assert function(value)


def test_a_change_shows_the_digits_that_tell_the_values_apart() -> None:
    assert fmt.change(42_123.5, 63_185.25) == "42,123.5 -> 63,185.25"
    assert fmt.change(1.0, 1.0000000000000002) == "1.0 -> 1.0000000000000002"


def test_a_moment_is_cut_to_its_minute() -> None:
    assert fmt.minute(59_999) == "1970-01-01 00:00"
    assert fmt.minute(None) == "n/a"
