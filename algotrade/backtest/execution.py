"""Running prepared strategies: on the kernel where it can express the run, else on the event loop; and why there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import pandas as pd

from algotrade.backtest.event_loop import Deciders, run_event_loop
from algotrade.backtest.feed import NOTHING, Inside
from algotrade.backtest.kernel import run_kernel
from algotrade.backtest.known_signals import KnownSignals
from algotrade.backtest.setup import Setup
from algotrade.engine.book import Decider
from algotrade.evaluate.executions import RanOn
from algotrade.evaluate.portfolio import Outcome
from algotrade.evaluate.result import Result
from algotrade.strategy.base import Strategy
from algotrade.strategy.signals import Wanted, decides_by_signals, wanted_of


class Prepared(NamedTuple):
    """A strategy that is ready to run.

    Attributes:
        strategy: begun on the symbols of the run.
        signals: by symbol, over all candles; None where it decides event by event.
        wanted: what the signals ask for, likewise.
    """

    strategy: Strategy
    signals: Mapping[str, pd.DataFrame] | None = None
    wanted: Mapping[str, Wanted] | None = None


def prepare(
    strategy: Strategy,
    tables: Mapping[str, pd.DataFrame],
    setup: Setup,
    signals: Mapping[str, pd.DataFrame] | None = None,
) -> Prepared:
    """Begin a strategy on the symbols of a run, and compute its signals where it decides by nothing else.

    Args:
        strategy: with its parameters; it takes the bounds, and the sizing if there is one, of the setup.
        tables: closed candles by symbol.
        setup: of the run.
        signals: by symbol, checked, where they are already computed.

    Raises:
        FixStrategy: its code raised, or its answer is no table of signals.
    """
    strategy.bounds, strategy.calendar = setup.bounds, setup.calendar
    strategy.sizing = setup.sizing or strategy.sizing
    strategy.begin(setup.symbols, strategy.warmup, timeframe=setup.timeframe)
    if not decides_by_signals(strategy):
        return Prepared(strategy)
    known, wanted = dict(signals or {}), {}
    for symbol, candles in tables.items():
        strategy.symbol = symbol
        known[symbol] = known[symbol] if symbol in known else strategy.signals(candles)
        wanted[symbol] = wanted_of(strategy, candles, known[symbol])
    strategy.symbol = setup.instrument.symbol
    return Prepared(strategy, known, wanted)


def execute(
    books: Mapping[str, Prepared], tables: Mapping[str, pd.DataFrame], setup: Setup, inside: Inside = NOTHING
) -> Outcome:
    """Trade what the strategies want.

    Args:
        books: the strategies by the names of their books; one without a name where it is alone.
        tables: closed candles by symbol.
        setup: cash, costs, markets, limits.
        inside: what is known of the markets besides.

    Returns:
        A Result of one symbol and one strategy, with its signals; else a PortfolioResult.
    """
    alone = next(iter(books.values())) if len(books) == 1 else None
    symbol = setup.instrument.symbol
    reason = reason_for_events(books, setup, inside)
    if not reason and alone is not None and alone.wanted is not None and alone.signals is not None:
        run = run_kernel(tables[symbol], alone.wanted[symbol], setup)
        return replace(run, signals=alone.signals[symbol], ran_on=RanOn("kernel"))

    def deciders() -> Deciders:
        return {book: _decider(prepared) for book, prepared in books.items()}

    outcome: Outcome = run_event_loop(tables, deciders(), setup, inside=inside, again=deciders)
    ran_on = RanOn("event loop", reason)
    if isinstance(outcome, Result) and alone is not None:
        signals = None if alone.signals is None else alone.signals[symbol]
        return replace(outcome, candles=tables[symbol], signals=signals, ran_on=ran_on)
    return replace(outcome, ran_on=ran_on)


def reason_for_events(books: Mapping[str, Prepared], setup: Setup, inside: Inside) -> str:
    """What a run has that the kernel cannot express, in words; "" where it can express all of it."""
    costs = setup.costs
    found = {
        "a strategy that answers events": any(prepared.wanted is None for prepared in books.values()),
        "several strategies": len(books) > 1,
        "several symbols": len(setup.instruments) > 1,
        "risk limits": setup.limits.any(),
        "a rebalance band": setup.rebalance_band > 0.0,
        "finer candles": bool(inside.detail),
        "trades": bool(inside.prints),
        "funding": bool(inside.funding),
        "latency": costs.latency_bars > 0 or costs.latency_ms > 0,
        "a share of the volume": costs.max_volume_share > 0.0,
        "market impact": costs.impact_rate > 0.0,
        "fees by volume": bool(costs.fee_schedule),
        "fees in base units": costs.fee_in_base,
        "borrowing costs": costs.borrow_rate > 0.0,
    }
    return ", ".join(told for told, applies in found.items() if applies)


def _decider(prepared: Prepared) -> Decider:
    """What decides in the event loop, having seen nothing: what a strategy remembers must not reach the next run."""
    if prepared.wanted is None:
        return prepared.strategy.fresh()
    return KnownSignals(prepared.wanted, share=1.0 / len(prepared.wanted))
