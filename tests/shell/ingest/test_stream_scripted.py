"""What a series makes of a stream that says what it likes: every update, silence and failure is written down here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import pytest

from algotrade.errors import AlgotradeError, AwaitMaintenance, CheckConnection
from algotrade.exchange.base import Stream
from algotrade.exchange.retry import Backoff
from algotrade.ingest.jobs import Job
from algotrade.ingest.many import lock_path
from algotrade.ingest.streams import Doors, run_streams
from algotrade.ingest.waiting import Patience
from algotrade.market.candles import Floats
from algotrade.store.candles import read_candles
from algotrade.store.corrections import read_outages
from algotrade.store.database import Database, open_database
from algotrade.store.files import is_held
from tests.shell.ingest.listed_exchange import MINUTE, NOON, ListedExchange, as_exchange, candle, minutes

BITCOIN = Job("kraken", "BTC/USD", "1m")
DAY = 24 * 60


class Said(NamedTuple):
    """An update: the exchange's time by then, in minutes after noon, and the candle, or the failure."""

    now: float
    what: list[float] | AlgotradeError


class ScriptedStream:
    """Says its lines one after another, then nothing more."""

    name = "kraken"
    what = "candles"

    def __init__(self, exchange: ListedExchange, lines: list[Said]) -> None:
        self.exchange = exchange
        self.lines = lines
        self.over = asyncio.Event()
        self.closed = False

    async def wait(self, symbol: str, timeframe: str, *, timeout_s: float) -> Floats | None:
        if not self.lines:
            self.over.set()
            await asyncio.Event().wait()
        now, what = self.lines.pop(0)
        self.exchange.now = NOON + int(now * MINUTE)
        if isinstance(what, AlgotradeError):
            raise what
        return np.array([what])

    async def reconnect(self, timeframe: str) -> None:
        """There is nothing to give up."""

    async def close(self) -> None:
        self.closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()


class Counted(Backoff):
    """Waits for no time, and remembers after how many failures."""

    def __init__(self, *limits: float) -> None:
        self.after: list[int] = []

    def wait_s(self, failures: int) -> float:
        self.after.append(failures)
        return 0.0


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "store.sqlite") as opened:
        yield opened


def start(db: Database, stream: ScriptedStream, patience: Patience = Patience()) -> asyncio.Task[object]:  # noqa: B008
    def open_stream(name: str) -> Stream:
        return stream

    doors = Doors(lambda name: as_exchange(stream.exchange), open_stream)
    kept = run_streams([BITCOIN], db, doors=doors, tell=lambda event: None, stopping=asyncio.Event(), patience=patience)
    return asyncio.create_task(kept)


async def play(db: Database, stream: ScriptedStream, patience: Patience = Patience()) -> None:  # noqa: B008
    """Until all is said."""
    task = start(db, stream, patience)
    async with asyncio.timeout(20):
        await stream.over.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def rows_of(db: Database) -> list[list[float]]:
    stored = read_candles(db, BITCOIN.key)
    return [[time.timestamp() * 1000, *values] for time, *values in stored.itertuples()]


@pytest.mark.parametrize("ahead", [2, DAY, 1000 * 365 * DAY])
async def test_a_candle_of_the_future_neither_ends_the_bar_before_it_nor_the_stream(db: Database, ahead: int) -> None:
    exchange = ListedExchange(minutes(0, 9), NOON + 3 * MINUTE + 30_000)
    third, fourth, fifth, sixth = minutes(3, 6)
    half = [fourth[0], fourth[1], fourth[1], fourth[1], fourth[1], 1.0]
    lines = [Said(3.6, third), Said(4.1, half), Said(4.3, candle(NOON + (4 + ahead) * MINUTE))]
    lines += [Said(4.9, fourth), Said(5.1, fifth), Said(6.1, sixth)]
    await play(db, ScriptedStream(exchange, lines))
    assert rows_of(db) == minutes(0, 5)


async def test_a_connection_that_brings_nothing_is_made_again_with_growing_patience(db: Database) -> None:
    exchange = ListedExchange(minutes(0, 9), NOON + 3 * MINUTE)
    cut = CheckConnection("cut off")
    patience = Patience(backoff=Counted())
    lines = [Said(3, cut), Said(3, cut), Said(3, cut), Said(3.5, minutes(3, 3)[0]), Said(3.6, cut), Said(3.7, cut)]
    await play(db, ScriptedStream(exchange, lines), patience)
    assert patience.backoff.after == [1, 2, 3, 1, 2]  # type: ignore[attr-defined]


async def test_an_exchange_that_is_down_is_written_down_by_its_stream_too(db: Database) -> None:
    exchange = ListedExchange(minutes(0, 9), NOON + 3 * MINUTE)
    patience = Patience(backoff=Counted())
    lines = [Said(4, AwaitMaintenance("down for maintenance")), Said(5, minutes(5, 5)[0])]
    await play(db, ScriptedStream(exchange, lines), patience)
    (outage,) = read_outages(db, "kraken")
    assert outage.evidence == "down for maintenance"
    assert NOON + 3 * MINUTE <= outage.start < NOON + 4 * MINUTE == outage.end  # by the exchange's clock


async def test_nothing_goes_on_when_the_streams_are_cancelled(db: Database) -> None:
    stream = ScriptedStream(ListedExchange(minutes(0, 9), NOON + 3 * MINUTE), [])
    task = start(db, stream)
    await stream.over.wait()
    assert is_held(lock_path(db, BITCOIN.key))
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert stream.closed
    assert not is_held(lock_path(db, BITCOIN.key))
