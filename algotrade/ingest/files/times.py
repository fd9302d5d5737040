"""Times in files: numbers since the epoch in one unit a file, ISO 8601, or a format that was given.

The unit of a number is recognised by its size, which is safe from 1973 to 5138: a time in seconds has nine to eleven
digits, one in milliseconds three more, and so on. A file that changes its unit or its kind of time is refused there.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import numpy as np

from algotrade.errors import FixCommand
from algotrade.market.candles import Times
from algotrade.market.span import parse_time

UNITS: Final = ("seconds", "milliseconds", "microseconds", "nanoseconds")
UNIT_BOUNDS: Final = (10**8, 10**11, 10**14, 10**17)  # the smallest number of each unit
NUMBER: Final = re.compile(r"([+-]?\d+)(\.\d*)?", re.ASCII)
COMPACT_DATE: Final = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
DOTTED: Final = re.compile(r"the time '\d\d\.\d\d\.\d{4}( \d\d:\d\d(:\d\d)?)?' is not a date", re.ASCII)
ZONE: Final = re.compile(r":\d\d.*([Zz]|[+-]\d\d(:?\d\d)?)$", re.ASCII)


def format_against(reason: str) -> str | None:
    """The format that reads the time of which a reason says that it is none; None where that is not plain."""
    found = DOTTED.search(reason)
    return None if found is None else "%d.%m.%Y" + (" %H:%M" if found[1] else "") + (":%S" if found[2] else "")


def epoch_units(values: Times) -> Times:
    """Index into UNITS of each number, -1 where it is too small for any."""
    return np.searchsorted(UNIT_BOUNDS, np.abs(values), side="right") - 1


def epoch_ms(values: Times, unit: int) -> Times:
    """Milliseconds of numbers in one unit, an index into UNITS; what is finer is cut off."""
    return values * 1000 if unit == 0 else values // 10 ** (3 * unit - 3)


def epoch_ticks(whole: Times, billionths: Times, per_ms: int) -> Times | None:
    """Ticks of numbers since the epoch, all in the unit of the first; None where one has another, or does not fit.

    Args:
        whole: the numbers' whole parts, shape (n,), below 10**19 (and so negative where they overflowed).
        billionths: what is behind the point, shape (n,).
        per_ms: ticks in a millisecond, 1 or 1,000,000.
    """
    units = epoch_units(whole)
    unit = int(units[0])
    if unit < 0 or (whole < 0).any() or (units != unit).any():
        return None
    if per_ms == 1:
        return epoch_ms(whole, unit) + (billionths // 10**6 if unit == 0 else 0)
    length = 10 ** (9 - 3 * unit)  # of the unit, in nanoseconds
    return None if (whole > 2**62 // length).any() else whole * length + billionths // 10 ** (3 * unit)


class TimeReader:
    """Reads a file's times one by one and holds them to one kind.

    Args:
        time_format: as for strptime; None to recognise numbers and ISO 8601.
        per_ms: how many ticks of the times that are given out make a millisecond: 1, or 1,000,000 for nanoseconds.

    Raises:
        FixCommand: not such a format.
    """

    def __init__(self, time_format: str | None = None, *, per_ms: int = 1) -> None:
        self._format = time_format
        self.per_ms = per_ms
        self._kind: str | None = None  # of the first time that was read; all others must be the same
        if time_format is not None:
            _check_format(time_format)

    def read(self, text: str) -> int:
        """Ticks since the epoch, milliseconds unless told otherwise; UTC unless the text carries an offset.

        Raises:
            ValueError: not a time, or of another kind than the times before; the text is the reason.
        """
        text = text.strip()
        if not text:
            raise ValueError("the time is empty")
        number = None if self._format else NUMBER.fullmatch(text)
        if number and not COMPACT_DATE.fullmatch(text):
            kind, time = _read_number(text, self.per_ms)
        else:
            kind, time = self._read_text(text)
            time *= self.per_ms
        if abs(time) >= 2**63:
            raise ValueError(f"the time {text[:40]!r} is out of range")
        if self._kind is None:
            self._kind = kind
        elif kind != self._kind:
            raise ValueError(f"the time {text[:40]!r} is {kind}, the first one is {self._kind}")
        return time

    def _read_text(self, text: str) -> tuple[str, int]:
        try:
            if self._format is not None:
                time = datetime.strptime(text, self._format)  # noqa: DTZ007 - without a zone it is UTC
                text = time.isoformat()
            elif compact := COMPACT_DATE.fullmatch(text):
                text = "-".join(compact.groups())
            return "a date and time" + (" with a zone" if ZONE.search(text) else ""), parse_time(text)
        except (ValueError, FixCommand):
            form = self._format or "a date like 2024-01-31, ISO 8601 or a number since 1970"
            raise ValueError(f"the time {text[:40]!r} is not {form}") from None


def _read_number(text: str, per_ms: int) -> tuple[str, int]:
    exact = Decimal(text)
    unit = bisect_right(UNIT_BOUNDS, abs(exact)) - 1
    if unit < 0 or abs(exact) >= 2**63:
        raise ValueError(f"the time {text[:40]!r} is no number of seconds, milli-, micro- or nanoseconds since 1970")
    return f"in {UNITS[unit]}", math.floor(exact * 1000 * per_ms / 1000**unit)


def _check_format(time_format: str) -> None:
    try:
        datetime.strptime(datetime(2000, 1, 2, tzinfo=UTC).strftime(time_format), time_format)  # noqa: DTZ007
    except ValueError:
        raise FixCommand(f"{time_format[:40]!r} is not a time format like %d.%m.%Y or %Y-%m-%d %H:%M") from None
