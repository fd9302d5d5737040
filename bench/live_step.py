"""What a bar costs in live trading: one step, the screen's figures in a long session, and resuming one.

A step is a closed candle in, the decision as rows that only need to be written: the disk's fsync is not counted.
By itself: python bench/live_step.py
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))  # `bench` is no installed package

from algotrade.backtest.event_loop import new_session
from algotrade.backtest.feed import market_events
from algotrade.backtest.known_signals import KnownSignals
from algotrade.engine.events import MarketEvent
from algotrade.engine.fills import Costs
from algotrade.engine.session import Record
from algotrade.live.header import HEADER_VERSION, setup_of
from algotrade.live.plan import Chosen, SessionPlan, plan_of
from algotrade.live.replay import rows_of
from algotrade.live.sessions import OpenSession, begin_session, resume_session
from algotrade.market.candles import COLUMNS, times_ms
from algotrade.market.simulate import instrument_of, simulate_candles
from algotrade.pipeline import describe_strategy
from algotrade.sources import versions
from algotrade.store.journal import Journal
from algotrade.strategy.signals import wanted_of
from bench.measure import ROUNDS, Figure, cpu_seconds, milliseconds
from strategies.sma_cross import SmaCross

SYMBOL, MINUTE, START = "BTC/USD", 60_000, 1_704_067_200_000  # 2024-01-01
HISTORY = 1_000  # bars that the strategy is given at every step
STEPS = 200
LONG = 20_000  # bars of a session to resume: two weeks of minutes
LONGER = 100_000


def live_step(rounds: int) -> list[Figure]:
    """CPU milliseconds of a step and of the screen's figures, CPU seconds of a resume."""
    with tempfile.TemporaryDirectory() as folder:
        return [*_step(Path(folder), rounds), _screen(Path(folder), rounds), _resume(Path(folder))]


def _step(folder: Path, rounds: int) -> list[Figure]:
    opened = _begun(folder / "step.sqlite", _header(HISTORY))
    events = _events(rounds * STEPS * 2 + STEPS)
    with opened.journal:
        _take(opened, islice(events, 2 * STEPS))  # fills the caches
        dry = [cpu_seconds(lambda: _take(opened, islice(events, 2 * STEPS))) / STEPS for _ in range(rounds)]
        written = [
            cpu_seconds(lambda: _take(opened, islice(events, 2 * STEPS), opened.journal)) / STEPS for _ in range(rounds)
        ]
    name = f"a live step at {HISTORY:,} bars of history"
    step = Figure(name, statistics.median(dry) * 1e3, "ms of CPU", 5.0, detail=milliseconds(dry))
    return [step, Figure(f"{name}, journaled", statistics.median(written) * 1e3, "ms of CPU")]


def _screen(folder: Path, rounds: int) -> Figure:
    header = _header(20)
    opened = _begun(folder / "screen.sqlite", header)
    with opened.journal:
        for record in _long_session(header, LONGER):
            opened.take(record)
    setup = setup_of(header)
    seconds = [cpu_seconds(lambda: opened.recording.result(setup).summary) for _ in range(rounds)]
    return Figure(f"metrics of a session of {LONGER:,} bars", statistics.median(seconds) * 1e3, "ms of CPU")


def _resume(folder: Path) -> Figure:
    header, path = _header(20), folder / "long.sqlite"
    with Journal.create(path, header) as journal:
        journal.append(rows_of(_long_session(header, LONG)))
    hashes = [each["hash"] for each in header["strategies"]]
    resumed: list[OpenSession] = []
    seconds = cpu_seconds(lambda: resumed.append(resume_session(path, plan_of(header["plan"]), hashes)))
    resumed[0].journal.close()
    return Figure(f"resuming a session of {resumed[0].bars:,} bars", seconds, "s of CPU")


def _begun(path: Path, header: dict[str, Any]) -> OpenSession:
    return begin_session(path, header, plan_of(header["plan"]))


def _take(opened: OpenSession, events: Iterable[MarketEvent], journal: Journal | None = None) -> None:
    """What the trader does with an answer, without the exchange; writing only where there is a journal."""
    for event in events:
        records = opened.simulation.process(event)
        rows = rows_of(records)
        if journal is not None:
            journal.append(rows)
        for record in records:
            opened.take(record)


def _events(bars: int) -> Iterator[MarketEvent]:
    return market_events({SYMBOL: simulate_candles(SYMBOL, "1m", START, START + (bars - 1) * MINUTE)}, "1m")


def _long_session(header: dict[str, Any], bars: int) -> list[Record]:
    """The records of a session, its signals computed all at once."""
    candles = simulate_candles(SYMBOL, "1m", START - 20 * MINUTE, START + (bars - 1) * MINUTE)
    strategy = SmaCross()
    wanted = wanted_of(strategy, candles, strategy.signals(candles))
    known = wanted._replace(targets=wanted.targets[20:], protection=None)
    session = new_session(KnownSignals({SYMBOL: known}), setup_of(header))
    return [record for event in market_events({SYMBOL: candles.iloc[20:]}, "1m") for record in session.process(event)]


def _header(warmup: int) -> dict[str, Any]:
    """A session's header without asking an exchange."""
    strategy = SmaCross()
    chosen = Chosen(strategy.name(), dict(strategy.values))
    plan = SessionPlan("demo", (SYMBOL,), "1m", (chosen,), 10_000.0, start=START)
    candles = simulate_candles(SYMBOL, "1m", START - warmup * MINUTE, START - MINUTE)
    columns = [candles[name].to_list() for name in COLUMNS]
    return {
        "version": HEADER_VERSION,
        "plan": plan.document(),
        "origin": "demo",
        "simulated": True,
        "costs": Costs(0.001)._asdict(),
        "instruments": [instrument_of(SYMBOL)._asdict()],
        "strategies": [{**describe_strategy(strategy), "warmup": warmup, "checks": {}}],
        "warm_up_candles": [[list(row) for row in zip(times_ms(candles).tolist(), *columns, strict=True)]],
        "first_bar": START,
        "clock": None,
        "versions": versions(),
    }


if __name__ == "__main__":
    from bench.run import described

    for figure in live_step(ROUNDS):
        print(described(figure))
