"""Whatever goes wrong on the way from any of the five exchanges ends in an error, and never in "no data"."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest

from algotrade.errors import CheckConnection, NotAllowed, TryLater
from algotrade.exchange.base import Exchange, TradePage
from algotrade.exchange.opening import open_exchange
from tests.shell.loopback.exchanges import LOOPBACKS
from tests.shell.loopback.kraken import LoopbackKraken
from tests.shell.loopback.server import Clock, LoopbackExchange

NOON = 1_706_702_400_000  # 2024-01-31 12:00 UTC
HOUR = 3_600_000
METHODS = {  # of each server, that answers for candles, ticker, trades, markets and time
    "kraken": ("OHLC", "Ticker", "Trades", "AssetPairs", "Time"),
    "bitfinex": ("candles", "ticker", "trades", "conf", None),
    "bitstamp": ("ohlc", "ticker", "transactions", "markets", None),
    "coinbase": ("candles", "ticker", "ticker", "products", "time"),
    "binance": ("klines", "ticker", "aggTrades", "exchangeInfo", "time"),
}
CALLS = ("candles", "ticker", "trades", "markets", "time")
SILENT = ["hang", "trickle"]
UNREACHED = ["reset", "500", "503"]
IMPATIENT = ["429"]
NONSENSE = [
    "html",
    "truncated",
    "empty",
    "empty_object",
    "list",
    "deep",
    "endless_number",
    "wrong_types",
    "duplicate_keys",
]
BROKEN = [*SILENT, *UNREACHED, *IMPATIENT, *NONSENSE, "403"]
CASES = [
    (name, call, method, fault)
    for name, methods in METHODS.items()
    for call, method in zip(CALLS, methods, strict=True)
    if method
    for fault in BROKEN
]


@pytest.fixture
async def server(request: pytest.FixtureRequest) -> AsyncIterator[LoopbackExchange]:
    async with LOOPBACKS[request.param](Clock(NOON)) as started:
        yield started


def connected(server: LoopbackExchange, attempts: int = 1, timeout_s: float = 5.0) -> Exchange:
    options = server.ccxt_options
    return open_exchange(server.name, options=options, clock=server.clock, attempts=attempts, timeout_s=timeout_s)


async def ask(exchange: Exchange, call: str) -> object:
    if call == "candles":
        return await exchange.candles("BTC/USD", "1h", since=NOON - 24 * HOUR, limit=None)
    if call == "ticker":
        return await exchange.ticker("BTC/USD")
    if call == "trades":
        return await exchange.trades("BTC/USD", cursor=None, since_ns=None, limit=None)
    if call == "time":
        return await exchange.now_ms()
    return await exchange.instruments()


@pytest.mark.parametrize(("server", "call", "method", "fault"), CASES, indirect=["server"])
async def test_a_fault_is_an_error_that_names_exchange_and_host(
    server: LoopbackExchange, call: str, method: str, fault: str
) -> None:
    async with connected(server, timeout_s=0.4 if fault in SILENT else 5.0) as exchange:
        server.fail(fault, method)
        with pytest.raises((CheckConnection, TryLater, NotAllowed), match=rf"{server.name} \(127\.0\.0\.1\)") as raised:
            await ask(exchange, call)
        server.heal()
        assert await ask(exchange, call) is not None

    assert raised.value.message.isprintable()
    assert len(raised.value.message) < 280


@pytest.mark.parametrize("server", METHODS, indirect=True)
async def test_an_answer_is_read_no_further_than_its_bound(server: LoopbackExchange) -> None:
    server.fail("huge", METHODS[server.name][0])
    async with connected(server) as exchange:
        with pytest.raises(CheckConnection, match="makes no sense: it is longer than 64 MB"):
            await ask(exchange, "candles")


@pytest.mark.parametrize("server", METHODS, indirect=True)
@pytest.mark.parametrize("fault", ["reset", "503", "429", "truncated"])
async def test_a_passing_fault_is_asked_away(server: LoopbackExchange, fault: str) -> None:
    server.fail(fault, METHODS[server.name][0], times=2)
    async with connected(server, attempts=3, timeout_s=20.0) as exchange:
        rows = await exchange.candles("BTC/USD", "1h", since=NOON - 24 * HOUR, limit=None)

    assert len(rows) == 25


@pytest.mark.parametrize(
    ("server", "call"),
    [(name, call) for name in ("kraken", "coinbase") for call in ("candles", "trades")] + [("bitstamp", "candles")],
    indirect=["server"],
)
async def test_data_under_another_name_than_the_asked_one_is_not_no_data(server: LoopbackExchange, call: str) -> None:
    server.fail("foreign_key", METHODS[server.name][CALLS.index(call)])
    async with connected(server) as exchange:
        with pytest.raises(CheckConnection, match="makes no sense"):
            await ask(exchange, call)


@pytest.mark.parametrize("server", METHODS, indirect=True)
async def test_no_rows_in_the_right_place_are_no_data_and_no_fault(server: LoopbackExchange) -> None:
    server.fail("no_rows", METHODS[server.name][0])
    async with connected(server) as exchange:
        assert (await exchange.candles("BTC/USD", "1h", since=NOON - 24 * HOUR, limit=None)).shape == (0, 6)


@pytest.mark.parametrize("server", METHODS, indirect=True)
@pytest.mark.parametrize("fault", ["duplicate_rows", "reversed_rows"])
async def test_rows_in_disorder_come_out_once_and_rising(server: LoopbackExchange, fault: str) -> None:
    async with connected(server) as exchange:
        right = await exchange.candles("BTC/USD", "1h", since=NOON - 24 * HOUR, limit=None)
        server.fail(fault, METHODS[server.name][0])
        assert (await exchange.candles("BTC/USD", "1h", since=NOON - 24 * HOUR, limit=None) == right).all()


@pytest.mark.parametrize("server", METHODS, indirect=True)
async def test_a_null_is_nan_for_the_quarantine_to_judge(server: LoopbackExchange) -> None:
    server.fail("null_value", METHODS[server.name][0])
    async with connected(server) as exchange:
        rows = await exchange.candles("BTC/USD", "1h", since=NOON - 24 * HOUR, limit=None)

    assert np.isnan(rows).sum() == 1
    assert len(rows) == 25


@pytest.mark.parametrize("server", METHODS, indirect=True)
@pytest.mark.parametrize("fault", ["text_value", "huge_number"])
async def test_a_value_that_is_no_number_is_never_taken_for_a_price(server: LoopbackExchange, fault: str) -> None:
    server.fail(fault, METHODS[server.name][0])
    async with connected(server) as exchange:
        try:
            rows = await exchange.candles("BTC/USD", "1h", since=NOON - 24 * HOUR, limit=None)
        except CheckConnection:
            return
        finite = np.isfinite(rows).all(axis=1)

    assert finite.sum() == 24


@pytest.mark.parametrize("server", ["kraken", "bitfinex", "binance"], indirect=True)
@pytest.mark.parametrize("fault", ["duplicate_rows", "reversed_rows"])
async def test_trades_in_disorder_lose_none(server: LoopbackExchange, fault: str) -> None:
    since_ns = (NOON - HOUR) * 1_000_000
    async with connected(server) as exchange:
        right = await exchange.trades("BTC/USD", cursor=None, since_ns=since_ns, limit=None)
        server.fail(fault, METHODS[server.name][2])
        page = await exchange.trades("BTC/USD", cursor=right.next_cursor, since_ns=None, limit=None)
        assert set(page.ids) <= set(right.ids[-3:])
        page = await exchange.trades("BTC/USD", cursor=None, since_ns=since_ns, limit=None)

    assert (np.diff(page.times_ns) >= 0).all()
    assert sorted(set(known(page))) == sorted(known(right))


@pytest.mark.parametrize("server", METHODS, indirect=True)
async def test_a_clock_of_ours_that_is_wrong_does_not_close_a_bar(server: LoopbackExchange) -> None:
    for wrong_by in (-300_000, 300_000):
        options = server.ccxt_options
        async with open_exchange(server.name, options=options, clock=lambda by=wrong_by: NOON + by) as exchange:
            assert NOON - 1_000 <= await exchange.now_ms() <= NOON


@pytest.mark.parametrize("server", ["kraken"], indirect=True)
async def test_a_page_that_begins_with_the_trade_before_repeats_it_and_no_other(server: LoopbackExchange) -> None:
    assert isinstance(server, LoopbackKraken)
    async with connected(server) as exchange:
        first = await exchange.trades("BTC/USD", cursor=None, since_ns=(NOON - HOUR) * 1_000_000, limit=50)
        server.repeats_boundary = True
        second = await exchange.trades("BTC/USD", cursor=first.next_cursor, since_ns=None, limit=50)

    assert second.ids[0] == first.ids[-1]
    assert [int(each) - int(known(first)[-1]) for each in known(second)[1:3]] == [1, 2]


@pytest.mark.parametrize("server", ["kraken"], indirect=True)
async def test_times_of_trades_keep_their_digits_and_the_cursor_all_nineteen(server: LoopbackExchange) -> None:
    async with connected(server) as exchange:
        page = await exchange.trades("BTC/USD", cursor=None, since_ns=(NOON - HOUR) * 1_000_000, limit=50)

    exact = page.times_ns // 1_000_000 * 1_000_000 + np.array([int(each) for each in known(page)]) * 104_729 % 1_000_000
    assert page.next_cursor == str(exact[-1])
    assert (abs(page.times_ns - exact) <= 50).all()  # Kraken rounds to seven decimals


def known(page: TradePage) -> list[str]:
    return [each for each in page.ids if each is not None]


@pytest.mark.parametrize("server", ["bitfinex"], indirect=True)
async def test_trades_that_no_longer_follow_on_those_before_are_an_error(server: LoopbackExchange) -> None:
    async with connected(server) as exchange:
        page = await exchange.trades("BTC/USD", cursor=None, since_ns=(NOON - HOUR) * 1_000_000, limit=50)
        end, known = page.next_cursor.split(";")
        with pytest.raises(CheckConnection, match="which it gave before, are missing"):
            await exchange.trades("BTC/USD", cursor=f"{end};{int(known) - 10}", since_ns=None, limit=50)


@pytest.mark.parametrize("server", ["bitstamp"], indirect=True)
async def test_bars_of_another_length_than_asked_for_are_an_error(server: LoopbackExchange) -> None:
    async with connected(server) as exchange:
        with pytest.raises(CheckConnection, match="72 hours apart, where 1w was asked for"):
            await exchange.candles("BTC/USD", "1w", since=None, limit=None)


@pytest.mark.parametrize("server", ["kraken"], indirect=True)
async def test_the_data_of_a_market_that_takes_no_orders_is_still_fetched(server: LoopbackExchange) -> None:
    async with connected(server) as exchange:
        assert "XRP/USD" not in [each.symbol for each in await exchange.instruments()]  # it is in cancel_only mode
        assert len(await exchange.candles("XRP/USD", "1h", since=NOON - 24 * HOUR, limit=None)) == 25
        assert len((await exchange.trades("XRP/USD", cursor=None, since_ns=None, limit=10)).ids) == 10


@pytest.mark.parametrize("server", ["bitfinex", "bitstamp"], indirect=True)
async def test_where_no_time_is_told_it_goes_on_from_the_last_answer(server: LoopbackExchange) -> None:
    local = NOON + 300_000
    options = server.ccxt_options
    async with open_exchange(server.name, options=options, clock=lambda: local) as exchange:
        assert await exchange.now_ms() == NOON
        local += 60_000
        await exchange.instrument("BTC/USD")  # is known already, so nothing is asked
        assert await exchange.now_ms() == NOON + 60_000


@pytest.mark.parametrize("server", ["bitfinex", "binance"], indirect=True)
async def test_a_walk_that_begins_before_there_is_a_trade_goes_on_with_the_first(server: LoopbackExchange) -> None:
    async with connected(server) as exchange:
        empty = await exchange.trades("BTC/USD", cursor=None, since_ns=(NOON + 1) * 1_000_000, limit=5)
        assert empty.ids == ()
        server.clock.set(NOON + 60_001, 0)
        page = await exchange.trades("BTC/USD", cursor=empty.next_cursor, since_ns=None, limit=5)

    assert NOON < page.times_ns[0] // 1_000_000 < NOON + 60_000
    assert len(page.ids) == 4


@pytest.mark.parametrize("server", ["kraken"], indirect=True)
@pytest.mark.parametrize("seconds", [0, -1, 10**6, 10**15, "soon"])
async def test_a_time_that_cannot_be_is_an_error(server: LoopbackExchange, seconds: object) -> None:
    server.recorded["Time"] = {"error": [], "result": {"unixtime": seconds}}
    async with connected(server) as exchange:
        with pytest.raises(CheckConnection, match="makes no sense"):
            await exchange.now_ms()
