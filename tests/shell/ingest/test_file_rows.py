from __future__ import annotations

import numpy as np
import pytest

from algotrade.errors import FixData
from algotrade.ingest.files.rows import FileRows, LastRow, find_bad_rows, find_overlaps, infer_timeframe

HOUR = 3_600_000
LATER = 10**15


def rows_at(*hours: float) -> FileRows:
    """Good candles at these hours, from line 2 on."""
    times = (np.array(hours) * HOUR).astype(np.int64)
    return FileRows(np.arange(2, 2 + len(times)), times, np.full((5, len(times)), 10.0))


@pytest.mark.parametrize(
    ("hours", "timeframe"),
    [
        ((0, 1, 2, 3), "1h"),
        ((0, 24, 48, 120, 144), "1d"),
        ((0, 1, 2, 3, 3.5, 4.5), "1h"),
        ((0, 1, 25), "1h"),
        ((0, 24, 25), "1h"),
        ((0, 168, 336), "1w"),
    ],
)
def test_the_most_common_step_tells_the_timeframe(hours: tuple[float, ...], timeframe: str) -> None:
    assert infer_timeframe(rows_at(*hours).times) == timeframe


@pytest.mark.parametrize("hours", [(0,), (0, 5, 10), (0, 720, 1440)])
def test_where_no_usual_timeframe_fits_one_must_be_given(hours: tuple[float, ...]) -> None:
    with pytest.raises(FixData) as caught:
        infer_timeframe(rows_at(*hours).times)
    assert str(caught.value.hint).startswith("--timeframe")


@pytest.mark.parametrize(
    ("hours", "bad"),
    [
        ((0, 1, 2, 3), []),
        ((0, 2, 2, 3), [4]),
        ((0, 3, 1, 2, 4), [4, 5]),
        ((0, 3, 2, 3, 4), [4, 5]),
        ((3, 2, 1), [3, 4]),
    ],
)
def test_a_row_must_come_after_every_good_row_before_it(hours: tuple[float, ...], bad: list[int]) -> None:
    assert [row.line for row in find_bad_rows(rows_at(*hours), LATER)] == bad


def test_a_row_that_is_bad_anyway_pushes_no_other_out_of_order() -> None:
    rows = rows_at(0, 50, 1, 2)
    rows.columns[0, 1] = -1.0
    assert [(row.line, row.reason) for row in find_bad_rows(rows, LATER)] == [(3, "a price is not positive")]
    assert [row.line for row in find_bad_rows(rows_at(0, 50, 1, 2), now_ms=10 * HOUR)] == [3]


def test_rows_that_overlap_are_counted_from_the_last_good_one() -> None:
    assert [row.line for row in find_overlaps(rows_at(0, 0.5, 1, 1.75, 2), "1h")] == [3, 5]
    assert find_overlaps(rows_at(0, 1, 3), "1h") == []


def test_blocks_go_on_where_those_before_them_ended() -> None:
    before = LastRow(3 * HOUR, line=1)
    bad = find_bad_rows(rows_at(2, 3, 4), LATER, before)
    assert [(row.line, row.reason) for row in bad] == [
        (2, "the time 1970-01-01T02:00:00Z comes before that of line 1"),
        (3, "the time 1970-01-01T03:00:00Z repeats that of line 1"),
    ]
    assert [row.line for row in find_overlaps(rows_at(3.5, 4), "1h", before)] == [2]


def test_a_row_without_rows_overlaps_nothing() -> None:
    assert find_overlaps(rows_at(), "1h") == []
