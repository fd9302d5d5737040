from __future__ import annotations

import numpy as np
import pytest

from algotrade.backtest.event_loop import KnownTargets, market_events, new_session, run_event_loop
from algotrade.backtest.setup import Setup
from algotrade.engine.events import BarOpened, CandleClosed, OrderFilled
from algotrade.engine.fills import Costs
from algotrade.engine.risk import Limits
from algotrade.engine.sizing import Terms
from algotrade.errors import FixStrategy
from algotrade.market.candles import candle_table
from algotrade.market.instrument import Instrument
from algotrade.strategy.base import Strategy, on
from algotrade.strategy.signals import Bounds

DAY = 86_400_000
BTC = "BTC/USD"
CANDLES = candle_table(
    np.arange(4) * DAY, np.array([[10, 20, 30, 40], [12, 22, 32, 42], [9, 19, 29, 39], [11, 21, 31, 41], [1, 2, 3, 4]])
)


def test_every_bar_is_two_events_in_order() -> None:
    events = list(market_events(BTC, CANDLES.iloc[:2]))
    assert events == [
        BarOpened(BTC, 0, 10.0),
        CandleClosed(BTC, 0, 10.0, 12.0, 9.0, 11.0, 1.0),
        BarOpened(BTC, DAY, 20.0),
        CandleClosed(BTC, DAY, 20.0, 22.0, 19.0, 21.0, 2.0),
    ]
    assert {type(value) for event in events for value in event} == {str, int, float, bool}


def test_the_terms_of_a_market_are_its_costs_and_legal_sizes() -> None:
    market = Instrument(BTC, quantity_step=1, price_tick=2, min_quantity=3, min_notional=4)
    assert Setup((market,), "1d", costs=Costs(0.1, 0.2)).terms == Terms(0.1, 0.2, 1.0, 3.0, 4.0, 0.1, 2.0)


@pytest.mark.parametrize(
    ("can_short", "allow_short", "expected"), [(False, False, False), (True, False, True), (False, True, True)]
)
def test_shorts_need_a_market_or_the_wish(can_short: bool, allow_short: bool, expected: bool) -> None:
    market = Instrument(BTC, can_short=can_short)
    assert Setup((market,), "1d", bounds=Bounds(allow_short=allow_short)).can_short is expected


def test_a_fresh_session_has_two_ledgers_with_the_same_cash_and_the_limits_of_the_setup() -> None:
    conditions = Setup((Instrument(BTC),), "1d", cash=500.0, limits=Limits(max_orders_per_day=0))
    session = new_session(KnownTargets(BTC, np.ones(4)), conditions)
    assert session.engine.account.cash == session.venue.account.cash == 500.0
    records = [type(record).__name__ for event in market_events(BTC, CANDLES) for record in session.process(event)]
    assert "Denied" in records
    assert "Submit" not in records


class FlipsAfterEachFill(Strategy):
    """Answers every fill with the opposite order, so that something fills in each bar."""

    def __init__(self) -> None:
        super().__init__()
        self.fills: list[OrderFilled] = []

    @on("candles")
    def begin_once(self, candle: CandleClosed) -> None:
        if candle.time == 0:
            self.buy(quantity=1)

    @on("fills")
    def turn(self, fill: OrderFilled) -> None:
        self.fills.append(fill)
        if fill.side > 0:
            self.sell(quantity=fill.quantity)
        else:
            self.buy(quantity=fill.quantity)


def test_orders_made_in_answer_to_fills_are_in_the_result_at_their_bar() -> None:
    strategy = FlipsAfterEachFill()
    strategy.begin(BTC, None)
    result = run_event_loop(CANDLES, strategy, Setup((Instrument(BTC),), "1d", cash=100.0, costs=Costs(0.0, 0.0)))
    assert result.filled.bar.tolist() == [1, 2, 3]
    assert result.filled.side.tolist() == [1, -1, 1]
    assert result.filled.price.tolist() == [20.0, 30.0, 40.0]
    assert result.equity_values.tolist() == [100.0, 101.0, 110.0, 111.0]
    assert [fill.price for fill in strategy.fills] == result.filled.price.tolist()


def test_a_strategy_that_raises_ends_the_backtest_with_the_bar_and_the_line() -> None:
    class Breaks(Strategy):
        @on("candles")
        def act(self, candle: CandleClosed) -> None:
            if candle.time == 2 * DAY:
                raise LookupError("no such thing")

    strategy = Breaks()
    strategy.begin(BTC, None)
    with pytest.raises(FixStrategy, match=r"at 1970-01-03T00:00:00Z: breaks raised LookupError: no such thing \(test_"):
        run_event_loop(CANDLES, strategy, Setup((Instrument(BTC),), "1d"))


def test_every_symbol_of_a_setup_has_its_own_market() -> None:
    conditions = Setup((Instrument(BTC, quantity_step=0.1), Instrument("ETH/USD", can_short=True)), "1d")
    assert conditions.symbols == (BTC, "ETH/USD")
    assert conditions.instrument.symbol == BTC
    markets = conditions.rules.markets
    assert [(symbol, market.terms.quantity_step, market.can_short) for symbol, market in markets.items()] == [
        (BTC, 0.1, False),
        ("ETH/USD", 0.0, True),
    ]
