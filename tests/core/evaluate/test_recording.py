from __future__ import annotations

import math

import numpy as np
import pytest

from algotrade.backtest.setup import Setup
from algotrade.engine.events import (
    BarOpened,
    CandleClosed,
    Decided,
    Denied,
    OrderAccepted,
    OrderFilled,
    OrderRejected,
    Submit,
)
from algotrade.engine.fills import Costs
from algotrade.engine.orders import Order
from algotrade.engine.session import Record
from algotrade.evaluate.executions import Rejection
from algotrade.evaluate.recording import Recording
from algotrade.evaluate.result import Result
from algotrade.market.instrument import Instrument

DAY = 86_400_000
SETUP = Setup((Instrument("BTC/USD"),), "1d", cash=500.0, costs=Costs(0.001, 0.002), calendar="stocks")


def closed(day: int, price: float = 10.0) -> CandleClosed:
    return CandleClosed("BTC/USD", day * DAY, price, price + 2, price - 2, price + 1, 7.0)


def decided(day: int, exposure: float = math.nan, equity: float = 500.0) -> Decided:
    return Decided("BTC/USD", day * DAY, exposure, "hold", 0.0, equity, equity)


def filled(day: int, side: int = 1) -> OrderFilled:
    return OrderFilled("id", "BTC/USD", day * DAY, side, 2.0, 10.0, 0.02)


def bar(day: int, exposure: float = math.nan, equity: float = 500.0) -> list[Record]:
    return [BarOpened("BTC/USD", day * DAY, 10.0), closed(day), decided(day, exposure, equity)]


def recorded(*records: Record) -> Result:
    recording = Recording()
    for record in records:
        recording.add(record)
    return recording.result(SETUP)


def test_candles_equity_and_conditions_come_back() -> None:
    result = recorded(*bar(0), *bar(1, equity=510.0))
    assert result.times.tolist() == [0, DAY]
    assert result.candles.iloc[0].to_dict() == {"open": 10.0, "high": 12.0, "low": 8.0, "close": 11.0, "volume": 7.0}
    assert result.equity_values.tolist() == [500.0, 510.0]
    assert (result.cash, result.costs, result.timeframe, result.calendar) == (
        500.0,
        Costs(0.001, 0.002),
        "1d",
        "stocks",
    )


def test_a_fill_belongs_to_the_bar_that_is_open() -> None:
    result = recorded(*bar(0), BarOpened("BTC/USD", DAY, 10.0), filled(1), *bar(1)[1:], *bar(2))
    assert result.filled.bar.tolist() == [1]
    assert [column.dtype for column in result.filled[:5]] == [np.int64, np.int64, *[np.float64] * 3]
    assert (result.filled.side[0], result.filled.quantity[0], result.filled.price[0]) == (1, 2.0, 10.0)


def test_a_fill_that_is_told_after_its_bar_closed_belongs_to_that_bar() -> None:
    assert recorded(*bar(0), *bar(1), filled(1), *bar(2)).filled.bar.tolist() == [1]


def test_a_fill_after_missing_bars_belongs_to_the_next_row() -> None:
    assert recorded(*bar(0), filled(5), *bar(5)).filled.bar.tolist() == [1]


def test_what_happened_in_a_bar_that_has_not_closed_is_left_out() -> None:
    result = recorded(*bar(0), BarOpened("BTC/USD", DAY, 10.0), filled(1))
    assert len(result.filled.bar) == 0
    assert len(result.candles) == len(result.equity_values) == 1


def test_a_candle_whose_decision_is_not_recorded_yet_is_left_out() -> None:
    assert len(recorded(*bar(0), closed(1)).candles) == 1


def test_refusals_of_the_exchange_and_of_our_limits_are_kept_with_their_times() -> None:
    order = Order("id", "BTC/USD", DAY, 1, quantity=1.0)
    result = recorded(*bar(0), OrderRejected("id", DAY, "below_min_notional"), Denied(order, "max_order_notional"))
    assert result.rejections == (Rejection(DAY, "below_min_notional"), Rejection(DAY, "max_order_notional"))


def test_records_that_say_nothing_of_the_outcome_are_passed_over() -> None:
    order = Order("id", "BTC/USD", 0, 1, quantity=1.0)
    result = recorded(*bar(0), Submit(order), OrderAccepted("id", 0))
    assert (len(result.filled.bar), result.rejections) == (0, ())


@pytest.mark.parametrize(
    ("exposures", "signals"),
    [([0.0, 1.0], [0.0, 1.0]), ([math.nan, 1.0], [None, 1.0]), ([math.nan, math.nan], None)],
)
def test_targets_in_force_are_the_signals(exposures: list[float], signals: list[float | None] | None) -> None:
    result = recorded(*(record for day, exposure in enumerate(exposures) for record in bar(day, exposure)))
    if signals is None:
        assert result.signals is None
        return
    assert result.signals is not None
    assert [None if math.isnan(value) else value for value in result.signals["signal"]] == signals
    assert list(result.signals["close"]) == [11.0, 11.0]


def test_nothing_recorded_is_an_empty_result() -> None:
    result = recorded()
    assert (len(result.candles), len(result.equity_values), result.signals) == (0, 0, None)
