"""One exchange for many jobs: its clock is read once for all of them, and a stop ends every question at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, ClassVar, Final, TypeVar

from algotrade.errors import AlgotradeError, ExitCode
from algotrade.exchange.base import Exchange, TradePage
from algotrade.market.candles import Floats
from algotrade.market.funding import FundingRates
from algotrade.market.instrument import Instrument

Answer = TypeVar("Answer")

CLOCK_LIFE_S: Final = 300.0
STOPPED: Final = "stopped before its end; what came is stored"
SLOWNESS: Final = 0.999  # our clock may run fast; a bar must never be taken for closed before it is


class Stopped(AlgotradeError):
    """A person or the machine ended the program; what came until then is stored."""

    exit_code = ExitCode.INTERRUPTED
    kind: ClassVar[str] = "interrupted"


class SharedClock:
    """The exchange's time, asked for every few minutes and carried on by ours in between, never ahead of it."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._asking = asyncio.Lock()
        self._told_ms = 0
        self._told_at: float | None = None

    async def now_ms(self, *, ask: bool = False) -> int:
        """The exchange's time, milliseconds.

        Args:
            ask: ask the exchange, however lately it was asked.
        """
        async with self._asking:
            if ask or self._told_at is None or time.monotonic() - self._told_at > CLOCK_LIFE_S:
                self._told_ms = await self._exchange.now_ms()
                self._told_at = time.monotonic()  # when it came, not when it was sent: late, but never ahead
            return self._told_ms + int((time.monotonic() - self._told_at) * 1000 * SLOWNESS)


class Turn:
    """An exchange as one job sees it. What is not a question to the network is the exchange's own.

    Args:
        exchange: shared with other jobs.
        clock: shared with them too.
        stopping: once set, every question ends with Stopped.
    """

    def __init__(self, exchange: Exchange, clock: SharedClock, stopping: asyncio.Event) -> None:
        self._exchange = exchange
        self._clock = clock
        self._stopping = stopping
        self._told = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._exchange, name)

    async def now_ms(self) -> int:
        """The shared time; a job that asks again has seen a bar that is newer, so then the exchange is asked."""
        ask, self._told = self._told, True
        return await self._unless_stopped(self._clock.now_ms(ask=ask))

    async def instrument(self, symbol: str) -> Instrument:
        """See Exchange."""
        return await self._unless_stopped(self._exchange.instrument(symbol))

    async def candles(self, symbol: str, timeframe: str, *, since: int | None, limit: int | None) -> Floats:
        """See Exchange."""
        return await self._unless_stopped(self._exchange.candles(symbol, timeframe, since=since, limit=limit))

    async def trades(self, symbol: str, *, cursor: str | None, since_ns: int | None, limit: int | None) -> TradePage:
        """See Exchange."""
        return await self._unless_stopped(self._exchange.trades(symbol, cursor=cursor, since_ns=since_ns, limit=limit))

    async def funding(self, symbol: str, *, since: int, until: int) -> FundingRates:
        """See Exchange."""
        return await self._unless_stopped(self._exchange.funding(symbol, since=since, until=until))

    async def _unless_stopped(self, question: Coroutine[Any, Any, Answer]) -> Answer:
        """The answer, or Stopped as soon as the program is to end: an exchange may take half a minute to answer."""
        return await unless_stopped(question, self._stopping)


async def unless_stopped(question: Coroutine[Any, Any, Answer], stopping: asyncio.Event) -> Answer:
    """The answer to a question.

    Raises:
        Stopped: `stopping` was set before it came.
    """
    if stopping.is_set():
        question.close()
        raise Stopped(STOPPED)
    asked = asyncio.create_task(question)
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({asked, stop}, return_when=asyncio.FIRST_COMPLETED)
        if asked.done():
            return asked.result()
        asked.cancel()
        await asyncio.wait({asked})
        raise Stopped(STOPPED)
    finally:
        asked.cancel()
        stop.cancel()
