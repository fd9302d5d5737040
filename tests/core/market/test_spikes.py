"""Which bars are out of all proportion, and which only look wild."""

from __future__ import annotations

import numpy as np
import pytest

from algotrade.market.spikes import find_spikes


def bars(closes: list[float]) -> np.ndarray:
    close = np.array(closes)
    return np.array([close, close * 1.01, close * 0.99, close, np.ones(len(close))])


@pytest.mark.parametrize(
    ("closes", "suspects"),
    [
        ([100, 101, 100_000, 102, 103], [2]),  # a slipped decimal point
        ([100, 101, 0.1, 102, 103], [2]),
        ([100_000, 101, 100, 102, 103], [0]),  # the first bar
        ([100, 101, 102, 103, 104_000], [4]),  # the newest: believed once bars after it stand there too
        ([99, 98, 100, 101, 100_000, 99_000, 102, 103, 104, 105, 106], [4, 5]),  # two in a row
        ([100, 50, 25, 300, 90, 10, 95], []),  # wild, but a market
        ([0.001, 0.001, 0.001, 0.001, 1.0, 1.0, 1.0, 1.0], []),  # a token merged a thousand to one
        ([100, 100_000], [0, 1]),  # nobody can say which of the two is wrong
        ([100], []),
        ([], []),
    ],
)
def test_a_bar_far_from_those_around_it_is_suspect(closes: list[float], suspects: list[int]) -> None:
    assert np.flatnonzero(find_spikes(bars(closes))).tolist() == suspects


@pytest.mark.parametrize("row", range(4), ids=["open", "high", "low", "close"])
def test_one_price_of_a_bar_is_enough(row: int) -> None:
    columns = bars([100.0] * 9)
    columns[row, 4] *= 1000 if row != 2 else 0.001
    assert np.flatnonzero(find_spikes(columns)).tolist() == [4]


def test_a_candle_of_any_volume_is_believed() -> None:
    columns = bars([100.0] * 9)
    columns[4, 4] = 1e12
    assert not find_spikes(columns).any()
