"""Many series kept current at once: exchanges side by side, each series under a lock, until somebody ends it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import NamedTuple

from algotrade.errors import AlgotradeError
from algotrade.exchange.base import Exchange, Stream
from algotrade.ingest.jobs import TRADES, Job
from algotrade.ingest.many import lock_path
from algotrade.ingest.report import FetchReport, report_of
from algotrade.ingest.stream import SeriesStream, Source, StreamEvent, candles_source, trades_source
from algotrade.ingest.waiting import Patience
from algotrade.market.candles import SeriesKey
from algotrade.market.instrument import validate_symbol
from algotrade.store.database import Database
from algotrade.store.files import hold_lock


class Doors(NamedTuple):
    """How an exchange is opened by its name: for questions, and for what it sends by itself."""

    exchange: Callable[[str], Exchange]
    stream: Callable[[str], Stream]


async def run_streams(
    jobs: Sequence[Job],
    database: Database,
    *,
    doors: Doors,
    tell: Callable[[StreamEvent], None],
    stopping: asyncio.Event,
    patience: Patience = Patience(),  # noqa: B008 - a tuple
) -> list[FetchReport]:
    """Keep every series current until `stopping` is set, or none is left. One that fails does not end the others.

    Args:
        jobs: distinct series; their spans are not looked at: each goes on from its last bar.
        database: the store.
        doors: open an exchange; each is opened once.
        tell: told of every candle that is stored, and of connections that break.
        stopping: ends it.
        patience: how long to wait before asking what a stream does not tell.

    Returns:
        One report a job, in the order given: what was added, and the error that ended a series.
    """
    told = _Told(tell)

    def name_of(job: Job) -> str:
        return job.exchange

    async def keep_all() -> None:
        async with asyncio.TaskGroup() as lines:
            for name, own in groupby(sorted(jobs, key=name_of), name_of):
                lines.create_task(_Line(list(own), database, told, patience).run(name, doors))

    kept, stop = asyncio.create_task(keep_all()), asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({kept, stop}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.cancel()
        kept.cancel()
        await asyncio.wait({kept, stop})
    if not kept.cancelled():
        kept.result()
    return [await asyncio.to_thread(told.report, database, job) for job in jobs]


class _Line:
    """The series of one exchange."""

    def __init__(self, jobs: list[Job], database: Database, told: _Told, patience: Patience) -> None:
        self.jobs = jobs
        self.database = database
        self.told = told
        self.patience = patience

    async def run(self, name: str, doors: Doors) -> None:
        """Keep them all current; if the exchange cannot be opened, none."""
        try:
            async with doors.exchange(name) as exchange, doors.stream(name) as stream:
                sources = [_source(exchange, stream, self.database, job) for job in self.jobs]
                async with asyncio.TaskGroup() as series:
                    for job, source in zip(self.jobs, sources, strict=True):
                        series.create_task(self._keep(job, source))
        except AlgotradeError as error:
            for job in self.jobs:
                self.told.end(job, error)

    async def _keep(self, job: Job, source: Source) -> None:
        try:
            validate_symbol(job.symbol)
            with hold_lock(lock_path(self.database, job.key), f"a fetch of {job.label}", hint=None):
                await SeriesStream(source, self.database, self.told.take, self.patience).run()
        except AlgotradeError as error:
            self.told.end(job, error)


def _source(exchange: Exchange, stream: Stream, database: Database, job: Job) -> Source:
    if job.via == TRADES:
        return trades_source(exchange, stream, database, job.symbol, job.timeframe, keep_trades=job.keep_trades)
    return candles_source(exchange, stream, database, job.symbol, job.timeframe)


class _Told:
    """What was told of each series, added up."""

    def __init__(self, tell: Callable[[StreamEvent], None]) -> None:
        self._tell = tell
        self._added: Counter[SeriesKey] = Counter()
        self._errors: dict[SeriesKey, AlgotradeError] = {}

    def take(self, event: StreamEvent) -> None:
        """Count it and pass it on."""
        self._added[event.key] += event.added
        self._tell(event)

    def end(self, job: Job, error: AlgotradeError) -> None:
        """A series has ended before it was asked to."""
        if self._errors.setdefault(job.key, error) is error:
            self._tell(StreamEvent(job.key, 0, None, error.message))

    def report(self, database: Database, job: Job) -> FetchReport:
        """What became of a series."""
        return report_of(database, job.key, error=self._errors.get(job.key))._replace(added=self._added[job.key])
