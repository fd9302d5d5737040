"""The gate by itself: who passes whatever the limits are, what works beside an order, and what a denial says."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algotrade.engine.account import Account
from algotrade.engine.events import Denied, OrderFilled, Submit
from algotrade.engine.orders import Order, OrderType, Role
from algotrade.engine.risk import Limits, RiskGate, position_wanted
from tests.core.engine.limited import (
    BTC,
    DAY,
    ETH,
    HOUR,
    Script,
    account,
    bar,
    order,
    reason_of,
    records_of,
    request_of,
    session,
)


def test_a_liquidation_is_a_loss() -> None:
    held = account(1.0)
    gate = RiskGate(Limits(cooldown_bars=1), {"": held})
    for fill in (
        OrderFilled("a", BTC, 0, +1, 1.0, 100.0, 0.0),
        OrderFilled("a!liquidation", BTC, HOUR, -1, 1.0, 50.0, 0.0, role=Role.LIQUIDATION),
    ):
        gate.note_fill(fill, account() if fill.side > 0 else held)
    assert reason_of(gate, order(quantity=2.0)) == "cooldown_bars"


def test_a_fee_in_base_counts_once() -> None:
    gate = RiskGate(Limits(cooldown_bars=1), {"": account()})
    gate.note_fill(OrderFilled("a", BTC, 0, +1, 1.0, 100.0, 1.0, fee_quantity=0.01), account())
    gate.note_fill(OrderFilled("b", BTC, 1, -1, 0.99, 101.5, 0.0), account(0.99))  # 100.485 for 100
    assert reason_of(gate, order(quantity=1.0)) == ""


# ---- the rule above all ---------------------------------------------------------------------------------------------
TIGHTEST = Limits(0, 0, 0, 0, 0, 1e-9, 0, 9, 1, None)


@pytest.mark.parametrize(
    ("held", "asked", "passes"),
    [
        (5.0, order(-1, quantity=1.0), True),
        (5.0, order(-1, quantity=5.0), True),
        (5.0, order(-1, quantity=5.1), False),
        (5.0, order(-1, quantity=9.0, reduce_only=True), True),
        (5.0, order(-1, notional=500.0), True),
        (5.0, order(0, exposure=0.0), True),
        (5.0, order(0, exposure=0.3), True),
        (5.0, order(0, exposure=0.6), False),
        (5.0, order(0, exposure=-0.1), False),
        (5.0, order(0, target_quantity=4.0), True),
        (5.0, order(0, target_quantity=6.0), False),
        (5.0, order(0, target_notional=400.0), True),
        (5.0, order(0, target_notional=600.0), False),
        (5.0, order(+1, quantity=0.1), False),
        (0.0, order(-1, quantity=0.1), False),
        (0.0, order(0, exposure=0.0), True),
        (-5.0, order(+1, quantity=5.0), True),
        (-5.0, order(-1, quantity=1.0), False),
    ],
)
def test_an_order_that_only_reduces_passes_every_limit(held: float, asked: Order, passes: bool) -> None:
    assert (RiskGate(TIGHTEST, {"": account(held)}).denial_of(asked) is None) is passes


@settings(deadline=None)
@given(
    held=st.floats(-1e3, 1e3).filter(lambda held: abs(held) > 1e-3),
    part=st.floats(0.0, 1.0),
    others=st.floats(-1e3, 1e3),
    resting=st.lists(st.tuples(st.sampled_from([+1, -1]), st.floats(0.01, 1e3)), max_size=3),
    limits=st.builds(Limits, *[st.one_of(st.none(), st.integers(0, 3))] * 5, st.one_of(st.none(), st.floats(0, 0.5))),
)
def test_whatever_the_limits_nobody_is_kept_in_a_trade(
    held: float, part: float, others: float, resting: list[tuple[int, float]], limits: Limits
) -> None:
    limits = limits._replace(max_open_positions=0, cooldown_bars=5, max_consecutive_losses=1)
    gate = RiskGate(limits, {"": account(held, cash=1e6), "other": account(others, cash=1e6)})
    gate.note_fill(OrderFilled("lost", BTC, 0, -1, 1.0, 1.0, 0.0), account(1.0))
    gate.note_close(0, [BTC])
    working = tuple(order(side, quantity=q, order_type=OrderType.LIMIT, limit=1.0) for side, q in resting)
    side = -1 if held > 0 else 1
    assert reason_of(gate, order(side, quantity=abs(held) * part), working) == ""
    assert reason_of(gate, order(0, target_quantity=held * part), working) == ""


NO_BOUND = Limits(math.inf, math.inf, 10**9, math.inf, 10**9, 0.999999, 10**9, None, 10**9, None)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(50, 150), st.sampled_from(["", "buy 1", "sell 1", "hold 0.5", "hold 0"])), max_size=30
    )
)
def test_limits_that_nothing_reaches_change_nothing(rows: list[tuple[int, str]]) -> None:
    asked = {at * HOUR: [request_of(asks)] for at, (_, asks) in enumerate(rows) if asks}
    events = [event for at, (price, _) in enumerate(rows) for event in bar(at * HOUR, float(price))]
    free, bounded = session(Script(asked), None, cash=1e5), session(Script(asked), NO_BOUND, cash=1e5)
    assert records_of(free, events) == records_of(bounded, events)


# ---- what works beside it -------------------------------------------------------------------------------------------
def test_what_an_order_makes_of_a_position() -> None:
    assert position_wanted(order(+1, quantity=2.0), 3.0, account()) == 5.0
    assert position_wanted(order(-1, notional=200.0), 3.0, account()) == 1.0
    assert position_wanted(order(0, exposure=0.5), 3.0, account()) == 5.0
    assert position_wanted(order(0, target_quantity=-2.0), 3.0, account()) == -2.0
    assert position_wanted(order(0, target_notional=400.0), 3.0, account()) == 4.0


def test_market_orders_beside_count_as_filled_and_resting_ones_where_they_add() -> None:
    gate = RiskGate(Limits(max_position_notional=500), {"": account()})
    beside = (order(quantity=2.0), order(notional=100.0))
    assert reason_of(gate, order(quantity=2.0), beside) == ""
    assert reason_of(gate, order(quantity=2.1), beside) == "max_position_notional"
    assert reason_of(gate, order(-1, quantity=3.0), beside) == ""
    ladder = (order(quantity=4.0, limit=90.0, order_type=OrderType.LIMIT),)
    assert reason_of(gate, order(quantity=1.1), ladder) == "max_position_notional"
    assert reason_of(gate, order(-1, quantity=5.0), ladder) == ""
    assert reason_of(gate, order(-1, quantity=5.1), ladder) == "max_position_notional"  # it may never fill


def test_an_order_for_a_symbol_without_a_price_is_not_let_out_blind() -> None:
    gate = RiskGate(Limits(max_order_notional=500), {"": Account(1_000.0)})
    denial = gate.denial_of(order(quantity=1.0))
    assert denial == ("max_order_notional", "no price of it is known yet")
    assert RiskGate(Limits(max_orders_per_day=1), {"": Account(1_000.0)}).denial_of(order(quantity=1.0)) is None


def test_denied_orders_do_not_count() -> None:
    gate = RiskGate(Limits(max_orders_per_day=1, max_orders_per_minute=1, max_order_notional=500), {"": account()})
    assert reason_of(gate, order(quantity=6.0)) == "max_order_notional"
    assert reason_of(gate, order(quantity=1.0)) == ""
    assert reason_of(gate, order(quantity=1.0)) == "max_orders_per_minute"


def test_an_event_that_tells_of_an_earlier_moment_brings_nothing_back() -> None:
    gate = RiskGate(Limits(max_orders_per_day=1), {"": account()})
    assert reason_of(gate, order(quantity=1.0)._replace(time=DAY)) == ""
    assert reason_of(gate, order(quantity=1.0)._replace(time=DAY - 1)) == "max_orders_per_day"
    gate.note_close(DAY - 1, [BTC])
    assert reason_of(gate, order(quantity=1.0)._replace(time=DAY)) == "max_orders_per_day"


@pytest.mark.parametrize("limit", Limits._fields)
def test_any_single_limit_is_a_limit(limit: str) -> None:
    assert not Limits().any()
    assert Limits(**{limit: 0}).any()


DETAILS: list[tuple[Limits, str]] = [
    (Limits(max_order_notional=50), "100, at most 50"),
    (Limits(max_position_notional=50), "100, at most 50"),
    (Limits(max_open_positions=0), "0 held, at most 0"),
    (Limits(max_orders_per_day=0), "until 1970-01-02T00:00:00Z"),
    (Limits(max_daily_loss=0), "since 1970-01-01T00:00:00Z until 1970-01-02T00:00:00Z"),
    (Limits(max_drawdown=0), "since 1970-01-01T00:00:00Z, for good"),
]


@pytest.mark.parametrize(("limits", "detail"), DETAILS)
def test_a_denial_says_by_how_much_since_when_or_until_when(limits: Limits, detail: str) -> None:
    told = session(Script({0: [request_of("buy 1")]}), limits)
    (denied,) = [each for each in records_of(told, bar(0, 100.0)) if isinstance(each, Denied)]
    assert denied.detail == detail


def test_a_cool_down_and_a_lock_say_how_many_bars_are_left() -> None:
    for limits, name in (
        (Limits(cooldown_bars=3), "cooldown_bars"),
        (Limits(max_consecutive_losses=1, lock_bars=3), "max_consecutive_losses"),
    ):
        asks = {0: [request_of("buy 1")], HOUR: [request_of("sell 1")]}
        told = session(Script(asks | {at * HOUR: [request_of("buy 1")] for at in (2, 3, 4)}), limits)
        records = records_of(told, [event for at in range(5) for event in bar(at * HOUR, 100.0 - at)])
        assert [each[1:] for each in records if isinstance(each, Denied)] == [
            (name, f"since 1970-01-01T02:00:00Z, {left}")
            for left in ("2 more bars", "1 more bar", "until the next bar")
        ]
        assert len([each for each in records if isinstance(each, Submit)]) == 2


def test_a_lost_day_is_not_begun_again_by_an_event_of_the_day_before() -> None:
    gate = RiskGate(Limits(max_daily_loss=100), {"": (held := account(5.0))})
    gate.note_close(DAY, [BTC])
    held.mark(BTC, 70.0)
    assert reason_of(gate, order(quantity=1.0)._replace(time=DAY)) == "max_daily_loss"
    gate.note_close(DAY - 1, [BTC])
    assert reason_of(gate, order(quantity=1.0)._replace(time=DAY)) == "max_daily_loss"


def test_what_makes_the_position_of_all_books_smaller_is_not_too_large() -> None:
    gate = RiskGate(Limits(max_position_notional=500), {"": account(), "other": account(9.0)})
    assert reason_of(gate, order(-1, quantity=1.0)) == ""
    assert reason_of(gate, order(+1, quantity=1.0)) == "max_position_notional"


def test_a_minute_is_over_after_sixty_seconds() -> None:
    gate = RiskGate(Limits(max_orders_per_minute=1), {"": account()})
    assert reason_of(gate, order(quantity=1.0)) == ""
    assert gate.denial_of(order(quantity=1.0)._replace(time=59_999)) == (
        "max_orders_per_minute",
        "until 1970-01-01T00:01:00Z",
    )
    assert reason_of(gate, order(quantity=1.0)._replace(time=60_000)) == ""


def test_an_order_that_waits_to_open_a_position_takes_its_place() -> None:
    gate = RiskGate(Limits(max_open_positions=1), {"": account()})
    waits = order(quantity=1.0, limit=9.0, order_type=OrderType.LIMIT)._replace(symbol=ETH)
    assert reason_of(gate, order(quantity=1.0), (waits,)) == "max_open_positions"
    assert reason_of(gate, waits._replace(order_id="more"), (waits,)) == ""
