"""Every strategy that we ship trades on the demo market, passes the checks, and does bar by bar what was backtested."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from algotrade.backtest.event_loop import run_event_loop
from algotrade.backtest.execution import execute, prepare
from algotrade.backtest.feed import Inside, Prints
from algotrade.backtest.setup import Setup
from algotrade.engine.fills import Costs
from algotrade.evaluate.portfolio import Outcome
from algotrade.market.candles import candle_table
from algotrade.market.instrument import Instrument
from algotrade.market.simulate import instrument_of, simulate_candles, simulate_trades
from algotrade.market.span import parse_span
from algotrade.market.trades import NS_PER_MS
from algotrade.strategy.base import Strategy
from algotrade.strategy.checks import Budget, check_portfolio, check_strategy
from algotrade.strategy.signals import Bounds, decides_by_signals
from algotrade.strategy.weights import decides_by_weights
from tests.leaks.clean import SHIPPED, shipped

ALL = sorted(path.stem for path in SHIPPED.glob("*.py"))
TOGETHER = ("market_regime", "regime_follower")  # the one tells, the other trades
WITH_TRADES = "trade_flow"
PORTFOLIOS = ("momentum_rotation", "pair_spread", "risk_parity")
ALONE = [name for name in ALL if name not in (*TOGETHER, WITH_TRADES)]
FULL = Budget(full=True)


class World(NamedTuple):
    """A market, and what may be done in it."""

    tables: Mapping[str, pd.DataFrame]
    setup: Setup


def world(name: str, *, start: str = "2019-01-01", end: str = "2021-12-31") -> World:
    """Days of the demo market: of two symbols, with shorts, where a strategy is about several."""
    symbols = ("BTC/USD", "ETH/USD") if name in PORTFOLIOS else ("BTC/USD",)
    span = parse_span(start, end)
    assert span.start is not None
    assert span.end is not None
    tables = {symbol: simulate_candles(symbol, "1d", span.start, span.end) for symbol in symbols}
    instruments = tuple(instrument_of(symbol) for symbol in symbols)
    return World(tables, Setup(instruments, "1d", bounds=Bounds(allow_short=name == "pair_spread")))


def fills_of(outcome: Outcome) -> list[tuple[float, ...]]:
    """Bar, side, quantity and price of every fill."""
    filled = outcome.filled
    columns = (filled.bar, filled.side, filled.quantity, filled.price)
    return list(zip(*(np.asarray(column).tolist() for column in columns), strict=True))


def backtested(name: str, at: World) -> Outcome:
    """As `algotrade backtest` runs it."""
    return execute({"": prepare(shipped(name)(), at.tables, at.setup)}, at.tables, at.setup)


@pytest.mark.parametrize("name", ALONE)
def test_it_trades_on_the_demo_market(name: str) -> None:
    assert len(fills_of(backtested(name, world(name)))) >= 4


@pytest.mark.parametrize("name", ALONE)
def test_asked_bar_by_bar_it_does_what_was_backtested(name: str) -> None:
    at = world(name, start="2020-01-01", end="2021-06-30")
    strategy = begun(name, at)
    asked = run_event_loop(at.tables, {"": strategy}, at.setup)
    backtest = backtested(name, at)
    assert fills_of(asked) == fills_of(backtest)
    assert asked.equity_values.tolist() == backtest.equity_values.tolist()


def begun(name: str, at: World) -> Strategy:
    """A fresh one that keeps every candle, as a session does that knows them all."""
    strategy = shipped(name)()
    strategy.bounds = at.setup.bounds
    strategy.begin(at.setup.symbols, "all", timeframe="1d")
    return strategy


@pytest.mark.parametrize("name", ALL)
def test_it_passes_the_checks_at_every_bar(name: str) -> None:
    at = world(name, start="2019-07-01", end="2020-12-31")
    strategy = prepare(shipped(name)(), at.tables, at.setup).strategy
    if decides_by_weights(strategy):
        checks = check_portfolio(strategy, at.tables, strategy.weights(at.tables), FULL, count().__next__)
    else:
        candles = next(iter(at.tables.values()))
        signals = strategy.signals(candles) if decides_by_signals(strategy) else None
        checks = check_strategy(strategy, candles, signals, FULL, count().__next__)
    assert not checks.failed
    assert checks.look_ahead.passed
    assert checks.purity.passed


def test_what_one_strategy_tells_another_follows() -> None:
    at = world("market_regime")
    at = at._replace(setup=at.setup._replace(books=TOGETHER))
    books = {name: prepare(shipped(name)(), at.tables, at.setup) for name in TOGETHER}
    outcome = execute(books, at.tables, at.setup)
    assert len(fills_of(outcome)) >= 4
    close = at.tables["BTC/USD"]["close"].to_numpy()
    first = int(np.asarray(outcome.filled.bar)[0])
    assert close[first - 1] > close[first - 200 : first].mean()


def test_trade_flow_follows_who_was_in_a_hurry() -> None:
    span = parse_span("2020-01-01", "2020-01-02T23:59")
    assert span.start is not None
    assert span.end is not None
    candles = simulate_candles("BTC/USD", "1h", span.start, span.end)
    trades = simulate_trades("BTC/USD", span.start, span.end)
    prints = Prints(trades.times * NS_PER_MS, trades.prices, trades.quantities, trades.sides)
    at = World({"BTC/USD": candles}, Setup((instrument_of("BTC/USD"),), "1h"))
    strategy = begun(WITH_TRADES, at)
    outcome = run_event_loop(at.tables, {"": strategy}, at.setup, inside=Inside(prints={"BTC/USD": prints}))
    assert len(fills_of(outcome)) >= 2


# ---- what the ones that answer events do, bar by bar ----------------------------------------------------------------
DAY = 86_400_000
FIRST_MONDAY = 1_577_664_000_000 + 7 * DAY  # 2020-01-06


def traded(strategy: Strategy, bars: list[tuple[float, float, float, float]]) -> list[tuple[int, int, float]]:
    """Bar, side and price of each fill, over days of (open, high, low, close), without costs."""
    columns = [*np.array(bars, np.float64).T, np.ones(len(bars))]
    candles = candle_table(FIRST_MONDAY + DAY * np.arange(len(bars)), columns)
    setup = Setup((Instrument("BTC/USD"),), "1d", costs=Costs(0.0, 0.0))
    strategy.begin("BTC/USD", strategy.warmup, timeframe="1d")
    filled = run_event_loop(candles, strategy, setup).filled
    return list(zip(filled.bar.tolist(), filled.side.tolist(), filled.price.round(6).tolist(), strict=True))


def still(price: float, days: int) -> list[tuple[float, float, float, float]]:
    """Days on which little happens."""
    return [(price, price + 1, price - 1, price)] * days


def test_dollar_cost_averaging_buys_every_monday() -> None:
    assert [bar for bar, _, _ in traded(shipped("dollar_cost_averaging")(), still(100.0, 22))] == [0, 7, 14, 21]


def test_limit_ladder_bids_below_and_sells_a_step_higher() -> None:
    bars = [*still(100.0, 2), (100, 100, 97, 97.5), (97.5, 102, 97.5, 101)]
    assert traded(shipped("limit_ladder")(), bars) == [(2, 1, 98.0), (3, -1, 99.96)]


def test_volatility_breakout_buys_by_a_stop_and_takes_its_profit() -> None:
    bars = [*still(100.0, 1), (100, 103, 100, 103), (103, 115, 103, 114)]
    assert traded(shipped("volatility_breakout")(), bars) == [(1, 1, 102.0), (2, -1, 112.2)]


def test_turtle_soup_buys_the_return_above_the_old_low() -> None:
    bars = [*still(100.0, 20), (100, 100, 95, 96), (96, 101, 96, 100), (100, 100, 94, 94)]
    assert traded(shipped("turtle_soup")(), bars) == [(21, 1, 99.0), (22, -1, 95.0)]


def test_scale_out_sells_half_and_lets_the_rest_go_where_it_came_in() -> None:
    bars = [*still(100.0, 20), (100, 103, 100, 103), (103, 104, 103, 104), (104, 109, 104, 109), (109, 109, 100, 101)]
    assert traded(shipped("scale_out")(), bars) == [(21, 1, 103.0), (22, -1, 108.15), (23, -1, 103.0)]


def test_turtle_adds_half_a_range_higher_and_leaves_two_ranges_below_the_last() -> None:
    bars = [*still(100.0, 60), (100, 103, 100, 103), (103, 110, 103, 110), (110, 110, 109, 109), (109, 109, 90, 90)]
    fills = traded(shipped("turtle")(units=3), bars)
    assert [side for _, side, _ in fills] == [1, 1, 1, -1]
    first, second, third, last = (price for _, _, price in fills)
    assert second > first == 103
    assert third == 110  # a stop that is sent while a bar goes on works from the next open, which is beyond it
    assert third - last == pytest.approx(4 * (second - first))
