"""Ask again after a failure, for reads only: an order is never sent twice.

The waits grow by doubling and are drawn evenly between zero and their limit ("full jitter"; Brooker, "Exponential
Backoff And Jitter", AWS Architecture Blog, 2015), so that many clients do not come back together.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from algotrade.errors import CheckConnection, TryLater

Answer = TypeVar("Answer")


class Backoff(NamedTuple):
    """How often to ask, and how long to wait in between.

    Attributes:
        attempts: calls in all; 1 never asks again.
        first_s: limit of the first wait, seconds.
        longest_s: limit of any wait, seconds.
    """

    attempts: int = 3
    first_s: float = 0.5
    longest_s: float = 30.0

    def limit_s(self, failures: int) -> float:
        """Longest wait after so many failures in a row, seconds."""
        return min(self.longest_s, self.first_s * 2.0 ** min(failures - 1, 60))

    def wait_s(self, failures: int, uniform: Callable[[float, float], float] = random.uniform) -> float:
        """A wait drawn at random after so many failures in a row, seconds."""
        return uniform(0.0, self.limit_s(failures))


async def retry_read(
    read: Callable[[], Awaitable[Answer]],
    backoff: Backoff,
    *,
    sleep: Callable[[float], Awaitable[None]],
    uniform: Callable[[float, float], float],
) -> Answer:
    """The answer of `read`, asked again while the network fails or the exchange asks for patience.

    Args:
        read: asks once; must change nothing at the exchange.
        backoff: how often and how patiently.
        sleep: waits so many seconds.
        uniform: a random number between two.

    Raises:
        CheckConnection, TryLater: of the last attempt. Any other error at once.
    """
    for failures in range(1, backoff.attempts):
        try:
            return await read()
        except (CheckConnection, TryLater):
            await sleep(backoff.wait_s(failures, uniform))
    return await read()
