from __future__ import annotations

import pytest

from algotrade.engine.account import Account
from algotrade.engine.events import OrderFilled
from algotrade.engine.orders import Order
from algotrade.engine.risk import Limits, RiskGate, position_wanted

BTC = "BTC/USD"
DAY = 86_400_000


def account(position: float = 0.0, price: float = 100.0, cash: float = 1_000.0) -> Account:
    made = Account(cash)
    if position:
        made.apply(OrderFilled("id", BTC, 0, +1, position, price, 0.0))
    made.mark(BTC, price)
    return made


def order(side: int = +1, **size: float) -> Order:
    return Order("id", BTC, 0, side, **size)


def test_without_limits_everything_passes() -> None:
    gate = RiskGate(Limits(), 1_000)
    assert not Limits().any()
    assert gate.denial_of(order(quantity=1e12), account()) == ""


@pytest.mark.parametrize("limit", Limits._fields)
def test_any_single_limit_is_a_limit(limit: str) -> None:
    assert Limits(**{limit: 0}).any()


def test_what_an_order_makes_of_a_position() -> None:
    assert position_wanted(order(+1, quantity=2.0), 3.0, account()) == 5.0
    assert position_wanted(order(-1, notional=200.0), 3.0, account()) == 1.0
    assert position_wanted(order(0, exposure=0.5), 3.0, account()) == 5.0
    assert position_wanted(order(0, exposure=-0.5), 3.0, account(position=4.0)) == -5.0


@pytest.mark.parametrize(
    ("limits", "size", "reason"),
    [
        (Limits(max_order_notional=500), 5.0, ""),
        (Limits(max_order_notional=500), 5.01, "max_order_notional"),
        (Limits(max_position_notional=500), 5.0, ""),
        (Limits(max_position_notional=500), 5.01, "max_position_notional"),
        (Limits(max_orders_per_day=1), 1.0, ""),
        (Limits(max_orders_per_day=0), 1.0, "max_orders_per_day"),
        (Limits(max_daily_loss=0), 1.0, "max_daily_loss"),
        (Limits(max_daily_loss=1), 1.0, ""),
    ],
)
def test_a_limit_is_reached_inclusively(limits: Limits, size: float, reason: str) -> None:
    assert RiskGate(limits, 1_000).denial_of(order(quantity=size), account()) == reason


NOTHING_ALLOWED = Limits(0, 0, 0, 0)


@pytest.mark.parametrize(
    ("held", "made", "passes"),
    [
        (5.0, order(-1, quantity=1.0), True),
        (5.0, order(-1, quantity=5.0), True),
        (5.0, order(-1, quantity=5.1), False),
        (5.0, order(-1, notional=500.0), True),
        (5.0, order(0, exposure=0.0), True),
        (5.0, order(0, exposure=0.4), True),
        (5.0, order(0, exposure=0.5), True),
        (5.0, order(0, exposure=0.6), False),
        (5.0, order(0, exposure=-0.1), False),
        (5.0, order(+1, quantity=0.1), False),
        (0.0, order(-1, quantity=0.1), False),
    ],
)
def test_an_order_that_only_reduces_passes_every_limit(held: float, made: Order, passes: bool) -> None:
    gate = RiskGate(NOTHING_ALLOWED, 1_000)
    assert (gate.denial_of(made, account(held)) == "") is passes


def test_orders_beside_count_as_filled() -> None:
    gate = RiskGate(Limits(max_position_notional=500), 1_000)
    beside = [order(quantity=2.0), order(notional=100.0)]
    assert gate.denial_of(order(quantity=2.0), account(), beside) == ""
    assert gate.denial_of(order(quantity=2.1), account(), beside) == "max_position_notional"
    assert gate.denial_of(order(-1, quantity=3.0), account(), beside) == ""


def test_denied_orders_do_not_count_into_the_day() -> None:
    gate = RiskGate(Limits(max_orders_per_day=1, max_order_notional=500), 1_000)
    gate.begin_bar(0, 1_000.0)
    assert gate.denial_of(order(quantity=6.0), account()) == "max_order_notional"
    assert gate.denial_of(order(quantity=1.0), account()) == ""
    assert gate.denial_of(order(quantity=1.0), account()) == "max_orders_per_day"
    gate.begin_bar(DAY - 1, 1_000.0)
    assert gate.denial_of(order(quantity=1.0), account()) == "max_orders_per_day"
    gate.begin_bar(DAY, 1_000.0)
    assert gate.denial_of(order(quantity=1.0), account()) == ""


def test_the_day_begins_at_the_last_equity_of_the_day_before() -> None:
    gate = RiskGate(Limits(max_daily_loss=100), 1_000)
    gate.begin_bar(0, 900.0)
    assert gate.denial_of(order(quantity=1.0), account(cash=900.0)) == "max_daily_loss"
    gate.begin_bar(DAY // 2, 950.0)
    gate.begin_bar(DAY, 930.0)
    assert gate.denial_of(order(quantity=1.0), account(cash=851.0)) == ""
    assert gate.denial_of(order(quantity=1.0), account(cash=850.0)) == "max_daily_loss"
