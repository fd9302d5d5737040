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
from algotrade.evaluate.portfolio import Outcome
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
