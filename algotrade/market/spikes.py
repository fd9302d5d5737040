"""Prices that are out of all proportion: a slipped decimal point, a unit mixed up."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from algotrade.market.candles import Floats

FACTOR: Final = 100.0  # a price so many times above or below those around it is not believed
NEIGHBOURS: Final = 4  # bars on either side


def find_spikes(columns: Floats) -> npt.NDArray[np.bool_]:
    """Mask of the bars with a price far from the bars before and from the bars after.

    Measured against the median close of up to four bars on either side, so that one bad bar does not accuse its
    neighbours, and a level that has really moved (a token that was merged) is believed as soon as bars after it stand
    there too. The newest bar has only bars before it: if it is refused and right, the next fetch brings it again, with
    bars after it.

    A single trade can really print a hundredth of the price (Coinbase, 15 April 2017: 0.06 for a bitcoin), so this
    finds what a person should look at, not what is false.

    Args:
        columns: open, high, low, close, volume in rising time, shape (5, n), prices finite and positive.
    """
    prices, closes = columns[:4], columns[3]
    before, after = _medians_before(closes), _medians_before(closes[::-1])[::-1]
    none_before, none_after = np.isnan(before), np.isnan(after)
    suspect = (_far(prices, before) | none_before) & (_far(prices, after) | none_after)
    return suspect & ~(none_before & none_after)


def _medians_before(closes: Floats) -> Floats:
    """Median of the up to four closes before each bar, NaN where there is none."""
    padded = np.concatenate([np.full(NEIGHBOURS, np.nan), closes])
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(padded, NEIGHBOURS)[: closes.size], axis=1)  # NaN last
    counts = np.minimum(np.arange(closes.size), NEIGHBOURS)
    rows = np.arange(closes.size)
    low, high = windows[rows, np.maximum(counts - 1, 0) // 2], windows[rows, counts // 2 % NEIGHBOURS]
    return np.where(counts > 0, (low + high) / 2, np.nan)


def _far(prices: Floats, usual: Floats) -> npt.NDArray[np.bool_]:
    return np.asarray(((prices > usual * FACTOR) | (prices * FACTOR < usual)).any(axis=0))
