"""Fetch funding rates from an exchange into the store, whichever end of a span its answers begin with.

An answer is stored once all before it is, so a kill leaves no hole behind the newest stored rate: the same command
goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from algotrade.errors import AlgotradeError, FixCommand
from algotrade.exchange.base import Exchange
from algotrade.ingest.funding.report import FundingReport, funding_report
from algotrade.ingest.outages import note_if_down, note_up
from algotrade.ingest.report import NOTHING, FetchProgress, Notes, day_or_time, unwatched
from algotrade.market.candles import iso
from algotrade.market.funding import HOLE, FundingRates, find_bad_rates, usual_step, validate_perpetual
from algotrade.market.span import Span
from algotrade.market.timeframe import UNIT_MS
from algotrade.store.arrivals import WriteReport
from algotrade.store.database import Database
from algotrade.store.funding import put_funding, read_funding
from algotrade.store.markets import write_instrument

EARLIEST_MS: Final = 1_451_606_400_000  # 2016-01-01: the first perpetual contract was listed in May of that year
SHORTEST_STEP_MS: Final = UNIT_MS["h"]  # no exchange settles more often
RECHECKED_MS: Final = UNIT_MS["w"]  # of the newest stored rates, asked for again with those that follow


class Part(NamedTuple):
    """A span to ask for, milliseconds, both ends inclusive; `known` where the settlement at its start has come."""

    since: int
    until: int
    known: bool = False

    def inside(self, answer: FundingRates) -> FundingRates:
        """What of an answer was asked for and is new."""
        return answer.between(self.since + self.known, self.until)

    def left(self, answer: FundingRates) -> tuple[Part | None, Part | None]:
        """What may be missing before and after what an answer has of the span; None where nothing can be."""
        times = self.inside(answer).times
        first, last = int(times[0]), int(times[-1])
        step = usual_step(answer.times) or SHORTEST_STEP_MS
        older = Part(self.since, first - 1, self.known) if first - self.since > HOLE * step else None
        newer = Part(last, self.until, known=True) if self.until - last >= step else None
        return older, newer


async def fetch_funding(
    exchange: Exchange,
    database: Database,
    symbol: str,
    span: Span,
    on_progress: Callable[[FetchProgress], None] = unwatched,
) -> FundingReport:
    """Fetch the funding rates of a perpetual contract, as far as the exchange has them.

    Args:
        exchange: where from; its reads retry by themselves.
        database: the store.
        symbol: which contract, "BTC/USDT:USDT".
        span: first and last settlement wanted, milliseconds, inclusive. With a start, all from there on is asked for.
            Without one it goes on from the newest that is stored, or takes all there are when none is.
        on_progress: told after every answer that is stored.

    Returns:
        What came, with the error that ended it where there was one.
    """
    return await _FundingFetch(exchange, database, symbol, span, on_progress).run()


class _FundingFetch:
    """The fetch of one market: what it has done so far, and what it has to say about it."""

    def __init__(
        self,
        exchange: Exchange,
        database: Database,
        symbol: str,
        span: Span,
        on_progress: Callable[[FetchProgress], None],
    ) -> None:
        self.exchange = exchange
        self.database = database
        self.symbol = symbol
        self.span = span
        self.on_progress = on_progress
        self.now_ms = 0
        self.answered = False
        self.takes_all = False  # nothing was stored and no start was named
        self.written = NOTHING
        self.refused: list[tuple[int, str]] = []
        self.notes = Notes()

    async def run(self) -> FundingReport:
        """Fetch what is missing and report it, whatever happens on the way."""
        error: AlgotradeError | None = None
        name = self.exchange.name
        try:
            validate_perpetual(self.symbol)
            self.now_ms = await self.exchange.now_ms()
            self._refuse_future()
            await self._walk(await asyncio.to_thread(self._plan))
            instrument = await self.exchange.instrument(self.symbol)
            await asyncio.to_thread(write_instrument, self.database, name, instrument, self.now_ms)
        except AlgotradeError as reason:
            error = reason
            await note_if_down(self.database, name, error, self.now_ms or None)
        return await asyncio.to_thread(self._report, error)

    def _refuse_future(self) -> None:
        if self.span.start is not None and self.span.start > self.now_ms:
            name = self.exchange.name
            raise FixCommand(
                f"the start {day_or_time(self.span.start)} is in the future: for {name} it is {iso(self.now_ms)}",
                hint=f"algotrade fetch --funding --exchange {name} --symbol {self.symbol}",
            )

    def _plan(self) -> Part:
        until = self.now_ms if self.span.end is None else min(self.now_ms, self.span.end)
        if self.span.start is not None:
            return Part(self.span.start, until)
        stored = read_funding(self.database, self.exchange.name, self.symbol).times
        self.takes_all = not len(stored)
        if self.takes_all:
            return Part(EARLIEST_MS, until)
        return Part(int(stored[stored >= stored[-1] - RECHECKED_MS][0]), until)

    async def _walk(self, whole: Part) -> None:
        """Ask for the span, then for what each answer leaves of it; store the answers in their order of time."""
        waiting: list[Part | FundingRates] = [whole]  # newest first, so that the oldest is at the end
        while waiting:
            part = waiting.pop()
            if isinstance(part, FundingRates):
                await asyncio.to_thread(self._keep, part)
                self.on_progress(FetchProgress(whole.since, int(part.times[-1]), whole.until))
                continue
            answer = await self._ask(part)
            inside = part.inside(answer)
            if len(inside.times):
                older, newer = part.left(answer)
                waiting += [piece for piece in (newer, inside, older) if piece is not None]
            elif (answer.times > part.until).any():
                self._begins_later(part, answer)

    async def _ask(self, part: Part) -> FundingRates:
        answer = await self.exchange.funding(self.symbol, since=part.since, until=part.until)
        if not self.answered:
            self.answered = True
            await note_up(self.database, self.exchange.name, self.now_ms)
        return answer

    def _begins_later(self, part: Part, answer: FundingRates) -> None:
        """An answer that has only what comes after the span: whether there is more before it, nobody can tell."""
        what = f"{self.exchange.name} gives funding rates from {iso(int(answer.times[0]))} on"
        if self.takes_all:
            self.notes.remark(what)
        else:
            self.notes.complain(what, part.since)

    def _keep(self, arrived: FundingRates) -> None:
        good = np.ones(len(arrived.times), np.bool_)
        for reason, mask in find_bad_rates(arrived):
            self.refused += [(time, reason) for time in arrived.times[mask & good].tolist()]
            good &= ~mask
        written = put_funding(self.database, self.exchange.name, self.symbol, *arrived.kept(good))
        self.written = WriteReport(*(sum(pair) for pair in zip(self.written, written, strict=True)))

    def _report(self, error: AlgotradeError | None) -> FundingReport:
        if self.refused:
            time, reason = min(self.refused)
            self.notes.complain(f"{len(self.refused)} rate(s) refused, the first of {iso(time)}: {reason}")
        market = (self.exchange.name, self.symbol)
        return funding_report(self.database, market, written=self.written, notes=self.notes, error=error)
