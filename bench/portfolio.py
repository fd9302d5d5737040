"""A rotation of twenty symbols, its weights given: the loop of weights alone, and the whole run to a result."""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from algotrade.backtest.setup import Setup
from algotrade.backtest.weights_kernel import run_compiled
from algotrade.backtest.weights_run import columns_of, run_weights
from algotrade.engine.fills import Costs
from algotrade.market.candles import candle_table
from algotrade.market.instrument import Instrument
from algotrade.strategy.weights import Plan
from bench.measure import Figure, milliseconds, side_by_side

SYMBOLS, BARS, HOUR_MS = 20, 100_000, 3_600_000
WEEK = 168  # bars between two choices
HELD = 5
GOAL = 10.0  # million bars of all symbols a second
COSTS = Costs(fee_rate=0.0001, slippage_rate=0.0)


class Case(NamedTuple):
    """Candles by symbol, what to hold of them, and the conditions."""

    tables: dict[str, pd.DataFrame]
    plan: Plan
    setup: Setup


def weights(rounds: int) -> list[Figure]:
    """Bars of all symbols a second on one core, and memory by bar."""
    whole, late = made(BARS), made(BARS, late=200)
    columns = columns_of(whole.tables, whole.plan, whole.setup)
    seconds = side_by_side(
        {
            "loop": lambda: _seconds(lambda: run_compiled(*columns, 1e6)),
            "run": lambda: _seconds(lambda: run_weights(*whole)),
            "late": lambda: _seconds(lambda: run_weights(*late)),
        },
        rounds,
    )
    size = f"{SYMBOLS} symbols x {BARS:,} bars"
    names = {
        "loop": f"weights kernel alone, {size}",
        "run": f"weights to a result, {size}",
        "late": "the same, each symbol begins 200 bars after the one before",
    }
    figures = [
        Figure(
            names[key],
            SYMBOLS * BARS / statistics.median(seconds[key]) / 1e6,
            "M/s",
            GOAL,
            True,
            milliseconds(seconds[key]),
        )
        for key in names
    ]
    small, large = (_peak(made(bars)) for bars in (BARS // 4, BARS))
    told = f"{small / 1e6:,.0f} MB for {BARS // 4:,} bars, {large / 1e6:,.0f} MB for {BARS:,}"
    return [*figures, Figure("memory of four times the bars", large / small, "x", 4.2, detail=told)]


def made(bars: int, *, late: int = 0) -> Case:
    """Random walks, and weights that choose five symbols anew every week."""
    random = np.random.default_rng(20)
    times = np.arange(bars) * HOUR_MS
    tables, wanted = {}, np.zeros((bars, SYMBOLS))
    for place in range(SYMBOLS):
        close = 100.0 * np.exp(np.cumsum(random.normal(0.0, 0.01, bars)))
        open_ = np.concatenate([[100.0], close[:-1]])
        columns = (open_, np.maximum(open_, close), np.minimum(open_, close), close, np.ones(bars))
        begins = place * late
        tables[f"S{place}/USD"] = candle_table(times[begins:], [column[begins:] for column in columns])
    for begins in range(SYMBOLS * late, bars, WEEK):
        wanted[begins : begins + WEEK, random.choice(SYMBOLS, HELD, replace=False)] = 1.0 / HELD
    plan = Plan(times, wanted, np.arange(bars) % WEEK == 0)
    return Case(tables, plan, Setup(tuple(map(Instrument, tables)), "1h", cash=1e6, costs=COSTS))


def _seconds(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


def _peak(case: Case) -> int:
    """Most bytes that a run takes at once, beside its candles and weights."""
    tracemalloc.start()
    run_weights(*case)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak
