"""Keep candles current from what an exchange sends by itself, and ask it only for what that cannot prove.

A bar is stored from the stream when the connection stood from its beginning to its end, which a candle of the next bar
shows. Every other bar (the one in which the connection began or broke, one that nothing follows, one of an exchange
that streams no candles) is asked for. The same question tells a market that sleeps from a connection that is deaf: it
answers pings and sends nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

import numpy as np

from algotrade.errors import CheckConnection, TryLater
from algotrade.exchange.base import Exchange, Stream
from algotrade.ingest.fetch import FetchRequest, fetch_candles
from algotrade.ingest.outages import note_if_down
from algotrade.ingest.pages import judge_page, proven
from algotrade.ingest.plan import Interval
from algotrade.ingest.report import FetchReport
from algotrade.ingest.trades.fetch import fetch_trades
from algotrade.ingest.trades.pages import AHEAD_MS
from algotrade.ingest.waiting import ExchangeClock, Patience, Silence
from algotrade.market.candles import Floats, SeriesKey
from algotrade.market.timeframe import bar_start, timeframe_ms
from algotrade.store.arrivals import Evidence, write_candles
from algotrade.store.database import Database
from algotrade.store.snapshots import refresh_snapshot

REFRESHED_AFTER: Final = 1_000  # so many bars that came unasked; whether a snapshot is due is looked up in no time


class StreamEvent(NamedTuple):
    """What happened to a series: candles that were stored, or a sentence about its connection."""

    key: SeriesKey
    added: int
    last: int | None
    words: str = ""


class Source(NamedTuple):
    """Where a kept series comes from.

    Attributes:
        exchange: answers what the stream cannot prove.
        stream: of the same exchange.
        key: the series.
        ask: fetches what is missing up to now.
        believed: whether the candles of the stream are those of the series; if not, each bar is asked for as it ends.
    """

    exchange: Exchange
    stream: Stream
    key: SeriesKey
    ask: Callable[[], Awaitable[FetchReport]]
    believed: bool


class SeriesStream:
    """One series that is kept current.

    Args:
        source: where it comes from.
        db: the store.
        tell: told what happens.
        patience: how long to wait before asking.
    """

    def __init__(
        self,
        source: Source,
        db: Database,
        tell: Callable[[StreamEvent], None],
        patience: Patience = Patience(),  # noqa: B008 - a tuple
    ) -> None:
        self.source = source
        self.exchange, self.stream = source.exchange, source.stream
        self.db = db
        self.key = source.key
        self.symbol, self.timeframe = source.key.symbol, source.key.timeframe
        self.step = timeframe_ms(self.timeframe)
        self.tell = tell
        self.patience = patience
        self.clock = ExchangeClock()
        self.last: int | None = None  # open time of the newest stored bar
        self.forming: Floats | None = None  # the newest candle of the stream, shape (6,)
        self.asked_for: int | None = None  # the bar that was asked for because nothing showed its end
        self.whole = False  # whether the stream has been listened to since that candle's bar began
        self.began = 0  # when it was begun to be listened to, by the exchange's time
        self.failures = 0  # in a row, with nothing heard in between
        self.unasked = 0  # bars stored since the snapshot was looked at; a fetch looks at it, too

    async def run(self) -> None:
        """Keep it current until cancelled.

        Raises:
            AlgotradeError: what no waiting mends: an unknown symbol, a full disk.
        """
        while True:
            try:
                await self._ask()
                await self._listen()
                await self.stream.reconnect(self.timeframe)
            except (CheckConnection, TryLater) as error:
                self.failures += 1
                await note_if_down(self.db, self.key.exchange, error, self.clock.now_ms())
                self._say(f"{error.message}; connecting again")
                await asyncio.sleep(self.patience.backoff.wait_s(self.failures))
            self.forming, self.whole = None, False

    async def _ask(self) -> None:
        """Fetch what is missing up to now."""
        self.clock.set(await self.exchange.now_ms())
        report = await self.source.ask()
        if report.error is not None:
            raise report.error
        self._stored(report.added, report.last)

    async def _listen(self) -> None:
        """Store bars as they come; return when the connection turns out to be deaf."""
        self.began = self.clock.now_ms()
        silence = self._new_silence()
        while True:
            if await self._hear(min(silence.left_s(), self._until_overdue_s())):
                silence = self._new_silence()
            elif silence.left_s() > 0:
                self.asked_for = self._expected()
                await self._ask()
            else:
                newest = await self._newest()
                if silence.newest is None or np.array_equal(newest, silence.newest, equal_nan=True):
                    silence = silence.longer(newest, max(self.step / 1000, silence.length_s))
                elif await self._hear(self.patience.grace_s):  # the update may have been on its way
                    silence = self._new_silence()
                else:
                    self._say("the connection is open but silent; connecting again")
                    return

    async def _hear(self, timeout_s: float) -> bool:
        """Go on with what comes in time; whether anything did."""
        rows = await self.stream.wait(self.symbol, self.timeframe, timeout_s=timeout_s)
        if rows is None:
            return False
        self.failures = 0
        for row in rows:
            await self._take(row)
        return True

    async def _newest(self) -> Floats:
        """The exchange's newest candle, the forming one, shape (6,); empty where it has none yet."""
        rows = await self.exchange.candles(self.symbol, self.timeframe, since=self.last, limit=None)
        return rows[-1] if len(rows) else np.empty(0)

    async def _take(self, row: Floats) -> None:
        """Go on with one update; where it begins a new bar, the one before has ended."""
        opened = bar_start(int(row[0]), self.timeframe) if np.isfinite(row[0]) else None
        newest = None if self.forming is None else int(self.forming[0])
        if opened is None or (newest is not None and opened < newest) or not await self._has_begun(opened):
            return
        candle = np.array([float(opened), *row[1:]])
        if newest is None:
            self.whole = opened >= self.began
        elif opened > newest:
            await self._close_bar(candle)
            self.whole = True
        self.forming = candle

    async def _has_begun(self, opened: int) -> bool:
        """Whether it is time for a bar; our clock stands still while the machine sleeps, so the exchange is asked."""
        if opened > self.clock.now_ms() + AHEAD_MS:
            self.clock.set(await self.exchange.now_ms())
        return opened <= self.clock.now_ms() + AHEAD_MS

    async def _close_bar(self, follower: Floats) -> None:
        """Store the bar that has ended, from the stream where it saw all of it."""
        assert self.forming is not None
        at = int(self.forming[0])
        self.clock.raise_to(int(follower[0]))
        if self.last is not None and at <= self.last:
            return
        follows = self.last is not None and at - self.last <= self.step
        if not (self.source.believed and self.whole and follows and np.isfinite(self.forming).all()):
            await self._ask()
            return
        page = judge_page(np.vstack([self.forming, follower]), Interval(at, at + self.step), self.clock.now_ms())
        covered = proven(Interval(at, at + self.step), page, self.step)
        evidence = Evidence(self.clock.now_ms(), page.refused, covered)
        report = await asyncio.to_thread(write_candles, self.db, self.key, page.times, page.columns, evidence)
        self._stored(report.added, at if len(page.times) else self.last)
        self.unasked += report.added
        if self.unasked >= REFRESHED_AFTER:
            self.unasked = 0
            await asyncio.to_thread(refresh_snapshot, self.db, self.key)

    def _stored(self, added: int, last: int | None) -> None:
        self.last = last
        if added:
            self.tell(StreamEvent(self.key, added, last))

    def _say(self, words: str) -> None:
        self.tell(StreamEvent(self.key, 0, self.last, words))

    def _new_silence(self) -> Silence:
        return Silence.beginning(min(self.patience.silence_s, self.step / 1000))

    def _expected(self) -> int:
        """Open time of the bar whose end is waited for."""
        forming = -1 if self.forming is None else int(self.forming[0])
        return forming if self.last is None else max(forming, self.last + self.step)

    def _until_overdue_s(self) -> float:
        """Seconds until that bar has ended for so long that the exchange is asked for it, once."""
        expected = self._expected()
        if expected < 0 or expected == self.asked_for:
            return float("inf")
        return (expected + self.step - self.clock.now_ms()) / 1000 + self.patience.grace_s


def candles_source(exchange: Exchange, stream: Stream, db: Database, symbol: str, timeframe: str) -> Source:
    """The exchange's own candles, from its stream where it streams them."""

    async def ask() -> FetchReport:
        return await fetch_candles(exchange, db, FetchRequest(symbol, timeframe))

    key = SeriesKey(exchange.name, symbol, timeframe, exchange.origin)
    return Source(exchange, stream, key, ask, believed=stream.what == "candles")


def trades_source(
    exchange: Exchange, stream: Stream, db: Database, symbol: str, timeframe: str, *, keep_trades: bool
) -> Source:
    """Candles made of trades: the stream tells when a bar has ended, then its trades are asked for."""

    async def ask() -> FetchReport:
        request = FetchRequest(symbol, timeframe)
        return await fetch_trades(exchange, db, request, keep_trades=keep_trades)

    return Source(exchange, stream, SeriesKey(exchange.name, symbol, timeframe, "trades"), ask, believed=False)
