"""For the tests of your own strategies: candles that need no network, and the checks that every backtest makes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from algotrade.discover import find_strategy
from algotrade.ingest.files.rows import infer_timeframe
from algotrade.market.candles import times_ms
from algotrade.market.simulate import simulate_candles
from algotrade.market.span import parse_span
from algotrade.pipeline import generate_signals
from algotrade.strategy.base import Strategy
from algotrade.strategy.checks import Budget, check_portfolio, check_strategy
from algotrade.strategy.weights import decides_by_weights


def strategy_from_file(path: str | Path, name: str = "") -> type[Strategy]:
    """The strategy class that a file defines.

    Args:
        path: of the Python file.
        name: of the class; needed where the file defines several.

    Raises:
        FixStrategy, FixCommand: the file does not parse, raises, or defines no such strategy.
    """
    return find_strategy(f"{Path(path)}:{name}", ())


def demo_candles(
    symbol: str = "BTC/USD", timeframe: str = "1d", *, start: str = "2020-01-01", end: str = "2023-12-31"
) -> pd.DataFrame:
    """Simulated candles, the same on every machine and in every year.

    Args:
        symbol: one that `algotrade list markets --exchange demo` knows.
        timeframe: whole minutes or longer, like "1h".
        start: first day or time, UTC, inclusive.
        end: last day or time, inclusive; a day means the whole of it.
    """
    span = parse_span(start, end)
    assert span.start is not None
    assert span.end is not None
    return simulate_candles(symbol, timeframe, span.start, span.end)


def assert_honest(
    strategy: Strategy,
    candles: pd.DataFrame | Mapping[str, pd.DataFrame] | None = None,
    *,
    full: bool = True,
) -> None:
    """Run the checks of a backtest: look-ahead, warm-up, purity, range.

    Args:
        strategy: with the parameters to test.
        candles: closed candles, or those of several symbols; `demo_candles()` unless given.
        full: check every bar, a few seconds for a thousand; else as many as a second of CPU time allows, which is
            more on a fast machine than on a slow one.

    Raises:
        AssertionError: a check failed; with the bar.
    """
    candles = demo_candles() if candles is None else candles
    tables = candles if isinstance(candles, Mapping) else {strategy.symbol or "BTC/USD": candles}
    first = next(iter(tables.values()))
    timeframe = strategy.timeframe or infer_timeframe(times_ms(first))
    strategy.begin(tuple(tables), strategy.warmup, timeframe=timeframe)
    budget = Budget(full=full)
    if decides_by_weights(strategy):
        checks = check_portfolio(strategy, tables, strategy.weights(tables), budget, time.process_time)
    else:
        signals = generate_signals(strategy, first)
        given = tables if signals is None else first
        checks = check_strategy(strategy, given, signals, budget, time.process_time)
    failed = [f"{name}: {check.detail}" for name, check in checks.failed.items()]
    assert not failed, f"{strategy.name()} fails {'; '.join(failed)}"
