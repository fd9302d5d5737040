"""All that a table of signals decides, in a form in which two of them can be compared."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from algotrade.market.candles import Floats
from algotrade.strategy.protection import PROTECTIVE
from algotrade.strategy.signals import SignalStrategy, wanted_of


class Decisions(NamedTuple):
    """Targets, and what comes with them where they change.

    Attributes:
        targets: target exposure, float64, shape (bars,).
        names: of the columns beside it: protective ones and "size".
        entries: those columns, float64, shape (bars, names), NaN for none.
    """

    targets: Floats
    names: tuple[str, ...]
    entries: Floats

    def last(self) -> Decisions:
        """Of the last bar alone."""
        return self._replace(targets=self.targets[-1:], entries=self.entries[-1:])


class Difference(NamedTuple):
    """A bar, the column that differs there, and its two values."""

    bar: int
    column: str
    known: float
    other: float


def decisions_of(
    strategy: SignalStrategy, candles: pd.DataFrame, signals: pd.DataFrame, names: tuple[str, ...] | None = None
) -> Decisions:
    """What checked signals decide.

    Args:
        strategy: that gave them.
        candles: of which it made them, shape (bars,).
        signals: its answer.
        names: of the columns to look at; None for those in which there is anything.
    """
    targets, protection, scales, _unit = wanted_of(strategy, candles, signals)
    nothing = np.full(len(targets), np.nan)
    columns = {name: nothing if protection is None else getattr(protection, name) for name in PROTECTIVE}
    columns["size"] = nothing if scales is None else scales
    if names is None:
        names = tuple(name for name, column in columns.items() if not np.isnan(column).all())
    entries = np.column_stack([columns[name] for name in names]) if names else np.empty((len(targets), 0))
    return Decisions(targets, names, entries)


def first_difference(known: Decisions, other: Decisions, at: int = 0) -> Difference | None:
    """Where decisions about some of the bars differ from those about all of them, bit for bit; None where nowhere.

    What comes with a target decides nothing where the target does not change, so there it is not compared.

    Args:
        known: about all bars.
        other: about the bars from `at` on, as far as it goes.
        at: a bar of `known`.
    """
    bars = slice(at, at + len(other.targets))
    unequal = np.flatnonzero(known.targets[bars] != other.targets)
    if len(unequal):
        bar = int(unequal[0])
        return Difference(at + bar, "signal", float(known.targets[at + bar]), float(other.targets[bar]))
    if not known.names:
        return None
    changed = (np.diff(known.targets, prepend=0.0) != 0.0)[bars]
    ours, theirs = known.entries[bars][changed], other.entries[changed]
    apart = np.argwhere((ours != theirs) & ~(np.isnan(ours) & np.isnan(theirs)))
    if not len(apart):
        return None
    row, column = apart[0]
    bar = at + int(np.flatnonzero(changed)[row])
    return Difference(bar, known.names[column], float(ours[row, column]), float(theirs[row, column]))
