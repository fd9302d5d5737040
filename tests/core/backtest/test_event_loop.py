from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from algotrade.backtest.event_loop import new_session, run_event_loop
from algotrade.backtest.feed import Inside, Prints, candles_of, market_events
from algotrade.backtest.known_signals import KnownSignals
from algotrade.backtest.setup import Setup
from algotrade.engine.events import CandleClosed, OrderFilled, TimerStruck
from algotrade.engine.fills import Costs
from algotrade.engine.risk import Limits
from algotrade.engine.sizing import Terms
from algotrade.errors import FixStrategy
from algotrade.evaluate.portfolio import PortfolioResult
from algotrade.market.candles import candle_table
from algotrade.market.funding import FundingRates
from algotrade.market.instrument import Instrument
from algotrade.strategy.base import Strategy, on, param
from algotrade.strategy.protection import Wanted
from algotrade.strategy.signals import Bounds

DAY = 86_400_000
BTC = "BTC/USD"
CANDLES = candle_table(
    np.arange(4) * DAY, np.array([[10, 20, 30, 40], [12, 22, 32, 42], [9, 19, 29, 39], [11, 21, 31, 41], [1, 2, 3, 4]])
)


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
    session = new_session(KnownSignals({BTC: Wanted(np.ones(4))}), conditions)
    assert session.engine.account.cash == session.venue.account.cash == 500.0
    records = [
        type(record).__name__ for event in market_events({BTC: CANDLES}, "1d") for record in session.process(event)
    ]
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


ETH = "ETH/USD"
FREE = Setup((Instrument(BTC),), "1d", cash=1_000.0, costs=Costs(0.0, 0.0))
TOGETHER = FREE._replace(instruments=(Instrument(BTC), Instrument(ETH)))


class Holds(Strategy):
    """Keeps a share of equity in every symbol, protected by a stop where one is given."""

    share: float = param(0.5, low=0.0, high=1.0)
    stop: float = param(0.0, low=0.0, high=1.0)

    @on("candles")
    def keep(self, candle: CandleClosed) -> None:
        if self.stop:
            self.target(exposure=self.share, stop_loss=self.stop, take_profit=self.stop)
        else:
            self.target(exposure=self.share)


def begun(*symbols: str, **parameters: float) -> Holds:
    strategy = Holds(**parameters)
    strategy.begin(symbols, None, timeframe="1d")
    return strategy


def still(first: int, *prices: float) -> pd.DataFrame:
    """A candle a day from a first one on, in which nothing moves."""
    times = (first + np.arange(len(prices))) * DAY
    return candle_table(times, np.tile(np.array(prices, np.float64), (5, 1)))


def test_symbols_in_one_account_share_its_cash() -> None:
    tables = {BTC: still(0, 10, 10, 20), ETH: still(0, 5, 5, 5)}
    result = run_event_loop(tables, begun(BTC, ETH), TOGETHER)
    assert isinstance(result, PortfolioResult)
    assert [(part.symbol, part.result.filled.quantity.tolist()) for part in result.parts] == [
        (BTC, [50.0]),
        (ETH, [100.0]),
    ]
    assert result.equity_values.tolist() == [1_000.0, 1_000.0, 1_500.0]


def test_a_symbol_that_ends_earlier_is_marked_at_its_last_close_and_one_may_begin_later() -> None:
    tables = {BTC: still(0, 10, 10, 20), ETH: still(2, 5, 5, 10)}
    result = run_event_loop(tables, begun(BTC, ETH), TOGETHER)
    assert (result.times // DAY).tolist() == [0, 1, 2, 3, 4]
    assert result.equity_values.tolist() == [1_000.0, 1_000.0, 1_500.0, 1_500.0, 2_000.0]


def test_strategies_with_books_of_their_own_have_the_same_share_of_the_cash() -> None:
    books = {"half": begun(BTC, share=0.5), "all": begun(BTC, share=1.0)}
    result = run_event_loop({BTC: still(0, 10, 10, 20)}, books, FREE._replace(books=("half", "all")))
    assert isinstance(result, PortfolioResult)
    assert [(part.strategy, part.profit) for part in result.parts] == [("half", 250.0), ("all", 500.0)]
    assert result.equity_values.tolist() == [1_000.0, 1_000.0, 1_750.0]


WILD = candle_table(np.arange(3) * DAY, np.array([[10, 10, 10], [10, 12, 10], [10, 8, 10], [10, 10, 10], [1, 1, 1]]))


@pytest.mark.parametrize(("path", "final"), [("worst", 950.0), ("best", 1_050.0)])
def test_a_bar_that_could_have_gone_either_way_is_run_both_ways(path: str, final: float) -> None:
    setup = FREE._replace(path=path)
    result = run_event_loop(WILD, begun(BTC, stop=0.1), setup, again=lambda: begun(BTC, stop=0.1))
    assert result.ambiguous.bar.tolist() == [1]
    assert result.equity_values[-1] == pytest.approx(final)
    assert result.bounds == pytest.approx((950.0, 1_050.0))


def test_where_no_bar_is_ambiguous_nothing_is_run_twice() -> None:
    def never() -> Strategy:
        raise AssertionError("it was run again")

    assert run_event_loop(WILD, begun(BTC), FREE, again=never).bounds is None
    assert run_event_loop(WILD, begun(BTC, stop=0.1), FREE).bounds is None


def test_finer_candles_say_which_way_the_price_went() -> None:
    finer = candle_table(
        DAY + np.array([0, DAY // 2]), np.array([[10, 12], [12, 12], [10, 8], [12, 10], [1, 1]], np.float64)
    )
    result = run_event_loop(WILD, begun(BTC, stop=0.1), FREE, inside=Inside(detail={BTC: finer}))
    assert result.equity_values[-1] == pytest.approx(1_050.0)
    assert not len(result.ambiguous.bar)


def test_trades_fill_orders_inside_the_bar() -> None:
    times = np.array([0, 1, DAY, DAY + 1, DAY + 2, 2 * DAY]) * 1_000_000
    trades = Prints(times, np.array([10, 10, 10, 12, 8, 10.0]), np.ones(6), np.ones(6, np.int8))
    candles = candles_of(trades, "1d", start_ms=0, until_ms=2 * DAY)
    result = run_event_loop(candles, begun(BTC, stop=0.1), FREE, inside=Inside(prints={BTC: trades}))
    assert result.fills["price"].tolist() == pytest.approx([10.0, 11.0])
    assert result.filled.after_ms.tolist() == [0, 1]


def test_funding_is_paid_on_what_is_held_when_it_is_due() -> None:
    rates = FundingRates(np.array([DAY, 2 * DAY]), np.array([0.01, 0.01]))
    result = run_event_loop(still(0, 10, 10, 10), begun(BTC), FREE, inside=Inside(funding={BTC: rates}))
    assert result.charges.amount.tolist() == [5.0]  # bought at the open behind the first
    assert result.equity_values.tolist() == [1_000.0, 1_000.0, 995.0]


def test_timers_are_struck_as_often_as_a_strategy_wants_them() -> None:
    class Counts(Strategy):
        def __init__(self) -> None:
            super().__init__()
            self.struck: list[int] = []

        @on("timer:12h")
        def count(self, timer: TimerStruck) -> None:
            self.struck.append(timer.time)

    strategy = Counts()
    strategy.begin(BTC, None, timeframe="1d")
    run_event_loop(still(0, 10, 10), strategy, FREE)
    assert [time / DAY for time in strategy.struck] == [0.0, 0.5, 1.0]
