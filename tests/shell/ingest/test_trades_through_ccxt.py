"""Trades downloaded by an unmodified ccxt from a Kraken on 127.0.0.1, whatever goes wrong between the two."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from algotrade.errors import CheckConnection, TryLater
from algotrade.exchange.base import Exchange
from algotrade.exchange.opening import open_exchange
from algotrade.ingest.fetch import FetchRequest, fetch_candles
from algotrade.ingest.report import FetchReport
from algotrade.ingest.trades.fetch import fetch_trades
from algotrade.ingest.trades.proof import proof_of
from algotrade.ingest.trades.recheck import recheck_trades
from algotrade.market.span import parse_time
from algotrade.store.database import Database
from algotrade.store.trades import read_trades
from tests.shell.ingest.stored_trades import KEY, everything
from tests.shell.loopback.kraken import Clock, LoopbackKraken

START = parse_time("2024-01-30")
NOW = parse_time("2024-01-31T12:34:56")
MADE = 4 * (36 * 60 + 34)  # four trades a minute, and those of the minute under way


@pytest.fixture
async def kraken() -> AsyncIterator[LoopbackKraken]:
    async with LoopbackKraken(Clock(NOW)) as server:
        yield server


@pytest.fixture
async def exchange(kraken: LoopbackKraken) -> AsyncIterator[Exchange]:
    opened = open_exchange("kraken", options=kraken.ccxt_options, clock=kraken.clock, timeout_s=5.0, attempts=1)
    async with opened as entered:
        yield entered


async def fetch(exchange: Exchange, database: Database, end: int | None = None) -> FetchReport:
    request = FetchRequest("BTC/USD", "1m", START, end)
    return await fetch_trades(exchange, database, request, keep_trades=True)


@pytest.mark.parametrize("repeats", [False, True])
async def test_the_candles_made_are_the_official_ones_to_the_last_bit(
    kraken: LoopbackKraken, exchange: Exchange, database: Database, repeats: bool
) -> None:
    kraken.repeats_boundary = repeats
    assert (await fetch(exchange, database)).complete
    await fetch_candles(exchange, database, FetchRequest("BTC/USD", "1m"))
    ids = [int(each or 0) for block in read_trades(database, KEY) for each in block.ids]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert MADE <= len(ids) <= MADE + 4
    proof = proof_of(database, KEY)
    assert proof is not None
    assert proof.unbroken
    assert proof.sentences()[1:] == ["719 of 719 official bars are equal"]
    assert recheck_trades(database, KEY).problems == ()


@pytest.mark.parametrize(
    "fault",
    [
        "hang",
        "reset",
        "500",
        "html",
        "truncated",
        "empty",
        "null_result",
        "foreign_key",
        "duplicate_rows",
        "null_value",
    ],
)
async def test_a_fault_stores_nothing_wrong_and_the_next_fetch_goes_on(
    kraken: LoopbackKraken, exchange: Exchange, database: Database, fault: str
) -> None:
    exchange._timeout_s = 0.5  # type: ignore[attr-defined]
    assert (await fetch(exchange, database, START + 3_600_000)).complete
    before = everything(database)
    kraken.fail(fault, "Trades")
    assert isinstance((await fetch(exchange, database)).error, CheckConnection)
    assert everything(database) == before
    kraken.heal()
    assert (await fetch(exchange, database)).complete
    assert recheck_trades(database, KEY).problems == ()


@pytest.mark.parametrize("fault", ["429", "rate_limit"])
async def test_patience_that_is_asked_for_is_told(
    kraken: LoopbackKraken, exchange: Exchange, database: Database, fault: str
) -> None:
    kraken.fail(fault, "Trades")
    assert isinstance((await fetch(exchange, database)).error, TryLater)


async def test_answers_without_rows_are_not_taken_for_a_market_asleep(
    kraken: LoopbackKraken, exchange: Exchange, database: Database
) -> None:
    assert (await fetch(exchange, database, START + 3_600_000)).complete
    kraken.fail("no_rows", "Trades", times=1)
    assert (await fetch(exchange, database)).complete
    proof = proof_of(database, KEY)
    assert proof is not None
    assert proof.chains[0].trades >= MADE
    assert recheck_trades(database, KEY).problems == ()
