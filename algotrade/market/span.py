"""Spans of time as a person writes them: dates or times in UTC, both ends inclusive."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

from algotrade.errors import FixCommand
from algotrade.market.timeframe import UNIT_MS

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


class Span(NamedTuple):
    """From `start` to `end`, milliseconds since the epoch, both inclusive; None where that side is open."""

    start: int | None = None
    end: int | None = None


def parse_span(start: str | None, end: str | None) -> Span:
    """The span that `--start` and `--end` name; an end given as a date means that whole day.

    Args:
        start: a date "2024-01-31" (its first moment) or a time "2024-01-31T04:00", in UTC unless it has an offset.
        end: the same; a date means its last millisecond.

    Raises:
        FixCommand: not a date or time, or the end lies before the start.
    """
    first = None if start is None else parse_time(start)
    last = None if end is None else parse_time(end)
    if end is not None and last is not None and DATE.fullmatch(end):
        last += UNIT_MS["d"] - 1
    if first is not None and last is not None and last < first:
        raise FixCommand(f"the span ends ({end}) before it starts ({start})")
    return Span(first, last)


def parse_time(text: str) -> int:
    """Milliseconds since the epoch of a date (its first moment) or time, in UTC unless it carries an offset.

    Raises:
        FixCommand: not a date or time of that form; numbers alone are refused, their unit would be a guess.
    """
    try:
        if not DATE.match(text):
            raise ValueError(text)
        time = datetime.fromisoformat(text)
    except ValueError:
        raise FixCommand(f"'{text}' is not a date or time like 2024-01-31 or 2024-01-31T04:00") from None
    aware = time.replace(tzinfo=UTC) if time.tzinfo is None else time
    passed = aware - EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000 + passed.microseconds // 1_000
