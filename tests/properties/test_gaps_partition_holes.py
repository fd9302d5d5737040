"""The pieces of the holes are the holes: every missing bar stands in exactly one, whatever is known."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from algotrade.market.candles import find_gaps
from algotrade.market.gap_pieces import QUARANTINED
from algotrade.market.gaps import Known, Outage, neighbour, type_gaps

HOUR = 3_600_000

moments = st.integers(0, 60 * 4).map(lambda quarter: quarter * HOUR // 4)  # also off the grid
spans = st.tuples(moments, moments).map(sorted).map(tuple)
bars = st.sets(st.integers(0, 60), min_size=1).map(lambda found: np.array(sorted(found), np.int64) * HOUR)
outages = st.builds(Outage, moments, st.none() | moments, st.just("it said so"))
neighbours = st.builds(
    neighbour, st.sampled_from(["ETH/USD", "SOL/USD"]), bars, st.just("1h"), st.none() | st.lists(spans, max_size=3)
)
knowledge = st.builds(
    Known,
    st.just("kraken"),
    st.none() | st.lists(spans, max_size=4),
    st.dictionaries(moments, st.sampled_from(["high is below low", "no close"]), max_size=5),
    st.lists(outages, max_size=2),
    st.lists(neighbours, max_size=3),
)


@given(bars, knowledge)
def test_the_pieces_partition_the_holes(times: "np.ndarray[tuple[int], np.dtype[np.int64]]", known: Known) -> None:
    missing = [gap.start + bar * HOUR for gap in find_gaps(times, "1h") for bar in range(gap.bars)]

    gaps = type_gaps(times, "1h", known)

    pieces = gaps.rows()
    assert [piece.start + bar * HOUR for piece in pieces for bar in range(piece.bars)] == missing
    assert all(piece.end == piece.start + (piece.bars - 1) * HOUR for piece in pieces)
    assert sum(gaps.counts.values()) == len(missing)
    refused = {time // HOUR * HOUR for time in known.refused}
    quarantined = gaps.of_kinds([QUARANTINED]).rows()
    assert {gap.start + bar * HOUR for gap in quarantined for bar in range(gap.bars)} == refused & set(missing)
