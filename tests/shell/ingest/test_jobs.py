"""Many series at once: which, side by side, by turns, under locks; a failure or a stop loses no other."""

from __future__ import annotations

import asyncio
import multiprocessing
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest

from algotrade.config import load_settings
from algotrade.errors import AlgotradeError, CheckConnection, FixCommand, FixConfiguration, TryLater
from algotrade.exchange.base import Exchange
from algotrade.exchange.demo import DemoExchange
from algotrade.exchange.opening import open_exchange
from algotrade.ingest.jobs import Job, distinct, jobs_as_typed, jobs_of_settings, jobs_of_store, repairs
from algotrade.ingest.many import lock_path, run_jobs
from algotrade.ingest.report import FetchProgress, FetchReport
from algotrade.ingest.shared_exchange import Stopped
from algotrade.market.candles import SeriesKey
from algotrade.market.span import Span, parse_time
from algotrade.store.arrivals import write_candles
from algotrade.store.candles import read_candles
from algotrade.store.database import Database, open_database
from algotrade.store.files import hold_lock
from tests.shell.loopback.kraken import Clock, LoopbackKraken

NOW = parse_time("2024-01-31T12:34:15")
MINUTE = 60_000
BTC, ETH, SOL = (Job("kraken", symbol, "1m") for symbol in ("BTC/USD", "ETH/USD", "SOL/USD"))
DEMO = Job("demo", "BTC/USD", "1h", Span(parse_time("2024-01-01"), parse_time("2024-01-31")))


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "store.sqlite") as opened:
        yield opened


@pytest.fixture
async def kraken() -> AsyncIterator[LoopbackKraken]:
    async with LoopbackKraken(Clock(NOW)) as server:
        yield server


class World:
    """Runs jobs and remembers what was told.

    Attributes:
        opened: the exchanges that were opened, in order.
        told: what the watcher heard, in order.
    """

    def __init__(self, db: Database, kraken: LoopbackKraken | None = None) -> None:
        self.db = db
        self.kraken = kraken
        self.opened: list[str] = []
        self.told: list[tuple[str, Job]] = []
        self.stopping = asyncio.Event()
        self.stop_at: tuple[str, Job] | None = None

    async def run(self, *jobs: Job) -> list[FetchReport]:
        return await run_jobs(jobs, self.db, open_named=self._open, watcher=self, stopping=self.stopping)

    def _open(self, name: str) -> Exchange:
        self.opened.append(name)
        if name == "demo":
            return DemoExchange(lambda: NOW)
        options = self.kraken.ccxt_options if self.kraken else {}
        return open_exchange(name, options=options, timeout_s=5.0, attempts=1)

    def began(self, job: Job) -> None:
        self._hear("began", job)

    def advanced(self, job: Job, step: FetchProgress) -> None:
        self._hear("advanced", job)

    def ended(self, job: Job, report: FetchReport) -> None:
        self._hear("ended", job)

    def _hear(self, what: str, job: Job) -> None:
        self.told.append((what, job))
        if (what, job) == self.stop_at:
            self.stopping.set()


# ---- which ----------------------------------------------------------------------------------------------------------
def test_every_symbol_is_fetched_in_every_timeframe_from_every_exchange() -> None:
    jobs = jobs_as_typed(["kraken", "bitstamp"], ["BTC/USD", "ETH/USD"], ["1m", "1h"], Job("", "", "", Span(5)))
    assert len(jobs) == 8
    assert jobs[0] == Job("kraken", "BTC/USD", "1m", Span(5))
    assert jobs[-1] == Job("bitstamp", "ETH/USD", "1h", Span(5))


def test_what_is_named_twice_is_fetched_once() -> None:
    assert distinct([BTC, ETH, BTC]) == [BTC, ETH]


def test_one_series_cannot_be_fetched_in_two_ways() -> None:
    with pytest.raises(FixCommand, match="kraken BTC/USD 1m is asked for twice"):
        distinct([BTC, BTC._replace(span=Span(0))])


def test_candles_and_what_is_made_of_trades_are_two_series() -> None:
    jobs = [BTC, BTC._replace(via="trades")]
    assert distinct(jobs) == jobs


def test_entries_of_the_configuration_are_jobs(tmp_path: Path) -> None:
    file = tmp_path / "algotrade.toml"
    file.write_text(
        '[defaults]\nexchange = "bitstamp"\ntimeframe = "4h"\n\n'
        '[[fetch]]\nsymbol = "BTC/USD"\n\n'
        '[[fetch]]\nexchange = "kraken"\nsymbol = ["ETH/USD", "SOL/USD"]\ntimeframe = ["1m", "1h"]\n'
        'start = 2024-01-01\nvia = "trades"\nkeep_trades = true\n'
    )
    first, *rest = jobs_of_settings(load_settings(config_file=file))
    assert first == Job("bitstamp", "BTC/USD", "4h")
    assert [job.label for job in rest] == [
        "kraken ETH/USD 1m trades", "kraken ETH/USD 1h trades", "kraken SOL/USD 1m trades", "kraken SOL/USD 1h trades"
    ]  # fmt: skip
    assert {job[3:] for job in rest} == {(Span(parse_time("2024-01-01")), "trades", True, False)}


def test_entries_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "algotrade.toml"
    file.write_text('[[fetch]]\nsymbol = "A/B"\n\n[[fetch]]\nsymbol = ["A/B"]\nstart = 2024-01-01\n')
    with pytest.raises(FixConfiguration, match=r"algotrade\.toml: kraken A/B 1d is asked for twice"):
        jobs_of_settings(load_settings(config_file=file))


def test_stored_series_that_an_exchange_can_continue_are_jobs_imported_ones_are_not(db: Database) -> None:
    for key in (
        SeriesKey("kraken", "BTC/USD", "1m", "official"),
        SeriesKey("kraken", "BTC/USD", "1m", "import"),
        SeriesKey("kraken", "BTC/USD", "1m", "ticker"),
        SeriesKey("bitstamp", "ETH/USD", "1h", "official"),
    ):
        write_candles(db, key, np.array([NOW - NOW % MINUTE]), np.ones((5, 1)))
    assert jobs_of_store(db) == [Job("bitstamp", "ETH/USD", "1h"), BTC]
    assert jobs_of_store(db, ["kraken"]) == [BTC]


def test_imported_trades_go_on_where_the_file_ended(db: Database) -> None:
    write_candles(db, SeriesKey("kraken", "BTC/USD", "1m", "trades"), np.array([NOW - NOW % MINUTE]), np.ones((5, 1)))
    assert jobs_of_store(db) == [Job("kraken", "BTC/USD", "1m", Span(NOW - NOW % MINUTE), "trades")]


async def test_a_download_of_trades_goes_on_keeping_them_as_it_did(db: Database) -> None:
    start = Span(parse_time("2024-01-31T06:00"))
    kept = Job("demo", "BTC/USD", "1h", start, "trades", keep_trades=True)
    lost = Job("demo", "ETH/USD", "1h", start, "trades")
    assert all(report.complete for report in await World(db).run(kept, lost))
    assert jobs_of_store(db) == [kept._replace(span=Span()), lost._replace(span=Span())]


def test_only_candles_are_repaired() -> None:
    assert repairs([BTC._replace(span=Span(5)), ETH._replace(via="trades")]) == [BTC._replace(repair=True)]


# ---- at once --------------------------------------------------------------------------------------------------------
async def test_each_exchange_is_opened_once_and_tells_its_time_once(db: Database, kraken: LoopbackKraken) -> None:
    world = World(db, kraken)
    reports = await world.run(BTC, DEMO, ETH, SOL)
    assert [report.key for report in reports] == [job.key for job in (BTC, DEMO, ETH, SOL)]
    assert [(report.complete, report.added) for report in reports] == [
        (True, 719),
        (True, 721),
        (True, 719),
        (True, 719),
    ]
    assert sorted(world.opened) == ["demo", "kraken"]
    assert (kraken.requests["Time"], kraken.requests["OHLC"], kraken.requests["AssetPairs"]) == (1, 3, 1)


async def test_a_symbol_that_fails_loses_no_other(db: Database, kraken: LoopbackKraken) -> None:
    reports = await World(db, kraken).run(BTC, Job("kraken", "NO/SUCH", "1m"), Job("kraken", "ETH/USD", "7m"), ETH)
    assert [report.complete for report in reports] == [True, False, False, True]
    assert [type(report.error) for report in reports[1:3]] == [FixCommand, FixCommand]


async def test_an_exchange_out_of_reach_is_asked_once_and_loses_no_other(db: Database, kraken: LoopbackKraken) -> None:
    kraken.fail("reset")
    btc, demo, eth = await World(db, kraken).run(BTC, DEMO, ETH)
    assert isinstance(btc.error, CheckConnection)
    assert isinstance(eth.error, CheckConnection)
    assert demo.complete
    assert set(kraken.requests) == {"Time"}


async def test_an_exchange_that_there_is_not_loses_no_other(db: Database) -> None:
    wrong, demo = await World(db).run(Job("krakn", "BTC/USD", "1m"), DEMO)
    assert isinstance(wrong.error, FixCommand)
    assert demo.complete


async def test_a_minute_that_ends_meanwhile_is_seen(db: Database, kraken: LoopbackKraken) -> None:
    """The shared clock is behind the exchange's then: a newer bar has it asked again, and is not called wrong."""
    kraken.clock.set(parse_time("2024-01-31T12:34:59"), 0)
    world = World(db, kraken)
    ask = kraken.answer

    def answer(method: str, query: dict[str, str]) -> object:
        if method == "OHLC":
            kraken.clock.set(parse_time("2024-01-31T12:35:01"), 0)
        return ask(method, query)

    kraken.answer = answer  # type: ignore[method-assign]
    (report,) = await world.run(BTC)
    assert (report.complete, report.refused) == (True, ())
    assert kraken.requests["Time"] == 2


# ---- stopping -------------------------------------------------------------------------------------------------------
async def test_a_stop_keeps_what_came_and_begins_nothing_more(db: Database) -> None:
    symbols = ("BTC/USD", "ETH/USD", "SOL/USD")
    days = [Job("demo", symbol, "1m", DEMO.span) for symbol in symbols]
    more = [Job("demo", symbol, timeframe, DEMO.span) for timeframe in ("5m", "15m", "1h", "1d") for symbol in symbols]
    world = World(db)
    world.stop_at = ("advanced", days[0])
    reports = await world.run(*days, *more)
    stopped = {type(report.error) for report in reports if not report.complete}  # one may just have had its last page
    assert stopped == {Stopped}
    stored = [len(read_candles(db, report.key)) for report in reports]
    assert stored == [report.added for report in reports]
    assert stored[0] > 0
    begun_late = [job for what, job in world.told[world.told.index(world.stop_at) :] if what == "began"]
    assert [len(read_candles(db, job.key)) for job in begun_late] == [0] * len(begun_late)
    again = await World(db).run(*days, *more)
    assert all(report.complete for report in again)
    assert [before + report.added for before, report in zip(stored, again, strict=True)] == [
        len(read_candles(db, report.key)) for report in again
    ]


async def test_a_stop_does_not_wait_for_an_exchange_that_hangs(db: Database, kraken: LoopbackKraken) -> None:
    kraken.fail("hang", "OHLC")
    world = World(db, kraken)
    running = asyncio.create_task(world.run(BTC, ETH))
    while kraken.requests["OHLC"] < 1:
        await asyncio.sleep(0.01)
    world.stopping.set()
    assert {type(report.error) for report in await running} == {Stopped}


# ---- locks ----------------------------------------------------------------------------------------------------------
async def test_a_series_that_another_run_holds_is_left_to_it(db: Database) -> None:
    other = DEMO._replace(symbol="ETH/USD")
    with hold_lock(lock_path(db, DEMO.key), "a fetch"):
        held, free = await World(db).run(DEMO, other)
    assert isinstance(held.error, TryLater)
    assert held.error.message.startswith("a fetch of demo BTC/USD 1h is already running (pid ")
    assert held.error.hint is None
    assert free.complete
    (held,) = await World(db).run(DEMO)
    assert held.complete


def _hold_until_killed(path: Path, ready: object) -> None:
    with hold_lock(path, "a fetch"):
        ready.set()  # type: ignore[attr-defined]
        threading.Event().wait()


async def test_the_lock_of_a_killed_run_dies_with_it(db: Database) -> None:
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    process = spawn.Process(target=_hold_until_killed, args=(lock_path(db, DEMO.key), ready))
    process.start()
    assert ready.wait(30)
    (held,) = await World(db).run(DEMO)
    assert isinstance(held.error, TryLater)
    assert f"pid {process.pid}" in held.error.message
    process.kill()
    process.join()
    (free,) = await World(db).run(DEMO)
    assert free.complete


@pytest.mark.parametrize("symbol", ["../../etc/passwd", "A/../../B", "\x1b[31m/USD", "A\0/B", "x" * 300, "ВТС/USD"])
def test_no_symbol_makes_a_lock_that_is_not_in_its_folder(db: Database, symbol: str) -> None:
    path = lock_path(db, SeriesKey("kraken", symbol, "1m"))
    assert path.parent == db.folder / "locks"
    assert path.name.isascii()
    assert path.name.isprintable()
    assert len(path.name) < 100
    assert "/" not in path.name


def test_series_whose_names_read_alike_have_locks_of_their_own(db: Database) -> None:
    names = [SeriesKey("kraken", symbol, "1m") for symbol in ("A/B", "A-B", "A.B", "A/B:C", "A/B-C")]
    assert len({lock_path(db, key) for key in names}) == len(names)


async def test_a_store_that_is_busy_is_waited_for(db: Database, tmp_path: Path) -> None:
    """Another program holds the write lock while the fetch begins; it lets go only when a page waits to be written."""
    writer = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None, check_same_thread=False)
    writer.execute("BEGIN IMMEDIATE")
    asyncio.get_running_loop().call_later(0.5, writer.execute, "COMMIT")
    (report,) = await World(db).run(DEMO)
    writer.close()
    assert (report.complete, report.added) == (True, 721)


def test_a_stop_is_an_error_with_a_kind_of_its_own() -> None:
    assert issubclass(Stopped, AlgotradeError)
    assert Stopped.kind == "interrupted"
