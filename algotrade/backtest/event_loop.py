"""The reference path: candles as events through the engine and the simulated exchange, exactly as in live trading."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from algotrade.backtest.setup import Setup
from algotrade.engine.account import View
from algotrade.engine.book import Decider
from algotrade.engine.engine import Engine
from algotrade.engine.events import BarOpened, CandleClosed, Emitted, Event, MarketEvent, StrategyStopped
from algotrade.engine.matching import SimulatedVenue
from algotrade.engine.requests import Request, TargetRequest
from algotrade.engine.session import SimulatedSession
from algotrade.errors import FixStrategy
from algotrade.evaluate.recording import Recording
from algotrade.evaluate.result import Result
from algotrade.market.candles import COLUMNS, Floats, iso, times_ms


class KnownTargets:
    """A decider for targets that are already computed: bar by bar, it aims at the next one."""

    def __init__(self, symbol: str, targets: Floats) -> None:
        self._symbol = symbol
        self._targets = iter(targets.tolist())

    def handle(self, event: Event | Emitted, view: View) -> list[Request]:
        """The next target at every closed candle."""
        return [TargetRequest(self._symbol, next(self._targets))] if isinstance(event, CandleClosed) else []


def market_events(symbol: str, candles: pd.DataFrame) -> Iterator[MarketEvent]:
    """The two events of every bar, in order: it opens, it is closed."""
    columns = [candles[name].to_numpy(np.float64).tolist() for name in COLUMNS]
    for time, *prices in zip(times_ms(candles).tolist(), *columns, strict=True):
        yield BarOpened(symbol, time, prices[0])
        yield CandleClosed(symbol, time, *prices)


def new_session(strategy: Decider, setup: Setup) -> SimulatedSession:
    """A fresh engine and a fresh simulated exchange for a strategy."""
    engine = Engine(strategy, cash=setup.cash, limits=setup.limits)
    return SimulatedSession(engine, SimulatedVenue(setup.rules, setup.cash))


def run_event_loop(candles: pd.DataFrame, strategy: Decider, setup: Setup) -> Result:
    """Backtest any strategy over candles, event by event.

    Args:
        candles: closed candles.
        strategy: decides at every event; `KnownTargets` for signals that are already computed.
        setup: cash, costs, market, limits.

    Raises:
        FixStrategy: the strategy's code raised; with the bar's time and the line of code.
    """
    session = new_session(strategy, setup)
    recording = Recording()
    for event in market_events(setup.instrument.symbol, candles):
        for record in session.process(event):
            if isinstance(record, StrategyStopped):
                raise FixStrategy(f"at {iso(record.time)}: {record.message}")
            recording.add(record)
    return recording.result(setup)
