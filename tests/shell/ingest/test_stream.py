"""Candles kept current by an unmodified ccxt over a websocket on loopback, whatever happens to the connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from algotrade.errors import FixCommand, TryLater
from algotrade.exchange.opening import open_exchange, open_stream
from algotrade.ingest.jobs import Job
from algotrade.ingest.stream import StreamEvent
from algotrade.ingest.streams import Doors, run_streams
from algotrade.ingest.waiting import Patience
from algotrade.market.candles import content_hash, times_ms
from algotrade.market.simulate import simulate_candles
from algotrade.store.candles import read_candles
from algotrade.store.coverage import read_coverage
from algotrade.store.database import Database, open_database
from algotrade.store.rows import series_id_of
from algotrade.store.snapshots import Snapshot, find_snapshot
from tests.shell.loopback.kraken_stream import StreamingKraken
from tests.shell.loopback.server import MINUTE, Clock

NOON = 1_706_702_400_000
BITCOIN = Job("kraken", "BTC/USD", "1m")
KEY = BITCOIN.key
SPEED = 120.0  # a minute of the exchange lasts half a second
HASTE = Patience(silence_s=30.0, grace_s=2.0)  # of the stream's clock, which runs like ours


@asynccontextmanager
async def streaming(
    kraken: StreamingKraken, db: Database, *jobs: Job, patience: Patience = HASTE
) -> AsyncIterator[list[StreamEvent]]:
    """The series kept current while the block runs, and what was told of them."""
    events: list[StreamEvent] = []
    stopping = asyncio.Event()
    kept = run_streams(
        jobs or [BITCOIN], db, doors=doors(kraken), tell=events.append, stopping=stopping, patience=patience
    )
    task = asyncio.create_task(kept)
    try:
        yield events
    finally:
        stopping.set()
        reports = await task
    assert [report.error for report in reports] == [None] * len(reports)
    assert sum(report.added for report in reports) == sum(event.added for event in events)


def doors(kraken: StreamingKraken) -> Doors:
    options = kraken.ccxt_options
    return Doors(partial(open_exchange, options=options), partial(open_stream, options=options))


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "store.sqlite") as opened:
        yield opened


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


def stored(db: Database, symbol: str = "BTC/USD") -> list[int]:
    return times_ms(read_candles(db, KEY._replace(symbol=symbol))).tolist()


def at_end(candles: pd.DataFrame) -> int:
    return int(times_ms(candles)[-1])


def is_whole_and_true(db: Database, symbol: str = "BTC/USD") -> bool:
    """No minute is missing, and each is the market's own."""
    candles = read_candles(db, KEY._replace(symbol=symbol))
    times = times_ms(candles)
    return content_hash(candles) == content_hash(simulate_candles(symbol, "1m", int(times[0]), int(times[-1])))


async def test_bars_are_stored_as_they_close_without_asking(db: Database) -> None:
    async with StreamingKraken(Clock(NOON + 30_000, SPEED)) as kraken, streaming(kraken, db) as events:
        await until(lambda: kraken.requests["OHLC"] == 2)  # at the start, and for the bar in which it began to listen
        await until(lambda: stored(db)[-1] >= NOON + 8 * MINUTE)
        assert kraken.requests["OHLC"] == 2
    assert is_whole_and_true(db)
    assert sum(event.added for event in events) == len(stored(db))  # none was stored twice
    ((_, end),) = read_coverage(db, KEY)  # in one piece
    assert end == stored(db)[-1] + MINUTE


async def test_a_series_that_grows_by_its_stream_alone_gets_its_snapshot(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("algotrade.ingest.stream.REFRESHED_AFTER", 2)

    def snapshot() -> Snapshot | None:
        with db.reading() as connection:
            return find_snapshot(connection, series_id_of(connection, KEY) or 0)

    async with StreamingKraken(Clock(NOON + 30_000, SPEED)) as kraken, streaming(kraken, db):
        await until(lambda: kraken.requests["OHLC"] == 2)
        asked_until = stored(db)[-1]
        await until(lambda: stored(db)[-1] >= asked_until + 2 * MINUTE)
        assert snapshot() is None  # too few candles
        monkeypatch.setattr("algotrade.store.snapshots.SMALLEST_ROWS", 1)
        await until(lambda: snapshot() is not None)
        assert kraken.requests["OHLC"] == 2
    assert is_whole_and_true(db)


async def test_several_symbols_share_a_connection(db: Database) -> None:
    symbols = ("BTC/USD", "ETH/USD", "SOL/USD")
    jobs = [BITCOIN._replace(symbol=symbol) for symbol in symbols]
    async with StreamingKraken(Clock(NOON, SPEED)) as kraken, streaming(kraken, db, *jobs):
        await until(lambda: all(len(stored(db, s)) > 722 for s in symbols))
        assert kraken.connections == 1
    assert all(is_whole_and_true(db, symbol) for symbol in symbols)


async def test_a_connection_that_is_cut_off_is_made_again_and_no_bar_is_missing(db: Database) -> None:
    async with StreamingKraken(Clock(NOON, SPEED)) as kraken, streaming(kraken, db) as events:
        for minute in (3, 7, 11):
            await until(lambda minute=minute: bool(stored(db)) and stored(db)[-1] >= NOON + minute * MINUTE)
            await kraken.drop()
        await until(lambda: stored(db)[-1] >= NOON + 16 * MINUTE)
        assert kraken.connections >= 4
    assert is_whole_and_true(db)
    assert sum(event.added for event in events) == len(stored(db))
    assert any("connecting again" in event.words for event in events)


async def test_series_that_share_a_connection_share_the_new_one_too_when_it_is_cut_off(db: Database) -> None:
    symbols = ("BTC/USD", "ETH/USD", "SOL/USD")
    jobs = [BITCOIN._replace(symbol=symbol) for symbol in symbols]
    async with StreamingKraken(Clock(NOON, SPEED)) as kraken, streaming(kraken, db, *jobs):
        for again in range(1, 6):
            await until(lambda: all(len(stored(db, symbol)) > 720 + 2 * again for symbol in symbols))  # noqa: B023
            await kraken.drop()
        await until(lambda: all(len(stored(db, symbol)) > 734 for symbol in symbols))
        assert kraken.connections == 6
    assert all(is_whole_and_true(db, symbol) for symbol in symbols)


async def test_a_connection_that_answers_pings_and_sends_nothing_is_noticed(db: Database) -> None:
    patience = Patience(silence_s=0.5, grace_s=0.2)
    async with StreamingKraken(Clock(NOON, SPEED)) as kraken, streaming(kraken, db, patience=patience) as events:
        await until(lambda: len(stored(db)) > 722)
        kraken.deaf = True
        await until(lambda: any("silent" in event.words for event in events))
        kraken.deaf = False
        behind = stored(db)[-1]
        await until(lambda: stored(db)[-1] >= behind + 5 * MINUTE)
        assert kraken.connections >= 2
    assert is_whole_and_true(db)


async def test_a_market_that_sleeps_is_not_taken_for_a_deaf_connection(db: Database) -> None:
    patience = Patience(silence_s=0.2, grace_s=0.1)
    async with StreamingKraken(Clock(NOON, SPEED)) as kraken, streaming(kraken, db, patience=patience) as events:
        await until(lambda: len(stored(db)) > 720)
        kraken.clock.set(kraken.clock(), 0.0)  # nothing happens any more
        await asyncio.sleep(1.5)
        assert kraken.connections == 1
    assert not any(event.words for event in events)
    assert is_whole_and_true(db)


@pytest.mark.parametrize("noise", ['{"channel": "heartbeat"}', '{"channel": "unheard", "data": [1]}', "[]"])
async def test_messages_of_another_kind_disturb_nothing(db: Database, noise: str) -> None:
    async with StreamingKraken(Clock(NOON, SPEED)) as kraken, streaming(kraken, db):
        kraken.noise = noise
        await until(lambda: len(stored(db)) > 723)
    assert is_whole_and_true(db)


async def test_a_stream_of_trades_only_says_when_to_ask_and_no_trade_is_missing(db: Database) -> None:
    job = BITCOIN._replace(via="trades")
    async with StreamingKraken(Clock(NOON, SPEED)) as kraken, streaming(kraken, db, job):
        await until(lambda: len(read_candles(db, job.key)) > 723)
    made = read_candles(db, job.key)
    assert content_hash(made) == content_hash(simulate_candles("BTC/USD", "1m", NOON - 720 * MINUTE, at_end(made)))


async def test_a_series_that_ends_does_not_end_the_others(db: Database) -> None:
    jobs = [BITCOIN._replace(symbol="BTC/UDS"), BITCOIN]
    stopping = asyncio.Event()
    async with StreamingKraken(Clock(NOON, SPEED)) as kraken:
        task = asyncio.create_task(
            run_streams(jobs, db, doors=doors(kraken), tell=lambda event: None, stopping=stopping)
        )
        await until(lambda: len(stored(db)) > 721)
        stopping.set()
        wrong, right = await task
    assert isinstance(wrong.error, FixCommand)
    assert "no symbol 'BTC/UDS'" in wrong.error.message
    assert (right.error, right.complete, right.added) == (None, True, len(stored(db)))


async def test_a_series_that_another_run_fetches_is_left_to_it(db: Database) -> None:
    async with StreamingKraken(Clock(NOON, SPEED)) as kraken, streaming(kraken, db):
        await until(lambda: bool(stored(db)))
        second = run_streams([BITCOIN], db, doors=doors(kraken), tell=lambda event: None, stopping=asyncio.Event())
        (report,) = await second
    assert isinstance(report.error, TryLater)


@pytest.mark.parametrize(("name", "words"), [("demo", "has no stream"), ("krakken", "Did you mean 'kraken'")])
def test_an_exchange_without_a_stream_is_said(name: str, words: str) -> None:
    with pytest.raises(FixCommand, match=words):
        open_stream(name)
