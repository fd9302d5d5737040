"""What can go wrong around a fetch, fault by fault, each with its figure; real parts, an unmodified ccxt, loopback."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import event

from algotrade.errors import AskLess, CheckConnection, ExitCode, FixConfiguration
from algotrade.exchange.opening import open_exchange, open_stream
from algotrade.ingest.fetch import FetchRequest, fetch_candles
from algotrade.ingest.jobs import Job
from algotrade.ingest.many import HOPELESS, UNDER_WAY, run_jobs
from algotrade.ingest.pages import judge_page
from algotrade.ingest.plan import Interval
from algotrade.ingest.report import FetchProgress, FetchReport
from algotrade.ingest.stream import StreamEvent
from algotrade.ingest.streams import Doors, run_streams
from algotrade.market.candles import Floats, SeriesKey, content_hash, times_ms
from algotrade.market.simulate import simulate_candles
from algotrade.market.span import Span, parse_time
from algotrade.store.candles import read_candles, span
from algotrade.store.corrections import open_quarantine
from algotrade.store.coverage import read_coverage
from algotrade.store.database import Database, open_database
from tests.postgresql import Server
from tests.shell.ingest.listed_exchange import NOON as NOON_OF_LIST
from tests.shell.ingest.listed_exchange import ListedExchange, minutes
from tests.shell.loopback.binance import LoopbackBinance
from tests.shell.loopback.exchanges import LOOPBACKS
from tests.shell.loopback.kraken_stream import StreamingKraken
from tests.shell.loopback.server import Clock, LoopbackExchange

SHARED = Path(os.environ.get("ALGOTRADE_SHARED_DATA") or Path(__file__).parents[4] / "shared" / "data")
REAL_HOURS = next(SHARED.rglob("kraken_btcusd_1h.parquet"), SHARED / "kraken_btcusd_1h.parquet")
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOON = parse_time("2024-01-31T12:00")
DAYS = Job("binance", "BTC/USD", "1m", Span(NOON - 5 * DAY, NOON - MINUTE))  # eight answers


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "store.sqlite") as opened:
        yield opened


@pytest.fixture
async def binance() -> AsyncIterator[LoopbackBinance]:
    async with LoopbackBinance(Clock(NOON)) as server:
        yield server


class Watcher:
    """Is told of every page and may do something then."""

    def __init__(self, do: Callable[[FetchProgress], None] = lambda step: None) -> None:
        self.do = do

    def began(self, job: Job) -> None: ...

    def advanced(self, job: Job, step: FetchProgress) -> None:
        self.do(step)

    def ended(self, job: Job, report: FetchReport) -> None: ...


async def fetch_jobs(
    server: LoopbackExchange, db: Database, *jobs: Job, watcher: Watcher | None = None, **settings: Any
) -> list[FetchReport]:
    """The jobs of `algotrade fetch`."""
    opened = partial(open_exchange, options=server.ccxt_options, **{"attempts": 1, "timeout_s": 2.0} | settings)
    return await run_jobs(jobs, db, open_named=opened, watcher=watcher or Watcher(), stopping=asyncio.Event())


def is_whole(db: Database, job: Job = DAYS) -> bool:
    assert job.span.start is not None
    assert job.span.end is not None
    market = simulate_candles(job.symbol, job.timeframe, job.span.start, job.span.end)
    return content_hash(read_candles(db, job.key)) == content_hash(market)


# ---- candles that are still open, clocks that are wrong --------------------------------------------------------------
@pytest.mark.parametrize("name", LOOPBACKS)
async def test_of_all_candles_stored_around_the_end_of_bars_none_is_open(name: str, db: Database) -> None:
    key = SeriesKey(name, "BTC/USD", "1m")
    seconds = (0, 1, 29, 59, 60, 61, 119, 180)
    for now, wrong_by in zip([NOON + second * 1000 for second in seconds], [0, -300_000, 300_000] * 3, strict=False):
        async with LOOPBACKS[name](Clock(now)) as server:
            options = server.ccxt_options
            async with open_exchange(name, options=options, clock=partial(int, now + wrong_by), attempts=1) as exchange:
                report = await fetch_candles(exchange, db, FetchRequest("BTC/USD", "1m"))
        assert report.complete
        times = times_ms(read_candles(db, key))
        assert now - 2 * MINUTE < times[-1] + MINUTE <= now  # none is open, and none that is closed is missing
    market = simulate_candles("BTC/USD", "1m", int(times[0]), int(times[-1]))
    assert content_hash(read_candles(db, key)) == content_hash(market)


@pytest.mark.parametrize("name", LOOPBACKS)
@pytest.mark.parametrize("step_ms", [-HOUR, HOUR])
async def test_a_clock_that_somebody_sets_closes_no_bar_and_loses_none(
    name: str, step_ms: int, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        LOOPBACKS[name](Clock(NOON + 30_000)) as server,
        open_exchange(name, options=server.ccxt_options, attempts=1) as exchange,
    ):
        await exchange.instruments()
        wall = time.time_ns
        monkeypatch.setattr(time, "time_ns", lambda: wall() + step_ms * 1_000_000)
        report = await fetch_candles(exchange, db, FetchRequest("BTC/USD", "1m"))
    assert (report.complete, report.last) == (True, NOON - MINUTE)


# ---- candles that cannot be ------------------------------------------------------------------------------------------
def changed(column: int, value: float) -> Callable[[Floats], None]:
    def change(row: Floats) -> None:
        row[column] = value

    return change


KINDS: dict[str, Callable[[Floats], None]] = {
    "NaN": changed(4, math.nan),
    "null": changed(1, math.nan),
    "zero": changed(3, 0.0),
    "negative": changed(1, -1.0),
    "high below low": changed(2, 1.0),
    "a thousandfold": changed(2, 1e6),
    "future": changed(0, NOON + 400 * DAY),
    "infinite": changed(5, math.inf),
}


async def test_eight_of_eight_kinds_are_caught_and_had_once_they_come_good(database: Database) -> None:
    caught = 0
    for number, change in enumerate(KINDS.values()):
        exchange = ListedExchange(minutes(-30, 30), NOON_OF_LIST + 31 * MINUTE, page=100)
        exchange.name = f"kraken{number}"

        def spoil(symbol: str, rows: Floats, change: Callable[[Floats], None] = change) -> Floats:
            change(rows[40])
            return rows

        exchange.spoil = spoil
        request = FetchRequest("BTC/USD", "1m", NOON_OF_LIST - 30 * MINUTE)
        report = await fetch_candles(exchange, database, request)
        caught += (report.added, report.complete, len(report.refused)) == (60, False, 1)
        exchange.spoil = lambda symbol, rows: rows
        report = await fetch_candles(exchange, database, request)
        assert (report.added, report.complete) == (1, True), list(KINDS)[number]
    assert f"{caught} of {len(KINDS)}" == "8 of 8"


async def test_a_clean_year_raises_no_false_alarm(binance: LoopbackBinance, db: Database) -> None:
    year = Job("binance", "BTC/USD", "1h", Span(NOON - 365 * DAY, NOON - HOUR))
    (report,) = await fetch_jobs(binance, db, year)
    assert (report.added, report.refused, report.revised, report.gaps, report.note) == (8760, (), 0, 0, "")
    assert open_quarantine(db, year.key) == {}


@pytest.mark.skipif(not REAL_HOURS.exists(), reason="needs the hours of Kraken")
def test_real_hours_raise_no_false_alarm() -> None:
    table = pd.read_parquet(REAL_HOURS).set_index("timestamp")
    times = times_ms(table)[-8760:]
    rows = np.column_stack([times, table[["open", "high", "low", "close", "volume"]].to_numpy()[-8760:]])
    alarms = 0
    for first in range(0, len(rows), 720):
        page = rows[first : first + 720]
        asked = Interval(int(page[0, 0]), int(page[-1, 0]) + 1)
        alarms += len(judge_page(page, asked, int(page[-1, 0]) + HOUR).refused)
    assert alarms == 0


# ---- patience --------------------------------------------------------------------------------------------------------
async def test_an_exchange_that_asks_for_patience_is_asked_three_times_and_left_alone(
    binance: LoopbackBinance, db: Database
) -> None:
    binance.fail("429", "klines")
    (report,) = await fetch_jobs(binance, db, DAYS, attempts=3, timeout_s=20.0)
    assert report.error is not None
    assert (report.error.exit_code, binance.requests["klines"]) == (ExitCode.TRY_LATER, 3)
    binance.heal()
    assert (await fetch_jobs(binance, db, DAYS))[0].complete
    assert is_whole(db)


async def test_an_exchange_that_asks_to_be_left_alone_is_not_asked_for_every_series(
    binance: LoopbackBinance, db: Database
) -> None:
    binance.fail("429", "klines")
    timeframes = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d")
    jobs = [DAYS._replace(timeframe=timeframe) for timeframe in timeframes]
    reports = await fetch_jobs(binance, db, *jobs, attempts=1)
    assert {type(report.error) for report in reports} == {AskLess}
    assert binance.requests["klines"] < UNDER_WAY + HOPELESS < len(jobs)  # those under way when it had said so often
    binance.heal()
    assert all(report.complete for report in await fetch_jobs(binance, db, *jobs))


# ---- the network goes ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("fault", ["reset", "hang", "503", "html", "truncated", "empty_object", "429", "maintenance"])
async def test_a_fetch_cut_off_in_its_middle_says_so_and_the_same_command_ends_complete(
    fault: str, db: Database
) -> None:
    name = "kraken" if fault == "maintenance" else "binance"
    job = DAYS._replace(exchange=name, via="trades") if name == "kraken" else DAYS
    if name == "kraken":
        job = job._replace(span=Span(NOON - NOON % DAY, NOON - MINUTE))
    async with LOOPBACKS[name](Clock(NOON)) as server:
        pages = count()

        def cut(step: FetchProgress) -> None:
            if next(pages) == 1:
                server.fail(fault, "Trades" if name == "kraken" else "klines")

        (report,) = await fetch_jobs(server, db, job, watcher=Watcher(cut))
        assert report.error is not None
        code = ExitCode.TRY_LATER if fault in ("429", "maintenance") else ExitCode.UNREACHABLE
        assert (report.error.exit_code, report.complete, report.added > 0) == (code, False, True)
        kept = span(db, job.key)
        server.heal()
        (report,) = await fetch_jobs(server, db, job)
    assert report.complete
    assert kept is not None
    assert report.added == len(read_candles(db, job.key)) - kept.rows
    assert is_whole(db, job)


async def test_ten_minutes_without_a_network_change_nothing_that_is_stored(db: Database) -> None:
    """The server is gone, its port closed; runs of a crontab in between find nothing, and lose nothing."""
    clock = Clock(NOON)
    hour = Job("binance", "BTC/USD", "1m", Span(NOON - 60 * MINUTE))
    async with LoopbackBinance(clock) as server:
        assert (await fetch_jobs(server, db, hour))[0].complete
        port = server.port
    before = content_hash(read_candles(db, hour.key)), read_coverage(db, hour.key)
    gone = LoopbackBinance(clock, port)
    gone.apis = {api: f"http://127.0.0.1:{port}{path}" for api, path in server.apis.items()}  # type: ignore[misc]
    options = {"urls": {"api": gone.apis}, "enableRateLimit": False, "timeout_on_exit": 0}
    changed_states = 0
    for _ in range(10):
        clock.set(clock() + MINUTE, 0)
        opened = partial(open_exchange, options=options, attempts=1, timeout_s=0.5)
        (report,) = await run_jobs([hour], db, open_named=opened, watcher=Watcher(), stopping=asyncio.Event())
        assert isinstance(report.error, CheckConnection)
        changed_states += (content_hash(read_candles(db, hour.key)), read_coverage(db, hour.key)) != before
    assert changed_states == 0
    async with LoopbackBinance(clock, port) as server:
        (report,) = await fetch_jobs(server, db, hour)
    assert (report.complete, report.added, report.gaps) == (True, 10, 0)


async def test_a_stream_outlives_ten_minutes_without_a_network_and_misses_no_bar(db: Database) -> None:
    clock = Clock(NOON, 120.0)  # a minute of the exchange lasts half a second
    stopping, job = asyncio.Event(), Job("kraken", "BTC/USD", "1m")

    async def until_stored(time: int) -> None:
        async with asyncio.timeout(30):
            while (stored := span(db, job.key)) is None or stored.last < time:
                await asyncio.sleep(0.02)

    async with StreamingKraken(clock) as kraken:
        options = kraken.ccxt_options
        doors = Doors(partial(open_exchange, options=options), partial(open_stream, options=options))
        told: list[StreamEvent] = []
        kept = asyncio.create_task(run_streams([job], db, doors=doors, tell=told.append, stopping=stopping))
        await until_stored(NOON + 2 * MINUTE)
        port = kraken.port
    gone = clock()
    await asyncio.sleep(0.5)
    clock.set(gone + 10 * MINUTE, 120.0)
    async with StreamingKraken(clock, port):
        await until_stored(gone + 12 * MINUTE)
        stopping.set()
        (report,) = await kept
    assert (report.error, report.gaps) == (None, 0)
    assert any("connecting again" in event.words for event in told)
    times = times_ms(read_candles(db, job.key))
    market = simulate_candles("BTC/USD", "1m", int(times[0]), int(times[-1]))
    assert content_hash(read_candles(db, job.key)) == content_hash(market)


# ---- the database goes -----------------------------------------------------------------------------------------------
async def test_a_disk_that_fills_up_in_the_middle_keeps_what_came_and_the_next_run_ends_complete(
    binance: LoopbackBinance, tmp_path: Path
) -> None:
    database = open_database(tmp_path / "store.sqlite")

    @event.listens_for(database.engine, "connect")
    def shrink_the_disk(driver_connection: Any, _record: object) -> None:
        driver_connection.execute("PRAGMA max_page_count = 120")

    database.close()
    (report,) = await fetch_jobs(binance, database, DAYS)
    database.close()
    assert isinstance(report.error, FixConfiguration)
    assert "the disk is full" in report.error.message
    assert 1000 < report.added < 5 * 1440  # some answers came
    with open_database(tmp_path / "store.sqlite") as roomy:
        (report,) = await fetch_jobs(binance, roomy, DAYS)
        assert report.complete
        assert is_whole(roomy)


async def test_a_server_of_the_database_that_stops_in_the_middle_loses_nothing(
    binance: LoopbackBinance, postgresql_server: Server, postgresql_location: str
) -> None:
    pages = count()

    def stop(step: FetchProgress) -> None:
        if next(pages) == 2:
            postgresql_server.stop("fast")

    with open_database(postgresql_location) as database:
        try:
            (report,) = await fetch_jobs(binance, database, DAYS, watcher=Watcher(stop))
        finally:
            postgresql_server.start()
        assert report.error is not None
        assert report.error.exit_code in (ExitCode.UNREACHABLE, ExitCode.TRY_LATER)
        (report,) = await fetch_jobs(binance, database, DAYS)
        assert report.complete
        assert is_whole(database)
