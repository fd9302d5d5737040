from __future__ import annotations

import pytest

from algotrade.errors import FixCommand
from algotrade.market.candles import iso
from algotrade.market.span import Span, parse_span, parse_time

DAY = 86_400_000


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1970-01-01", "1970-01-01T00:00:00Z"),
        ("2024-01-31", "2024-01-31T00:00:00Z"),
        ("2024-01-31T04:00", "2024-01-31T04:00:00Z"),
        ("2024-01-31 04:00:30", "2024-01-31T04:00:30Z"),
        ("2024-01-31T04:00Z", "2024-01-31T04:00:00Z"),
        ("2024-01-31T04:00+02:00", "2024-01-31T02:00:00Z"),
        ("2024-01-31T04:00:00.250", "2024-01-31T04:00:00.250Z"),
        ("1960-02-29T12:00", "1960-02-29T12:00:00Z"),
    ],
)
def test_a_date_or_time_is_read_in_utc(text: str, moment: str) -> None:
    assert iso(parse_time(text)) == moment


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2024", "20240131", "1706659200", "2024-02-30", "31.01.2024", "2024-01-31x", "2024-W05-1"]
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(FixCommand, match="2024-01-31"):
        parse_time(text)


def test_an_end_given_as_a_date_means_that_whole_day() -> None:
    assert parse_span("2024-01-01", "2024-01-01") == Span(parse_time("2024-01-01"), parse_time("2024-01-02") - 1)


def test_an_end_given_as_a_time_is_that_moment() -> None:
    assert parse_span(None, "2024-01-01T12:00") == Span(None, parse_time("2024-01-01T12:00"))


def test_a_side_that_is_not_given_stays_open() -> None:
    assert parse_span(None, None) == Span(None, None)


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(FixCommand, match=r"ends .2023-01-01. before it starts"):
        parse_span("2024-01-01", "2023-01-01")
