"""The checks that every backtest runs and live trading asks for: is what was tested what will be traded?

* look-ahead: the signals computed from the bars up to t equal those computed from all bars, at every bar up to t; so
  do, where the signal changes, the columns that protect the position and its size.
* warm-up: the signal at t computed from the last `warmup` bars, which is what live trading does, equals it too.
* purity: the same candles give the same signals again, and they and the parameters are left as they were.
* range: the signals lie within the leverage, and not below zero where shorts are not allowed.

Equal means equal bit for bit. One check of a bar costs one run of the strategy, so they are made at the bars where the
signal changes and at an even sample of the others, in turn, until a budget of CPU time is spent.

They cannot see a future that does not come from the candles (a file, a date that somebody remembered), nor one that
changes no signal on these candles.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import chain
from typing import NamedTuple

import pandas as pd

from algotrade.errors import AlgotradeError
from algotrade.market.candles import COLUMNS
from algotrade.strategy.base import Strategy
from algotrade.strategy.decisions import decisions_of
from algotrade.strategy.event_checks import check_event_strategy, with_sizing
from algotrade.strategy.sampling import Clock, Spent, bars_in_order
from algotrade.strategy.signals import SignalStrategy
from algotrade.strategy.subjects import (
    Answer,
    Run,
    SignalAnswer,
    SignalSubject,
    Subject,
    WeightSubject,
    answer_of_weights,
)
from algotrade.strategy.verdicts import Check, Checks, Warmup, check_key
from algotrade.strategy.weights import PortfolioStrategy

__all__ = ["Budget", "Check", "Checks", "check_key", "check_portfolio", "check_strategy"]


class Budget(NamedTuple):
    """How much to check: `seconds` of CPU time, or every bar whatever it costs."""

    seconds: float = 0.8  # of the second that checks may add to a backtest; the rest is for what stands around them
    full: bool = False


def check_strategy(
    strategy: Strategy,
    candles: pd.DataFrame | Mapping[str, pd.DataFrame],
    signals: pd.DataFrame | None,
    budget: Budget,
    spent: Spent,
) -> Checks:
    """Check a strategy on the candles that it was backtested on.

    Costs the budget, and at least one run of the strategy over all candles.

    Args:
        strategy: the very object that computed `signals`; what it kept from that run is part of what is checked.
        candles: closed candles, shape (bars,); by symbol for a strategy of several that answers events.
        signals: what `strategy.signals(candles)` gave; None for a strategy that answers events.
        budget: up to the half of it purity and look-ahead are checked, then warm-up.
        spent: CPU seconds used so far, for example `time.process_time`.
    """
    if not isinstance(strategy, SignalStrategy) or signals is None or isinstance(candles, Mapping):
        tables = candles if isinstance(candles, Mapping) else {strategy.symbol: candles}
        return check_event_strategy(strategy, tables, Clock(spent, _end(budget, budget.seconds, spent())))
    candles = candles[list(COLUMNS)]  # a strategy that writes on its input may have left columns of its own
    answer = SignalAnswer(decisions_of(strategy, candles, signals))
    checks = _checks(SignalSubject(strategy, candles, answer), budget, spent)
    return checks._replace(warmup=with_sizing(strategy, checks.warmup))


def check_portfolio(
    strategy: PortfolioStrategy,
    tables: Mapping[str, pd.DataFrame],
    weights: pd.DataFrame,
    budget: Budget,
    spent: Spent,
) -> Checks:
    """Check a strategy of several symbols on the candles that it was backtested on; see `check_strategy`.

    Args:
        strategy: the very object that computed `weights`, as it was begun for the run.
        tables: closed candles by symbol.
        weights: what `strategy.weights(tables)` gave.
        budget: as there.
        spent: as there.
    """
    known = {symbol: table[list(COLUMNS)] for symbol, table in tables.items()}
    return _checks(WeightSubject(strategy, known, answer_of_weights(weights, known)), budget, spent)


def _checks(subject: Subject, budget: Budget, spent: Spent) -> Checks:
    start, declared = spent(), subject.strategy.warmup
    purity = _purity(subject)
    share = 1.0 if declared == "all" else 0.5
    look_ahead = _look_ahead(subject, Clock(spent, _end(budget, budget.seconds * share, start)))
    if look_ahead.passed:
        warm_up, warmup = _warm_up(subject, Clock(spent, _end(budget, budget.seconds, start)))
    else:
        unknown = Check(None, 0, len(subject.levels), "not checked: the strategy looks ahead")
        warm_up, warmup = unknown, declared or _longest_parameter(subject.strategy)
    return Checks(look_ahead, warm_up, purity, subject.range(), warmup)


def _end(budget: Budget, seconds: float, start: float) -> float:
    """When to stop checking; never where every bar is to be checked."""
    return math.inf if budget.full else start + seconds


def _tried(subject: Subject, run: Run, first: int, last: int) -> Answer | str:
    """What is decided from the bars `first` to `last` (both inclusive) alone, or a sentence about what was raised."""
    try:
        return run(first, last)
    except AlgotradeError as error:
        return f"from the {_counted(last - first + 1)} up to {subject.time(last)} alone: {error.message}"


# ---- look-ahead -----------------------------------------------------------------------------------------------------
def _look_ahead(subject: Subject, clock: Clock) -> Check:
    total, covered = len(subject.levels), 0
    for covered, bar in enumerate(clock.limit(bars_in_order(subject.levels)), 1):
        problem = _later_bars_matter(subject, bar)
        if problem:
            return Check(False, covered, total, problem)
    return Check(True, covered, total, f"no {subject.noun} depends on a later bar")


def _later_bars_matter(subject: Subject, bar: int) -> str:
    """How the signals up to `bar` change when no later bar is known; empty when they do not.

    The strategy is a fresh one: it cannot know the later bars from an earlier run either.
    """
    answer = _tried(subject, subject.fresh(), 0, bar)
    if isinstance(answer, str):
        return answer
    found = subject.answer.differs_from(answer)
    if found is None:
        return ""
    return (
        f"the {found.column} at {subject.time(found.bar)} is {found.known} with all bars known,"
        f" {found.other} when none after {subject.time(bar)} is"
    )


# ---- warm-up --------------------------------------------------------------------------------------------------------
class Trial(NamedTuple):
    """A warm-up that was tried: how many bars it held at, and the first at which it did not, if there is one."""

    warmup: int
    covered: int
    bar: int | None = None
    problem: str = ""


def _warm_up(subject: Subject, clock: Clock) -> tuple[Check, Warmup]:
    """The verdict, and the warm-up that live trading uses.

    Only bars with more than `warmup` bars up to them say anything: before, the last `warmup` bars are all there are.
    """
    declared, bars = subject.strategy.warmup, len(subject.levels)
    if declared == "all":
        return Check(True, 0, 0, "declared: live trading keeps every bar since its first"), "all"
    first = _longest_parameter(subject.strategy) if declared is None else max(1, int(declared))
    first = int(with_sizing(subject.strategy, first))  # live trading keeps as many
    if first >= bars:
        return Check(None, 0, 0, f"not checked: the warm-up is {_counted(first)}, the data {_counted(bars)}"), first
    trial = _try_warmup(subject, clock, first)
    last = _double_warmup(subject, clock, trial)
    if declared is not None and trial.problem:
        advice = f"warmup = {last.warmup} is enough" if not last.problem else 'declare warmup = "all"'
        return Check(False, trial.covered, bars - first, f"{trial.problem}; {advice}"), first
    if last.problem:
        return Check(False, last.covered, bars - last.warmup, f'{last.problem}; declare warmup = "all"'), "all"
    how = "found by trial" if declared is None else "as declared"
    return Check(True, last.covered, bars - last.warmup, f"{_counted(last.warmup)} of warm-up, {how}"), last.warmup


def _double_warmup(subject: Subject, clock: Clock, trial: Trial) -> Trial:
    """Twice the warm-up until it holds, or until there are too few candles to try it on."""
    while trial.problem and 2 * trial.warmup < len(subject.levels):
        trial = _try_warmup(subject, clock, 2 * trial.warmup, suspect=trial.bar)
    return trial


def _try_warmup(subject: Subject, clock: Clock, warmup: int, *, suspect: int | None = None) -> Trial:
    """Compare the signals from the last `warmup` bars with the full run's; the `suspect` bar comes first.

    One strategy computes them all, as one does in live trading: what it keeps from call to call shows.
    """
    run = subject.fresh()
    suspects = [suspect] if suspect is not None and suspect >= warmup else []
    others = (bar for bar in bars_in_order(subject.levels, first=warmup) if bar not in suspects)
    covered = 0
    for covered, bar in enumerate(clock.limit(chain(suspects, others)), 1):
        answer = _tried(subject, run, bar - warmup + 1, bar)
        if isinstance(answer, str):
            return Trial(warmup, covered, bar, answer)
        found = subject.answer.differs_from(answer.last(), bar)
        if found is not None:
            told = f"is {found.known} from all bars, {found.other} from the last {warmup:,}"
            return Trial(warmup, covered, bar, f"the {found.column} at {subject.time(bar)} {told}")
    return Trial(warmup, covered)


def _longest_parameter(strategy: Strategy) -> int:
    """The largest whole number among the parameters, at least 1: where the search for a warm-up begins."""
    return max((value for value in strategy.values.values() if type(value) is int and value > 0), default=1)


# ---- purity ---------------------------------------------------------------------------------------------------------
def _purity(subject: Subject) -> Check:
    """Run the strategy once more, on a copy of the candles that it could spoil."""
    strategy, bars = subject.strategy, len(subject.levels)
    try:
        again = subject.again()
    except AlgotradeError as error:
        return Check(False, bars, bars, f"the second run over the same candles: {error.message}")
    overwritten = [name for name, value in strategy.values.items() if getattr(strategy, name) != value]
    if overwritten:
        name = overwritten[0]
        told = (
            f"it overwrites its parameter {name}: {strategy.values[name]} was given, {getattr(strategy, name)} is used"
        )
        return Check(False, bars, bars, told)
    if again.changed:
        told = f"it changes the {again.changed} of the candles it is given; work on candles.copy()"
        return Check(False, bars, bars, told)
    found = subject.answer.differs_from(again.answer)
    if found is not None:
        told = f"{found.known} in one run, {found.other} in the next"
        return Check(
            False, bars, bars, f"the {found.column} at {subject.time(found.bar)} is {told}, over the same candles"
        )
    return Check(True, bars, bars, f"the same candles give the same {subject.noun}s, and are left as they were")


def _counted(bars: int) -> str:
    return "1 bar" if bars == 1 else f"{bars:,} bars"
