"""Fetch an exchange's public trades and make candles of them: years back, where its candles end after a few hours.

Every answer leaves its candles, its part of the proof and the place to go on from in one transaction. So whatever is
killed, the same command goes on from there, and no trade is counted twice or left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from algotrade.errors import AlgotradeError, FixCommand, FixData
from algotrade.exchange.base import Exchange
from algotrade.ingest.fetch import FetchRequest, keep_market
from algotrade.ingest.outages import note_if_down, note_up
from algotrade.ingest.report import FetchProgress, FetchReport, Notes, report_of, unwatched
from algotrade.ingest.trades.chain import (
    DAY_MS,
    Chain,
    asked_with,
    begins_as_asked,
    chain_for,
    chains_from_json,
    chains_to_json,
    covered,
    joined,
    leads_on,
    new_chain,
    newest_day,
    split,
    starting_late,
    take,
)
from algotrade.ingest.trades.source import TradeSource
from algotrade.market.candles import SeriesKey, iso
from algotrade.market.instrument import validate_symbol
from algotrade.market.timeframe import bar_start, timeframe_ms
from algotrade.market.trades import NS_PER_MS, Bars, CandleBuilder
from algotrade.store.arrivals import WriteReport
from algotrade.store.canonical import canonical_json
from algotrade.store.database import Database
from algotrade.store.snapshots import refresh_snapshot
from algotrade.store.trades import PageRecord, TradeBlock, TradeDay, keep_page, read_days, read_state

ORIGIN: Final = "trades"
LATE_MS: Final = 5_000  # a trade may be published so much after it was made; one that comes later corrects its bar
MOST_QUIET: Final = 1_000  # answers without a trade in a row, while the cursor moves on


async def fetch_trades(
    exchange: Exchange,
    db: Database,
    request: FetchRequest,
    on_progress: Callable[[FetchProgress], None] = unwatched,
    *,
    keep_trades: bool = False,
) -> FetchReport:
    """Fetch the trades of a market and store the candles they make, under the origin "trades".

    Args:
        exchange: where from; its reads retry by themselves.
        db: the store.
        request: what to fetch. Begins with the day of its start, or with today when nothing is stored and it has
            none; ends with the page that holds the last trade asked for.
        on_progress: told after every page.
        keep_trades: store the trades themselves too, from here on.

    Returns:
        What came, with the error that ended it where there was one.

    Raises:
        FixCommand: the exchange gives only its newest trades, or days do not hold a whole number of such bars.
    """
    new_chain(request.timeframe, 0)
    if not exchange.keeps_trades:
        raise FixCommand(
            f"{exchange.name} gives only its newest trades; fetch its candles, without --via trades",
            hint=f"algotrade fetch --exchange {exchange.name} --timeframe {request.timeframe}",
        )
    return await _TradeFetch(exchange, db, request, on_progress, keep=keep_trades).run()


class _TradeFetch:
    """The fetch of one symbol: the chains of its series, and the place in the one that is being continued."""

    def __init__(
        self,
        exchange: Exchange,
        db: Database,
        request: FetchRequest,
        on_progress: Callable[[FetchProgress], None],
        *,
        keep: bool,
    ) -> None:
        self.exchange = exchange
        self.db = db
        self.request = request
        self.key = SeriesKey(exchange.name, request.symbol, request.timeframe, ORIGIN)
        self.step = timeframe_ms(request.timeframe)
        self.on_progress = on_progress
        self.keep = keep
        self.source = TradeSource(exchange, request.symbol)
        self.answered = False
        self.state: str | None = None
        self.chains: list[Chain] = []
        self.at = 0
        self.day: TradeDay | None = None
        self.written = WriteReport(0, 0, 0)
        self.outside = 0
        self.notes = Notes()

    @property
    def chain(self) -> Chain:
        """The chain that is being continued."""
        return self.chains[self.at]

    async def run(self) -> FetchReport:
        """Fetch what is missing and report it, whatever happens on the way."""
        error: AlgotradeError | None = None
        try:
            validate_symbol(self.key.symbol)
            await self.source.ask_time()
            await keep_market(self.exchange, self.db, self.request, self.source.now_ms)
            await asyncio.to_thread(self._plan)
            await self._walk()
        except AlgotradeError as reason:
            error = reason
            await note_if_down(self.db, self.exchange.name, error, self.source.now_ms or None)
        await asyncio.to_thread(refresh_snapshot, self.db, self.key)
        if self.outside:
            self.notes.remark(
                f"trades come by whole days and pages: {self.outside:,} of the candles lie outside what was asked for,"
                " and are kept"
            )
        return await asyncio.to_thread(
            partial(report_of, self.db, self.key, written=self.written, notes=self.notes, error=error)
        )

    def _plan(self) -> None:
        """Load the chains and choose, or begin, the one that leads to what is asked for."""
        self.state = read_state(self.db, self.key)
        chains = [] if self.state is None else chains_from_json(self.state)
        if not chains and self.request.start is None:
            self.notes.remark("nothing was stored before: these are today's trades, --start asks for older ones")
        start = self.request.start
        if start is None:
            start = chains[-1].reached_ms if chains else self.source.now_ms
        self.chains, self.at = chain_for(chains, self.key.timeframe, start)
        self.day = self._newest_day()
        if self.keep and self.day is not None and self.day.kept < self.day.trades:
            self.notes.remark("trades that were fetched before without --keep-trades are not kept")

    def _newest_day(self) -> TradeDay | None:
        day = newest_day(self.chain)
        return None if day is None else read_days(self.db, self.key, start=day, end=day + DAY_MS)[0]

    async def _walk(self) -> None:
        """Ask page by page until the end that was asked for, or the newest trade."""
        end = self.source.now_ms if self.request.end is None else min(self.request.end + self.step, self.source.now_ms)
        start, quiet, doubts = self.chain.reached_ms, 0, 0
        while self.chain.edge is None or self.chain.reached_ms < end:
            page, block = await self.source.after(self.chain)
            if not self.answered:
                self.answered = True
                await note_up(self.db, self.exchange.name, self.source.now_ms)
            if len(block.times_ns):
                await self._look_before(block)
                quiet = doubts = 0
            elif self.chain.cursor in (None, page.next_cursor):
                if await self.source.has_ended(self.chain):
                    await asyncio.to_thread(self._settle)
                    break
                doubts += 1
                if doubts > 1:
                    raise self.source.nonsense("answers without the trades that come next, though its newest are later")
                continue
            else:
                quiet += 1
                if quiet > MOST_QUIET:
                    raise self.source.nonsense(f"gave {quiet} answers without a trade, and its cursor moved each time")
            await asyncio.to_thread(self._keep, block, page.next_cursor)
            self.on_progress(FetchProgress(start, min(self.chain.reached_ms, end), end))

    async def _look_before(self, block: TradeBlock) -> None:
        """See whether a first answer begins where it was asked to, or with the exchange's newest trades."""
        first_ns = int(block.times_ns[0])
        if self.chain.edge is not None or first_ns < (self.chain.start_ms + DAY_MS) * NS_PER_MS:
            return
        name, first, asked = self.exchange.name, iso(first_ns // NS_PER_MS), iso(self.chain.start_ms)
        if begins_as_asked(self.chain, block, await self.source.newest()):
            self.notes.remark(f"the first trade of {name} since {asked} is that of {first}")
        else:  # there may be older ones that it did not give
            self.chains[self.at] = starting_late(self.chain, self.key.timeframe, first_ns)
            self.notes.complain(f"{name} gave its newest trades, from {first} on; asked from {asked}")

    def _keep(self, block: TradeBlock, cursor: str) -> None:
        """Store what an answer brought."""
        later = self.chains[self.at + 1] if self.at + 1 < len(self.chains) else None
        if later is not None and len(block.times_ns) and block.times_ns[-1] >= later.start_ms * NS_PER_MS:
            if later.whole_ms == later.start_ms:
                self._join(block, later)
                return
            del self.chains[self.at + 1]  # its first bar was left out: go over its trades again
        step = take(self.chain, block, cursor, self.day, keep=self.keep)
        self.chains[self.at] = step.chain
        self.day = step.days[-1] if step.days else None
        if self.chain.edge is not None:
            self._write(step.bars, [covered(self.chain)], step.days, block)

    def _join(self, block: TradeBlock, later: Chain) -> None:
        """Store the last trades before the next chain, which is then one with this."""
        before, beyond = split(block, later.start_ms * NS_PER_MS)
        if not leads_on(beyond, later):
            begins, name = iso(later.start_ms), self.exchange.name
            raise FixData(
                f"the trades of {self.key.symbol} stored from {begins} on do not begin as {name} gives them now",
                hint=f"algotrade list data --exchange {name}",
            )
        asked = asked_with(self.chain)
        step = take(self.chain, before, asked, self.day, keep=self.keep)
        last = CandleBuilder.resume(step.chain.builder).finish(later.start_ms)
        bars = Bars(np.r_[step.bars.times, last.times], np.hstack([step.bars.columns, last.columns]))
        self.chains[self.at : self.at + 2] = [joined(step.chain, later)]
        first_day = newest_day(later._replace(edge=later.first))
        days = read_days(self.db, self.key, start=first_day, end=None if first_day is None else first_day + DAY_MS)
        changed = [*step.days, *(day._replace(first_cursor=asked) for day in days)]
        self._write(bars, [(step.chain.whole_ms, later.start_ms)], changed, before)
        self.day = self._newest_day()

    def _settle(self) -> None:
        """The newest trade is known: the bar that is over by the exchange's time is stored, and that all are there."""
        if self.chain.edge is None:
            self.notes.complain(f"{self.exchange.name} gave no trades from {iso(self.chain.start_ms)} on")
            return
        until = self.source.now_ms - LATE_MS
        bars = CandleBuilder.resume(self.chain.builder).finish(until)
        self._write(bars, [(self.chain.whole_ms, bar_start(until, self.key.timeframe))], [], None)

    def _write(self, bars: Bars, spans: list[tuple[int, int]], days: list[TradeDay], block: TradeBlock | None) -> None:
        state = canonical_json(chains_to_json([chain for chain in self.chains if chain.edge is not None]))
        kept = block if self.keep else None
        record = PageRecord(self.state, state, bars.times, bars.columns, spans, days, kept)
        written = keep_page(self.db, self.key, record)
        self.written = WriteReport(*(sum(pair) for pair in zip(self.written, written, strict=True)))
        self.outside += len(bars.times) - self.request.count_asked(bars.times)
        self.state = state
