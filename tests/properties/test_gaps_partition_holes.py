"""The pieces of the holes are the holes: every missing bar stands in exactly one, whatever is known."""

import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from algotrade.market.gap_pieces import EXCHANGE_DOWN, NO_TRADES, NOT_DOWNLOADED, QUARANTINED
from algotrade.market.gaps import Known, Outage, coarser_gaps, neighbour, type_gaps
from algotrade.market.timeframe import bar_start, timeframe_ms

HOUR = 3_600_000
GRAVEST = (QUARANTINED, NOT_DOWNLOADED, EXCHANGE_DOWN, NO_TRADES)

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


def missing_between(times: "np.ndarray[tuple[int], np.dtype[np.int64]]", step: int) -> list[int]:
    return sorted({*range(int(times[0]), int(times[-1]), step)} - {*times.tolist()})


@given(bars, knowledge)
def test_the_pieces_partition_the_holes(times: "np.ndarray[tuple[int], np.dtype[np.int64]]", known: Known) -> None:
    missing = missing_between(times, HOUR)

    gaps = type_gaps(times, "1h", known)

    pieces = gaps.rows()
    assert [piece.start + bar * HOUR for piece in pieces for bar in range(piece.bars)] == missing
    assert all(piece.end == piece.start + (piece.bars - 1) * HOUR for piece in pieces)
    assert sum(gaps.counts.values()) == len(missing)
    refused = {time // HOUR * HOUR for time in known.refused}
    quarantined = gaps.of_kinds([QUARANTINED]).rows()
    assert {gap.start + bar * HOUR for gap in quarantined for bar in range(gap.bars)} == refused & set(missing)


@given(bars, knowledge, st.sampled_from(["2h", "4h", "1d", "1w"]))
def test_a_coarser_bar_is_missing_for_the_gravest_reason_of_a_finer_one_in_it(
    times: "np.ndarray[tuple[int], np.dtype[np.int64]]", known: Known, timeframe: str
) -> None:
    step = timeframe_ms(timeframe)
    gaps = type_gaps(times, "1h", known)
    kinds = {piece.start + bar * HOUR: piece.kind for piece in gaps.rows() for bar in range(piece.bars)}
    coarse = np.unique([bar_start(time, timeframe) for time in times.tolist()])
    opens = missing_between(coarse, step)
    inside = [{kinds.get(time, NO_TRADES) for time in range(opened, opened + step, HOUR)} for opened in opens]
    gravest = [next(kind for kind in GRAVEST if kind in found) for found in inside]

    found = coarser_gaps(gaps, "1h", coarse, timeframe).rows()

    assert [(piece.start + bar * step, piece.kind) for piece in found for bar in range(piece.bars)] == list(
        zip(opens, gravest, strict=True)
    )


def test_holes_of_decades_take_no_more_memory_than_short_ones() -> None:
    times = np.array([0, 1_699_999_920_000])
    gaps = type_gaps(times, "1m", Known("kraken", covered=[(1_600_000_000_000, 1_700_000_000_000)]))

    tracemalloc.start()
    never, empty = coarser_gaps(gaps, "1m", times, "3m").rows()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (never.bars, empty.bars) == (8_888_888, 555_555)
    assert peak < 1_000_000
