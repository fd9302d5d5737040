"""A backtest of a million bars that are already in memory, and the kernel at its heart."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from algotrade.backtest.kernel import LOG_KINDS, OrderLog, follow_targets
from algotrade.engine._jit import compiled
from algotrade.pipeline import evaluate_metrics, execute_backtest
from algotrade.strategy.signals import targets_of
from bench import material
from bench.measure import Figure, cpu_seconds, milliseconds, ratio, side_by_side
from bench.peers import BACKTESTING_PY, VECTORBT, Peer, Task


def kernel(rounds: int) -> list[Figure]:
    """Bars a second of the compiled loop on one core, targets and buffers given."""
    candles = material.minutes(material.MILLION)
    targets = targets_of(material.sma_cross().signals(candles))
    open_, close = (np.ascontiguousarray(candles[name]) for name in ("open", "close"))
    log = OrderLog(*(np.empty(len(candles), kind) for kind in LOG_KINDS))
    equity = np.empty(len(candles))
    machine = compiled(follow_targets)

    def measured() -> float:
        began = time.thread_time()
        machine(open_, close, targets, material.SETUP.cash, material.SETUP.terms, equity, log)
        return time.thread_time() - began

    seconds = side_by_side({"kernel": measured}, rounds)["kernel"]
    speed = len(candles) / statistics.median(seconds) / 1e6
    name = f"kernel, one core, {len(candles):,} bars, signals given"
    return [Figure(name, speed, "M bars/s", 80, more_is_better=True, detail=milliseconds(seconds))]


def against_backtesting_py(rounds: int) -> list[Figure]:
    """The goal: two hundred times faster."""
    return [_against(BACKTESTING_PY, 200, rounds)]


def against_vectorbt(rounds: int) -> list[Figure]:
    """The fastest peer, for information."""
    return [_against(VECTORBT, None, rounds)]


def _against(peer: Peer, goal: float | None, rounds: int) -> Figure:
    """Fills, equity, round trips and metrics of a million bars; on both sides the signals are given."""
    name = f"execute_backtest + evaluate_metrics of {material.MILLION:,} bars, faster than {peer.name}"
    if not peer.installed:
        return Figure(name, None, "x", goal, more_is_better=True, detail=peer.how_to_install)
    candles = material.minutes(material.MILLION)
    task = Task(10, 20, material.SETUP.cash, material.SETUP.costs.fee_rate)
    seconds = side_by_side({"ours": _ours(), peer.name: lambda: peer.run(candles, [task])[0].seconds}, rounds)
    detail = f"{milliseconds(seconds[peer.name])} : {milliseconds(seconds['ours'])}"
    return Figure(name, ratio(seconds[peer.name], seconds["ours"]), "x", goal, more_is_better=True, detail=detail)


def _ours() -> Callable[[], float]:
    candles = material.minutes(material.MILLION)
    strategy = material.sma_cross()
    signals = strategy.signals(candles)

    def run() -> None:
        evaluate_metrics(execute_backtest(strategy, candles, signals, material.SETUP))

    return lambda: cpu_seconds(run)
