from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algotrade.engine.sizing import (
    REFUSALS,
    Terms,
    market_fill,
    quantity_for_target,
    refusal_of,
    round_down,
    side_of_target,
    target_changed,
)

FREE = Terms(0.0, 0.0)


@pytest.mark.parametrize(
    ("quantity", "step", "expected"),
    [
        (2.7, 1.0, 2.0),
        (3.0, 1.0, 3.0),
        (0.3, 0.1, 0.30000000000000004),
        (0.29999, 0.1, 0.2),
        (0.1 + 0.2, 0.1, 0.30000000000000004),
        (0.000123456, 1e-8, 0.00012345),
        (5.5, 0.0, 5.5),
        (0.4, 1.0, 0.0),
        (1e12, 1e-8, 1e12),
        (1e308, 1e-8, 1e308),
    ],
)
def test_quantities_round_down_to_whole_steps(quantity: float, step: float, expected: float) -> None:
    assert round_down(quantity, step) == pytest.approx(expected, rel=1e-15)


@settings(deadline=None)
@given(st.integers(0, 10**13), st.sampled_from([1e-8, 1e-6, 0.0001, 0.001, 0.1, 1.0]))
def test_what_is_in_whole_steps_stays_as_it_is(steps: int, step: float) -> None:
    assert round_down(steps * step, step) == steps * step


@settings(deadline=None)
@given(st.floats(0.0, 1e9), st.sampled_from([1e-8, 0.001, 0.1, 1.0, 5.0]))
def test_rounding_down_never_gives_more_than_a_hair_above_and_loses_less_than_a_step(
    quantity: float, step: float
) -> None:
    rounded = round_down(quantity, step)
    assert rounded <= quantity + 2e-9 * step + 1e-12 * quantity
    assert rounded > quantity - step * (1 + 1e-9) - 1e-12 * quantity
    assert abs(rounded / step - round(rounded / step)) < 1e-6 * max(1.0, rounded / step * 1e-6)


def test_a_target_trades_when_it_differs_from_the_one_before() -> None:
    assert target_changed(0.0, 0.5)
    assert not target_changed(0.5, 0.5)
    assert not target_changed(0.0, -0.0)


@pytest.mark.parametrize(
    ("target", "cash", "position", "side"),
    [
        (1.0, 1_000.0, 0.0, +1),
        (0.0, 1_000.0, 0.0, 0),
        (0.0, 0.0, 5.0, -1),
        (0.5, 500.0, 5.0, 0),
        (0.4, 500.0, 5.0, -1),
        (-1.0, 0.0, 5.0, -1),
        (1.0, 1_500.0, -5.0, +1),
        (-1.0, 500.0, -10.0, +1),  # no equity left: the short is closed whatever the target
        (1.0, -1.0, 0.0, 0),
        (1.0, 0.0, 0.0, 0),
    ],
)
def test_the_side_of_an_order_compares_what_is_held_with_what_is_wanted(
    target: float, cash: float, position: float, side: int
) -> None:
    assert side_of_target(target, cash, position, 100.0) == side


def test_all_in_spends_exactly_the_cash_fee_included() -> None:
    terms = Terms(fee_rate=0.004, slippage_rate=0.0)
    quantity = quantity_for_target(1.0, 1_000.0, 0.0, +1, 100.0, terms)
    assert quantity == 1_000.0 / (100.0 * 1.004)
    assert quantity * 100.0 * 1.004 == pytest.approx(1_000.0)


def test_an_increase_that_the_slippage_eats_is_nothing() -> None:
    assert market_fill(0.51, 500.0, 5.0, 100.0, Terms(0.0, 0.25)) == (+1, 0.0, 125.0)


def test_a_reduction_never_sells_more_than_is_held_not_even_by_the_last_bit() -> None:
    held = 0.1 + 0.7
    assert held < 0.8
    assert quantity_for_target(1e-12, 0.0, held, -1, 100.0, Terms(0.0, 0.0, quantity_step=0.1)) == held


def test_a_close_takes_what_lies_between_two_steps_too() -> None:
    assert quantity_for_target(0.0, 0.0, 2.5, -1, 100.0, Terms(0.0, 0.0, quantity_step=1.0)) == 2.5


def test_a_ruined_position_is_closed_and_no_more() -> None:
    assert quantity_for_target(-0.5, 2_000.0, -10.0, +1, 250.0, FREE) == 10.0
    assert quantity_for_target(1.0, 2_000.0, -10.0, +1, 250.0, FREE) == 10.0
    assert quantity_for_target(-0.5, 625.0, -2.5, +1, 250.0, Terms(0.0, 0.0, quantity_step=1.0)) == 2.5


def of_this_world(number: float) -> float:
    """No exposures or quantities of 1e-200, whose product is zero."""
    return round(number, 9)


@settings(deadline=None)
@given(
    st.floats(-2.0, 2.0).map(of_this_world),
    st.floats(-1e4, 1e6),
    st.floats(-100.0, 100.0).map(of_this_world),
    st.floats(0.5, 1e4),
    st.sampled_from([0.0, 0.001, 1.0]),
)
def test_a_market_fill_never_overshoots_into_the_other_side(
    target: float, cash: float, position: float, open_: float, step: float
) -> None:
    terms = Terms(0.004, 0.01, quantity_step=step)
    side, quantity, price = market_fill(target, cash, position, open_, terms)
    after = position + side * quantity
    assert quantity >= 0.0
    assert math.isfinite(price)
    if target >= 0.0:
        assert after >= min(position, 0.0)
    if target <= 0.0:
        assert after <= max(position, 0.0)
    if cash + position * open_ <= 0.0 and side != 0:
        assert after == 0.0


@pytest.mark.parametrize(
    ("quantity", "price", "reason"),
    [
        (0.0, 100.0, "nothing_to_trade"),
        (0.9, 100.0, "below_min_quantity"),
        (1.0 - 1e-12, 100.0, ""),
        (1.0, 100.0, ""),
        (1.0, 40.0, "below_min_notional"),
        (1.0, 50.0 - 1e-10, ""),
    ],
)
def test_an_order_below_a_minimum_is_refused_with_its_reason(quantity: float, price: float, reason: str) -> None:
    terms = Terms(0.0, 0.0, min_quantity=1.0, min_notional=50.0)
    assert REFUSALS[refusal_of(quantity, price, 1.0, terms)] == reason


def test_without_known_minima_any_size_is_legal() -> None:
    assert refusal_of(1e-12, 1e-6, 1.0, FREE) == 0


def test_an_order_for_nothing_says_whether_there_was_any_equity() -> None:
    assert REFUSALS[refusal_of(0.0, 100.0, 1.0, FREE)] == "nothing_to_trade"
    assert REFUSALS[refusal_of(0.0, 100.0, 0.0, FREE)] == "no_equity_left"
