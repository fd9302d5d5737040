"""What can be checked of a strategy that is given one event at a time, and may keep a state of its own."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import attrgetter
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
from algotrade.market.candles import COLUMNS, Times, iso, times_ms
from algotrade.market.moments import moments_of
from algotrade.strategy.base import DEFAULT_HISTORY, Strategy
from algotrade.strategy.sampling import Clock
from algotrade.strategy.verdicts import Check, Checks, Warmup

PAPER_CASH: Final = 10_000.0  # quote units; what both runs begin with


def check_event_strategy(strategy: Strategy, tables: Mapping[str, pd.DataFrame], clock: Clock) -> Checks:
    """Check a strategy that answers events on the candles that it was backtested on.

    Args:
        strategy: as it was begun for the run.
        tables: closed candles by symbol, in the order of its symbols.
        clock: when to stop.
    """
    moments = moments_of(tables)
    bars = len(moments)
    warmup: Warmup = DEFAULT_HISTORY if strategy.warmup is None else strategy.warmup
    return Checks(
        look_ahead=Check(True, bars, bars, "an event strategy is given one closed bar at a time"),
        warm_up=Check(None, 0, bars, "not checked: an event strategy keeps a state of its own"),
        purity=_same_requests(strategy, tables, moments, clock),
        range=Check(None, 0, bars, "not checked: each request is judged when it is made"),
        warmup=with_sizing(strategy, warmup),
    )


def with_sizing(strategy: Strategy, warmup: Warmup) -> Warmup:
    """The warm-up, or the bars that the size of its positions needs, if that is more."""
    return warmup if warmup == "all" or strategy.sizing is None else max(warmup, strategy.sizing.bars)


def _same_requests(strategy: Strategy, tables: Mapping[str, pd.DataFrame], moments: Times, clock: Clock) -> Check:
    """Trade two fresh strategies over the same bars, each on a paper account of its own: they must do the same."""
    one, other = (_paper_session(strategy, tuple(tables)) for _ in range(2))
    bars, covered, steps = len(moments), 0, _events_by_moment(strategy, tables)
    for covered, time in enumerate(clock.limit(moments.tolist()), 1):
        for event in next(steps):
            records = one.process(event)
            if records != other.process(event):
                told = f"at {iso(time)} two runs over the same candles do different things"
                return Check(False, covered, bars, told)
            stopped = [record.message for record in records if isinstance(record, StrategyStopped)]
            if stopped:
                return Check(None, covered, bars, f"not checked beyond {iso(time)}: {stopped[0]}")
    return Check(True, covered, bars, "two runs over the same candles do the same")


def _events_by_moment(strategy: Strategy, tables: Mapping[str, pd.DataFrame]) -> Iterator[list[MarketEvent]]:
    """What happens at each moment: timers strike, bars open, trades print where it asks for them, candles close."""
    when = attrgetter("time")
    candles = heapq.merge(*(_closed(symbol, table) for symbol, table in tables.items()), key=when)
    timers, with_trades = Timers(strategy.timers()), "trades" in strategy.handlers
    for time, together in groupby(candles, key=when):
        *others, last = together
        closing = [*(candle._replace(more=True) for candle in others), last]
        opening = [BarOpened(candle.symbol, time, candle.open, candle.more) for candle in closing]
        prints = [TradePrinted(each.symbol, time, each.close, each.volume, 1) for each in closing if with_trades]
        yield [*timers.before(opening[0]), *opening, *prints, *closing]


def _closed(symbol: str, table: pd.DataFrame) -> Iterator[CandleClosed]:
    columns = [table[name].to_numpy(np.float64).tolist() for name in COLUMNS]
    for time, *prices in zip(times_ms(table).tolist(), *columns, strict=True):
        yield CandleClosed(symbol, time, *prices)


def _paper_session(strategy: Strategy, symbols: tuple[str, ...]) -> SimulatedSession:
    """A fresh strategy of the same kind with an account in which trading is free."""
    fresh, bounds = strategy.fresh(), strategy.bounds
    fresh.begin(symbols, strategy.warmup, timeframe=strategy.timeframe)
    market = Market(Terms(0.0, 0.0, leverage=max(1.0, bounds.leverage)), bounds.allow_short)
    venue = SimulatedVenue(Rules(dict.fromkeys(symbols, market)), PAPER_CASH)
    return SimulatedSession(Engine(fresh, cash=PAPER_CASH, symbols=symbols), venue)
