"""Many fetches at once: exchanges side by side, the series of one exchange by its rate limit, each under a lock.

ccxt's limiter spaces the requests of an exchange. A few of its series are under way at a time, so that one is stored
and another on the wire while a third waits for its turn: a single one would leave the limit unused in between.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Final, Protocol, cast

from algotrade.errors import AlgotradeError, AskLess, AwaitMaintenance
from algotrade.exchange.base import Exchange
from algotrade.ingest.fetch import FetchRequest, fetch_candles
from algotrade.ingest.jobs import TRADES, Job
from algotrade.ingest.outages import note_if_down
from algotrade.ingest.report import FetchProgress, FetchReport, report_of
from algotrade.ingest.shared_exchange import SharedClock, Turn, unless_stopped
from algotrade.market.candles import SeriesKey
from algotrade.market.instrument import validate_symbol
from algotrade.store.database import Database
from algotrade.store.files import hold_lock

HOPELESS: Final = 3  # series in a row for which the exchange asked to be left alone
UNDER_WAY: Final = 8  # series of one exchange at a time


class Watcher(Protocol):
    """Who is told how the jobs go."""

    def began(self, job: Job) -> None:
        """A job has its turn."""

    def advanced(self, job: Job, step: FetchProgress) -> None:
        """A page of it is stored."""

    def ended(self, job: Job, report: FetchReport) -> None:
        """It is over, well or not."""


async def run_jobs(
    jobs: Sequence[Job],
    database: Database,
    *,
    open_named: Callable[[str], Exchange],
    watcher: Watcher,
    stopping: asyncio.Event,
) -> list[FetchReport]:
    """Run every job. One that fails does not lose the others: its report carries the error.

    Args:
        jobs: distinct series.
        database: the store.
        open_named: opens an exchange by its name; each is opened once.
        watcher: told of every step.
        stopping: once set, jobs under way end after the page that is being stored, and the others do not begin; their
            reports carry Stopped.

    Returns:
        One report a job, in the order given.
    """
    reports: dict[Job, FetchReport] = {}

    def keep(job: Job, report: FetchReport) -> None:
        reports[job] = report
        watcher.ended(job, report)

    def name_of(job: Job) -> str:
        return job.exchange

    async with asyncio.TaskGroup() as exchanges:
        for name, own in groupby(sorted(jobs, key=name_of), name_of):
            line = _Line(own, database, watcher, keep, stopping)
            exchanges.create_task(line.run(partial(open_named, name)))
    return [reports[job] for job in jobs]


class _Line:
    """The jobs that wait for one exchange."""

    def __init__(
        self,
        jobs: Iterable[Job],
        database: Database,
        watcher: Watcher,
        keep: Callable[[Job, FetchReport], None],
        stopping: asyncio.Event,
    ) -> None:
        self.waiting = deque(jobs)
        self.exchange = self.waiting[0].exchange
        self.database = database
        self.watcher = watcher
        self.keep = keep
        self.stopping = stopping
        self.failures = 0  # series in a row for which the exchange asked to be left alone

    async def run(self, open_exchange: Callable[[], Exchange]) -> None:
        """Serve all jobs; none if the exchange cannot even tell its time, no more once it asks to be left alone."""
        try:
            async with open_exchange() as exchange:
                clock = SharedClock(exchange)
                await unless_stopped(clock.now_ms(), self.stopping)
                async with asyncio.TaskGroup() as turns:
                    for _ in range(min(UNDER_WAY, len(self.waiting))):
                        turns.create_task(self._serve(exchange, clock))
        except AlgotradeError as error:
            await note_if_down(self.database, self.exchange, error)
            await self._give_up(error)

    async def _serve(self, exchange: Exchange, clock: SharedClock) -> None:
        while self.waiting:
            job = self.waiting.popleft()
            try:
                validate_symbol(job.symbol)
                with hold_lock(lock_path(self.database, job.key), f"a fetch of {job.label}", hint=None):
                    self.watcher.began(job)
                    report = await self._fetch(job, Turn(exchange, clock, self.stopping))
                    self.failures = self.failures + 1 if isinstance(report.error, (AskLess, AwaitMaintenance)) else 0
            except AlgotradeError as error:
                report = await self._unserved(job, error)
            self.keep(job, report)
            if self.failures >= HOPELESS and report.error is not None:
                await self._give_up(report.error)

    async def _give_up(self, error: AlgotradeError) -> None:
        """Ask for no more series: an exchange that wants fewer requests must not be sent one for each of them."""
        while self.waiting:
            job = self.waiting.popleft()
            self.keep(job, await self._unserved(job, error))

    async def _unserved(self, job: Job, error: AlgotradeError) -> FetchReport:
        return await asyncio.to_thread(partial(report_of, self.database, job.key, error=error))

    async def _fetch(self, job: Job, turn: Turn) -> FetchReport:
        exchange = cast(Exchange, turn)

        def advance(step: FetchProgress) -> None:
            self.watcher.advanced(job, step)

        if job.repair:
            from algotrade.ingest.repair import repair_candles

            return await repair_candles(exchange, self.database, job.key, advance)
        request = FetchRequest(job.symbol, job.timeframe, job.span.start, job.span.end)
        if job.via == TRADES:
            from algotrade.ingest.trades.fetch import fetch_trades

            return await fetch_trades(exchange, self.database, request, advance, keep_trades=job.keep_trades)
        return await fetch_candles(exchange, self.database, request, advance)


def lock_path(database: Database, key: SeriesKey) -> Path:
    """The file whose lock means that a series is being written. Its name is made of letters, digits and a hash."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", "-".join(key))[:60].strip("-")
    digest = hashlib.sha256("\0".join(key).encode()).hexdigest()[:12]
    return database.folder / "locks" / f"{readable}-{digest}.lock"
