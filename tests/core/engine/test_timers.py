from __future__ import annotations

import pytest

from algotrade.engine.events import BarOpened, CandleClosed, TimerStruck, TradePrinted
from algotrade.engine.timers import Timers
from algotrade.errors import FixCommand

HOUR = 3_600_000
DAY = 24 * HOUR
MONDAY = 4 * DAY


def opening(time: int) -> BarOpened:
    return BarOpened("BTC/USD", time, 1.0)


def moments(timers: Timers, *times: int) -> list[list[int]]:
    return [[struck.time for struck in timers.before(opening(time))] for time in times]


def test_a_multiple_strikes_before_the_first_event_at_or_after_it_and_once() -> None:
    assert moments(Timers(["1d"]), 5 * HOUR, 23 * HOUR, DAY, DAY, 2 * DAY + HOUR) == [[], [], [DAY], [], [2 * DAY]]


def test_a_run_that_begins_on_a_multiple_is_told_of_it() -> None:
    assert moments(Timers(["1d"]), DAY, DAY + HOUR) == [[DAY], []]


def test_a_closed_candle_has_the_time_at_which_its_bar_opened_so_the_timer_comes_behind_it() -> None:
    timers = Timers(["1d"], since=0)
    last_hour = CandleClosed("BTC/USD", 23 * HOUR, 1.0, 1.0, 1.0, 1.0, 1.0)
    assert timers.before(last_hour) == []
    assert timers.before(opening(DAY)) == [TimerStruck("1d", DAY)]


def test_every_multiple_that_passed_without_an_event_strikes() -> None:
    assert moments(Timers(["1h"]), 0, 3 * HOUR) == [[0], [HOUR, 2 * HOUR, 3 * HOUR]]


def test_several_strike_in_the_order_of_their_moments_and_the_longer_first() -> None:
    timers = Timers(["12h", "1d"], since=0)
    assert timers.before(opening(DAY)) == [
        TimerStruck("12h", DAY // 2),
        TimerStruck("1d", DAY),
        TimerStruck("12h", DAY),
    ]


def test_weeks_begin_on_monday() -> None:
    assert moments(Timers(["1w"]), 0, 3 * DAY, MONDAY, MONDAY + 7 * DAY) == [[], [], [MONDAY], [MONDAY + 7 * DAY]]


def test_after_a_restart_what_has_struck_does_not_strike_again() -> None:
    assert moments(Timers(["1h"], since=HOUR), HOUR, 2 * HOUR) == [[], [2 * HOUR]]


def test_an_event_that_is_told_late_strikes_nothing() -> None:
    timers = Timers(["1h"])
    timers.before(TradePrinted("BTC/USD", 2 * HOUR + 5, 1.0, 1.0, 1))
    assert timers.before(opening(2 * HOUR)) == []


def test_without_an_interval_nothing_strikes() -> None:
    assert moments(Timers([]), 0, DAY) == [[], []]
    assert moments(Timers([], since=0), DAY) == [[]]


def test_an_interval_is_a_timeframe() -> None:
    with pytest.raises(FixCommand, match="'1 day' is not a timeframe"):
        Timers(["1 day"])
