"""Do others come to the same money? Our SMA crosses on nine years of Kraken's days, beside a naive twin and the peers.

The candles go in as anyone's would, through an import. A position that is open at the end pays no exit fee anywhere.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from algotrade.backtest.setup import Setup
from algotrade.engine.fills import Costs
from algotrade.ingest.files.importing import import_file
from algotrade.market.candles import SeriesKey
from algotrade.market.instrument import Instrument
from algotrade.market.span import parse_span
from algotrade.pipeline import execute_backtest
from algotrade.store.candles import read_candles
from algotrade.store.database import open_database
from bench import material
from bench.measure import ROOT, Figure
from bench.peers import PEERS, Peer, Task
from tests import naive

CASH, FEE_RATE = 100_000.0, 0.0026
TASKS = (Task(10, 20, CASH, FEE_RATE), Task(50, 100, CASH, FEE_RATE))
FILE = Path(os.environ.get("ALGOTRADE_SHARED_DATA") or ROOT.parent / "shared" / "data") / "kraken_btcusd_1d.csv.gz"
TOLERANCE = 1e-6  # of the final equity


class Answer(NamedTuple):
    """Account value at the last close, and the bar and side of every fill."""

    equity: float
    fills: list[tuple[int, int]]


def agreement(rounds: int) -> list[Figure]:
    """How far each of them is from us; `rounds` changes nothing, the answers are always the same."""
    if not FILE.exists():
        return [Figure("agreement on Kraken's days", None, "of it", TOLERANCE, detail=f"no {FILE.name} here")]
    candles = kraken_days()
    ours = [by_algotrade(candles, task) for task in TASKS]
    others = {"naive": [by_naive(candles, task) for task in TASKS]}
    others |= {peer.name: by_peer(peer, candles) for peer in PEERS if peer.installed}
    figures = [
        _difference(name, task, mine, theirs)
        for name, answers in others.items()
        for task, mine, theirs in zip(TASKS, ours, answers, strict=True)
    ]
    missing = [peer for peer in PEERS if not peer.installed]
    return figures + [
        Figure(f"agreement with {peer.name}", None, "of it", TOLERANCE, detail=peer.how_to_install) for peer in missing
    ]


def kraken_days() -> pd.DataFrame:
    """Daily candles of BTC/USD from 2015 to 2023."""
    key, span = SeriesKey("kraken", "BTC/USD", "1d", "import"), parse_span("2015-01-01", "2023-12-31")
    with tempfile.TemporaryDirectory() as place, open_database(Path(place) / "kraken.db") as database:
        import_file(database, FILE, key, now_ms=time.time_ns() // 1_000_000)
        return read_candles(database, key, start=span.start, end=span.end)


def by_algotrade(candles: pd.DataFrame, task: Task) -> Answer:
    """The shipped strategy through the pipeline."""
    strategy = material.sma_cross(task.fast, task.slow)
    setup = Setup((Instrument("BTC/USD"),), "1d", cash=task.cash, costs=Costs(task.fee_rate, 0.0))
    result = execute_backtest(strategy, candles, strategy.signals(candles), setup)
    sides = zip(result.filled.bar.tolist(), result.filled.side.tolist(), strict=True)
    return Answer(float(result.equity_values[-1]), list(sides))


def by_naive(candles: pd.DataFrame, task: Task) -> Answer:
    """The oracle of the tests, which shares no line with us."""
    bars = naive.Bars(*(candles[name].tolist() for name in ("open", "high", "low", "close")))
    targets = naive.sma_cross(bars.close, task.fast, task.slow)
    outcome = naive.backtest(bars, targets, task.cash, naive.Market(fee_rate=task.fee_rate))
    return Answer(outcome.equity[-1], [(fill.bar, fill.side) for fill in outcome.fills])


def by_peer(peer: Peer, candles: pd.DataFrame) -> list[Answer]:
    """Another backtester, with its own moving averages."""
    outcomes = peer.run(candles, TASKS)
    return [Answer(done.final_equity, [(int(bar), int(side)) for bar, side, *_ in done.fills]) for done in outcomes]


def _difference(name: str, task: Task, ours: Answer, theirs: Answer) -> Figure:
    same = "same fills" if ours.fills == theirs.fills else f"OTHER FILLS: {len(ours.fills)} : {len(theirs.fills)}"
    return Figure(
        f"final equity, SMA {task.fast}/{task.slow} on {FILE.name}: difference from {name}",
        abs(ours.equity / theirs.equity - 1.0),
        "of it",
        TOLERANCE,
        detail=f"{ours.equity:,.4f} : {theirs.equity:,.4f}, {len(ours.fills)} fills, {same}",
    )
