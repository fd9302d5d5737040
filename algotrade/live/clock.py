"""The only place of live trading that reads the machine's clock, or chance."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import NamedTuple

Clock = Callable[[], int]  # milliseconds since the epoch


def system_clock() -> int:
    """The machine's time, milliseconds since the epoch, UTC."""
    return time.time_ns() // 1_000_000


def jitter() -> float:
    """A number in [0, 1) that spreads out the retries of many programs; no decision ever depends on it."""
    return random.random()


class DemoClock(NamedTuple):
    """A market's time that may run faster than ours: anchor + (wall - started) x speed.

    Attributes:
        anchor: market time at the beginning, milliseconds.
        started: wall time at the beginning, milliseconds.
        speed: market seconds in a wall second.
    """

    anchor: int
    started: int
    speed: float

    def at(self, wall_ms: int) -> int:
        """Market time at a wall time."""
        return self.anchor + round((wall_ms - self.started) * self.speed)


class DemoTime:
    """The demo exchange's time: stands at the anchor while a session is prepared, runs from `start` on.

    Args:
        anchor: market time at the beginning, milliseconds.
        wall: the machine's clock.
    """

    def __init__(self, anchor: int, wall: Clock) -> None:
        self._anchor = anchor
        self._wall = wall
        self._clock: DemoClock | None = None

    def __call__(self) -> int:
        """Market time now, milliseconds."""
        return self._anchor if self._clock is None else self._clock.at(self._wall())

    def start(self, clock: DemoClock) -> None:
        """Let it run."""
        self._clock = clock
