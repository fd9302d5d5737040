"""Sums that do not depend on how the summing was split: of decimals, as exchanges write them, not of binary floats.

Adding floats rounds at every step, so a day summed from its minutes differs in the last digits from the day summed
from its hours. Volumes are decimals of few places; their exact sum, rounded once, is the same either way, and the same
that an exchange gives for the day, which adds decimals too.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Final

import numpy as np
import numpy.typing as npt

PLACES: Final = 1e8  # exchanges count to eight places
EXACT: Final = 2.0**52  # whole numbers up to here, and the sums of two of them, are exact as floats
DIGITS: Final = 400  # more than the sum of any floats of a like size needs


def decimal_sums(values: npt.NDArray[np.float64], starts: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """The sum of each group of values as decimals, rounded once to the nearest float.

    A value stands for the shortest decimal that reads as it: 0.1 for a tenth, though no float is one. Sums of sums are
    the same as sums of all, as long as they have no more than fifteen digits.

    Args:
        values: finite, not negative, shape (n,).
        starts: position of each group's first value, rising from 0, shape (groups,).
    """
    scaled = np.rint(values * PLACES)
    plain = (scaled / PLACES == values) & (scaled < EXACT)
    whole = np.where(plain, scaled, 0.0)
    sums = np.add.reduceat(whole.astype(np.int64), starts) / PLACES
    ends = np.r_[starts[1:], len(values)]
    other = ~np.logical_and.reduceat(plain, starts) | (np.add.reduceat(whole, starts) >= EXACT)
    with localcontext(prec=DIGITS):
        for group in np.flatnonzero(other):
            sums[group] = float(sum(map(Decimal, map(repr, values[starts[group] : ends[group]].tolist()))))
    return np.asarray(sums, np.float64)
