from __future__ import annotations

import math

import pytest

from algotrade.engine.account import Account, View, cash_after, equity_at, position_after
from algotrade.engine.events import OrderFilled
from algotrade.engine.fills import Costs, fee_of, followed_from, slipped_price


def test_slippage_makes_a_buy_dearer_and_a_sale_cheaper() -> None:
    assert slipped_price(200.0, +1, 0.01) == pytest.approx(202.0)
    assert slipped_price(200.0, -1, 0.01) == pytest.approx(198.0)
    assert slipped_price(200.0, -1, 0.0) == 200.0


def test_the_fee_is_a_fraction_of_the_notional() -> None:
    assert fee_of(2.0, 150.0, 0.004) == pytest.approx(1.2)


def test_no_price_leads_a_stop_that_trails_by_the_whole_price_to_a_level() -> None:
    assert followed_from(-1, 95.0, 0.5, 0.0) == 190.0
    assert math.isnan(followed_from(-1, 95.0, 1.0, 0.0))
    assert math.isnan(followed_from(-1, 95.0, 1.5, 0.0))


def test_the_default_costs_are_those_of_the_design() -> None:
    assert Costs() == Costs(fee_rate=0.004, slippage_rate=0.0005)


def test_a_buy_pays_price_and_fee_and_a_sale_receives_price_less_fee() -> None:
    assert cash_after(1_000.0, +1, 2.0, 100.0, 5.0) == 795.0
    assert cash_after(1_000.0, -1, 2.0, 100.0, 5.0) == 1_195.0
    assert position_after(3.0, +1, 2.0) == 5.0
    assert position_after(3.0, -1, 4.0) == -1.0
    assert position_after(0.1 + 0.2, -1, 0.3) == 0.0  # in binary fractions 0.1 + 0.2 is a hair above 0.3
    assert position_after(1e-8, +1, 1e-8) == 2e-8
    assert equity_at(100.0, -2.0, 30.0) == 40.0


def filled(symbol: str, side: int, quantity: float, price: float, fee: float = 0.0) -> OrderFilled:
    return OrderFilled("id", symbol, 0, side, quantity, price, fee)


def test_an_account_keeps_cash_positions_and_fees() -> None:
    account = Account(1_000)
    account.apply(filled("BTC/USD", +1, 2.0, 100.0, 5.0))
    account.apply(filled("ETH/USD", -1, 1.0, 50.0, 1.0))
    assert account.cash == 844.0
    assert account.fees_paid == 6.0
    assert (account.position("BTC/USD"), account.position("ETH/USD"), account.position("XRP/USD")) == (2.0, -1.0, 0.0)


def order_id_of(symbol: str, time: int) -> str:
    return f"{symbol}@{time}"


def test_equity_marks_every_position_at_its_own_last_price() -> None:
    account = Account(1_000)
    account.apply(filled("BTC/USD", +1, 2.0, 100.0))
    account.apply(filled("ETH/USD", -1, 1.0, 50.0))
    assert account.equity() == 1_000.0  # at the prices of the fills
    account.mark("BTC/USD", 110.0)
    account.mark("ETH/USD", 70.0)
    assert account.equity() == 1_000.0
    account.mark("ETH/USD", 40.0)
    assert account.equity() == 1_030.0
    view = View(account, list, order_id_of)
    assert (view.cash, view.position("ETH/USD"), view.equity, view.mark("BTC/USD")) == (850.0, -1.0, 1_030.0, 110.0)


def test_whole_numbers_of_cash_are_kept_as_floats_so_that_records_read_alike() -> None:
    assert repr(Account(1_000).equity()) == "1000.0"
