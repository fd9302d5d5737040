"""Answers that Kraken really gave, served on 127.0.0.1, pass ccxt and our adapter with their values intact."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from algotrade.errors import CheckConnection, NotAllowed, TryLater
from algotrade.exchange.base import Exchange
from algotrade.exchange.opening import open_exchange
from tests.shell.loopback.kraken import Clock, LoopbackKraken

SHARED = os.environ.get("ALGOTRADE_SHARED_DATA", str(Path(__file__).parents[3] / "shared" / "data"))
RECORDED = Path(SHARED) / "kraken"

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded answers are not on this machine")


def read(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


@asynccontextmanager
async def replaying(**answers: str) -> AsyncIterator[Exchange]:
    """Kraken, with recorded answers in the place of some methods' own."""
    async with LoopbackKraken(Clock(1_706_702_400_000)) as kraken:
        kraken.recorded = {method: read(name) for method, name in answers.items()}
        async with open_exchange("kraken", options=kraken.ccxt_options, attempts=1) as exchange:
            yield exchange


async def test_the_pairs_of_2026_carry_steps_and_minima_but_no_fees() -> None:
    async with replaying(AssetPairs="asset_pairs_2026-09-25", Assets="assets_2026-09-25") as exchange:
        instruments = {each.symbol: each for each in await exchange.instruments()}

    assert set(instruments) == {"BTC/USD", "DOGE/USD", "ETH/BTC", "SOL/USD"}  # ACA/EUR is being closed
    bitcoin = instruments["BTC/USD"]
    assert (bitcoin.price_tick, bitcoin.min_quantity, bitcoin.min_notional) == (0.1, 0.00005, 0.5)
    assert bitcoin.quantity_step == 1e-8
    assert (bitcoin.taker_fee, bitcoin.maker_fee) == (None, None)
    assert not bitcoin.can_short


@pytest.mark.parametrize(
    ("pairs", "symbol", "taker", "maker"),
    [
        ("asset_pairs_with_fee_tiers", "BTC/USD", 0.0026, 0.0016),
        ("asset_pairs_btcusdt_2025-11", "BTC/USDT", 0.004, 0.0025),
    ],
)
async def test_fees_are_those_of_the_first_tier(pairs: str, symbol: str, taker: float, maker: float) -> None:
    async with replaying(AssetPairs=pairs) as exchange:
        instrument = await exchange.instrument(symbol)

    assert (instrument.taker_fee, instrument.maker_fee) == (taker, maker)


async def test_an_old_list_of_pairs_without_their_status_is_read_too() -> None:
    async with replaying(AssetPairs="asset_pairs_xchange_86pairs", Assets="assets_xchange") as exchange:
        markets = await exchange.instrument("BTC/USD"), await exchange.instrument("ETH/USD")

    assert all(market.quantity_step > 0 and market.price_tick > 0 and market.taker_fee for market in markets)


@pytest.mark.parametrize(
    ("answer", "pairs", "symbol"),
    [
        ("ohlc_btcusd_1_2017-08_720rows", "asset_pairs_with_fee_tiers", "BTC/USD"),
        ("ohlc_btcusd_1_2023-11-26", "asset_pairs_with_fee_tiers", "BTC/USD"),
        ("ohlc_btcusdt_1_2025-11-10_721rows", "asset_pairs_btcusdt_2025-11", "BTC/USDT"),
    ],
)
async def test_candles_come_through_row_by_row(answer: str, pairs: str, symbol: str) -> None:
    rows = next(value for key, value in read(answer)["result"].items() if key != "last")
    expected = np.array([[row[0] * 1000, *row[1:5], row[6]] for row in rows[-720:]], np.float64)

    async with replaying(OHLC=answer, AssetPairs=pairs) as exchange:
        candles = await exchange.candles(symbol, "1m", since=None, limit=None)

    assert (candles == expected).all()


async def test_candles_under_a_name_that_ccxt_did_not_ask_by_are_an_error() -> None:
    async with replaying(OHLC="ohlc_btcusd_60_2026-09-25") as exchange:
        with pytest.raises(CheckConnection, match="makes no sense"):
            await exchange.candles("BTC/USD", "1h", since=None, limit=None)


async def test_a_ticker_gives_last_bid_and_ask_and_the_time_of_receipt() -> None:
    async with replaying(Ticker="ticker_btcusd_ethusd_usdcusd", Time="time") as exchange:
        quote = await exchange.ticker("ETH/USD")

    assert quote[1:] == (2243.89, 2243.88, 2243.89)
    assert abs(quote.time - 1_688_669_448_000) < 5_000


@pytest.mark.parametrize(
    ("name", "milliseconds"), [("time", 1_688_669_448_000), ("time_2025-11-11", 1_762_820_224_000)]
)
async def test_the_time_is_read_in_milliseconds(name: str, milliseconds: int) -> None:
    async with replaying(Time=name) as exchange:
        assert await exchange.now_ms() == milliseconds


@pytest.mark.parametrize(
    ("refusal", "error"),
    [("unknown_pair", TryLater), ("permission_denied", NotAllowed), ("invalid_key", NotAllowed)],
)
async def test_a_refusal_keeps_krakens_own_words(refusal: str, error: type[Exception]) -> None:
    answer = read("errors")[refusal]
    async with LoopbackKraken(Clock(1_706_702_400_000)) as kraken:
        kraken.recorded["Ticker"] = answer
        async with open_exchange("kraken", options=kraken.ccxt_options, attempts=1) as exchange:
            with pytest.raises(error, match=answer["error"][0]):
                await exchange.ticker("BTC/USD")


@pytest.mark.parametrize(
    ("answer", "pairs", "symbol"),
    [
        ("trades_btcusd_2023-11-26", "asset_pairs_with_fee_tiers", "BTC/USD"),
        ("trades_btcusdt_2025-11-10_1000rows", "asset_pairs_btcusdt_2025-11", "BTC/USDT"),
    ],
)
async def test_trades_come_through_with_every_digit(answer: str, pairs: str, symbol: str) -> None:
    result = json.loads((RECORDED / f"{answer}.json").read_text(), parse_float=str)["result"]
    rows = next(value for key, value in result.items() if key != "last")

    async with replaying(Trades=answer, AssetPairs=pairs) as exchange:
        page = await exchange.trades(symbol, cursor="1", since_ns=None, limit=None)

    assert page.next_cursor == result["last"]
    assert [f"{time // 10**9}.{time % 10**9:09}".rstrip("0") for time in page.times_ns.tolist()] == [
        row[2].rstrip("0") for row in rows
    ]
    assert page.ids == tuple(str(row[6]) for row in rows)
    assert page.prices.tolist() == [float(row[0]) for row in rows]
    assert page.quantities.tolist() == [float(row[1]) for row in rows]
    assert page.sides.tolist() == [1 if row[3] == "b" else -1 for row in rows]


async def test_a_trade_as_ccxt_itself_has_recorded_it_reads_the_same() -> None:
    case = next(each for each in read("ccxt_fetch_cases") if each["method"] == "fetchTrades")
    async with LoopbackKraken(Clock(1_706_702_400_000)) as kraken:
        kraken.recorded = {"Trades": case["httpResponse"], "AssetPairs": read("asset_pairs_btcusdt_2025-11")}
        async with open_exchange("kraken", options=kraken.ccxt_options, attempts=1) as exchange:
            page = await exchange.trades("BTC/USDT", cursor=None, since_ns=None, limit=1)

    parsed = case["parsed"]
    assert page.times_ns[0] // 10**6 == parsed["timestamp"]
    assert (page.prices[0], page.quantities[0], page.ids[0]) == (parsed["price"], parsed["amount"], parsed["id"])
    assert page.next_cursor == "1710327959173746878"


@pytest.mark.parametrize(
    "name",
    [
        "trades_btcusd_2026-09-25",
        "depth_btcusd_2023-11-26",
        "depth_btcusdt_2025-11-11",
        "spreads_btcusd_2023-11-26",
        "system_status",
    ],
)
async def test_what_is_no_answer_to_a_question_for_trades_is_not_taken_for_one(name: str) -> None:
    async with replaying(Trades=name) as exchange:  # the first is named as it was asked for then, BTC/USD
        with pytest.raises(CheckConnection, match="makes no sense"):
            await exchange.trades("BTC/USD", cursor=None, since_ns=None, limit=None)


async def test_a_ticker_as_ccxt_itself_has_recorded_it_reads_the_same() -> None:
    case = next(each for each in read("ccxt_fetch_cases") if each["method"] == "fetchTicker")
    async with LoopbackKraken(Clock(1_706_702_400_000)) as kraken:
        kraken.recorded = {"Ticker": case["httpResponse"], "AssetPairs": read("asset_pairs_btcusdt_2025-11")}
        async with open_exchange("kraken", options=kraken.ccxt_options, attempts=1) as exchange:
            quote = await exchange.ticker("BTC/USDT")

    assert quote[1:] == tuple(case["parsed"][name] for name in ("close", "bid", "ask"))


def test_every_recorded_answer_to_a_public_question_is_read_here() -> None:
    here = Path(__file__).read_text()
    names = {path.stem for path in RECORDED.glob("*.json")} - {"private_shapes"}

    assert len(names) >= 23
    assert [name for name in sorted(names) if f'"{name}"' not in here] == []


async def test_a_ticker_of_2025_is_read_too() -> None:
    answers = {"Ticker": "ticker_btcusdt_2025-11-11", "AssetPairs": "asset_pairs_btcusdt_2025-11"}
    async with replaying(**answers, Time="time_2025-11-11", Assets="assets_kraken_async_rs") as exchange:
        quote = await exchange.ticker("BTC/USDT")

    assert quote[1:] == (105899.4, 105944.2, 105944.3)
