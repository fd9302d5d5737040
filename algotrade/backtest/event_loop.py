"""The reference path: candles as events through the engine and the simulated exchange, exactly as in live trading."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import overload

import pandas as pd

from algotrade.backtest.feed import NOTHING, Inside, market_events, moments
from algotrade.backtest.setup import Setup
from algotrade.engine.book import Decider
from algotrade.engine.engine import Engine
from algotrade.engine.events import StrategyStopped
from algotrade.engine.matching import SimulatedVenue
from algotrade.engine.rules import BEST, WORST
from algotrade.engine.session import Record, SimulatedSession
from algotrade.errors import FixStrategy
from algotrade.evaluate.executions import bounds_between
from algotrade.evaluate.portfolio import Outcome
from algotrade.evaluate.recording import Recording
from algotrade.evaluate.result import Result
from algotrade.market.candles import iso
from algotrade.strategy.base import Strategy

Deciders = Decider | Mapping[str, Decider]


def new_session(strategy: Deciders, setup: Setup, *, tells_every_close: bool = True) -> SimulatedSession:
    """A fresh engine and a fresh simulated exchange for a strategy, or for one in each book of the setup."""
    cash = setup.deposits
    named = strategy if isinstance(strategy, Mapping) else dict.fromkeys(cash, strategy)
    engine = Engine(
        named,
        cash=cash,
        limits=setup.limits,
        symbols=setup.symbols,
        rebalance_band=setup.rebalance_band,
        tells_every_close=tells_every_close,
    )
    return SimulatedSession(engine, SimulatedVenue(setup.rules, cash))


@overload
def run_event_loop(
    candles: pd.DataFrame,
    strategy: Decider,
    setup: Setup,
    *,
    inside: Inside = NOTHING,
    again: Callable[[], Deciders] | None = None,
) -> Result: ...
@overload
def run_event_loop(
    candles: Mapping[str, pd.DataFrame],
    strategy: Deciders,
    setup: Setup,
    *,
    inside: Inside = NOTHING,
    again: Callable[[], Deciders] | None = None,
) -> Outcome: ...
def run_event_loop(
    candles: pd.DataFrame | Mapping[str, pd.DataFrame],
    strategy: Deciders,
    setup: Setup,
    *,
    inside: Inside = NOTHING,
    again: Callable[[], Deciders] | None = None,
) -> Outcome:
    """Backtest any strategy over candles, event by event.

    Args:
        candles: closed candles; or those of each symbol.
        strategy: decides at every event; `KnownSignals` for signals that are already computed. Or one for each book.
        setup: cash, costs, markets, limits.
        inside: what is known of the markets besides: finer candles, trades, funding.
        again: gives the same strategy, having seen nothing. Where it mattered which way the price went inside a bar,
            the run is made once more the other way, and the result says what both came to.

    Returns:
        A Result of one symbol and one strategy, else a PortfolioResult.

    Raises:
        FixStrategy: the strategy's code raised; with the bar's time and the line of code.
    """
    tables = {setup.instrument.symbol: candles} if isinstance(candles, pd.DataFrame) else candles
    outcome = _run(tables, strategy, setup, inside)
    if again is None or not len(outcome.ambiguous.bar):
        return outcome
    other_way = setup._replace(path=BEST if setup.path == WORST else WORST)
    other = _run(tables, again(), other_way, inside)
    one, two = (float(each.equity_values[-1]) for each in (outcome, other))
    return dataclasses.replace(outcome, bounds=bounds_between(one, two))


def _run(tables: Mapping[str, pd.DataFrame], strategy: Deciders, setup: Setup, inside: Inside) -> Outcome:
    session = new_session(strategy, setup, tells_every_close=False)
    recording = Recording(setup.symbols, setup.deposits, tables)
    timers = timers_of(strategy)
    if timers or any(inside):
        for event in market_events(tables, setup.timeframe, inside, timers):
            _record(session.process(event), recording)
    else:
        for candles in moments(tables, setup.timeframe):
            recording.close(candles[0].time)
            records = session.process_bars(candles)
            if records:
                _record(records, recording)
    if len(tables) == len(setup.deposits) == 1:
        return recording.result(setup)
    return recording.portfolio(setup, setup.deposits)


def _record(records: list[Record], recording: Recording) -> None:
    for record in records:
        if type(record) is StrategyStopped:
            raise FixStrategy(f"at {iso(record.time)}: {record.message}")
        recording.add(record)


def timers_of(strategy: Deciders) -> set[str]:
    """Intervals at whose multiples a strategy wants to be asked."""
    deciders = strategy.values() if isinstance(strategy, Mapping) else [strategy]
    return {interval for each in deciders if isinstance(each, Strategy) for interval in each.timers()}
