from __future__ import annotations

import pytest

from algotrade.ingest.plan import Grid, Interval, asked_interval, plan_requests, subtract
from algotrade.market.span import Span

MINUTE = 60_000
GRID = Grid(step=MINUTE, page=10)


def opens(interval: Interval) -> list[int]:
    """The minutes whose bars open in an interval."""
    return [at for at in range(-100, 200) if interval.start <= at * MINUTE < interval.end]


@pytest.mark.parametrize(
    ("now", "newest_closed"),
    [(20 * MINUTE, 19), (20 * MINUTE - 1, 18), (20 * MINUTE + 1, 19), (21 * MINUTE - 1, 19)],
)
def test_a_bar_is_closed_when_its_open_time_and_length_are_not_after_now(now: int, newest_closed: int) -> None:
    asked = asked_interval(Span(0, None), None, GRID, now)
    assert opens(asked) == list(range(newest_closed + 1))


def test_start_and_end_are_both_inclusive() -> None:
    asked = asked_interval(Span(3 * MINUTE, 5 * MINUTE), None, GRID, 20 * MINUTE)
    assert opens(asked) == [3, 4, 5]


def test_an_end_in_the_future_ends_at_the_newest_closed_bar() -> None:
    asked = asked_interval(Span(18 * MINUTE, 50 * MINUTE), None, GRID, 20 * MINUTE)
    assert opens(asked) == [18, 19]


def test_without_a_start_the_last_stored_bar_is_where_it_goes_on() -> None:
    asked = asked_interval(Span(), 17 * MINUTE, GRID, 20 * MINUTE)
    assert opens(asked) == [17, 18, 19]


def test_without_a_start_and_without_data_one_page_is_asked_with_room_for_the_forming_bar() -> None:
    asked = asked_interval(Span(), None, GRID, 20 * MINUTE + 30_000)
    assert opens(asked) == list(range(11, 20))


def test_a_span_that_has_not_begun_is_empty() -> None:
    assert plan_requests(asked_interval(Span(30 * MINUTE, None), None, GRID, 20 * MINUTE), [], GRID) == []


@pytest.mark.parametrize(
    ("what", "covered", "left"),
    [
        ("nothing covered", [], [(0, 100)]),
        ("all covered", [(0, 100)], []),
        ("more than all covered", [(-50, 150)], []),
        ("the head is missing", [(40, 100)], [(0, 40)]),
        ("the tail is missing", [(0, 60)], [(60, 100)]),
        ("head and tail are missing", [(40, 60)], [(0, 40), (60, 100)]),
        ("a hole", [(0, 40), (60, 100)], [(40, 60)]),
        ("overlapping parts in any order", [(50, 70), (10, 55)], [(0, 10), (70, 100)]),
        ("a part inside another", [(10, 90), (20, 30)], [(0, 10), (90, 100)]),
        ("parts elsewhere", [(-50, 0), (100, 150)], [(0, 100)]),
    ],
)
def test_what_is_covered_is_not_asked_for(
    what: str, covered: list[tuple[int, int]], left: list[tuple[int, int]]
) -> None:
    assert subtract(Interval(0, 100), [Interval(*part) for part in covered]) == [Interval(*part) for part in left]


def test_spans_that_fit_one_answer_together_are_asked_for_together() -> None:
    covered = [Interval(3 * MINUTE, 4 * MINUTE), Interval(6 * MINUTE, 40 * MINUTE)]
    plan = plan_requests(Interval(0, 60 * MINUTE), covered, GRID)
    assert plan == [Interval(0, 6 * MINUTE), Interval(40 * MINUTE, 60 * MINUTE)]
