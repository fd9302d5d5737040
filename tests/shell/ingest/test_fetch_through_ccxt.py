"""Fetches by an unmodified ccxt from a Kraken on 127.0.0.1, with what goes wrong between the two."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from algotrade.errors import CheckConnection, TryLater
from algotrade.exchange.base import Exchange
from algotrade.exchange.opening import open_exchange
from algotrade.ingest.fetch import FetchRequest, fetch_candles
from algotrade.ingest.report import FetchReport
from algotrade.market.candles import COLUMNS, SeriesKey, times_ms
from algotrade.market.simulate import simulate_candles
from algotrade.market.span import parse_time
from algotrade.store.candles import read_candles
from algotrade.store.database import Database
from algotrade.store.markets import read_instrument
from tests.shell.loopback.kraken import Clock, LoopbackKraken

NOW = parse_time("2024-01-31T12:34:56")
MINUTE = 60_000
KEY = SeriesKey("kraken", "BTC/USD", "1m")


@pytest.fixture
def db(database: Database) -> Database:
    """An empty store of each kind."""
    return database


@pytest.fixture
async def kraken() -> AsyncIterator[LoopbackKraken]:
    async with LoopbackKraken(Clock(NOW)) as server:
        yield server


@pytest.fixture
async def exchange(kraken: LoopbackKraken) -> AsyncIterator[Exchange]:
    opened = open_exchange("kraken", options=kraken.ccxt_options, clock=kraken.clock, timeout_s=5.0, attempts=1)
    async with opened as entered:
        yield entered


async def fetch(exchange: Exchange, db: Database, start: int | None = None) -> FetchReport:
    return await fetch_candles(exchange, db, FetchRequest("BTC/USD", "1m", start))


async def test_the_newest_candles_are_stored_to_the_last_bit(exchange: Exchange, db: Database) -> None:
    report = await fetch(exchange, db)
    candles = read_candles(db, KEY)
    market = simulate_candles("BTC/USD", "1m", NOW - 720 * MINUTE, NOW - MINUTE)
    assert (report.complete, report.added, report.gaps) == (True, 719, 0)
    assert times_ms(candles)[-1] == parse_time("2024-01-31T12:33")
    assert candles[list(COLUMNS)].equals(market[list(COLUMNS)].tail(719))
    assert read_instrument(db, "kraken", "BTC/USD") is not None


async def test_going_on_asks_once_for_what_has_closed(kraken: LoopbackKraken, exchange: Exchange, db: Database) -> None:
    await fetch(exchange, db)
    before = kraken.requests["OHLC"]
    assert (await fetch(exchange, db)).added == 0
    assert kraken.requests["OHLC"] == before
    kraken.clock.set(NOW + 5 * MINUTE, 0)
    assert (await fetch(exchange, db)).added == 5
    assert kraken.requests["OHLC"] == before + 1


async def test_a_start_before_its_last_720_candles_is_no_silent_shift(exchange: Exchange, db: Database) -> None:
    report = await fetch(exchange, db, parse_time("2024-01-01"))
    assert (report.complete, report.added) == (False, 719)
    assert report.note.startswith("kraken answered with its newest 720 1m candles; asked from 2024-01-01; ")
    assert report.note.endswith("--start 2024-01-01 --via trades")


@pytest.mark.parametrize("fault", ["duplicate_rows", "reversed_rows"])
async def test_rows_in_disorder_are_stored_in_order(
    kraken: LoopbackKraken, exchange: Exchange, db: Database, fault: str
) -> None:
    kraken.fail(fault, "OHLC")
    report = await fetch(exchange, db)
    assert (report.complete, report.added, report.gaps) == (True, 719, 0)


async def test_a_null_in_the_forming_candle_harms_nothing(
    kraken: LoopbackKraken, exchange: Exchange, db: Database
) -> None:
    kraken.fail("null_value", "OHLC")
    report = await fetch(exchange, db)
    assert (report.complete, report.refused, report.added) == (True, (), 719)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("reset", CheckConnection),
        ("503", CheckConnection),
        ("html", CheckConnection),
        ("truncated", CheckConnection),
        ("empty_object", CheckConnection),
        ("foreign_key", CheckConnection),
        ("rate_limit", TryLater),
    ],
)
async def test_a_bad_answer_is_an_error_and_the_next_run_has_everything(
    kraken: LoopbackKraken, exchange: Exchange, db: Database, fault: str, kind: type[Exception]
) -> None:
    kraken.fail(fault, "OHLC")
    report = await fetch(exchange, db)
    assert isinstance(report.error, kind)
    assert (report.complete, report.added) == (False, 0)
    kraken.heal()
    assert (await fetch(exchange, db)).added == 719


async def test_no_rows_at_all_is_said(kraken: LoopbackKraken, exchange: Exchange, db: Database) -> None:
    kraken.fail("no_rows", "OHLC")
    report = await fetch(exchange, db)
    assert (report.complete, report.note) == (False, "kraken gave no closed 1m candles")
