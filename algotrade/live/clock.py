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
