"""Running prepared strategies: on the kernel where it can express the run, else on the event loop; and why there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import pandas as pd

from algotrade.backtest.event_loop import Deciders, run_event_loop
from algotrade.backtest.feed import NOTHING, Inside
from algotrade.backtest.kernel import is_plain, run_kernel
from algotrade.backtest.known_signals import KnownSignals
from algotrade.backtest.setup import Setup
from algotrade.backtest.weights_run import KnownWeights, run_weights, shared_plan
from algotrade.engine.book import Decider
from algotrade.errors import FixCommand
from algotrade.evaluate.executions import RanOn
from algotrade.evaluate.portfolio import Outcome
from algotrade.evaluate.result import Result
from algotrade.strategy.base import Strategy
from algotrade.strategy.signals import Wanted, decides_by_signals, wanted_of
from algotrade.strategy.weights import Plan, PortfolioStrategy, decides_by_weights, plan_of


class Prepared(NamedTuple):
    """A strategy that is ready to run.

    Attributes:
        strategy: begun on the symbols of the run.
        signals: by symbol, over all candles; None where it decides in another way.
        wanted: what the signals ask for, likewise.
        weights: of all symbols, over all their candles; None where it decides in another way.
    """

    strategy: Strategy
    signals: Mapping[str, pd.DataFrame] | None = None
    wanted: Mapping[str, Wanted] | None = None
    weights: pd.DataFrame | None = None

    @property
    def is_known(self) -> bool:
        """Whether all that it decides is known before the run."""
        return self.wanted is not None or self.weights is not None


def begin(strategy: Strategy, setup: Setup, warmup: int | str | None) -> Strategy:
    """Begin a strategy under the conditions of a run; a backtest and a live session both do it here.

    Args:
        strategy: with its parameters; it takes the bounds, and the sizing if there is one, of the setup.
        setup: of the run.
        warmup: candles that it looks back on.

    Raises:
        FixCommand: a sizing for a strategy whose weights say the sizes.
    """
    strategy.bounds, strategy.calendar = setup.bounds, setup.calendar
    strategy.sizing = setup.sizing or strategy.sizing
    strategy.begin(setup.symbols, warmup, timeframe=setup.timeframe)
    if isinstance(strategy, PortfolioStrategy) and strategy.sizing is not None:
        raise FixCommand(
            f"{strategy.name()} says by its weights how much to hold; a sizing has no meaning beside them",
            hint=f"algotrade backtest --strategy {strategy.name()}",
        )
    return strategy


def prepare(
    strategy: Strategy,
    tables: Mapping[str, pd.DataFrame],
    setup: Setup,
    signals: Mapping[str, pd.DataFrame] | None = None,
) -> Prepared:
    """Begin a strategy on the symbols of a run, and compute its signals where it decides by nothing else.

    Args:
        strategy: with its parameters, see `begin`.
        tables: closed candles by symbol.
        setup: of the run.
        signals: by symbol, checked, where they are already computed.

    Raises:
        FixStrategy: its code raised, or its answer is no table of signals, or of weights.
        FixCommand: a sizing for a strategy whose weights say the sizes.
    """
    begin(strategy, setup, strategy.warmup)
    if decides_by_weights(strategy):
        return Prepared(strategy, weights=strategy.weights(tables))
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
    if not reason and alone is not None:
        return _by_kernel(alone, tables, setup)

    def deciders() -> Deciders:
        return {book: _decider(prepared, setup) for book, prepared in books.items()}

    outcome: Outcome = run_event_loop(tables, deciders(), setup, inside=inside, again=deciders)
    ran_on = RanOn("event loop", reason)
    if isinstance(outcome, Result) and alone is not None:
        recorded = outcome.signals if alone.weights is not None else None
        signals = recorded if alone.signals is None else alone.signals[symbol]
        return replace(outcome, candles=tables[symbol], signals=signals, ran_on=ran_on)
    return replace(outcome, ran_on=ran_on)


def _by_kernel(prepared: Prepared, tables: Mapping[str, pd.DataFrame], setup: Setup) -> Outcome:
    """By the loop of one symbol, or where weights are more than it can express by that of several."""
    symbol, signals = setup.instrument.symbol, prepared.signals
    if _by_weights(prepared, setup):
        outcome = run_weights(tables, _plan(prepared, tables, setup), setup)
    else:
        outcome = run_kernel(tables[symbol], (prepared.wanted or {})[symbol], setup)
    if isinstance(outcome, Result) and signals is not None:
        outcome = replace(outcome, signals=signals[symbol])
    return replace(outcome, ran_on=RanOn("kernel"))


def _by_weights(prepared: Prepared, setup: Setup) -> bool:
    """Whether the loop of weights is the one that could run it."""
    return prepared.weights is not None or len(setup.instruments) > 1 or setup.rebalance_band > 0.0


def _plan(prepared: Prepared, tables: Mapping[str, pd.DataFrame], setup: Setup) -> Plan:
    """What to hold at every moment: the weights, or the signals of all symbols, each with the same share of equity."""
    if prepared.weights is not None:
        return plan_of(prepared.weights, setup.symbols)
    return shared_plan(tables, {symbol: each.targets for symbol, each in (prepared.wanted or {}).items()})


def reason_for_events(books: Mapping[str, Prepared], setup: Setup, inside: Inside) -> str:
    """What a run has that the kernel cannot express, in words; "" where it can express all of it."""
    costs = setup.costs
    wide = any(_by_weights(prepared, setup) for prepared in books.values())
    wanted = [each for prepared in books.values() for each in (prepared.wanted or {}).values()]
    found = {
        "a strategy that answers events": not all(prepared.is_known for prepared in books.values()),
        "several strategies": len(books) > 1,
        "risk limits": setup.limits.any(),
        "finer candles": bool(inside.detail),
        "trades": bool(inside.prints),
        "funding": bool(inside.funding),
        "latency": costs.latency_bars > 0 or costs.latency_ms > 0,
        "a share of the volume": costs.max_volume_share > 0.0,
        "market impact": costs.impact_rate > 0.0,
        "fees by volume": bool(costs.fee_schedule),
        "fees in base units": costs.fee_in_base,
        "borrowing costs": costs.borrow_rate > 0.0,
        "leverage in several positions": wide and setup.bounds.leverage > 1.0,
        "short positions in several markets": wide
        and any(each.can_short or setup.bounds.allow_short for each in setup.instruments),
        "stops, limits or sizes in several markets": wide and not all(is_plain(each, setup) for each in wanted),
    }
    return ", ".join(told for told, applies in found.items() if applies)


def _decider(prepared: Prepared, setup: Setup) -> Decider:
    """What decides in the event loop, having seen nothing: what a strategy remembers must not reach the next run."""
    if prepared.weights is not None:
        return KnownWeights(setup.symbols, plan_of(prepared.weights, setup.symbols))
    if prepared.wanted is None:
        return prepared.strategy.fresh()
    return KnownSignals(prepared.wanted)
