"""Round trips of random fills equal those of a loop that goes fill by fill, and their profits add up to the cash."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algotrade.evaluate.executions import Fills, fills_of
from algotrade.evaluate.round_trips import closed_round_trips, open_position

pytestmark = pytest.mark.filterwarnings("error")

FEE_RATE = 0.01
orders = st.tuples(
    st.integers(0, 3),  # bars since the last fill
    st.sampled_from(["buy", "sell", "close", "turn"]),
    st.floats(0.001, 50),
    st.floats(0.01, 1e4),
)


@st.composite
def histories(draw) -> Fills:
    """Fills as the engine makes them: a close takes exactly the position, a turn goes through zero."""
    rows, position, bar = [], 0.0, 0
    for wait, kind, quantity, price in draw(st.lists(orders, max_size=25)):
        bar += wait
        side = {"buy": 1, "sell": -1}.get(kind, -1 if position > 0 else 1)
        if kind in ("close", "turn"):
            quantity = abs(position) + (quantity if kind == "turn" else 0.0)
        if quantity > 0:
            rows.append((bar, side, quantity, price, quantity * price * FEE_RATE))
            position += side * quantity
    columns = np.array(rows, float).reshape(-1, 5).T
    return fills_of(columns[0].astype(np.int64), columns[1].astype(np.int64), *columns[2:])


def naive_round_trips(fills: Fills) -> tuple[list[dict[str, float]], float]:
    """Closed round trips, and the cash moved by them and by what is still open."""
    done, trip, position, cash = [], None, 0.0, 0.0
    for bar, side, quantity, price, fee in zip(*(column.tolist() for column in fills[:5]), strict=True):
        after = position + side * quantity
        cash -= side * quantity * price + fee
        legs = [(quantity, after)]
        if position * after < 0:
            legs = [(abs(position), 0.0), (abs(after), after)]
        for leg, then in legs:
            share = fee * leg / quantity
            trip = trip or {
                "entry_bar": bar,
                "side": side,
                "in": 0,
                "paid": 0,
                "out": 0,
                "got": 0,
                "fees": 0,
                "infee": 0,
            }
            if side == trip["side"]:
                trip["in"] += leg
                trip["paid"] += leg * price
                trip["infee"] += share
            else:
                trip["out"] += leg
                trip["got"] += leg * price
            trip["fees"] += share
            if then == 0:
                done.append({**trip, "exit_bar": bar})
                trip = None
        position = after
    return done, cash


@given(histories())
def test_round_trips_equal_the_naive_ones(fills):
    trips, (expected, _) = closed_round_trips(fills), naive_round_trips(fills)
    assert trips.entry_bar.tolist() == [trip["entry_bar"] for trip in expected]
    assert trips.exit_bar.tolist() == [trip["exit_bar"] for trip in expected]
    assert trips.side.tolist() == [trip["side"] for trip in expected]
    profits = [trip["side"] * (trip["got"] - trip["paid"]) - trip["fees"] for trip in expected]
    for column, wanted in [
        (trips.quantity, [trip["in"] for trip in expected]),
        (trips.entry_price, [trip["paid"] / trip["in"] for trip in expected]),
        (trips.exit_price, [trip["got"] / trip["out"] for trip in expected]),
        (trips.fees, [trip["fees"] for trip in expected]),
        (trips.profit, profits),
        (trips.profit_rate, [p / (t["paid"] + t["infee"]) for p, t in zip(profits, expected, strict=True)]),
    ]:
        assert column == pytest.approx(np.array(wanted, float), rel=1e-9, abs=1e-6)


@given(histories())
def test_profits_taken_and_not_taken_add_up_to_the_change_of_cash(fills):
    _, cash = naive_round_trips(fills)
    held = open_position(fills)
    if held is None:
        assert closed_round_trips(fills).profit.sum() == pytest.approx(cash, rel=1e-9, abs=1e-5)
        assert closed_round_trips(fills).fees.sum() == pytest.approx(fills.fee.sum(), rel=1e-9, abs=1e-9)
    else:
        position = float(np.cumsum(fills.side * fills.quantity)[-1])
        assert (held.side == "long") == (position > 0)
        assert held.quantity == abs(position)


@given(histories(), st.floats(0.01, 1e4))
def test_profit_taken_at_average_cost_and_profit_not_yet_taken_are_all_there_is(fills, price):
    """Cash in, cash out and the position marked at any price: what was taken against the average, and the rest."""
    taken, position, average = 0.0, 0.0, 0.0
    for side, quantity, paid in zip(fills.side.tolist(), fills.quantity.tolist(), fills.price.tolist(), strict=True):
        after = position + side * quantity
        if side * position >= 0:
            average = (abs(position) * average + quantity * paid) / abs(after)
        else:
            closing = min(quantity, abs(position))
            taken += -side * closing * (paid - average)
            average = paid if position * after < 0 else average
        position = after
    _, cash = naive_round_trips(fills)
    held = open_position(fills)
    not_taken = 0.0
    if held is not None:
        assert held.entry_price == pytest.approx(average, rel=1e-9)
        not_taken = position * (price - held.entry_price)
    assert taken + not_taken - fills.fee.sum() == pytest.approx(cash + position * price, rel=1e-9, abs=1e-4)
