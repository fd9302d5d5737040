"""Timers: multiples of an interval in UTC, told just before the first market event at or after them.

A timer has no clock of its own. It strikes when the market shows that its moment has come, so that a backtest, a live
session and a replay see it at the same place among the other events.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from algotrade.engine.events import MarketEvent, TimerStruck
from algotrade.market.timeframe import bar_start, timeframe_ms


class Timers:
    """What strikes before each market event; a multiple that no event follows does not.

    Args:
        intervals: like "1d" or "4h"; weeks begin on Monday.
        since: time of the last market event that is over, milliseconds; None before the first, which is told of the
            multiple that falls on it and of none before.

    Raises:
        FixCommand: an interval is none.
    """

    def __init__(self, intervals: Iterable[str], *, since: int | None = None) -> None:
        self._lengths = {interval: timeframe_ms(interval) for interval in intervals}
        self._due: dict[str, int] = {}
        self._next: float = -math.inf if self._lengths else math.inf
        if since is not None:
            self._begin(since + 1)

    def before(self, event: MarketEvent) -> list[TimerStruck]:
        """The timers that strike before the event, in the order of their moments, the longer interval first."""
        if event.time < self._next:
            return []
        if not self._due:
            self._begin(event.time)
        struck = []
        for interval, length in self._lengths.items():
            moments = range(self._due[interval], event.time + 1, length)
            struck += [TimerStruck(interval, moment) for moment in moments]
            self._due[interval] += len(moments) * length
        self._next = min(self._due.values())
        return sorted(struck, key=lambda timer: (timer.time, -self._lengths[timer.name]))

    def _begin(self, time: int) -> None:
        """Wait for the first multiple of each interval from this time on."""
        for interval, length in self._lengths.items():
            self._due[interval] = bar_start(time - 1, interval) + length
        self._next = min(self._due.values(), default=math.inf)
