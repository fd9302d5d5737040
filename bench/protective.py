"""The kernel with a stop, a target and a trailing stop behind every entry, beside the plain one and vectorbt."""

from __future__ import annotations

import statistics
import time

import numpy as np
import pandas as pd

from algotrade.backtest.bar_state import LOG_COLUMNS
from algotrade.backtest.kernel import LOG_KINDS, UNITS, OrderLog, follow_targets
from algotrade.backtest.protective_kernel import DOUBT_COLUMNS, ROWS_PER_ASK, follow_protected, prepared
from algotrade.engine._jit import compiled
from algotrade.pipeline import evaluate_metrics, execute_backtest
from algotrade.strategy.protection import Wanted, protection_of
from algotrade.strategy.signals import SignalStrategy, targets_of
from bench import material
from bench.measure import Figure, cpu_seconds, milliseconds, ratio, side_by_side
from bench.peers import VECTORBT_STOPS, BracketTask

STOP_LOSS, TAKE_PROFIT, TRAILING_STOP = (
    0.004,
    0.008,
    0.005,
)  # make about a quarter of the exits


class Protected(SignalStrategy):
    """The shipped moving-average cross, with a bracket around every position."""

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        """Its signals, and the same three fractions at every bar."""
        signals = material.sma_cross().signals(candles)
        return signals.assign(stop_loss=STOP_LOSS, take_profit=TAKE_PROFIT, trailing_stop=TRAILING_STOP)


def protective_kernel(rounds: int) -> list[Figure]:
    """Bars a second on one core, signals and buffers given; the plain loop over the same signals beside it."""
    candles = material.minutes(material.MILLION)
    signals = Protected().signals(candles)
    wanted = Wanted(targets_of(signals), protection_of(signals))
    run = prepared(candles, wanted, material.SETUP, UNITS[wanted.unit])
    equity, log = np.empty(len(candles)), np.zeros((ROWS_PER_ASK * len(run.asks.row), LOG_COLUMNS))
    doubts = np.empty((len(candles), DOUBT_COLUMNS))
    machine, plain = compiled(follow_protected), compiled(follow_targets)
    open_, close, targets = run.bars.open, run.bars.close, wanted.targets
    orders = OrderLog(*(np.empty(len(candles), kind) for kind in LOG_KINDS))

    def protective() -> float:
        began = time.thread_time()
        machine(*run, equity, log, doubts)
        return time.thread_time() - began

    def without() -> float:
        began = time.thread_time()
        plain(open_, close, targets, run.cash, material.SETUP.terms, equity, orders)
        return time.thread_time() - began

    seconds = side_by_side({"protective": protective, "plain": without}, rounds)
    rows = int(machine(*run, equity, log, doubts)[0])
    protected_exits = int(np.count_nonzero(log[:rows, 6]))
    told = f"{rows:,} fills, {protected_exits:,} by brackets; {milliseconds(seconds['protective'])}"
    return [
        _speed("kernel with stop, target and trailing stop, one core", seconds["protective"], 40, told),
        _speed("the plain kernel in the same rounds", seconds["plain"], None, milliseconds(seconds["plain"])),
    ]


def _speed(name: str, seconds: list[float], goal: float | None, detail: str) -> Figure:
    speed = material.MILLION / statistics.median(seconds) / 1e6
    return Figure(f"{name}, {material.MILLION:,} bars", speed, "M bars/s", goal, more_is_better=True, detail=detail)


def against_vectorbt_with_stops(rounds: int) -> list[Figure]:
    """vectorbt's from_signals with sl_stop and tp_stop, for information; round_trips.py says how its rules differ."""
    name = f"execute_backtest + evaluate_metrics of {material.MILLION:,} bars with stops, faster than vectorbt"
    if not VECTORBT_STOPS.installed:
        return [Figure(name, None, "x", None, more_is_better=True, detail=VECTORBT_STOPS.how_to_install)]
    candles = material.minutes(material.MILLION)
    strategy = Protected()
    signals = strategy.signals(candles).drop(columns="trailing_stop")  # it has either a stop or a trailing one
    want = targets_of(signals) > 0.0
    task = BracketTask(material.SETUP.cash, material.SETUP.costs.fee_rate, STOP_LOSS, TAKE_PROFIT)

    def ours() -> float:
        return cpu_seconds(lambda: evaluate_metrics(execute_backtest(strategy, candles, signals, material.SETUP)))

    seconds = side_by_side(
        {"ours": ours, "vectorbt": lambda: VECTORBT_STOPS.run_brackets(candles, want, task).seconds}, rounds
    )
    detail = f"{milliseconds(seconds['vectorbt'])} : {milliseconds(seconds['ours'])}"
    return [Figure(name, ratio(seconds["vectorbt"], seconds["ours"]), "x", None, more_is_better=True, detail=detail)]
