"""Funding rates by an unmodified ccxt from a Binance on 127.0.0.1, with what goes wrong between the two."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from algotrade.errors import CheckConnection, FixCommand, TryLater
from algotrade.exchange.base import Exchange
from algotrade.exchange.opening import open_exchange
from algotrade.ingest.funding.fetch import fetch_funding
from algotrade.ingest.funding.report import FundingReport
from algotrade.market.span import Span, parse_time
from algotrade.store.database import Database
from algotrade.store.funding import read_funding
from algotrade.store.markets import read_instrument
from tests.shell.loopback.kraken import LoopbackKraken
from tests.shell.loopback.perpetual import LISTED, STEP, SYMBOL, LoopbackPerpetual, settlements
from tests.shell.loopback.server import Clock

NOW = parse_time("2024-01-31T12:34:56")
ALL = settlements(0, NOW)


@pytest.fixture
async def binance() -> AsyncIterator[LoopbackPerpetual]:
    async with LoopbackPerpetual(Clock(NOW)) as server:
        yield server


@pytest.fixture
async def exchange(binance: LoopbackPerpetual) -> AsyncIterator[Exchange]:
    opened = open_exchange("binance", options=binance.ccxt_options, clock=binance.clock, timeout_s=5.0, attempts=1)
    async with opened as entered:
        yield entered


async def fetch(exchange: Exchange, database: Database, start: str | None = None) -> FundingReport:
    return await fetch_funding(exchange, database, SYMBOL, Span(None if start is None else parse_time(start)))


def stored(database: Database) -> list[tuple[int, float]]:
    times, rates = read_funding(database, "binance", SYMBOL)
    return list(zip(times.tolist(), rates.tolist(), strict=True))


async def test_every_rate_since_the_listing_is_stored_at_its_exact_time(
    binance: LoopbackPerpetual, exchange: Exchange, database: Database
) -> None:
    report = await fetch(exchange, database)
    assert (report.complete, report.added, report.gaps, report.note) == (True, len(ALL), 0, "")
    assert (report.first, report.last) == (LISTED, ALL[-1][0])
    assert stored(database) == [(time, float(f"{rate:.8f}")) for time, rate in ALL]
    assert any(time % STEP for time, _ in stored(database))
    assert binance.requests["fundingRate"] == 6  # five pages of 1000, and one that finds nothing before the listing
    instrument = read_instrument(database, "binance", SYMBOL)
    assert instrument is not None
    assert (instrument.can_short, instrument.quantity_step) == (True, 0.001)


async def test_going_on_asks_once_for_what_was_paid_since(
    binance: LoopbackPerpetual, exchange: Exchange, database: Database
) -> None:
    await fetch(exchange, database, "2024-01-01")
    before = binance.requests["fundingRate"]
    again = await fetch(exchange, database)
    assert (again.added, again.revised, binance.requests["fundingRate"]) == (0, 0, before + 1)
    binance.clock.set(NOW + 2 * STEP, 0)
    report = await fetch(exchange, database)
    assert (report.added, binance.requests["fundingRate"]) == (2, before + 2)


async def test_an_earlier_start_brings_what_is_before(exchange: Exchange, database: Database) -> None:
    await fetch(exchange, database, "2024-01-01")
    report = await fetch(exchange, database, "2023-12-30")
    assert (report.added, report.unchanged, report.gaps) == (6, 93 - 1, 0)
    assert stored(database)[0][0] // STEP * STEP == parse_time("2023-12-30")


async def test_an_end_is_inclusive(exchange: Exchange, database: Database) -> None:
    first, last = ALL[100][0], ALL[104][0]
    report = await fetch_funding(exchange, database, SYMBOL, Span(first, last))
    assert (report.added, report.first, report.last) == (5, first, last)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("reset", CheckConnection),
        ("503", CheckConnection),
        ("429", TryLater),
        ("html", CheckConnection),
        ("truncated", CheckConnection),
        ("empty", CheckConnection),
        ("list", CheckConnection),
        ("wrong_types", CheckConnection),
        ("deep", CheckConnection),
    ],
)
async def test_a_bad_answer_is_an_error_and_the_next_run_has_everything(
    binance: LoopbackPerpetual, exchange: Exchange, database: Database, fault: str, kind: type[Exception]
) -> None:
    binance.fail(fault, "fundingRate")
    report = await fetch(exchange, database, "2024-01-01")
    assert isinstance(report.error, kind), report
    assert (report.complete, report.added) == (False, 0)
    binance.heal()
    assert (await fetch(exchange, database, "2024-01-01")).complete
    assert len(stored(database)) == 92


@pytest.mark.parametrize("fault", ["duplicate_rows", "reversed_rows"])
async def test_rows_in_disorder_are_stored_in_order(
    binance: LoopbackPerpetual, exchange: Exchange, database: Database, fault: str
) -> None:
    binance.fail(fault, "fundingRate")
    report = await fetch(exchange, database, "2024-01-01")
    assert (report.complete, report.added, report.gaps) == (True, 92, 0)


async def test_a_rate_that_cannot_be_is_refused_and_said(
    binance: LoopbackPerpetual, exchange: Exchange, database: Database
) -> None:
    rates = ["0.0001", "-1.5", "nan", "0.0002"]
    times = [ALL[100 + number][0] for number in range(4)]
    binance.recorded["fundingRate"] = [
        {"symbol": "BTCUSDT", "fundingTime": time, "fundingRate": rate} for time, rate in zip(times, rates, strict=True)
    ]
    report = await fetch_funding(exchange, database, SYMBOL, Span(times[0], times[-1]))
    assert (report.complete, report.added) == (False, 2)
    assert report.note.startswith("2 rate(s) refused, the first of 2019-10-14T00:00:00.017Z: the rate is beyond 1")
    assert [time for time, _ in stored(database)] == [times[0], times[3]]


async def test_a_start_in_the_future_is_refused(exchange: Exchange, database: Database) -> None:
    report = await fetch(exchange, database, "2024-02-01")
    assert isinstance(report.error, FixCommand)
    assert report.error.message.startswith("the start 2024-02-01 is in the future: for binance it is 2024-01-31T12:34:")


@pytest.mark.parametrize(
    ("symbol", "said"),
    [
        ("BTC/USD", "'BTC/USD' is no perpetual contract, and only those have funding"),
        ("BTC/USDT:USDC", "binance has no symbol 'BTC/USDT:USDC'. Did you mean 'BTC/USDT:USDT'?"),
    ],
)
async def test_a_symbol_without_funding_is_refused(
    exchange: Exchange, database: Database, symbol: str, said: str
) -> None:
    report = await fetch_funding(exchange, database, symbol, Span())
    assert report.error is not None
    assert report.error.message.startswith(said)


async def test_an_exchange_without_perpetuals_says_so(database: Database) -> None:
    async with (
        LoopbackKraken(Clock(NOW)) as kraken,
        open_exchange("kraken", options=kraken.ccxt_options, clock=kraken.clock, attempts=1) as exchange,
    ):
        with pytest.raises(FixCommand, match="kraken gives no funding rates"):
            await exchange.funding("BTC/USD:USD", since=0, until=NOW)


@pytest.mark.parametrize("name", ["bitfinex", "deribit"])
async def test_what_was_not_paid_as_ccxt_reads_it_is_not_fetched(name: str) -> None:
    async with open_exchange(name, attempts=1) as exchange:
        with pytest.raises(FixCommand, match=f"the funding of {name} is not fetched: ccxt gives the rate") as refused:
            await exchange.funding("BTC/USD:BTC", since=0, until=NOW)
    assert refused.value.hint == f"algotrade fetch --funding --exchange {name} --symbol BTC/USD:BTC --from funding.csv"
