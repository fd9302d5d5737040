from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from algotrade.backtest.event_loop import run_event_loop
from algotrade.backtest.kernel import COMPILE_FROM_BARS, run_kernel
from algotrade.backtest.known_signals import KnownSignals
from algotrade.backtest.setup import Setup
from algotrade.engine.fills import Costs
from algotrade.evaluate.executions import Rejection
from algotrade.market.candles import candle_table, times_ms
from algotrade.market.instrument import Instrument
from algotrade.strategy.protection import Wanted
from algotrade.strategy.signals import Bounds

DAY = 86_400_000
BTC = "BTC/USD"
EITHER = pytest.mark.parametrize("compile_from", [0, 10**9], ids=["compiled", "plain"])


def flat(bars: int, price: float = 100.0) -> pd.DataFrame:
    return candle_table(np.arange(bars) * DAY, np.full((5, bars), price))


def setup(**changes: Any) -> Setup:
    return Setup((Instrument(BTC),), "1d", cash=1_000.0, costs=Costs(0.0, 0.0))._replace(**changes)


@EITHER
def test_the_result_carries_what_it_was_made_from(compile_from: int) -> None:
    candles = flat(3)
    conditions = setup(costs=Costs(0.1, 0.2), calendar="stocks", timeframe="4h")
    result = run_kernel(candles, np.zeros(3), conditions, compile_from=compile_from)
    assert result.candles is candles
    assert (result.cash, result.costs, result.timeframe, result.calendar) == (1_000.0, Costs(0.1, 0.2), "4h", "stocks")
    assert result.equity_values.tolist() == [1_000.0] * 3
    assert (result.signals, result.rejections) == (None, ())


@EITHER
def test_fills_and_refusals_are_kept_apart_in_order(compile_from: int) -> None:
    targets = np.array([1.0, 0.0, 0.05, 1.0, 0.0, 0.0])
    conditions = setup(instruments=(Instrument(BTC, min_notional=100.0),))
    result = run_kernel(flat(6), targets, conditions, compile_from=compile_from)
    assert result.filled.bar.tolist() == [1, 2, 4, 5]
    assert result.filled.side.tolist() == [1, -1, 1, -1]
    assert result.rejections == (Rejection(3 * DAY, "below_min_notional"),)
    assert result.filled.bar.dtype == result.filled.side.dtype == np.int64


@EITHER
@pytest.mark.parametrize("bars", [0, 1])
def test_too_few_bars_to_trade_in_are_no_error(compile_from: int, bars: int) -> None:
    result = run_kernel(flat(bars), np.ones(bars), setup(), compile_from=compile_from)
    assert len(result.equity_values) == bars
    assert len(result.filled.bar) == 0


@EITHER
def test_whole_numbers_in_the_conditions_give_floats(compile_from: int) -> None:
    conditions = Setup((Instrument(BTC, quantity_step=1),), "1d", cash=1_000, costs=Costs(0, 0))
    result = run_kernel(flat(3), np.ones(3), conditions, compile_from=compile_from)
    assert result.equity_values.dtype == np.float64
    assert result.filled.fee.dtype == np.float64


def test_the_inputs_are_left_as_they_were() -> None:
    candles, targets = flat(4), np.array([0.0, 1.0, 0.0, 0.0])
    copies = candles.copy(deep=True), targets.copy()
    for compile_from in (0, 10**9):
        run_kernel(candles, targets, setup(), compile_from=compile_from)
    assert candles.equals(copies[0])
    assert (targets == copies[1]).all()


def test_only_large_work_is_worth_half_a_second_of_importing_numba() -> None:
    assert 100_000 <= COMPILE_FROM_BARS <= 1_000_000


def test_the_event_loop_gives_the_same_result_in_every_field() -> None:
    candles = candle_table(np.arange(6) * DAY, np.array([[10, 11, 12, 9, 8, 10.0]] * 5))
    targets = np.array([0.0, 1.0, -0.5, 0.0, 0.001, 0.001])
    instrument = Instrument(BTC, quantity_step=0.5, min_quantity=1.0)
    conditions = setup(
        instruments=(instrument,), costs=Costs(0.01, 0.02), bounds=Bounds(allow_short=True), calendar="stocks"
    )
    fast = run_kernel(candles, targets, conditions)
    reference = run_event_loop(candles, KnownSignals({BTC: Wanted(targets)}), conditions)
    pd.testing.assert_frame_equal(fast.candles, reference.candles)
    pd.testing.assert_frame_equal(fast.fills, reference.fills)
    assert fast.equity_values.tobytes() == reference.equity_values.tobytes()
    assert fast.rejections == reference.rejections != ()
    for name in ("cash", "costs", "timeframe", "calendar", "simulated"):
        assert getattr(fast, name) == getattr(reference, name)
    assert times_ms(fast.candles).tolist() == times_ms(reference.candles).tolist()
