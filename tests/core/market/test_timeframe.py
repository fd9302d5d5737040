from __future__ import annotations

import pytest

from algotrade.errors import FixCommand
from algotrade.market.candles import iso
from algotrade.market.span import parse_time
from algotrade.market.timeframe import COMMON, bar_start, bars_per_year, timeframe_ms


@pytest.mark.parametrize(
    ("timeframe", "milliseconds"),
    [("1s", 1_000), ("1m", 60_000), ("90m", 5_400_000), ("4h", 14_400_000), ("1d", 86_400_000), ("2w", 1_209_600_000)],
)
def test_a_timeframe_is_a_count_and_a_unit(timeframe: str, milliseconds: int) -> None:
    assert timeframe_ms(timeframe) == milliseconds


@pytest.mark.parametrize(
    "given", ["", "m", "1", "0m", "01m", "-1m", "1.5h", "1M", "1y", "1 h", " 1h", "1h\n", "10000m", "1٣m", "hour", "1H"]
)
def test_anything_else_is_refused_with_examples(given: str) -> None:
    with pytest.raises(FixCommand, match=r"is not a timeframe \(examples: 1m") as raised:
        timeframe_ms(given)

    assert raised.value.hint == "algotrade list timeframes"


@pytest.mark.parametrize(
    ("time", "timeframe", "start"),
    [
        ("2024-01-31T12:34:56", "1m", "2024-01-31T12:34:00Z"),
        ("2024-01-31T12:34:56", "4h", "2024-01-31T12:00:00Z"),
        ("2024-01-31T12:34:56", "1d", "2024-01-31T00:00:00Z"),
        ("2024-01-31T12:34:56", "1w", "2024-01-29T00:00:00Z"),
        ("2024-01-29T00:00:00", "1w", "2024-01-29T00:00:00Z"),
        ("2024-01-28T23:59:59", "1w", "2024-01-22T00:00:00Z"),
        ("1969-12-31T23:59:59", "1h", "1969-12-31T23:00:00Z"),
        ("1969-12-31T23:59:59", "1w", "1969-12-29T00:00:00Z"),
    ],
)
def test_bars_begin_on_the_hour_the_day_and_the_monday_in_utc(time: str, timeframe: str, start: str) -> None:
    assert iso(bar_start(parse_time(time), timeframe)) == start


@pytest.mark.parametrize("timeframe", COMMON)
def test_a_bar_contains_its_time_and_begins_where_the_one_before_ends(timeframe: str) -> None:
    moment = 1_706_704_496_123
    start = bar_start(moment, timeframe)

    assert start <= moment < start + timeframe_ms(timeframe)
    assert bar_start(start, timeframe) == start
    assert bar_start(start - 1, timeframe) == start - timeframe_ms(timeframe)


@pytest.mark.parametrize(
    ("timeframe", "calendar", "bars"),
    [
        ("1d", "24/7", 365.0),
        ("1h", "24/7", 8_760.0),
        ("1m", "24/7", 525_600.0),
        ("1w", "24/7", 365 / 7),
        ("1d", "stocks", 252.0),
        ("1h", "stocks", 252 * 6.5),
        ("30m", "stocks", 252 * 13.0),
        ("1w", "stocks", 365 / 7),
    ],
)
def test_a_year_has_so_many_bars(timeframe: str, calendar: str, bars: float) -> None:
    assert bars_per_year(timeframe, calendar) == pytest.approx(bars, rel=1e-15)


def test_an_unknown_calendar_is_refused_with_the_known_ones() -> None:
    with pytest.raises(FixCommand, match=r"'stock' \(known: 24/7, stocks\)\. Did you mean 'stocks'\?"):
        bars_per_year("1d", "stock")
