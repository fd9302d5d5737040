from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from algotrade.backtest.kernel import is_plain, run_kernel
from algotrade.backtest.setup import Setup
from algotrade.engine.fills import Costs
from algotrade.engine.orders import Role
from algotrade.evaluate.executions import ROLES, PathBounds, Rejection
from algotrade.evaluate.result import Result
from algotrade.market.candles import candle_table
from algotrade.market.instrument import Instrument
from algotrade.strategy.protection import Wanted, protection_of
from algotrade.strategy.signals import Bounds

DAY = 86_400_000
BTC = "BTC/USD"
EITHER = pytest.mark.parametrize("compile_from", [0, 10**9], ids=["compiled", "plain"])


def candles(*rows: tuple[float, float, float, float]) -> pd.DataFrame:
    """Bars of open, high, low, close."""
    prices = np.array(rows, np.float64).T
    return candle_table(np.arange(len(rows)) * DAY, [*prices, np.ones(len(rows))])


def setup(**changes: Any) -> Setup:
    return Setup((Instrument(BTC),), "1d", cash=1_000.0, costs=Costs(0.0, 0.0))._replace(**changes)


def wanted(signal: list[float], **columns: Any) -> Wanted:
    table = pd.DataFrame({"signal": signal, **columns})
    return Wanted(table["signal"].to_numpy(np.float64), protection_of(table))


def told(result: Result) -> list[tuple[int, int, float, str]]:
    """Bar, side, price and reason of every fill."""
    filled = result.filled
    reasons = [ROLES[code].value for code in filled.role]
    return list(zip(filled.bar.tolist(), filled.side.tolist(), filled.price.tolist(), reasons, strict=True))


FLAT = (100.0, 100.0, 100.0, 100.0)
WIDE = (100.0, 114.0, 86.0, 100.0)


@EITHER
def test_a_stop_loss_fills_at_its_price_inside_the_bar(compile_from: int) -> None:
    table = candles(FLAT, FLAT, (100.0, 101.0, 90.0, 92.0), FLAT)
    result = run_kernel(table, wanted([1.0] * 4, stop_loss=0.05), setup(), compile_from=compile_from)
    assert told(result) == [(1, 1, 100.0, ""), (2, -1, 95.0, "stop_loss")]
    assert result.equity_values.tolist() == [1_000.0, 1_000.0, 950.0, 950.0]
    assert result.bounds is None


@EITHER
def test_a_stop_that_the_open_jumps_over_fills_at_the_open(compile_from: int) -> None:
    table = candles(FLAT, FLAT, (80.0, 85.0, 75.0, 82.0))
    result = run_kernel(table, wanted([1.0] * 3, stop_loss=0.05), setup(), compile_from=compile_from)
    assert told(result)[1] == (2, -1, 80.0, "stop_loss")


@EITHER
@pytest.mark.parametrize(("path", "exit_"), [("worst", (87.5, "stop_loss")), ("best", (112.5, "take_profit"))])
def test_where_both_are_reached_the_path_decides_and_the_result_tells_both(
    compile_from: int, path: str, exit_: tuple[float, str]
) -> None:
    table = candles(FLAT, FLAT, WIDE)
    asks = wanted([1.0] * 3, stop_loss=0.125, take_profit=0.125)
    result = run_kernel(table, asks, setup(path=path), compile_from=compile_from)
    assert told(result)[1] == (2, -1, *exit_)
    assert result.bounds == PathBounds(875.0, 1_125.0)
    assert result.ambiguous.bar.tolist() == [2]
    assert (result.ambiguous.worst.tolist(), result.ambiguous.best.tolist()) == ([875.0], [1_125.0])
    assert result.ambiguous.diverges.tolist() == [False]


@EITHER
def test_a_take_profit_rests_and_pays_the_makers_fee(compile_from: int) -> None:
    conditions = setup(costs=Costs(0.01, 0.0, maker_fee_rate=0.001))
    result = run_kernel(
        candles(FLAT, FLAT, WIDE), wanted([1.0] * 3, take_profit=0.1), conditions, compile_from=compile_from
    )
    quantity = 1_000.0 / 101.0
    assert result.filled.maker.tolist() == [False, True]
    assert result.filled.fee.tolist() == pytest.approx([quantity * 1.0, quantity * 0.11])


@EITHER
def test_an_account_that_owes_is_written_off_at_exactly_nothing(compile_from: int) -> None:
    """The short is liquidated where all its margin is gone; slippage at the entry has cost a little more than that."""
    conditions = setup(costs=Costs(0.01, 0.0), bounds=Bounds(1.0, allow_short=True))
    table = candles(FLAT, FLAT, (300.0, 300.0, 300.0, 300.0), FLAT)
    result = run_kernel(table, wanted([-1.0, -1.0, 1.0, 1.0]), conditions, compile_from=compile_from)
    assert [reason for *_, reason in told(result)] == ["", Role.LIQUIDATION.value]
    assert result.equity_values.tolist()[2:] == [0.0, 0.0]
    assert result.rejections == (Rejection(3 * DAY, "no_equity_left"),)
    paid = float((result.filled.side * result.filled.quantity * result.filled.price + result.filled.fee).sum())
    assert 1_000.0 - paid - result.charges.amount.sum() == pytest.approx(0.0, abs=1e-9)


@EITHER
def test_every_order_of_a_bracket_may_be_refused_and_still_there_is_room_to_log_it(compile_from: int) -> None:
    """A position below the minimum can be opened by a larger order and reduced to it; then no exit is legal."""
    instrument = Instrument(BTC, min_quantity=5.0)
    table = candles(FLAT, FLAT, FLAT, WIDE, FLAT, FLAT)
    asks = wanted([1.0, 0.4, 0.4, 0.4, 0.4, 0.4], stop_loss=0.05, take_profit=0.05, trailing_stop=0.06, max_bars=4.0)
    result = run_kernel(table, asks, setup(instruments=(instrument,)), compile_from=compile_from)
    assert [fill[0] for fill in told(result)] == [1, 2]
    assert [(refused.time // DAY, refused.reason) for refused in result.rejections] == [
        (3, "below_min_quantity")
    ] * 3 + [(5, "below_min_quantity")]


@EITHER
def test_a_refused_take_profit_does_not_come_back_with_its_next_step(compile_from: int) -> None:
    instrument = Instrument(BTC, min_quantity=5.0)
    table = candles(FLAT, FLAT, FLAT, WIDE, WIDE, WIDE)
    asks = wanted([1.0, 0.4, 0.4, 0.4, 0.4, 0.4])
    steps = ((DAY, 0.05), (3 * DAY, 0.01))
    asks = asks._replace(protection=protection_of(pd.DataFrame({"signal": asks.targets}), steps))
    result = run_kernel(table, asks, setup(instruments=(instrument,)), compile_from=compile_from)
    assert [refused.time // DAY for refused in result.rejections] == [3]


@EITHER
def test_a_position_that_its_target_closed_is_not_closed_again_when_its_bars_are_over(compile_from: int) -> None:
    asks = wanted([1.0, 0.0, 0.0, 0.0, 0.0, 0.0], max_bars=3.0)
    result = run_kernel(candles(*[FLAT] * 6), asks, setup(), compile_from=compile_from)
    assert [fill[0] for fill in told(result)] == [1, 2]
    assert result.rejections == ()


def test_which_of_the_two_loops_is_long_enough() -> None:
    assert is_plain(Wanted(np.array([0.0, 0.5, 1.0])), setup())
    assert is_plain(wanted([1.0, 0.0]), setup())
    assert not is_plain(wanted([1.0, 0.0], limit=99.0), setup())
    assert not is_plain(Wanted(np.array([0.0, -1.0])), setup(bounds=Bounds(1.0, allow_short=True)))
    assert not is_plain(Wanted(np.array([1.0])), setup(bounds=Bounds(2.0)))
    assert not is_plain(Wanted(np.array([1.0]), scales=np.array([0.5])), setup())
    assert not is_plain(Wanted(np.array([1.0]), unit="quantity"), setup())
