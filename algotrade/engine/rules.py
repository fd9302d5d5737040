"""The rules of a simulated exchange: its markets, what trading there costs, and how it reads a bar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from algotrade.engine.fills import Costs
from algotrade.engine.sizing import Terms

WORST: Final = "worst"
BEST: Final = "best"
PATHS: Final = (WORST, BEST)


class Market(NamedTuple):
    """One market: costs and legal sizes, and whether a position may go below zero."""

    terms: Terms
    can_short: bool = False


class Rules(NamedTuple):
    """What holds for all orders.

    Attributes:
        markets: by symbol.
        costs: of trading and holding.
        bar_ms: length of a bar, milliseconds.
        path: which way through a bar is taken where it matters, "worst" or "best" for us.
        touch: a limit fills where the price reaches it, not only where it goes through.
    """

    markets: Mapping[str, Market]
    costs: Costs = Costs()
    bar_ms: int = 0
    path: str = WORST
    touch: bool = False
