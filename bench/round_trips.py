"""Where another backtester's round trips part from ours, and by which of its rules; what no rule explains is counted.

Its stop and its target are at the same prices as ours. Each stretch of signals is one entry and one exit, whatever
came before: so round trips are compared by the bar of their entry, and one that differs changes no other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

SAME_PRICE = 1e-9  # relative; backtesting.py's are scaled and back
OPEN_END = -1


class RoundTrip(NamedTuple):
    """Bars and prices of an entry and of its exit; OPEN_END and NaN where it has none yet."""

    entered: int
    paid: float
    left: int = OPEN_END
    got: float = math.nan


class Levels(NamedTuple):
    """Stop loss and take-profit as fractions of the entry price."""

    stop_loss: float
    take_profit: float


def round_trips(fills: Iterable[tuple[int, int, float]]) -> dict[int, RoundTrip]:
    """By the bar of the entry; `fills` are bar, side and price, in order, never two entries in a row."""
    found: dict[int, RoundTrip] = {}
    entered = OPEN_END
    for bar, side, price in fills:
        if side > 0:
            entered = bar
            found[bar] = RoundTrip(bar, price)
        else:
            found[entered] = found[entered]._replace(left=bar, got=price)
    return found


def differences(
    ours: Mapping[int, RoundTrip], theirs: Mapping[int, RoundTrip], candles: pd.DataFrame, levels: Levels
) -> dict[int, str]:
    """Why a round trip differs, by the bar of its entry; "" where no known rule explains it."""
    found = dict.fromkeys(theirs.keys() - ours.keys(), "")
    for bar, mine in ours.items():
        other = theirs.get(bar)
        if other is None or not _same(mine, other):
            found[bar] = _reason(mine, other, candles, levels)
    return dict(sorted(found.items()))


def _same(one: RoundTrip, other: RoundTrip) -> bool:
    prices = ((one.paid, other.paid), (one.got, other.got))
    return one.left == other.left and all(_near(a, b) or (math.isnan(a) and math.isnan(b)) for a, b in prices)


def _near(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=SAME_PRICE)


def _reason(ours: RoundTrip, theirs: RoundTrip | None, candles: pd.DataFrame, levels: Levels) -> str:
    """By which of its rules a peer came to something else."""
    opens, closes = candles["open"], candles["close"]
    stop, target = ours.paid * (1.0 - levels.stop_loss), ours.paid * (1.0 + levels.take_profit)
    if theirs is None:
        return "" if stop < closes.iloc[ours.entered - 1] < target else "takes no order whose levels the gap jumps"
    if not _near(ours.paid, theirs.paid) or ours.left == OPEN_END:
        return ""
    if ours.left == ours.entered != theirs.left:
        return "watches no level in the bar of the entry"
    at_open = ours.left == theirs.left and _near(ours.got, opens.iloc[ours.left])
    if not at_open or not (_near(theirs.got, stop) or _near(theirs.got, target)):
        return ""
    if ours.got >= target and _near(theirs.got, stop):
        return "takes the stop although the bar opens beyond the target"
    return "takes the level although the position is sold at that bar's open"
