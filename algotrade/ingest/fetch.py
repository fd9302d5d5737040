"""Fetch candles from an exchange into the store: only what is missing, only closed bars, page by page.

Every page is stored before the next is asked for, and remembered as asked for only after it is stored. So a kill
loses at most the page on its way, and the same command goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Final, NamedTuple

from algotrade.errors import AlgotradeError, FixCommand, did_you_mean
from algotrade.exchange.base import Exchange
from algotrade.ingest.outages import note_if_down, note_up
from algotrade.ingest.pages import (
    Cursor,
    Page,
    advance,
    answered_until,
    begins_late,
    is_newest_page,
    is_stale,
    judge_page,
    proven,
)
from algotrade.ingest.plan import Grid, Interval, asked_interval, pack, plan_requests, recheck
from algotrade.ingest.report import FetchProgress, FetchReport, Notes, day_or_time, report_of, unwatched
from algotrade.ingest.undownloaded import find_undownloaded
from algotrade.market.candles import RefusedCandle, SeriesKey, Times, iso
from algotrade.market.instrument import validate_symbol
from algotrade.market.span import Span
from algotrade.market.timeframe import timeframe_ms
from algotrade.store.arrivals import Evidence, WriteReport, write_candles
from algotrade.store.candles import span
from algotrade.store.coverage import read_coverage
from algotrade.store.database import Database
from algotrade.store.markets import write_instrument
from algotrade.store.snapshots import refresh_snapshot

MOST_REFUSED: Final = 100  # kept in a report, which must not grow with the span; the store has them all


class FetchRequest(NamedTuple):
    """What to fetch of one exchange.

    Attributes:
        symbol: ccxt's unified symbol.
        timeframe: like "1h".
        start: open time of the first bar, milliseconds, inclusive; None to continue from the last stored bar, or to
            begin with the exchange's newest page when nothing is stored.
        end: open time of the last bar, milliseconds, inclusive; None for the newest closed bar.
    """

    symbol: str
    timeframe: str
    start: int | None = None
    end: int | None = None

    def count_asked(self, times: Times) -> int:
        """How many of these open times, shape (n,), it asks for."""
        from_start = times >= (times if self.start is None else self.start)
        return int((from_start & (times <= (times if self.end is None else self.end))).sum())

    def refuse_future(self, exchange: str, now_ms: int) -> None:
        """Refuse a start that is still to come by the exchange's clock: nothing could ever be stored for it.

        Raises:
            FixCommand: it is.
        """
        if self.start is not None and self.start > now_ms:
            week_ago = iso(now_ms - timeframe_ms("1w"))[:10]
            raise FixCommand(
                f"the start {day_or_time(self.start)} is in the future: for {exchange} it is {iso(now_ms)}",
                hint=f"algotrade fetch --exchange {exchange} --symbol {self.symbol} --timeframe {self.timeframe}"
                f" --start {week_ago}",
            )


class Again(NamedTuple):
    """What to ask for once more, although it has been asked for before.

    Attributes:
        intervals: the bars, in rising order.
        believed: candles that were refused as a spike, and are right if they come again unchanged.
    """

    intervals: Sequence[Interval]
    believed: Collection[RefusedCandle]


async def fetch_candles(
    exchange: Exchange,
    db: Database,
    request: FetchRequest,
    on_progress: Callable[[FetchProgress], None] = unwatched,
) -> FetchReport:
    """Fetch what is missing from a series, as far as the exchange has it.

    Args:
        exchange: where from; its reads retry by themselves.
        db: the store.
        request: what to fetch.
        on_progress: told after every page.

    Returns:
        What came, with the error that ended it where there was one.

    Raises:
        FixCommand: the exchange does not have the timeframe.
    """
    if request.timeframe not in (known := exchange.timeframes()):
        raise FixCommand(
            f"{exchange.name} has no {request.timeframe} candles.{did_you_mean(request.timeframe, known)}",
            hint=f"algotrade list timeframes --exchange {exchange.name}",
        )
    return await _SymbolFetch(exchange, db, request, on_progress).run()


async def fetch_again(
    exchange: Exchange,
    db: Database,
    key: SeriesKey,
    again: Again,
    on_progress: Callable[[FetchProgress], None] = unwatched,
) -> FetchReport:
    """Ask once more for parts of a stored series; see `fetch_candles`."""
    request = FetchRequest(key.symbol, key.timeframe)
    return await _SymbolFetch(exchange, db, request, on_progress).run(again)


async def keep_market(exchange: Exchange, db: Database, request: FetchRequest, now_ms: int) -> None:
    """Keep what the exchange says of the market, before anything of it is fetched.

    Raises:
        FixCommand: it has no such market, or what is asked for has not begun.
    """
    request.refuse_future(exchange.name, now_ms)
    instrument = await exchange.instrument(request.symbol)
    await asyncio.to_thread(write_instrument, db, exchange.name, instrument, now_ms)


class _SymbolFetch:
    """The fetch of one symbol: what it has done so far, and what it has to say about it."""

    def __init__(
        self,
        exchange: Exchange,
        db: Database,
        request: FetchRequest,
        on_progress: Callable[[FetchProgress], None],
    ) -> None:
        self.exchange = exchange
        self.db = db
        self.request = request
        self.key = SeriesKey(exchange.name, request.symbol, request.timeframe, exchange.origin)
        self.grid = Grid(timeframe_ms(request.timeframe), exchange.page_limit(request.symbol, request.timeframe))
        self.on_progress = on_progress
        self.now_ms = 0
        self.believed: Collection[RefusedCandle] = ()
        self.answered = False
        self.repairs = False
        self.takes_newest = False
        self.written = WriteReport(0, 0, 0)
        self.refused: list[RefusedCandle] = []
        self.refusals = 0
        self.notes = Notes()

    async def run(self, again: Again | None = None) -> FetchReport:
        """Fetch what is missing, or some of it again, and report it, whatever happens on the way."""
        error: AlgotradeError | None = None
        try:
            validate_symbol(self.key.symbol)
            self.now_ms = await self.exchange.now_ms()
            await keep_market(self.exchange, self.db, self.request, self.now_ms)
            for interval in await asyncio.to_thread(self._plan, again):
                await self._walk(interval)
        except AlgotradeError as reason:
            error = reason
            await note_if_down(self.db, self.exchange.name, error, self.now_ms or None)
        await asyncio.to_thread(refresh_snapshot, self.db, self.key)
        return await asyncio.to_thread(self._report, error)

    def _plan(self, again: Again | None) -> list[Interval]:
        if again is not None:
            self.repairs = True
            self.believed = again.believed
            return pack(again.intervals, self.grid)
        stored = span(self.db, self.key)
        wanted = Span(self.request.start, self.request.end)
        asked = asked_interval(wanted, stored.last if stored else None, self.grid, self.now_ms)
        self.takes_newest = stored is None and self.request.start is None
        covered = [Interval(*part) for part in read_coverage(self.db, self.key)]
        return recheck(plan_requests(asked, covered, self.grid), covered, self.grid)

    async def _walk(self, interval: Interval) -> None:
        """Ask for an interval page by page, oldest first."""
        cursor = Cursor(interval.start, interval.start)
        unproven: int | None = None  # the first bar that the exchange may still have to answer for
        while cursor.reached < interval.end:
            page = await self._ask(Interval(cursor.reached, interval.end), cursor.since)
            if is_stale(page.seen, cursor.since, self.grid):
                self.notes.complain(f"{self.exchange.name} answered with older candles", cursor.since)
                return
            if unproven is None and len(page.seen):
                unproven = await self._first_kept(page, cursor.since, interval)
            cursor = advance(cursor, page.seen, self.grid)
            unproven = await asyncio.to_thread(self._keep, page, unproven, interval)
            reached = min(cursor.reached, interval.end)
            self.on_progress(FetchProgress(interval.start, reached, interval.end))

    async def _ask(self, wanted: Interval, since: int) -> Page:
        rows = await self.exchange.candles(self.key.symbol, self.key.timeframe, since=since, limit=self.grid.page)
        if (rows[:, 0] > self.now_ms).any():  # bars have closed since we asked for the time
            self.now_ms = await self.exchange.now_ms()
            self.request.refuse_future(self.exchange.name, self.now_ms)
        if not self.answered:
            self.answered = True
            await note_up(self.db, self.exchange.name, self.now_ms)
        return judge_page(rows, wanted, self.now_ms, self.believed)

    async def _first_kept(self, page: Page, since: int, interval: Interval) -> int:
        """The open time from which an answer speaks: the asked one, unless the exchange does not go back so far."""
        if not begins_late(page.seen, since, self.grid):
            return interval.start
        first = int(page.seen[page.seen >= since][0])
        if self.takes_newest:  # no older one was asked for: a bar may have closed since the time was
            return first
        name, timeframe = self.exchange.name, self.key.timeframe
        if is_newest_page(page.seen, self.grid, self.now_ms):
            what = f"{name} answered with its newest {len(page.seen)} {timeframe} candles"
        elif await self._trades_before(first, since):
            what = f"{name} gives {timeframe} candles from {iso(first)} on, though its days go back further"
        else:
            return interval.start
        if self.notes.complain(what, since) and self.exchange.keeps_trades:
            self.notes.remark(
                f"older ones can be made from trades: algotrade fetch --exchange {name} --symbol {self.key.symbol}"
                f" --timeframe {timeframe} --start {day_or_time(since)} --via trades"
            )
        return first

    async def _trades_before(self, first: int, since: int) -> bool:
        """Whether the exchange has days of the market before its first candle: then it keeps candles back."""
        day = timeframe_ms("1d")
        if self.grid.step >= day or first - since < day or "1d" not in self.exchange.timeframes():
            return False
        limit = self.exchange.page_limit(self.key.symbol, "1d")
        days = await self.exchange.candles(self.key.symbol, "1d", since=since, limit=limit)
        return bool((days[:, 0] + day <= first).any())

    def _keep(self, page: Page, unproven: int | None, interval: Interval) -> int | None:
        """Store a page, with what it proves; return from where on the next one has to.

        Only what a later bar has sealed counts as answered: a bar that has just closed may not be published yet.
        """
        answered = Interval(interval.start, interval.start)
        if unproven is not None and len(page.seen):
            answered = Interval(unproven, max(unproven, answered_until(page.seen, interval.end, self.grid)))
        evidence = Evidence(self.now_ms, page.refused, proven(answered, page, self.grid.step))
        written = write_candles(self.db, self.key, page.times, page.columns, evidence)
        self.written = WriteReport(*(sum(pair) for pair in zip(self.written, written, strict=True)))
        self.refused += page.refused[: MOST_REFUSED - len(self.refused)]
        self.refusals += len(page.refused)
        return unproven if unproven is None else max(unproven, answered.end)

    def _remark_holes(self) -> None:
        """Say what an earlier download left out, cut off in the middle: a fetch goes on from the last bar."""
        if (left := find_undownloaded(self.db, self.key)) is None:
            return
        bars = "1 bar was" if left.bars == 1 else f"{left.bars:,} bars were"
        series = f"--exchange {self.exchange.name} --symbol {self.key.symbol} --timeframe {self.key.timeframe}"
        self.notes.remark(
            f"inside what is stored {bars} never downloaded, from {day_or_time(left.first)} on:"
            f" algotrade fetch {series} --repair"
        )

    def _report(self, error: AlgotradeError | None) -> FetchReport:
        stored, start, notes = span(self.db, self.key), self.request.start, self.notes
        if stored is None and not notes.complaints:
            notes.complain(f"{self.exchange.name} gave no closed {self.key.timeframe} candles")
        if stored and self.takes_newest:
            notes.remark("nothing was stored before: these are the newest candles, --start asks for older ones")
        if stored and start is not None and stored.first > start + self.grid.step and not notes.complaints:
            notes.remark(f"the first candle {self.exchange.name} has is that of {iso(stored.first)}")
        if self.refused:
            time, reason, _ = self.refused[0]
            when = "" if time is None else f" {iso(time)}"
            notes.complain(f"{self.refusals} candle(s) refused, the first{when}: {reason}")
        if error is None and not notes.complaints and not self.repairs:
            self._remark_holes()
        return report_of(self.db, self.key, written=self.written, notes=notes, refused=tuple(self.refused), error=error)
