"""The demo market's trades are those that its candles are made of."""

from __future__ import annotations

import numpy as np
import pytest

from algotrade.errors import FixCommand, FixData
from algotrade.market.candles import COLUMNS
from algotrade.market.simulate import FIRST_MS, SYMBOLS, simulate_candles, simulate_trades

NOON = 1_706_702_400_000  # 2024-01-31 12:00 UTC
MINUTE = 60_000


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_four_trades_make_each_minute_to_the_last_bit(symbol: str) -> None:
    trades = simulate_trades(symbol, NOON, NOON + 999 * MINUTE)
    prices = trades.prices.reshape(-1, 4)

    made = [prices[:, 0], prices.max(1), prices.min(1), prices[:, 3], trades.quantities.reshape(-1, 4).sum(1)]
    candles = simulate_candles(symbol, "1m", NOON, NOON + 999 * MINUTE)
    assert (candles[list(COLUMNS)].to_numpy() == np.array(made).T).all()


def test_numbers_have_no_hole_times_rise_and_every_trade_has_a_side_and_a_quantity() -> None:
    trades = simulate_trades("BTC/USD", NOON, NOON + 999 * MINUTE)

    assert (np.diff(trades.numbers) == 1).all()
    assert (np.diff(trades.times) > 0).all()
    assert trades.times[0] == NOON
    assert set(trades.sides.tolist()) == {1, -1}
    assert (trades.quantities > 0).all()


def test_two_calls_agree_on_the_trades_that_they_share() -> None:
    long, short = (simulate_trades("ETH/USD", NOON, NOON + minutes * MINUTE) for minutes in (30, 10))

    assert all((one[: len(other)] == other).all() for one, other in zip(long, short, strict=True))


def test_a_start_within_a_minute_begins_with_the_next() -> None:
    assert simulate_trades("BTC/USD", NOON + 1, NOON + 5 * MINUTE).times[0] == NOON + MINUTE


def test_an_unknown_symbol_and_a_time_before_the_market_are_refused() -> None:
    with pytest.raises(FixCommand):
        simulate_trades("DOGE/USD", NOON, NOON)
    with pytest.raises(FixData):
        simulate_trades("BTC/USD", FIRST_MS - MINUTE, FIRST_MS)
