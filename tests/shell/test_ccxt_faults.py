"""Every fault between ccxt and an exchange ends in an error that says so, and never in "no data"."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import ccxt
import numpy as np
import pytest

from algotrade.errors import (
    AlgotradeError,
    AwaitMaintenance,
    CheckConnection,
    FixCommand,
    FixConfiguration,
    NotAllowed,
    TryLater,
)
from algotrade.exchange.base import Exchange
from algotrade.exchange.ccxt_answers import candle_rows, holds_empty_list, instrument_from
from algotrade.exchange.ccxt_errors import translate
from algotrade.exchange.opening import exchange_names, open_exchange
from algotrade.exchange.retry import Backoff, retry_read
from tests.shell.loopback.kraken import Clock, LoopbackKraken

NOON = 1_706_702_400_000  # 2024-01-31 12:00 UTC
UNREACHED = ["reset", "500", "503", "403", "unavailable"]
IMPATIENT = ["429", "rate_limit", "too_many", "lockout", "unlisted"]
NONSENSE = ["html", "truncated", "empty", "no_result", "null_result", "empty_object", "list"]


@pytest.fixture
async def kraken() -> AsyncIterator[LoopbackKraken]:
    async with LoopbackKraken(Clock(NOON)) as server:
        yield server


@asynccontextmanager
async def connected(kraken: LoopbackKraken, **settings: Any) -> AsyncIterator[Exchange]:
    options = kraken.ccxt_options | settings.pop("options", {})
    async with open_exchange("kraken", options=options, **{"attempts": 1, "timeout_s": 5.0} | settings) as exchange:
        yield exchange


async def ask(exchange: Exchange, method: str) -> object:
    """The call of ours that leads to a method of Kraken's."""
    if method == "OHLC":
        return await exchange.candles("BTC/USD", "1h", since=NOON - 86_400_000, limit=None)
    if method == "Ticker":
        return await exchange.ticker("BTC/USD")
    if method == "Time":
        return await exchange.now_ms()
    return await exchange.instruments()


@pytest.mark.parametrize("method", ["OHLC", "Ticker", "Time", "AssetPairs"])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        *((fault, CheckConnection) for fault in UNREACHED + NONSENSE),
        *((fault, TryLater) for fault in IMPATIENT),
        ("maintenance", AwaitMaintenance),
    ],
)
async def test_a_fault_is_an_error_that_names_exchange_and_host(
    kraken: LoopbackKraken, method: str, fault: str, error: type[AlgotradeError]
) -> None:
    kraken.fail(fault, method)
    async with connected(kraken) as exchange:
        with pytest.raises(error, match=r"kraken \(127\.0\.0\.1\)") as raised:
            await ask(exchange, method)

        assert isinstance(raised.value, error)
        assert raised.value.message.isprintable()
        assert len(raised.value.message) < 260
        kraken.heal()
        assert await ask(exchange, method) is not None


@pytest.mark.parametrize("method", ["OHLC", "Ticker", "Time"])
async def test_data_under_another_name_than_the_asked_one_is_not_no_data(kraken: LoopbackKraken, method: str) -> None:
    kraken.fail("foreign_key", method)
    async with connected(kraken) as exchange:
        with pytest.raises(CheckConnection, match=r"kraken \(127\.0\.0\.1\) gave an answer that makes no sense"):
            await ask(exchange, method)


@pytest.mark.parametrize("fault", ["hang", "trickle"])
@pytest.mark.parametrize("method", ["OHLC", "Time", "AssetPairs"])
async def test_a_silent_exchange_is_given_up_at_the_deadline(kraken: LoopbackKraken, fault: str, method: str) -> None:
    kraken.fail(fault, method)
    async with connected(kraken, timeout_s=0.4, attempts=3) as exchange:
        with pytest.raises(CheckConnection, match=r"Cannot reach kraken \(127\.0\.0\.1\): no answer within 0\.4 s"):
            await ask(exchange, method)
        kraken.heal()
        assert await ask(exchange, method) is not None


async def test_one_caller_who_gives_up_does_not_take_the_others_with_him(kraken: LoopbackKraken) -> None:
    kraken.fail("hang", "AssetPairs", times=1)
    async with connected(kraken) as exchange:
        impatient = asyncio.create_task(exchange.instruments())
        patient = asyncio.create_task(exchange.instruments())
        while not kraken.requests["AssetPairs"]:
            await asyncio.sleep(0.01)
        impatient.cancel()

        assert len(await patient) == 3


@pytest.mark.parametrize("fault", ["reset", "503", "429", "foreign_key", "truncated"])
async def test_a_passing_fault_is_asked_away(kraken: LoopbackKraken, fault: str) -> None:
    kraken.fail(fault, "OHLC", times=2)
    async with connected(kraken, attempts=3) as exchange:
        rows = await exchange.candles("BTC/USD", "1h", since=None, limit=None)

    assert len(rows) == 720
    assert kraken.requests["OHLC"] == 3


async def test_a_wrong_question_is_not_repeated(kraken: LoopbackKraken) -> None:
    async with connected(kraken, attempts=3) as exchange:
        with pytest.raises(FixCommand):
            await exchange.candles("DOGE/USD", "1h", since=None, limit=None)

    assert kraken.requests == {"Assets": 1, "AssetPairs": 1}


@pytest.mark.parametrize("fault", ["duplicate_rows", "reversed_rows"])
async def test_rows_repeated_or_reversed_come_out_once_and_rising(kraken: LoopbackKraken, fault: str) -> None:
    async with connected(kraken) as exchange:
        right = await exchange.candles("BTC/USD", "1h", since=None, limit=None)
        kraken.fail(fault, "OHLC")
        disordered = await exchange.candles("BTC/USD", "1h", since=None, limit=None)

    assert (disordered == right[-len(disordered) :]).all()
    assert len(disordered) >= 717  # ccxt counts a row as often as it comes, and cuts off the oldest beyond 720


async def test_a_null_value_is_nan_for_the_quarantine_to_judge(kraken: LoopbackKraken) -> None:
    kraken.fail("null_value", "OHLC")
    async with connected(kraken) as exchange:
        rows = await exchange.candles("BTC/USD", "1h", since=None, limit=None)

    assert np.isnan(rows[-1, 1])
    assert np.isnan(rows).sum() == 1


async def test_an_empty_list_under_the_right_name_is_no_fault(kraken: LoopbackKraken) -> None:
    kraken.fail("no_rows", "OHLC")
    async with connected(kraken) as exchange:
        assert (await exchange.candles("BTC/USD", "1h", since=None, limit=None)).shape == (0, 6)


async def test_history_older_than_the_page_is_not_served(kraken: LoopbackKraken) -> None:
    async with connected(kraken) as exchange:
        rows = await exchange.candles("BTC/USD", "1h", since=NOON - 2_000 * 3_600_000, limit=None)

        assert rows[0, 0] == NOON - 719 * 3_600_000


async def test_the_quote_is_stamped_by_the_exchanges_clock(kraken: LoopbackKraken) -> None:
    wrong_by_hours = lambda: NOON + 5 * 3_600_000  # noqa: E731
    async with connected(kraken, clock=wrong_by_hours) as exchange:
        assert (await exchange.ticker("BTC/USD")).time == NOON
        assert (await exchange.ticker("BTC/USD")).time == NOON

    assert kraken.requests["Time"] == 1


async def test_the_difference_of_the_clocks_is_measured_again_after_a_minute(kraken: LoopbackKraken) -> None:
    local = NOON
    async with connected(kraken, clock=lambda: local) as exchange:
        await exchange.ticker("BTC/USD")
        local = NOON + 61_000
        assert (await exchange.ticker("BTC/USD")).time == NOON
        local = NOON - 3_600_000
        assert (await exchange.ticker("BTC/USD")).time == NOON

    assert kraken.requests["Time"] == 3


async def test_a_market_that_is_being_closed_is_known_but_not_listed(kraken: LoopbackKraken) -> None:
    async with connected(kraken) as exchange:
        assert (await exchange.instrument("XRP/USD")).symbol == "XRP/USD"
        assert [each.symbol for each in await exchange.instruments()] == ["BTC/USD", "ETH/USD", "SOL/USD"]


async def test_fees_that_the_exchange_leaves_out_are_unknown_and_not_those_of_ccxt(kraken: LoopbackKraken) -> None:
    kraken.with_fees = False
    async with connected(kraken) as exchange:
        instrument = await exchange.instrument("BTC/USD")
    async with connected(kraken, options={"fees": {"trading": {"taker": 0.004}}}) as exchange:
        configured = await exchange.instrument("BTC/USD")

    assert (instrument.taker_fee, instrument.maker_fee) == (None, None)
    assert (configured.taker_fee, configured.maker_fee) == (0.004, None)


async def test_nobody_at_the_door_is_told_with_the_networks_own_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        options = {"urls": {"api": {"public": f"http://127.0.0.1:{taken.getsockname()[1]}"}}, "timeout_on_exit": 0}
        async with open_exchange("kraken", options=options, attempts=1) as exchange:
            with pytest.raises(CheckConnection, match=r"Cannot reach kraken \(127\.0\.0\.1\): .*[Cc]onnect"):
                await exchange.now_ms()


async def test_a_proxy_of_the_configuration_is_used(kraken: LoopbackKraken) -> None:
    behind = {"urls": {"api": {"public": "http://kraken.invalid"}}, "httpProxy": kraken.url}
    async with connected(kraken, options=behind) as exchange:
        assert await exchange.now_ms() == NOON


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"options": {"maxRetriesOnFailure": 3}}, FixConfiguration, "maxRetriesOnFailure is refused"),
        ({"options": {"createOrder": {"maxRetriesOnFailure": 1}}}, FixConfiguration, "send an order again"),
        ({"options": {"maxRetriesOnFailureDelay": 9}}, FixConfiguration, "is refused"),
        ({"verbose": True}, FixConfiguration, "verbose is refused"),
        ({"apiKey": "key"}, NotAllowed, "apiKey is refused"),
        ({"secret": "key"}, NotAllowed, "secret is refused"),
        ({"timout": 3}, FixConfiguration, r"timout is no option of ccxt\. Did you mean 'timeout'\?"),
        ({"fetch_ticker": 3}, FixConfiguration, "fetch_ticker is no option"),
        ({"options": 3}, FixConfiguration, "options must be a table, given 3"),
        ({"urls": {"api": "http://127.0.0.1"}}, FixConfiguration, "urls.api must be a table with public, private"),
    ],
)
def test_an_option_that_could_do_harm_is_refused(
    options: dict[str, Any], error: type[AlgotradeError], said: str
) -> None:
    with pytest.raises(error, match=said) as raised:
        open_exchange("kraken", options=options)

    assert "[exchange.kraken.ccxt]" in raised.value.message


def test_the_options_of_the_caller_are_not_changed() -> None:
    options = {"options": {"mine": [1]}, "fees": {"trading": {"taker": 0.1}}}
    before = json.dumps(options)

    open_exchange("kraken", options=options)

    assert json.dumps(options) == before


def test_an_unknown_exchange_is_answered_with_the_nearest() -> None:
    with pytest.raises(FixCommand, match=r"'krakken'\. Did you mean 'kraken'\?") as raised:
        open_exchange("krakken")

    assert raised.value.hint == "algotrade list exchanges"
    assert exchange_names()[0] == "demo"
    assert "kraken" in exchange_names()


@pytest.mark.parametrize("name", ["exchanges", "Exchange", "base", "../kraken", "", "KRAKEN"])
def test_a_name_that_is_only_an_attribute_of_ccxt_is_no_exchange(name: str) -> None:
    with pytest.raises(FixCommand):
        open_exchange(name)


def test_ccxt_options_mean_nothing_to_the_demo_exchange() -> None:
    with pytest.raises(FixConfiguration):
        open_exchange("demo", options={"timeout": 1})


@pytest.mark.parametrize("name", ["binance", "coinbase", "bitstamp", "bitfinex", "okx", "gate", "krakenfutures"])
async def test_other_exchanges_open_with_a_host_a_page_and_whole_timeframes(name: str) -> None:
    async with open_exchange(name, options={"timeout_on_exit": 0}) as exchange:
        assert exchange.page_limit("BTC/USDT", "1h") > 0
        assert "1h" in exchange.timeframes()
        assert not any(timeframe.endswith("M") for timeframe in exchange.timeframes())


@pytest.mark.parametrize(
    ("answer", "empty"),
    [
        ([], True),
        ({"error": [], "result": {"XXBTZUSD": [], "last": 0}}, True),
        ({"retCode": 0, "result": {"list": []}}, True),
        ({"error": [], "result": {}}, False),
        ({"error": [], "result": {"OTHER": [[1, 2, 3, 4, 5, 6]]}}, False),
        ({}, False),
        ("<html>", False),
        (None, False),
    ],
)
def test_no_candles_are_believed_only_where_the_answer_holds_an_empty_list(answer: object, empty: bool) -> None:
    assert holds_empty_list(answer) is empty
    if empty:
        assert candle_rows([], answer, "here").shape == (0, 6)
    else:
        with pytest.raises(CheckConnection, match="here gave an answer that makes no sense: no candles"):
            candle_rows([], answer, "here")


@pytest.mark.parametrize(
    "rows", [[[1, 2, 3]], [[1, 2, 3, 4, 5, "six"]], [[None, 2, 3, 4, 5, 6]], [1, 2], [[1] * 7], [[1] * 6, [2] * 5]]
)
def test_rows_that_are_not_six_numbers_are_an_error(rows: list[Any]) -> None:
    with pytest.raises(CheckConnection, match="here gave an answer that makes no sense"):
        candle_rows(rows, rows, "here")


def test_of_several_rows_for_one_time_the_last_stays() -> None:
    answers = [[time, answer, 1, 1, 1, 1] for answer in range(50) for time in (3, 2, 1)]

    assert candle_rows(answers, None, "here")[:, :2].tolist() == [[1, 49], [2, 49], [3, 49]]


@pytest.mark.parametrize(("error", "calls"), [(CheckConnection, 3), (TryLater, 3), (FixCommand, 1), (OSError, 1)])
async def test_only_what_may_pass_is_asked_again(error: type[Exception], calls: int) -> None:
    asked: list[int] = []

    async def fail() -> None:
        asked.append(1)
        raise error("no")

    with pytest.raises(error):
        await retry_read(fail, Backoff(3), sleep=lambda _: asyncio.sleep(0), uniform=lambda low, high: low)

    assert len(asked) == calls


async def test_waits_double_up_to_their_limit_and_are_drawn_from_zero() -> None:
    waits: list[tuple[float, float]] = []
    slept: list[float] = []

    async def fail() -> None:
        raise TryLater("busy")

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    def highest(low: float, high: float) -> float:
        waits.append((low, high))
        return high

    with pytest.raises(TryLater, match="busy"):
        await retry_read(fail, Backoff(6, first_s=1.0, longest_s=5.0), sleep=sleep, uniform=highest)

    assert waits == [(0, 1), (0, 2), (0, 4), (0, 5), (0, 5)]
    assert slept == [1, 2, 4, 5, 5]
    assert Backoff().limit_s(10_000) == 30.0


def test_the_loopback_exchange_runs_as_a_program_of_its_own() -> None:
    command = [sys.executable, "-m", "tests.shell.loopback.kraken", "--port", "0", "--print-port"]
    with subprocess.Popen(
        [*command, "--now", "2024-01-31T12:00:00Z", "--speed", "0"], stdout=subprocess.PIPE
    ) as server:
        try:
            assert server.stdout is not None
            url = f"http://127.0.0.1:{int(server.stdout.readline())}"
            order = urllib.request.Request(f"{url}/control", json.dumps({"now_ms": NOON + 5_000}).encode())
            assert json.load(urllib.request.urlopen(order))["now_ms"] == NOON + 5_000
            answer = json.load(urllib.request.urlopen(f"{url}/0/public/Time"))
            assert answer["result"]["unixtime"] == NOON // 1000 + 5
            assert json.load(urllib.request.urlopen(f"{url}/control"))["requests"] == {"Time": 1}
        finally:
            server.kill()


@pytest.mark.parametrize(
    ("raised", "error", "said"),
    [
        (
            TypeError("secret shape"),
            CheckConnection,
            "here gave an answer that makes no sense: TypeError while reading",
        ),
        (OSError("no such\nfile"), CheckConnection, "Cannot reach here: no such file"),
        (ccxt.InvalidProxySettings("two proxies"), FixConfiguration, "proxy settings for here .*: two proxies"),
        (ccxt.BadSymbol("what?"), FixCommand, r"here does not know the symbol: what\?"),
        (ccxt.OnMaintenance("back soon"), AwaitMaintenance, "here is under maintenance: back soon"),
        (ccxt.RestrictedLocation("go away"), NotAllowed, "here denies access from here: go away"),
        (ccxt.RequestTimeout(""), CheckConnection, "Cannot reach here: RequestTimeout"),
        (ccxt.ExchangeError("x" * 1000), TryLater, r"here refused: x{160}\.\.\.$"),
    ],
)
def test_what_ccxt_raises_is_said_in_our_words(raised: Exception, error: type[AlgotradeError], said: str) -> None:
    translated = translate(raised, "here")

    assert type(translated) is error
    assert re.search(said, translated.message)


def test_no_error_of_ccxt_is_taken_for_a_bug_of_ours() -> None:
    kinds = [kind for kind in vars(ccxt).values() if isinstance(kind, type) and issubclass(kind, ccxt.BaseError)]

    assert len(kinds) > 30
    assert all(translate(kind("text"), "here").exit_code.value > 1 for kind in kinds)


@pytest.mark.parametrize(
    ("mode", "precision", "step"),
    [
        (ccxt.TICK_SIZE, 0.005, 0.005),
        (ccxt.DECIMAL_PLACES, 3, 0.001),
        (ccxt.SIGNIFICANT_DIGITS, 5, 0.0),
        (2, None, 0.0),
    ],
)
def test_a_step_is_known_where_ccxt_gives_a_step_or_decimal_places(
    mode: int, precision: float | None, step: float
) -> None:
    market = {"symbol": "A/B", "precision": {"amount": precision, "price": precision}, "limits": None, "spot": True}

    assert instrument_from(market, mode)[:5] == ("A/B", step, step, 0.0, 0.0)
    assert instrument_from(market | {"spot": False, "taker": 0.001}, mode)[5:] == (0.001, None, True)
