"""Folding windows: what a window of rows comes to, from the bytes of those rows alone.

A running sum remembers rounding from rows long gone. Here a window is folded from blocks of 1, 2, 4, ... rows, in an
order that only the window's length decides, in O(rows x log(window)).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from algotrade.market.candles import Floats

Combine = Callable[[Floats, int, Floats, int], Floats]


def fold(rows: Floats, window: int, combine: Combine) -> Floats:
    """Fold every window of `window` rows with `combine(left, its length, right, its length)`.

    Row t of the answer covers rows t - window + 1 to t. Blocks of 1, 2, 4, ... rows are folded everywhere at once; a
    window is put together from the blocks of its length's binary digits, the smallest block first.

    Args:
        rows: shape (n,) or (parts, n).
        window: rows, at least 1.
        combine: works row by row on arrays of one shape; associative up to rounding.

    Returns:
        As `rows`; NaN in the first window - 1 columns.
    """
    length = rows.shape[-1]
    answer = np.full_like(rows, math.nan)
    if window > length:
        return answer
    block, size = rows, 1  # block[..., i] covers rows i to i + size - 1
    folded, covered = rows[..., :0], 0  # likewise, i to i + covered - 1
    with np.errstate(invalid="ignore", over="ignore"):
        while covered < window:
            if window & size:
                start = block[..., covered:]
                folded = combine(folded[..., : start.shape[-1]], covered, start, size) if covered else block
                covered += size
            if covered < window:
                block = combine(block[..., :-size], size, block[..., size:], size)
                size *= 2
    answer[..., window - 1 :] = folded
    return answer


def mean(rows: Floats, window: int) -> Floats:
    """Mean of each window, never outside of its lowest and highest value; exact where sums of the rows are."""
    return np.clip(total(rows, window) / window, low(rows, window), high(rows, window))


def total(rows: Floats, window: int) -> Floats:
    """Sum of each window."""
    return fold(rows, window, _sum)


def high(rows: Floats, window: int) -> Floats:
    """Highest of each window."""
    return fold(rows, window, _high)


def low(rows: Floats, window: int) -> Floats:
    """Lowest of each window."""
    return fold(rows, window, _low)


def squares(rows: Floats, window: int) -> Floats:
    """Sum of squared deviations from each window's mean; 0.0 for a constant."""
    sums: Floats = fold(np.stack([rows, np.zeros(len(rows))]), window, _moments)[1]
    return sums


def trend(rows: Floats, window: int) -> Floats:
    """Mean and co-deviation with time, sum((i - mean(i)) x (x - mean(x))), of each window: shape (2, n)."""
    return fold(np.stack([rows, np.zeros(len(rows))]), window, _trend)


def since_high(rows: Floats, window: int) -> Floats:
    """Rows since the highest of each window, the latest one where several are; 0 to window - 1."""
    best = fold(np.stack([rows, np.arange(len(rows), dtype=np.float64)]), window, _latest_high)
    age: Floats = np.arange(len(rows)) - best[1]
    age[np.isnan(best[0])] = math.nan
    return age


def _sum(left: Floats, _left_count: int, right: Floats, _right_count: int) -> Floats:
    return left + right


def _high(left: Floats, _left_count: int, right: Floats, _right_count: int) -> Floats:
    return np.maximum(left, right)


def _low(left: Floats, _left_count: int, right: Floats, _right_count: int) -> Floats:
    return np.minimum(left, right)


def _moments(left: Floats, left_count: int, right: Floats, right_count: int) -> Floats:
    """Mean and sum of squared deviations, shape (2, n), of two blocks together."""
    share = right_count / (left_count + right_count)
    apart = right[0] - left[0]
    return np.stack([left[0] + apart * share, left[1] + right[1] + apart * apart * (left_count * share)])


def _trend(left: Floats, left_count: int, right: Floats, right_count: int) -> Floats:
    """Mean and co-deviation with time, shape (2, n), of two blocks: their middles lie half of all rows apart."""
    apart = right[0] - left[0]
    middle = left[0] + apart * (right_count / (left_count + right_count))
    return np.stack([middle, left[1] + right[1] + apart * (left_count * right_count / 2)])


def _latest_high(left: Floats, _left_count: int, right: Floats, _right_count: int) -> Floats:
    """Highest value and its row, shape (2, n), of two blocks; a NaN stays."""
    return np.stack([np.maximum(left[0], right[0]), np.where(right[0] >= left[0], right[1], left[1])])
