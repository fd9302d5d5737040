"""How long to wait for what an exchange sends by itself, and what time it is there meanwhile."""

from __future__ import annotations

import time
from typing import Final, NamedTuple, Self

from algotrade.exchange.base import system_ms
from algotrade.exchange.retry import Backoff
from algotrade.market.candles import Floats

FOREVER: Final = Backoff(attempts=1, first_s=0.5, longest_s=60.0)  # its waits alone: a stream does not give up


class Patience(NamedTuple):
    """How long to wait before asking.

    Attributes:
        silence_s: without any update, at first; a bar's length where that is shorter. Doubled up to a bar's length as
            long as nothing happens: twice this is how long a deaf connection stays unnoticed. Seconds.
        grace_s: after a bar's end, for an update that shows it; seconds.
        backoff: before the next attempt, after so many that brought nothing.
    """

    silence_s: float = 15.0
    grace_s: float = 2.0
    backoff: Backoff = FOREVER


class Silence(NamedTuple):
    """Nothing came so far: until when that is borne, for how long, and the exchange's newest candle when last asked."""

    until_s: float
    length_s: float
    newest: Floats | None = None

    @classmethod
    def beginning(cls, length_s: float) -> Self:
        """One that begins now."""
        return cls(time.monotonic() + length_s, length_s)

    def left_s(self) -> float:
        """Seconds until it has lasted."""
        return self.until_s - time.monotonic()

    def longer(self, newest: Floats, longest_s: float) -> Self:
        """The silence that follows when nothing has happened: the first of the same length, then twice as long."""
        length_s = self.length_s if self.newest is None else min(2 * self.length_s, longest_s)
        return self.beginning(length_s)._replace(newest=newest)


class ExchangeClock:
    """The exchange's time, carried on by a clock that nobody sets; this machine's until the exchange has told it."""

    def __init__(self) -> None:
        self.set(system_ms())

    def now_ms(self) -> int:
        """The exchange's time, as far as is known."""
        return time.monotonic_ns() // 1_000_000 + self._offset_ms

    def set(self, now_ms: int) -> None:
        """The exchange has told its time."""
        self._offset_ms = now_ms - time.monotonic_ns() // 1_000_000

    def raise_to(self, now_ms: int) -> None:
        """A bar that has begun shows that it is later than we thought."""
        self._offset_ms += max(0, now_ms - self.now_ms())
