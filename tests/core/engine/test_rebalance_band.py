from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from algotrade.backtest.event_loop import new_session, run_event_loop
from algotrade.backtest.feed import market_events
from algotrade.backtest.known_signals import KnownSignals
from algotrade.backtest.setup import Setup
from algotrade.engine.account import View
from algotrade.engine.events import CandleClosed, Decided, Emitted, Event, OrderFilled, Submit
from algotrade.engine.fills import Costs
from algotrade.engine.orders import Bracket
from algotrade.engine.requests import Request, TargetRequest
from algotrade.engine.session import Record
from algotrade.evaluate.result import Result
from algotrade.market.candles import candle_table
from algotrade.market.instrument import Instrument
from algotrade.strategy.protection import Wanted

DAY = 86_400_000
BTC = "BTC/USD"
FREE = Setup((Instrument(BTC),), "1d", cash=1_000.0, costs=Costs(0.0, 0.0))


def still(*prices: float) -> pd.DataFrame:
    """A candle at each price, in which nothing moves."""
    return candle_table(np.arange(len(prices)) * DAY, np.tile(np.array(prices, np.float64), (5, 1)))


def held(prices: list[float], target: float, band: float) -> Result:
    setup = FREE._replace(rebalance_band=band)
    return run_event_loop(still(*prices), KnownSignals({BTC: Wanted(np.full(len(prices), target))}), setup)


class Once:
    """Asks for one target at the first candle, and then for nothing."""

    def __init__(self, request: TargetRequest) -> None:
        self._requests: list[Request] = [request]

    def handle(self, event: Event | Emitted, view: View) -> list[Request]:
        asked, self._requests = (self._requests, []) if isinstance(event, CandleClosed) else ([], self._requests)
        return asked


def records_after(request: TargetRequest, prices: list[float], band: float, costs: Costs = FREE.costs) -> list[Record]:
    session = new_session(Once(request), FREE._replace(rebalance_band=band, costs=costs))
    events = market_events({BTC: still(*prices)}, "1d")
    return [record for event in events for record in session.process(event)]


def fills_after(request: TargetRequest, prices: list[float], band: float) -> list[OrderFilled]:
    return [record for record in records_after(request, prices, band) if isinstance(record, OrderFilled)]


def orders_after(request: TargetRequest, prices: list[float], band: float, costs: Costs = FREE.costs) -> int:
    return sum(isinstance(record, Submit) for record in records_after(request, prices, band, costs))


def test_without_a_band_drift_alone_never_trades() -> None:
    assert len(held([100, 100, 200, 400, 400], 0.5, 0.0).filled.bar) == 1


def test_a_share_of_equity_that_drifts_by_more_than_the_band_is_brought_back_at_the_next_open() -> None:
    filled = held([100, 100, 200, 200, 200], 0.5, 0.1).filled
    assert filled.bar.tolist() == [1, 3]  # 5 x 200 of 1,500 is two thirds
    assert filled.side.tolist() == [1, -1]
    assert filled.quantity.tolist() == [5.0, pytest.approx(1.25)]  # 3.75 x 200 is the half of 1,500


def test_a_drift_of_the_band_itself_is_none() -> None:
    prices = [100.0, 100.0, 150.0, 150.0]  # 5 x 150 of 1,250 is 0.6
    assert len(held(prices, 0.5, 0.1).filled.bar) == 1
    assert len(held(prices, 0.5, 0.0999).filled.bar) == 2


def test_what_has_fallen_is_bought() -> None:
    assert held([100, 100, 50, 50, 50], 0.5, 0.1).filled.side.tolist() == [1, 1]


def test_a_strategy_that_asks_once_is_held_to_it_as_well() -> None:
    assert [fill.side for fill in fills_after(TargetRequest(BTC, 0.5), [100, 100, 200, 200], 0.1)] == [1, -1]


def test_a_target_in_money_drifts_and_one_in_pieces_does_not() -> None:
    money = fills_after(TargetRequest(BTC, 500.0, unit="notional"), [100, 100, 200, 200], 0.1)
    assert [(fill.side, fill.quantity) for fill in money] == [(1, 5.0), (-1, 2.5)]
    assert orders_after(TargetRequest(BTC, 500.0, unit="notional"), [100, 100, 100, 100], 0.1) == 1
    assert orders_after(TargetRequest(BTC, 5.0, unit="quantity"), [100, 100, 200, 200], 0.1) == 1


def test_a_position_that_is_being_closed_in_parts_is_not_bought_back() -> None:
    request = TargetRequest(BTC, 0.005, bracket=Bracket(max_bars=2))  # 0.05 pieces, of which a bar of 100 takes 0.02
    slowly = Costs(0.0, 0.0, max_volume_share=0.0002)
    prices = [100.0] * 12
    fills = [record for record in records_after(request, prices, 0.001, slowly) if isinstance(record, OrderFilled)]
    assert sum(fill.side * fill.quantity for fill in fills) == pytest.approx(0.0)
    assert [fill.side for fill in fills] == sorted((fill.side for fill in fills), reverse=True)


def test_an_order_that_still_works_is_not_sent_a_second_time() -> None:
    setup = FREE._replace(rebalance_band=0.1, costs=Costs(0.0, 0.0, latency_bars=2))
    session = new_session(KnownSignals({BTC: Wanted(np.full(8, 0.5))}), setup)
    sent = [
        record.order.time // DAY
        for event in market_events({BTC: still(100, 100, 100, 100, 200, 200, 200, 200)}, "1d")
        for record in session.process(event)
        if isinstance(record, Submit)
    ]
    assert sent == [0, 4]


def test_a_position_that_its_stop_closed_stays_closed() -> None:
    request = TargetRequest(BTC, 0.5, bracket=Bracket(stop_loss=0.1))
    assert [fill.role for fill in fills_after(request, [100, 100, 80, 80, 80, 80], 0.05)] == ["", "stop_loss"]


def test_the_bracket_of_a_position_stays_where_it_is_brought_back_to_its_share() -> None:
    request = TargetRequest(BTC, 0.5, bracket=Bracket(stop_loss=0.5))
    fills = fills_after(request, [100, 100, 200, 200, 40], 0.1)
    assert [fill.role for fill in fills] == ["", "", "stop_loss"]
    assert fills[2].price == 40.0


def test_flat_is_never_brought_back() -> None:
    assert len(held([100, 100, 200, 50, 100], 0.0, 0.01).filled.bar) == 0


def test_a_decision_to_bring_it_back_is_a_trade() -> None:
    session = new_session(KnownSignals({BTC: Wanted(np.full(4, 0.5))}), FREE._replace(rebalance_band=0.1))
    events = market_events({BTC: still(100, 100, 200, 200)}, "1d")
    actions = [record.action for event in events for record in session.process(event) if isinstance(record, Decided)]
    assert actions == ["trade", "hold", "trade", "hold"]
