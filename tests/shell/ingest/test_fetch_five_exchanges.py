"""One generic way pages through each of five exchanges, by an unmodified ccxt, to the last bit of every candle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from algotrade.exchange.opening import open_exchange
from algotrade.ingest.fetch import FetchRequest, fetch_candles
from algotrade.ingest.report import FetchReport
from algotrade.market.candles import COLUMNS, SeriesKey, times_ms
from algotrade.market.simulate import FIRST_MS, simulate_candles
from algotrade.market.span import parse_time
from algotrade.store.candles import read_candles
from algotrade.store.database import Database, open_database
from tests.shell.loopback.binance import LoopbackBinance
from tests.shell.loopback.exchanges import LOOPBACKS
from tests.shell.loopback.server import Clock, LoopbackExchange

NOW = parse_time("2024-01-31T12:34:56")
MINUTE, DAY = 60_000, 86_400_000


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "store.sqlite") as opened:
        yield opened


async def fetch(server: LoopbackExchange, db: Database, timeframe: str, start: int | None) -> FetchReport:
    options = server.ccxt_options
    async with open_exchange(server.name, options=options, clock=server.clock, attempts=1) as exchange:
        return await fetch_candles(exchange, db, FetchRequest("BTC/USD", timeframe, start))


@pytest.mark.parametrize("name", sorted({*LOOPBACKS} - {"kraken"}))
async def test_a_span_of_many_pages_is_complete_to_the_last_bit(name: str, db: Database) -> None:
    start = NOW // MINUTE * MINUTE - 2 * DAY
    async with LOOPBACKS[name](Clock(NOW)) as server:
        report = await fetch(server, db, "1m", start)

    candles = read_candles(db, SeriesKey(name, "BTC/USD", "1m"))
    market = simulate_candles("BTC/USD", "1m", start, NOW - MINUTE)
    assert (report.complete, report.added, report.gaps, report.note) == (True, 2 * 1440, 0, "")
    assert times_ms(candles).tolist() == times_ms(market).tolist()
    assert (candles[list(COLUMNS)].to_numpy() == market[list(COLUMNS)].to_numpy()).all()


@pytest.mark.parametrize("name", sorted({*LOOPBACKS} - {"kraken"}))
async def test_a_market_that_began_later_than_asked_is_complete_from_its_beginning(name: str, db: Database) -> None:
    async with LOOPBACKS[name](Clock(FIRST_MS + 400 * DAY)) as server:
        report = await fetch(server, db, "1d", FIRST_MS - 1000 * DAY)

    assert (report.complete, report.added, report.first) == (True, 400, FIRST_MS)
    assert "the first candle" in report.note


@pytest.mark.parametrize("name", LOOPBACKS)
async def test_a_second_run_asks_for_no_candles(name: str, db: Database) -> None:
    async with LOOPBACKS[name](Clock(NOW)) as server:
        assert (await fetch(server, db, "1h", None)).complete
        server.queries.clear()
        report = await fetch(server, db, "1h", None)

    assert (report.complete, report.added) == (True, 0)
    assert not [method for method, _ in server.queries if method in ("OHLC", "candles", "ohlc", "klines")]


class KeepsLastDays(LoopbackBinance):
    """A Binance that gives minutes of its last three days only, without a word about it."""

    def answer(self, method: str, query: dict[str, str]) -> object:
        if method == "klines" and query["interval"] == "1m":
            kept = self.clock() // MINUTE * MINUTE - 3 * DAY
            query = query | {"startTime": str(max(int(query["startTime"]), kept))}
        return super().answer(method, query)


async def test_bars_that_an_exchange_keeps_back_are_not_taken_for_a_market_that_began_later(db: Database) -> None:
    async with KeepsLastDays(Clock(NOW)) as server:
        report = await fetch(server, db, "1m", NOW - 10 * DAY)

    assert not report.complete
    assert report.added == 3 * 1440
    assert "binance gives 1m candles from 2024-01-28T12:34:00Z on, though its days go back further" in report.note
    assert "--via trades" in report.note
