"""Candles that the leaks and the clean strategies are tried on, and a clock that gives the same budget everywhere."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np
import pandas as pd

from algotrade.market.candles import candle_table
from algotrade.market.simulate import simulate_candles
from algotrade.market.timeframe import timeframe_ms
from algotrade.strategy.base import Strategy
from algotrade.strategy.checks import Budget, Checks, check_strategy
from algotrade.strategy.signals import SignalStrategy

SYMBOL, TIMEFRAME = "BTC/USD", "4h"
START = 1_609_459_200_000  # 2021-01-01
STEP = timeframe_ms(TIMEFRAME)
DEFAULT = Budget()
BARS_A_SECOND = 200  # what a slow machine manages: the budget of one second buys so many checked bars


def random_walk(bars: int, *, seed: int = 4) -> pd.DataFrame:
    """Four-hour bars whose prices have no memory, and rise a little."""
    numbers = np.random.default_rng(seed)
    close = 20_000 * np.exp(np.cumsum(numbers.normal(0.0003, 0.01, bars)))
    open_ = np.r_[20_000, close[:-1]]
    reach = np.abs(numbers.normal(0, 0.004, (2, bars)))
    high, low = np.maximum(open_, close) * (1 + reach[0]), np.minimum(open_, close) * (1 - reach[1])
    return candle_table(START + STEP * np.arange(bars), (open_, high, low, close, numbers.uniform(1, 100, bars)))


def demo_market(bars: int) -> pd.DataFrame:
    """Four-hour bars of the demo exchange."""
    return simulate_candles(SYMBOL, TIMEFRAME, START, START + (bars - 1) * STEP)


def ticking_clock() -> Callable[[], float]:
    """CPU seconds that pass by the bar, not by the machine."""
    ticks = count()
    return lambda: next(ticks) / BARS_A_SECOND


def verdicts(strategy: Strategy, candles: pd.DataFrame, budget: Budget = DEFAULT) -> Checks:
    """The checks as a backtest makes them."""
    strategy.begin(SYMBOL, strategy.warmup, timeframe=TIMEFRAME)
    signals = strategy.signals(candles) if isinstance(strategy, SignalStrategy) else None
    return check_strategy(strategy, candles, signals, budget, ticking_clock())
