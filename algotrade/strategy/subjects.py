"""What is checked: a strategy, its candles, and what it decided when it was given all of them.

Signals of one symbol and weights of several are checked in the same way; here is what differs between them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol, Self

import numpy as np
import pandas as pd

from algotrade.market.candles import Floats, iso, times_ms
from algotrade.market.moments import moments_of
from algotrade.strategy.base import Strategy, own_errors
from algotrade.strategy.decisions import Decisions, Difference, decisions_of, first_difference
from algotrade.strategy.signals import SignalStrategy, check_signals
from algotrade.strategy.verdicts import Check
from algotrade.strategy.weights import REBALANCE, ROUNDING, PortfolioStrategy, check_weights, plan_of


class Answer(Protocol):
    """What a strategy decided for some bars."""

    def last(self) -> Self:
        """For the last bar alone."""
        ...

    def differs_from(self, other: Self, at: int = 0) -> Difference | None:
        """The first bar at which another answer, for the bars from `at` on, is not the same bit for bit."""
        ...


class Again(NamedTuple):
    """A second run over the same candles: what it decided, and what it changed of the candles ("" for nothing)."""

    answer: Answer
    changed: str


Run = Callable[[int, int], Answer]


class Subject(Protocol):
    """A strategy and what it decided."""

    @property
    def strategy(self) -> Strategy:
        """The very object that decided."""
        ...

    @property
    def answer(self) -> Answer:
        """What it decided when all candles were known."""
        ...

    @property
    def noun(self) -> str:
        """What one decision is called."""
        ...

    @property
    def levels(self) -> Floats:
        """Shape (bars,); where it changes from bar to bar, so does what was decided."""
        ...

    def time(self, bar: int) -> str:
        """Open time of a bar."""
        ...

    def fresh(self) -> Run:
        """What a fresh strategy decides from the bars `first` to `last` (both inclusive) alone; its errors pass."""
        ...

    def again(self) -> Again:
        """What the same strategy decides from a copy of all candles; its errors pass."""
        ...

    def range(self) -> Check:
        """Whether all that was decided lies within the leverage, and not below zero where shorts are not allowed."""
        ...


# ---- signals --------------------------------------------------------------------------------------------------------
class SignalAnswer(NamedTuple):
    """Signals, and what comes with them."""

    decisions: Decisions

    def last(self) -> SignalAnswer:
        """For the last bar alone."""
        return SignalAnswer(self.decisions.last())

    def differs_from(self, other: SignalAnswer, at: int = 0) -> Difference | None:
        """The first bar at which another answer is not the same."""
        return first_difference(self.decisions, other.decisions, at)


class SignalSubject(NamedTuple):
    """A strategy that decides by signals, and the candles of one symbol."""

    strategy: SignalStrategy
    candles: pd.DataFrame
    answer: SignalAnswer
    noun: str = "signal"

    @property
    def levels(self) -> Floats:
        """The targets."""
        return self.answer.decisions.targets

    def time(self, bar: int) -> str:
        """Open time of a bar."""
        return iso(int(times_ms(self.candles.iloc[bar : bar + 1])[0]))

    def fresh(self) -> Run:
        """What a fresh strategy decides from some of the bars."""
        strategy = self.strategy.fresh()

        def run(first: int, last: int) -> SignalAnswer:
            candles = self.candles.iloc[first : last + 1]
            return self._answer_of(strategy, candles, strategy.signals(candles))

        return run

    def again(self) -> Again:
        """What the same strategy decides from a copy of all candles."""
        strategy, given = self.strategy, self.candles.copy()
        with own_errors(strategy), strategy.given({strategy.symbol: given}):
            signals = strategy.generate_signals(given)
        check_signals(strategy, signals, self.candles)
        return Again(self._answer_of(strategy, self.candles, signals), what_changed(self.candles, given))

    def range(self) -> Check:
        """Whether the signals lie within their bounds."""
        leverage, allow_short = self.strategy.bounds
        targets, lowest = self.levels, -leverage if allow_short else 0.0
        outside = np.flatnonzero((targets < lowest) | (targets > leverage))
        bars, told = len(targets), f"between {lowest:g} and {leverage:g}"
        if len(outside):
            first = int(outside[0])
            return Check(False, bars, bars, f"the signal at {self.time(first)} is {targets[first]}, not {told}")
        return Check(True, bars, bars, f"every signal lies {told}")

    def _answer_of(self, strategy: SignalStrategy, candles: pd.DataFrame, signals: pd.DataFrame) -> SignalAnswer:
        return SignalAnswer(decisions_of(strategy, candles, signals, self.answer.decisions.names))


# ---- weights --------------------------------------------------------------------------------------------------------
class WeightAnswer(NamedTuple):
    """Weights of each symbol, and whether they are rebalanced; `values` has shape (bars, names)."""

    names: tuple[str, ...]
    values: Floats

    def last(self) -> WeightAnswer:
        """For the last bar alone."""
        return self._replace(values=self.values[-1:])

    def differs_from(self, other: WeightAnswer, at: int = 0) -> Difference | None:
        """The first bar at which another answer is not the same."""
        known = self.values[at : at + len(other.values)]
        apart = np.argwhere(known != other.values)
        if not len(apart):
            return None
        bar, column = apart[0]
        return Difference(
            at + int(bar), self.names[column], float(known[bar, column]), float(other.values[bar, column])
        )


class WeightSubject(NamedTuple):
    """A strategy that decides by weights, and the candles of its symbols; a bar is a moment at which one has some."""

    strategy: PortfolioStrategy
    tables: Mapping[str, pd.DataFrame]
    answer: WeightAnswer
    noun: str = "weight"

    @property
    def levels(self) -> Floats:
        """How often the weights have changed so far."""
        values = self.answer.values
        changed = np.zeros(len(values))
        changed[1:] = (values[1:] != values[:-1]).any(axis=1)
        return np.cumsum(changed)

    def time(self, bar: int) -> str:
        """Open time of a bar."""
        return iso(int(moments_of(self.tables)[bar]))

    def fresh(self) -> Run:
        """What a fresh strategy decides from some of the bars."""
        strategy, moments = self.strategy.fresh(), moments_of(self.tables)
        times = {symbol: times_ms(table) for symbol, table in self.tables.items()}

        def run(first: int, last: int) -> WeightAnswer:
            known = {
                symbol: table.iloc[: np.searchsorted(times[symbol], moments[last], side="right")]
                for symbol, table in self.tables.items()
            }
            return answer_of_weights(strategy.weights(known, since=int(moments[first]) if first else None), known)

        return run

    def again(self) -> Again:
        """What the same strategy decides from a copy of all candles."""
        strategy, given = self.strategy, {symbol: table.copy() for symbol, table in self.tables.items()}
        with own_errors(strategy), strategy.given(given):
            weights = strategy.generate_weights(given)
        check_weights(strategy, weights, self.tables)
        found = (what_changed(table, given[symbol]) for symbol, table in self.tables.items() if symbol in given)
        changed = "symbols" if list(given) != list(self.tables) else next(filter(None, found), "")
        return Again(answer_of_weights(weights, self.tables), changed)

    def range(self) -> Check:
        """Whether the weights lie within their bounds."""
        leverage, allow_short = self.strategy.bounds
        weights = self.answer.values[:, :-1]
        total, bars = np.abs(weights).sum(axis=1), len(weights)
        outside = (total > leverage * (1.0 + ROUNDING)) | ((weights < 0.0).any(axis=1) & (not allow_short))
        if outside.any():
            first = int(np.flatnonzero(outside)[0])
            return Check(False, bars, bars, f"the weights at {self.time(first)} are {weights[first].tolist()}")
        return Check(True, bars, bars, f"all weights together lie within {leverage:g}")


def answer_of_weights(weights: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> WeightAnswer:
    """Checked weights in a form in which two of them can be compared."""
    plan = plan_of(weights, list(tables))
    names = (*(f"weight of {symbol}" for symbol in tables), REBALANCE)
    return WeightAnswer(names, np.column_stack([plan.weights, plan.rebalance]).astype(np.float64))


def what_changed(candles: pd.DataFrame, given: pd.DataFrame) -> str:
    """What differs between candles and a copy that a strategy has seen; empty if nothing does."""
    if not given.index.equals(candles.index):
        return "times"
    kept = [name for name in candles.columns if name in given.columns and given[name].equals(candles[name])]
    differing = [str(name) for name in candles.columns.union(given.columns, sort=False) if name not in kept]
    return f"column(s) {', '.join(differing)}" if differing else ""
