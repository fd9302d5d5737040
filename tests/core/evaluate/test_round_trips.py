"""Fills in rows, the expected round trips beneath: a trader can check each on paper."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from algotrade.engine.orders import Role
from algotrade.evaluate.executions import ROLES, AmbiguousBars, Charges, Fills, fills_of
from algotrade.evaluate.round_trips import OpenPosition, closed_round_trips, open_position, round_trip_table

pytestmark = pytest.mark.filterwarnings("error")

HOUR = 3_600_000
TIMES = np.arange(100, dtype=np.int64) * HOUR


def fills(*rows: tuple[int, str, float, float, float]) -> Fills:
    """Rows of (bar, "buy" or "sell", quantity, price, fee)."""
    bar, side, quantity, price, fee = zip(*rows, strict=True) if rows else ((),) * 5
    return fills_of(
        np.array(bar, np.int64),
        np.array([1 if name == "buy" else -1 for name in side], np.int64),
        np.array(quantity, np.float64),
        np.array(price, np.float64),
        np.array(fee, np.float64),
    )


def test_a_long_round_trip():
    table = round_trip_table(fills((3, "buy", 2, 100, 1), (8, "sell", 2, 110, 1.1)), TIMES)
    assert table.to_dict("records") == [
        {
            "entry_time": pd.Timestamp("1970-01-01T03:00", tz="UTC"),
            "entry_price": 100.0,
            "exit_time": pd.Timestamp("1970-01-01T08:00", tz="UTC"),
            "exit_price": 110.0,
            "side": "long",
            "quantity": 2.0,
            "profit": pytest.approx(20 - 2.1),
            "return": pytest.approx(17.9 / 201),
            "bars": 5,
            "fees": pytest.approx(2.1),
            "charges": 0.0,
            "exit_reason": "signal",
            "path_dependent": False,
        }
    ]


def test_a_short_round_trip_earns_when_the_price_falls():
    (trip,) = round_trip_table(fills((3, "sell", 2, 100, 1), (8, "buy", 2, 90, 0.9)), TIMES).to_dict("records")
    assert trip["side"] == "short"
    assert (trip["entry_price"], trip["exit_price"]) == (100.0, 90.0)
    assert trip["profit"] == pytest.approx(20 - 1.9)
    assert trip["return"] == pytest.approx(18.1 / 201)


def test_adding_and_partial_exits_belong_to_one_round_trip_with_average_prices():
    given = fills(
        (1, "buy", 1, 100, 1),
        (2, "buy", 3, 120, 3),
        (4, "sell", 1, 130, 1),
        (5, "buy", 1, 110, 1),
        (9, "sell", 4, 140, 4),
    )
    (trip,) = round_trip_table(given, TIMES).to_dict("records")
    assert trip["quantity"] == 5
    assert trip["entry_price"] == pytest.approx((100 + 360 + 110) / 5)
    assert trip["exit_price"] == pytest.approx((130 + 560) / 5)
    assert trip["fees"] == 10
    assert trip["profit"] == pytest.approx(690 - 570 - 10)
    assert trip["return"] == pytest.approx(110 / 575)
    assert trip["bars"] == 8


def test_a_fill_through_zero_closes_one_round_trip_and_opens_the_next():
    given = fills((1, "buy", 2, 100, 2), (4, "sell", 6, 110, 9), (7, "buy", 4, 105, 4))
    first, second = round_trip_table(given, TIMES).to_dict("records")
    assert (first["side"], first["quantity"], first["exit_price"]) == ("long", 2, 110)
    assert first["profit"] == pytest.approx(20 - 2 - 3)  # a third of the fee closes
    assert (second["side"], second["quantity"], second["entry_price"]) == ("short", 4, 110)
    assert second["profit"] == pytest.approx(20 - 6 - 4)  # two thirds open
    assert second["entry_time"] == first["exit_time"]


def test_a_round_trip_inside_one_bar_lasts_no_bars():
    (trip,) = round_trip_table(fills((3, "buy", 1, 100, 0), (3, "sell", 1, 99, 0)), TIMES).to_dict("records")
    assert trip["bars"] == 0
    assert trip["profit"] == -1


def test_flat_is_exact_for_quantities_that_binary_fractions_cannot_hold():
    held = 0.1 + 0.2
    trips = closed_round_trips(fills((1, "buy", 0.1, 1, 0), (2, "buy", 0.2, 1, 0), (3, "sell", held, 1, 0)))
    assert trips.exit_bar.tolist() == [3]


@pytest.mark.parametrize(
    "given", [fills(), fills((1, "buy", 2, 100, 1)), fills((1, "buy", 2, 100, 1), (2, "sell", 1, 100, 1))]
)
def test_nothing_closed_is_an_empty_table_of_the_same_columns_and_kinds(given):
    table = round_trip_table(given, TIMES)
    one = round_trip_table(fills((1, "buy", 1, 1, 0), (2, "sell", 1, 1, 0)), TIMES)
    assert len(table) == 0
    assert list(table.columns) == list(one.columns)
    assert table.dtypes.drop(["side", "exit_reason"]).equals(one.dtypes.drop(["side", "exit_reason"]))


def test_an_open_position_is_no_closed_round_trip():
    given = fills((1, "buy", 1, 100, 1), (2, "sell", 1, 110, 1), (5, "sell", 3, 120, 1))
    assert len(round_trip_table(given, TIMES)) == 1
    assert open_position(given) == OpenPosition("short", 3.0, 120.0, 5)


def test_adding_moves_the_average_cost_of_an_open_position_and_closing_a_part_does_not():
    bought = [(1, "buy", 1.0, 100.0, 0.0), (3, "buy", 3.0, 120.0, 0.0)]
    assert open_position(fills(*bought)) == OpenPosition("long", 4.0, 115.0, 1)
    assert open_position(fills(*bought, (5, "sell", 2, 300, 0))) == OpenPosition("long", 2.0, 115.0, 1)
    assert open_position(fills(*bought, (5, "sell", 2, 300, 0), (6, "buy", 2, 125, 0))) == OpenPosition(
        "long", 4.0, 120.0, 1
    )


def test_a_position_opened_through_zero_costs_the_price_of_that_fill():
    assert open_position(fills((1, "buy", 2, 100, 1), (4, "sell", 3, 110, 1))) == OpenPosition("short", 1.0, 110.0, 4)


@pytest.mark.parametrize("given", [fills(), fills((1, "buy", 2, 100, 1), (2, "sell", 2, 90, 1))])
def test_flat_holds_no_position(given):
    assert open_position(given) is None


def test_the_fills_are_left_as_they_are():
    given = fills((1, "buy", 2, 100, 2), (4, "sell", 6, 110, 9), (7, "buy", 4, 105, 4))
    before = [column.copy() for column in given]
    round_trip_table(given, TIMES)
    open_position(given)
    assert all((kept == column).all() for kept, column in zip(before, given, strict=True))


def charges(*rows: tuple[int, float, int]) -> Charges:
    """Rows of bar, amount, fills before."""
    bar, amount, before = np.array(rows, float).reshape(-1, 3).T
    nothing = np.zeros(len(bar), np.int16)
    return Charges(bar.astype(np.int64), nothing, amount, before.astype(np.int64), nothing)


def test_what_holding_cost_belongs_to_the_round_trip_that_was_held():
    given = fills((1, "sell", 1, 100, 0), (3, "buy", 1, 90, 0), (5, "sell", 1, 100, 0), (8, "buy", 1, 95, 0))
    held = charges((1, 0.5, 1), (2, 0.25, 1), (5, 2, 3), (6, 1, 3))
    trips = closed_round_trips(given, held)
    assert trips.charges.tolist() == [0.75, 3.0]
    assert trips.profit.tolist() == [10 - 0.75, 5 - 3.0]


def test_a_debt_that_is_forgiven_after_the_last_fill_belongs_to_the_round_trip_before_it():
    given = fills((1, "sell", 1, 100, 0), (3, "buy", 1, 150, 0), (5, "sell", 1, 100, 0), (8, "buy", 1, 95, 0))
    assert closed_round_trips(given, charges((3, -20, 2))).charges.tolist() == [-20.0, 0.0]


def test_what_an_open_position_costs_belongs_to_no_closed_round_trip():
    given = fills((1, "buy", 1, 100, 0), (2, "sell", 1, 100, 0), (3, "sell", 1, 100, 0))
    assert closed_round_trips(given, charges((4, 7, 3))).charges.tolist() == [0.0]


def test_a_fee_in_base_units_lessens_what_can_be_sold():
    """Bought 2 at 100, of which 0.02 are kept back (worth 2); the rest, 1.98, is sold at 110 for a fee of 1."""
    given = fills((1, "buy", 2, 100, 2), (2, "sell", 1.98, 110, 1))._replace(fee_quantity=np.array([0.02, 0.0]))
    (trip,) = round_trip_table(given, TIMES).to_dict("records")
    assert (trip["quantity"], trip["entry_price"], trip["fees"]) == (1.98, 100.0, 3.0)
    assert trip["profit"] == pytest.approx(1.98 * 110 - 2 * 100 - 1)


def test_the_reason_is_that_of_the_last_fill():
    given = fills((1, "buy", 2, 100, 0), (2, "sell", 1, 110, 0), (3, "sell", 1, 90, 0), (4, "buy", 1, 1, 0))
    roles = [ROLES.index(role) for role in (Role.OWN, Role.TAKE_PROFIT, Role.STOP_LOSS, Role.OWN)]
    table = round_trip_table(given._replace(role=np.array(roles, np.int16)), TIMES)
    assert table["exit_reason"].tolist() == ["stop_loss"]


@pytest.mark.parametrize(
    ("bars", "expected"),
    [([], False), ([1], False), ([2], True), ([3], True), ([5], True), ([6], False), ([0, 9], False)],
)
def test_a_round_trip_hangs_on_the_ambiguous_bars_from_its_entry_to_its_exit(bars, expected):
    values = np.zeros(len(bars))
    ambiguous = AmbiguousBars(np.array(bars, np.int64), values, values, values.astype(bool))
    trips = closed_round_trips(fills((2, "buy", 1, 100, 0), (5, "sell", 1, 100, 0)), ambiguous=ambiguous)
    assert trips.path_dependent.tolist() == [expected]
