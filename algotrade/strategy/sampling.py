"""Which bars are checked, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from algotrade.market.candles import Floats

LEAST: Final = 10  # bars that are checked however small the budget is

Spent = Callable[[], float]  # CPU seconds used so far, from any beginning


class Clock(NamedTuple):
    """When to stop checking."""

    spent: Spent
    until: float

    def limit(self, bars: Iterable[int]) -> Iterator[int]:
        """The bars, for as long as there is time, and at least LEAST of them."""
        for count, bar in enumerate(bars):
            if count >= LEAST and self.spent() >= self.until:
                return
            yield bar


def bars_in_order(targets: Floats, *, first: int = 0) -> Iterator[int]:
    """The bars from `first` on, each once: in turn one where the target changes and one of all others, spread evenly.

    In turn, because a signal that changes often would use up the budget on changes, and what goes wrong only while a
    target is held would never be looked at.
    """
    changes = np.diff(targets, prepend=0.0) != 0
    changing, others = (np.flatnonzero(kind[first:]) + first for kind in (changes, ~changes))
    for pair in zip_longest(spread(changing), spread(others)):
        yield from (bar for bar in pair if bar is not None)


def spread(bars: npt.NDArray[np.int64]) -> Iterator[int]:
    """The bars, each once, in an order of which any beginning is an even sample.

    Their places are counted in binary and read backwards: J. G. van der Corput, "Verteilungsfunktionen", 1935.
    """
    digits = max(0, len(bars) - 1).bit_length()
    for number in range(1 << digits):
        place = int(f"{number:0{digits}b}"[::-1], 2)
        if place < len(bars):
            yield int(bars[place])
