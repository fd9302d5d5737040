"""Sums that do not depend on how the summing was split: of decimals, as exchanges write them, not of binary floats.

Adding floats rounds at every step, so a day summed from its minutes differs in the last digits from the day summed
from its hours. Volumes are decimals of few places; their exact sum, rounded once, is the same either way, and the same
that an exchange gives for the day, which adds decimals too.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

UNITS: Final = 10**8  # nearly every exchange counts to eight places
# Below it, floats are closer to each other than units are: each stands for one number of units at most. And the sum of
# two such numbers is exact as a float.
EXACT: Final = 2.0**52
LOW_BITS: Final = 26
DIGITS: Final = 400  # more than the sum of any floats of a like size needs


def decimal_sums(values: npt.NDArray[np.float64], starts: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """The sum of each group of values as decimals, rounded once to the nearest float.

    A value stands for the shortest decimal that reads as it: 0.1 for a tenth, though no float is one. Sums of sums are
    the same as sums of all, as long as they have no more than fifteen digits.

    Args:
        values: finite, not negative, shape (n,).
        starts: position of each group's first value, rising from 0, shape (groups,).
    """
    whole, plain = _whole_units(values)
    sums = np.add.reduceat(whole, starts) / UNITS
    ends = np.r_[starts[1:], len(values)]
    other = ~np.logical_and.reduceat(plain, starts) | (np.add.reduceat(whole.astype(np.float64), starts) >= EXACT)
    with localcontext(prec=DIGITS):
        for group in np.flatnonzero(other):
            sums[group] = float(sum(map(Decimal, map(repr, values[starts[group] : ends[group]].tolist()))))
    return np.asarray(sums, np.float64)


def exact_sums(values: npt.NDArray[np.float64], starts: npt.NDArray[np.intp]) -> list[Fraction]:
    """The same before rounding, for sums that go on; `decimal_sums` is much faster where there are many groups."""
    whole, plain = _whole_units(values)
    high = np.add.reduceat(whole >> LOW_BITS, starts)  # in two halves, which cannot overflow
    low = np.add.reduceat(whole & ((1 << LOW_BITS) - 1), starts)
    sums = [Fraction((a << LOW_BITS) + b, UNITS) for a, b in zip(high.tolist(), low.tolist(), strict=True)]
    for at in np.flatnonzero(~plain).tolist():
        sums[int(np.searchsorted(starts, at, "right")) - 1] += Fraction(repr(float(values[at])))
    return sums


def _whole_units(values: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Each value in units of the eighth place, 0 where it is no whole number of them, and whether it is one."""
    scaled = np.rint(values * UNITS)
    plain = (scaled / UNITS == values) & (scaled < EXACT)
    return np.where(plain, scaled, 0.0).astype(np.int64), plain
