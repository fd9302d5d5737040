from __future__ import annotations

import math

import numpy as np
import pytest

from algotrade.backtest.setup import Setup
from algotrade.engine.events import (
    AmbiguousBar,
    BarOpened,
    CandleClosed,
    Charged,
    Decided,
    Denied,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    Submit,
)
from algotrade.engine.fills import Costs
from algotrade.engine.orders import Order, OrderType, Role
from algotrade.engine.session import Record
from algotrade.errors import AlgotradeError
from algotrade.evaluate.executions import Rejection
from algotrade.evaluate.portfolio import PortfolioResult
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


def test_a_fill_inside_a_bar_keeps_the_moment_the_reason_and_the_fee_in_base_units() -> None:
    fill = filled(1)._replace(
        time=DAY + 3_600_000, fee_quantity=0.25, maker=True, role=Role.TAKE_PROFIT, remaining=1.0, price=11.0
    )
    result = recorded(*bar(0), BarOpened("BTC/USD", DAY, 10.0), fill, *bar(1)[1:])
    row = result.fills.iloc[0]
    assert result.filled.bar.tolist() == [1]
    assert row["time"].isoformat() == "1970-01-02T01:00:00+00:00"
    assert (row["reason"], row["maker"], row["fee_quantity"]) == ("take_profit", True, 0.25)


def test_what_holding_cost_is_kept_with_the_fills_that_came_before() -> None:
    borrowed, paid = Charged("BTC/USD", DAY, "borrow", 1.5), Charged("BTC/USD", 2 * DAY, "funding", -0.5)
    result = recorded(*bar(0), filled(1, -1), *bar(1), borrowed, paid, *bar(2))
    assert result.charges.bar.tolist() == [1, 2]
    assert result.charges.fills_before.tolist() == [1, 1]
    assert (result.summary["borrow_paid"], result.summary["funding_paid"]) == (1.5, -0.5)


def test_ambiguous_bars_are_kept_and_one_walked_along_finer_candles_counts_once() -> None:
    def either(time: int, *, diverges: bool = False) -> AmbiguousBar:
        return AmbiguousBar("BTC/USD", time, 490.0, 510.0, diverges)

    inside = [either(2 * DAY + 60_000), either(2 * DAY + 120_000)]
    result = recorded(*bar(0), *bar(1)[:2], either(DAY, diverges=True), *bar(1)[2:], *inside, *bar(2), either(3 * DAY))
    assert result.ambiguous.bar.tolist() == [1, 2, 2]
    assert result.ambiguous.diverges.tolist() == [True, False, False]
    assert result.summary["ambiguous_bars"] == 2


def several(*records: Record, symbols: tuple[str, ...] = ("BTC/USD", "ETH/USD")) -> PortfolioResult:
    recording = Recording(symbols)
    for record in records:
        recording.add(record)
    return recording.portfolio(SETUP)


def of_eth(*records: Record) -> list[Record]:
    return [record._replace(symbol="ETH/USD") if "symbol" in record._fields else record for record in records]


def test_symbols_that_close_at_one_moment_make_one_bar_of_the_whole() -> None:
    first, second = closed(0)._replace(more=True), closed(0)._replace(symbol="ETH/USD")
    moment = [first, second, decided(0, equity=501.0), *of_eth(decided(0, equity=501.0))]
    result = several(*moment, *of_eth(filled(1)), *of_eth(*bar(1, equity=499.0)))
    assert result.times.tolist() == [0, DAY]
    assert result.equity_values.tolist() == [501.0, 499.0]
    assert [part.result.times.tolist() for part in result.parts] == [[0], [0, DAY]]
    assert [part.result.filled.bar.tolist() for part in result.parts] == [[], [1]]
    assert result.fills["symbol"].tolist() == ["ETH/USD"]


def test_a_refused_order_belongs_to_the_symbol_that_it_was_for() -> None:
    order = Order("id", "ETH/USD", 0, 1, quantity=1.0)
    refused = [Submit(order), OrderAccepted("id", 0), OrderRejected("id", DAY, "below_min_notional")]
    result = several(*bar(0), *of_eth(*bar(0)), *refused, *bar(1))
    assert [len(part.result.rejections) for part in result.parts] == [0, 1]
    assert result.rejections == (Rejection(DAY, "below_min_notional"),)


def test_an_ambiguous_bar_is_no_matter_of_a_book_whose_orders_fill_at_the_open() -> None:
    recording = Recording(["BTC/USD"], ["plain", "stops"])
    stop = Order("id", "BTC/USD", 0, -1, OrderType.STOP, quantity=1.0, stop=9.0, book="stops")
    for record in [closed(0), *(decided(0)._replace(book=book) for book in ("plain", "stops")), Submit(stop)]:
        recording.add(record)
    recording.add(AmbiguousBar("BTC/USD", 0, 1.0, 2.0, diverges=False))
    result = recording.portfolio(SETUP, {"plain": 250.0, "stops": 250.0})
    assert [len(part.result.ambiguous.bar) for part in result.parts] == [0, 1]
    assert result.summary["ambiguous_bars"] == 1


def test_several_symbols_are_no_single_result() -> None:
    recording = Recording()
    for record in (*bar(0), *of_eth(*bar(0))):
        recording.add(record)
    with pytest.raises(AlgotradeError, match="portfolio"):
        recording.result(SETUP)


def test_nothing_is_kept_of_an_order_that_is_done() -> None:
    recording = Recording()
    for number in range(100):
        order = Order(f"id{number}", "BTC/USD", 0, 1, quantity=1.0)
        done = (OrderCancelled(order.order_id, 0), OrderRejected(order.order_id, 0, "no"), filled(0))[number % 3]
        for record in (Submit(order), done._replace(order_id=order.order_id)):
            recording.add(record)
    assert not recording._working
