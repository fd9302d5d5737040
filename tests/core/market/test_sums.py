"""Sums of decimals: exact, and the same however the summing is split."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algotrade.market.sums import decimal_sums, exact_sums

WHOLE = np.array([0])


@pytest.mark.parametrize(
    ("values", "total"),
    [
        ([0.1, 0.2], 0.3),
        ([0.1] * 10, 1.0),
        ([0.7, 0.1, 0.2], 1.0),
        ([1e16, 1.0, 1.0], 1e16 + 2),
        ([0.1234567891] * 10, 1.234567891),
        ([1e-20, 1e-20], 2e-20),
        ([9e7, 0.00000001], 90_000_000.00000001),
        ([1.0], 1.0),
        ([0.0, 0.0], 0.0),
    ],
)
def test_a_sum_is_that_of_the_decimals_as_they_are_written(values: list[float], total: float) -> None:
    assert decimal_sums(np.array(values), WHOLE).tolist() == [total]


def test_every_group_has_its_own_sum() -> None:
    sums = decimal_sums(np.array([0.1, 0.2, 0.1234567891, 0.3, 5.0]), np.array([0, 2, 4]))

    assert sums.tolist() == [0.3, 0.4234567891, 5.0]


volumes = st.one_of(st.integers(0, 10**17).map(lambda units: units / 1e8), st.floats(0, 1e30))


@given(st.lists(volumes, min_size=1, max_size=30))
def test_any_sum_is_the_nearest_float_to_the_exact_one(values: list[float]) -> None:
    exact = sum(Fraction(repr(value)) for value in values)

    assert decimal_sums(np.array(values), WHOLE).tolist() == [float(exact)]
    assert exact_sums(np.array(values), WHOLE) == [exact]


@pytest.mark.parametrize("value", [80289226.3501214, 70514627.6569025, 72492231.372589])
def test_a_value_of_which_two_counts_of_units_are_near_stands_for_its_shortest_decimal(value: float) -> None:
    assert exact_sums(np.array([value]), WHOLE) == [Fraction(repr(value))]


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=60), st.lists(st.integers(0, 60), max_size=5))
def test_a_sum_of_sums_is_the_sum_of_all(units: list[int], cuts: list[int]) -> None:
    values = np.array(units) / 1e8
    starts = np.array(sorted({0, *(cut for cut in cuts if cut < len(units))}))

    assert decimal_sums(decimal_sums(values, starts), WHOLE) == decimal_sums(values, WHOLE)
