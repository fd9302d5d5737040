"""The event kind: a strategy that is called once a bar, beside the event loops of two peers."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import numpy as np
import pandas as pd

from algotrade.backtest.event_loop import run_event_loop
from algotrade.engine.events import CandleClosed
from algotrade.strategy.base import Strategy, on
from bench import material
from bench.measure import Figure, cpu_seconds, milliseconds, ratio, side_by_side
from bench.peers import BACKTESTING_PY, NAUTILUS, Peer, Task

BARS = 100_000
TASK = Task(10, 20, material.SETUP.cash, material.SETUP.costs.fee_rate)


class Follow(Strategy):
    """Hold while it is wanted; what is wanted at each bar is known, as it is to the peers."""

    want: list[bool]
    bar = 0

    @on("candles")
    def decide(self, candle: CandleClosed) -> None:
        """One callback a bar."""
        want = self.want[self.bar]
        self.bar += 1
        if want and not self.position:
            self.target(exposure=1.0)
        elif self.position and not want:
            self.target(exposure=0.0)


def callbacks(rounds: int) -> list[Figure]:
    """Bars a second of our event loop, and how many times as fast it is as each peer's."""
    candles = material.minutes(BARS)
    contestants = {"ours": lambda: ours(candles)}
    peers = [peer for peer in (BACKTESTING_PY, NAUTILUS) if peer.installed]
    contestants |= {peer.name: _theirs(peer, candles) for peer in peers}
    seconds = side_by_side(contestants, rounds)
    speed = BARS / statistics.median(seconds["ours"])
    name = f"event kind, one callback a bar, {BARS:,} bars"
    mine = milliseconds(seconds["ours"])
    figures = [Figure(name, speed, "bars/s", 150_000, more_is_better=True, detail=mine)]
    for peer in (BACKTESTING_PY, NAUTILUS):
        title = f"{name}, faster than {peer.name}"
        if not peer.installed:
            figures.append(Figure(title, None, "x", 1, more_is_better=True, detail=peer.how_to_install))
            continue
        quotient = ratio(seconds[peer.name], seconds["ours"])
        detail = f"{milliseconds(seconds[peer.name])} : {mine}"
        figures.append(Figure(title, quotient, "x", 1, more_is_better=True, detail=detail))
    return figures


def ours(candles: pd.DataFrame) -> float:
    """CPU seconds of one run, result included."""
    quick, calm = (candles["close"].rolling(bars).mean().to_numpy() for bars in (TASK.fast, TASK.slow))
    strategy = Follow()
    strategy.want = np.greater(quick, calm).tolist()
    strategy.begin(material.SETUP.instrument.symbol, None)
    return cpu_seconds(lambda: run_event_loop(candles, strategy, material.SETUP).equity_values[-1])


def _theirs(peer: Peer, candles: pd.DataFrame) -> Callable[[], float]:
    return lambda: peer.run(candles, [TASK])[0].seconds
