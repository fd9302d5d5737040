from __future__ import annotations

import numpy as np
import pytest

from algotrade.ingest.pages import SPIKE, Cursor, advance, answered_until, judge_page, proven
from algotrade.ingest.plan import Grid, Interval
from algotrade.market.candles import RefusedCandle
from tests.shell.ingest.listed_exchange import MINUTE, NOON, candle, minutes

HOUR = Interval(NOON, NOON + 60 * MINUTE)
LATER = NOON + 600 * MINUTE
NAN = float("nan")


def test_a_reversed_page_with_repeats_comes_out_sorted_and_once() -> None:
    page = judge_page(np.array([*minutes(0, 5)[::-1], *minutes(2, 3)]), HOUR, LATER)
    assert page.times.tolist() == [NOON + at * MINUTE for at in range(6)]
    assert page.columns.shape == (5, 6)
    assert page.columns[:, 3].tolist() == minutes(3, 3)[0][1:]
    assert page.refused == ()


def test_bars_outside_the_asked_interval_are_seen_but_neither_kept_nor_refused() -> None:
    page = judge_page(np.array([*minutes(-2, 1), *minutes(60, 61)]), HOUR, LATER)
    assert page.times.tolist() == [NOON, NOON + MINUTE]
    assert page.seen[[0, -1]].tolist() == [NOON - 2 * MINUTE, NOON + 61 * MINUTE]
    assert page.refused == ()


def test_an_empty_page_is_a_page() -> None:
    page = judge_page(np.empty((0, 6)), HOUR, LATER)
    assert (len(page.times), page.columns.shape, len(page.seen), page.refused) == (0, (5, 0), 0, ())


@pytest.mark.parametrize(
    ("position", "value", "reason"),
    [
        (1, NAN, "a value is not a finite number"),
        (4, float("inf"), "a value is not a finite number"),
        (5, NAN, "a value is not a finite number"),
        (1, 0.0, "a price is not positive"),
        (3, -1.0, "a price is not positive"),
        (2, 98.0, "high is below low"),
        (2, 100.5, "high is below open or close"),
        (3, 100.5, "low is above open or close"),
        (5, -1.0, "volume is negative"),
    ],
)
def test_a_candle_that_cannot_be_is_refused_with_its_reason(position: int, value: float, reason: str) -> None:
    bad = candle(NOON + MINUTE)
    bad[position] = value
    page = judge_page(np.array([candle(NOON), bad, candle(NOON + 2 * MINUTE)]), HOUR, LATER)
    values = tuple(number if np.isfinite(number) else None for number in bad[1:])
    assert page.refused == (RefusedCandle(NOON + MINUTE, reason, values),)
    assert page.times.tolist() == [NOON, NOON + 2 * MINUTE]


@pytest.mark.parametrize("time", [NAN, float("inf"), -1.0, 1e300])
def test_a_candle_without_a_believable_time_is_refused(time: float) -> None:
    page = judge_page(np.array([candle(NOON), [time, *candle(0)[1:]]]), HOUR, LATER)
    assert page.refused == (RefusedCandle(None, "it has no open time", tuple(candle(0)[1:])),)
    assert page.times.tolist() == page.seen.tolist() == [NOON]


def test_a_candle_of_the_future_is_refused_and_does_not_move_the_walk() -> None:
    page = judge_page(np.array([candle(NOON), candle(NOON + 30 * MINUTE)]), HOUR, NOON + 2 * MINUTE)
    assert page.refused == (RefusedCandle(NOON + 30 * MINUTE, "it opens in the future", tuple(candle(0)[1:])),)
    assert page.seen.tolist() == [NOON]


def test_a_price_out_of_all_proportion_is_refused_until_it_is_believed() -> None:
    odd = [NOON + 2 * MINUTE, 100_000.0, 101_000.0, 99_000.0, 100_000.0, 1.0]
    rows = np.array([*minutes(0, 1), odd, *minutes(3, 4)])
    page = judge_page(rows, HOUR, LATER)
    assert page.refused == (RefusedCandle(NOON + 2 * MINUTE, SPIKE, tuple(odd[1:])),)
    assert page.times.tolist() == [NOON, NOON + MINUTE, NOON + 3 * MINUTE, NOON + 4 * MINUTE]
    again = judge_page(rows, HOUR, LATER, believed=page.refused)
    assert (again.refused, len(again.times)) == ((), 5)
    rows[2, 1:5] *= 10
    other = judge_page(rows, HOUR, LATER, believed=page.refused)
    assert len(other.refused) == 1  # not what was seen before


def test_bars_outside_what_was_asked_are_the_measure_of_those_inside() -> None:
    odd = [NOON, 100_000.0, 101_000.0, 99_000.0, 100_000.0, 1.0]
    page = judge_page(np.array([*minutes(-3, -1), odd]), HOUR, LATER)
    assert (len(page.times), [candle.time for candle in page.refused]) == (0, [NOON])


def test_two_different_candles_of_one_time_are_both_refused() -> None:
    page = judge_page(np.array([candle(NOON), candle(NOON, 200.0), candle(NOON + MINUTE)]), HOUR, LATER)
    assert [refused[:2] for refused in page.refused] == [(NOON, "two different candles have this time")] * 2
    assert page.times.tolist() == [NOON + MINUTE]


def test_the_next_page_begins_with_the_last_bar_of_this_one() -> None:
    seen = np.array([NOON, NOON + 4 * MINUTE])
    assert advance(Cursor(NOON, NOON), seen, Grid(MINUTE, 10)) == Cursor(NOON + 4 * MINUTE, NOON + 5 * MINUTE)


@pytest.mark.parametrize("page", [1, 2, 3, 720])
def test_no_answer_holds_a_walk_for_ever(page: int) -> None:
    answers = [np.empty(0, np.int64), np.array([NOON]), np.array([NOON - 5 * MINUTE, NOON + 3 * MINUTE])]
    for seen in answers:
        cursor, steps = Cursor(NOON, NOON), 0
        while cursor.reached < NOON + 100 * MINUTE:
            cursor, steps = advance(cursor, seen, Grid(MINUTE, page)), steps + 1
        assert steps <= 2 * 100


@pytest.mark.parametrize(
    ("what", "seen", "until"),
    [
        ("the last bar has come", [0, 9], 9.5),
        ("bars at the end are still missing", [0, 6], 7),
        ("the next bar is forming", [0, 9, 10], 10),
        ("the last bars never were, the next one is there", [0, 6, 10], 10),
        ("nothing until long after the end", [0, 6, 50], 9.5),
    ],
)
def test_an_answer_settles_what_lies_before_its_last_bar(what: str, seen: list[int], until: float) -> None:
    end = NOON + int(9.5 * MINUTE)
    times = NOON + np.array(seen) * MINUTE
    assert (answered_until(times, end, Grid(MINUTE, 10)) - NOON) / MINUTE == until


def test_a_refused_candle_is_a_hole_in_what_is_proven() -> None:
    rows = np.array(minutes(0, 4))
    rows[2, 2] = 1.0
    page = judge_page(rows, HOUR, LATER)
    assert proven(Interval(NOON, NOON + 5 * MINUTE), page, MINUTE) == [
        Interval(NOON, NOON + 2 * MINUTE),
        Interval(NOON + 3 * MINUTE, NOON + 5 * MINUTE),
    ]


@pytest.mark.parametrize("time", [NAN, -1.0, LATER + 1.0])
def test_of_an_answer_with_a_candle_of_no_known_time_nothing_that_is_missing_is_proven(time: float) -> None:
    rows = np.array(minutes(1, 4))
    rows[1, 0] = time
    page = judge_page(rows, HOUR, LATER)
    assert proven(Interval(NOON, NOON + 5 * MINUTE + 1), page, MINUTE) == [
        Interval(NOON + 1 * MINUTE, NOON + 2 * MINUTE),
        Interval(NOON + 3 * MINUTE, NOON + 5 * MINUTE),
    ]
