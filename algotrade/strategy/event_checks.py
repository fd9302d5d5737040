"""What can be checked of a strategy that is given one event at a time, and may keep a state of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from algotrade.engine.engine import Engine
from algotrade.engine.events import BarOpened, CandleClosed, MarketEvent, StrategyStopped, TradePrinted
from algotrade.engine.matching import SimulatedVenue
from algotrade.engine.rules import Market, Rules
from algotrade.engine.session import SimulatedSession
from algotrade.engine.sizing import Terms
from algotrade.engine.timers import Timers
from algotrade.market.candles import COLUMNS, iso, times_ms
from algotrade.strategy.base import DEFAULT_HISTORY, Strategy
from algotrade.strategy.sampling import Clock
from algotrade.strategy.verdicts import Check, Checks, Warmup

PAPER_CASH: Final = 10_000.0  # quote units; what both runs begin with


def check_event_strategy(strategy: Strategy, candles: pd.DataFrame, clock: Clock) -> Checks:
    """Check a strategy that answers events on the candles that it was backtested on.

    Args:
        strategy: as it was begun for the run.
        candles: closed candles, shape (bars,).
        clock: when to stop.
    """
    bars = len(candles)
    warmup: Warmup = DEFAULT_HISTORY if strategy.warmup is None else strategy.warmup
    return Checks(
        look_ahead=Check(True, bars, bars, "an event strategy is given one closed bar at a time"),
        warm_up=Check(None, 0, bars, "not checked: an event strategy keeps a state of its own"),
        purity=_same_requests(strategy, candles, clock),
        range=Check(None, 0, bars, "not checked: each request is judged when it is made"),
        warmup=with_sizing(strategy, warmup),
    )


def with_sizing(strategy: Strategy, warmup: Warmup) -> Warmup:
    """The warm-up, or the bars that the size of its positions needs, if that is more."""
    return warmup if warmup == "all" or strategy.sizing is None else max(warmup, strategy.sizing.bars)


def _same_requests(strategy: Strategy, candles: pd.DataFrame, clock: Clock) -> Check:
    """Trade two fresh strategies over the same bars, each on a paper account of its own: they must do the same."""
    one, other = (_paper_session(strategy) for _ in range(2))
    bars, times, covered = len(candles), times_ms(candles), 0
    events = _events_by_bar(strategy, candles)
    for covered, bar in enumerate(clock.limit(range(bars)), 1):
        for event in next(events):
            records = one.process(event)
            if records != other.process(event):
                told = f"at {iso(int(times[bar]))} two runs over the same candles do different things"
                return Check(False, covered, bars, told)
            stopped = [record.message for record in records if isinstance(record, StrategyStopped)]
            if stopped:
                return Check(None, covered, bars, f"not checked beyond {iso(int(times[bar]))}: {stopped[0]}")
    return Check(True, covered, bars, "two runs over the same candles do the same")


def _events_by_bar(strategy: Strategy, candles: pd.DataFrame) -> Iterator[list[MarketEvent]]:
    """The events of each bar: the timers that strike before it, its open, a trade where it asks for them, its close."""
    symbol, timers, with_trades = strategy.symbol, Timers(strategy.timers()), "trades" in strategy.handlers
    columns = [candles[name].to_numpy(np.float64).tolist() for name in COLUMNS]
    for time, open_, high, low, close, volume in zip(times_ms(candles).tolist(), *columns, strict=True):
        opened = BarOpened(symbol, time, open_)
        trades = [TradePrinted(symbol, time, close, volume, 1)] if with_trades else []
        yield [*timers.before(opened), opened, *trades, CandleClosed(symbol, time, open_, high, low, close, volume)]


def _paper_session(strategy: Strategy) -> SimulatedSession:
    """A fresh strategy of the same kind with an account in which trading is free."""
    fresh, bounds = strategy.fresh(), strategy.bounds
    market = Market(Terms(0.0, 0.0, leverage=max(1.0, bounds.leverage)), bounds.allow_short)
    venue = SimulatedVenue(Rules({strategy.symbol: market}), PAPER_CASH)
    return SimulatedSession(Engine(fresh, cash=PAPER_CASH), venue)
