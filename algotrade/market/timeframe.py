"""Timeframes: "1m", "4h", "1d" and what follows from them.

Times are integer milliseconds since the epoch, UTC, everywhere inside. Bars are aligned to UTC: days begin at
00:00, weeks on Monday.
"""

from __future__ import annotations

import re
from typing import Final

from algotrade.errors import FixCommand, did_you_mean

UNIT_MS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
COMMON: Final = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w")
MONDAY_MS: Final = 4 * UNIT_MS["d"]  # 1970-01-01 was a Thursday
CALENDAR_DAYS: Final = {"24/7": 365.0, "stocks": 252.0}
TRADING_DAY_MS: Final = {"24/7": UNIT_MS["d"], "stocks": 6.5 * UNIT_MS["h"]}


def timeframe_ms(timeframe: str) -> int:
    """Length of a bar in milliseconds.

    Args:
        timeframe: a count and a unit of s, m, h, d or w, like "15m" (ccxt's notation).

    Raises:
        FixCommand: not a timeframe. Months have no fixed length and are not supported.
    """
    match = re.fullmatch(r"([1-9][0-9]{0,3})([smhdw])", timeframe)
    if match is None:
        raise FixCommand(
            f"'{timeframe}' is not a timeframe (examples: {', '.join(COMMON)})", hint="algotrade list timeframes"
        )
    return int(match[1]) * UNIT_MS[match[2]]


def bar_start(time_ms: int, timeframe: str) -> int:
    """Open time of the bar that contains `time_ms`, aligned to UTC (weeks to Monday)."""
    return time_ms - (time_ms - bar_offset(timeframe)) % timeframe_ms(timeframe)


def bar_offset(timeframe: str) -> int:
    """Open time of one of the bars, from which all others follow: the epoch, for weeks a Monday."""
    return MONDAY_MS if timeframe.endswith("w") else 0


def bars_per_year(timeframe: str, calendar: str = "24/7") -> float:
    """Bars in a year of trading, for annualising.

    Args:
        timeframe: like "1h".
        calendar: "24/7" (365 days of 24 hours) or "stocks" (252 days of 6.5 hours; a longer bar spans nights and
            weekends, so there are 52 weeks in either year).

    Raises:
        FixCommand: neither of them, or not a timeframe.
    """
    length = timeframe_ms(timeframe)
    if calendar not in CALENDAR_DAYS:
        known = ", ".join(CALENDAR_DAYS)
        raise FixCommand(f"unknown calendar '{calendar}' (known: {known}).{did_you_mean(calendar, CALENDAR_DAYS)}")
    if length >= UNIT_MS["d"]:
        return min(CALENDAR_DAYS[calendar], CALENDAR_DAYS["24/7"] * UNIT_MS["d"] / length)
    return CALENDAR_DAYS[calendar] * TRADING_DAY_MS[calendar] / length
