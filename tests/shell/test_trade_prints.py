"""Trades are read with every digit, and a walk from cursor to cursor meets each of them."""

from __future__ import annotations

import json
from typing import Any

import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algotrade.errors import CheckConnection
from algotrade.exchange.ccxt_answers import candles_limit, date_ms
from algotrade.exchange.facts import BINANCE, BITFINEX, KRAKEN, NEWEST_BY_LOCAL_CLOCK, TRADE_WALKS
from algotrade.exchange.trade_prints import (
    Asked,
    Print,
    cursor_after,
    next_request,
    parsed_prints,
    raw_prints,
    request_from,
    sorted_prints,
    unknown_prints,
)

NOON = 1_706_702_400_000  # 2024-01-31 12:00 UTC
ROW = ["7780.4", "0.09765625", 1706702400.5, "b", "m", "", 113780160]


def test_facts_are_about_exchanges_that_ccxt_knows() -> None:
    assert {*TRADE_WALKS, *NEWEST_BY_LOCAL_CLOCK} <= set(ccxt.exchanges)


def kraken(rows: list[Any], last: Any = "1706702400999999870") -> str:
    return json.dumps({"error": [], "result": {"XXBTZUSD": rows, "last": last}})


def read(text: str) -> tuple[list[Print], str]:
    assert KRAKEN.raw is not None
    return raw_prints(text, KRAKEN.raw, "XXBTZUSD", "here")


def test_the_digits_of_a_time_are_those_of_the_answer() -> None:
    text = kraken([ROW]).replace("1706702400.5", "1706702400.123456789")

    assert read(text) == (
        [Print(1_706_702_400_123_456_789, 7780.4, 0.09765625, 1, "113780160")],
        "1706702400999999870",
    )


def test_a_trade_without_a_number_and_a_whole_second_are_read_too() -> None:
    (trade,), _ = read(kraken([[*ROW[:2], 1706702400, "s", "m", ""]]))

    assert trade == Print(1_706_702_400_000_000_000, 7780.4, 0.09765625, -1, None)


def test_no_trades_since_the_cursor_are_no_fault() -> None:
    assert read(kraken([])) == ([], "1706702400999999870")


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        '{"error": [], "result": null}',
        kraken([]).replace("XXBTZUSD", "OTHER"),
        kraken([[]]),
        kraken([None]),
        kraken(["letters"]),
        kraken([["high", *ROW[1:]]]),
        kraken([[*ROW[:2], "noon", *ROW[3:]]]),
        kraken([[*ROW[:2], 1e300, *ROW[3:]]]),
        kraken([[*ROW[:2], -5, *ROW[3:]]]),
        kraken([ROW], last=None),
        kraken([ROW], last="soon"),
        kraken([ROW], last=[1]),
    ],
)
def test_an_answer_of_another_shape_is_an_error(text: str) -> None:
    with pytest.raises(CheckConnection, match="here gave an answer that makes no sense"):
        read(text)


@pytest.mark.parametrize(
    "trades", [[{}], [None], [5], [{"timestamp": None, "id": "1", "side": "buy", "price": 1, "amount": 1}]]
)
def test_what_ccxt_could_not_read_is_an_error(trades: list[Any]) -> None:
    with pytest.raises(CheckConnection):
        parsed_prints(trades, [], "here")


def test_trades_of_one_millisecond_are_in_the_order_of_their_numbers_not_of_their_letters() -> None:
    prints = [Print(1, 1.0, 1.0, 1, each) for each in ("1000", "999", "10000")]

    assert [each.id for each in sorted_prints(prints)] == ["999", "1000", "10000"]


def test_a_walk_begins_no_later_than_asked() -> None:
    since_ns = NOON * 1_000_000 + 5

    assert request_from(KRAKEN, since_ns) == Asked(None, {"since": str(since_ns - 51)})
    assert request_from(BITFINEX, since_ns) == Asked(NOON, {})
    assert next_request(BINANCE, "77") == Asked(None, {"fromId": "77"})
    assert cursor_after(BINANCE, [Print(1, 1.0, 1.0, 1, "76")], None) == "77"
    assert cursor_after(BINANCE, [], "77") == "77"
    assert cursor_after(BINANCE, [], None) == cursor_after(BITFINEX, [], None) == "0"


def test_a_walk_by_number_goes_on_behind_the_greatest_though_its_time_is_not_the_latest() -> None:
    page = sorted_prints([Print(2, 1.0, 1.0, 1, "76"), Print(1, 1.0, 1.0, 1, "77")])

    assert cursor_after(BINANCE, page, None) == "78"


@given(
    gaps=st.lists(st.integers(0, 3), min_size=1, max_size=40),
    page=st.integers(5, 9),
    first=st.integers(0, 20),
)
def test_a_walk_by_millisecond_meets_every_trade_once(gaps: list[int], page: int, first: int) -> None:
    """Where no millisecond holds a page of trades: the other case is an error."""
    times = [NOON + sum(gaps[: at + 1]) + at // 4 for at in range(len(gaps))]
    trades = [Print(time * 1_000_000, 1.0, 1.0, 1, str(at)) for at, time in enumerate(times)]
    since = NOON + first
    met: list[Print] = []
    cursor: str | None = None
    for _ in range(len(trades) + 1):
        asked = next_request(BITFINEX, cursor) if cursor else request_from(BITFINEX, since * 1_000_000)
        answer = [each for each in trades if each.time_ns // 1_000_000 >= (asked.since_ms or 0)][:page]
        new = unknown_prints(answer, cursor, "here") if cursor else answer
        cursor = cursor_after(BITFINEX, new, cursor or str(asked.since_ms))
        met += new

    assert met == [each for each in trades if each.time_ns // 1_000_000 >= since]


def test_a_trade_that_is_late_in_its_millisecond_joins_those_that_are_known() -> None:
    late = [Print(NOON * 1_000_000, 1.0, 1.0, 1, "9")]

    assert cursor_after(BITFINEX, late, f"{NOON};7;8") == f"{NOON};7;8;9"
    assert cursor_after(BITFINEX, late, f"{NOON - 1};7;8") == f"{NOON};9"


def test_a_page_without_the_trades_that_it_must_begin_with_is_an_error() -> None:
    later = [Print((NOON + 1) * 1_000_000, 1.0, 1.0, 1, "9")]

    with pytest.raises(CheckConnection, match="are missing"):
        unknown_prints(later, f"{NOON};7;8", "here")


FEATURES = {
    "spot": {"fetchOHLCV": {"limit": 1}},
    "swap": {"linear": {"fetchOHLCV": {"limit": 2}}, "inverse": {"fetchOHLCV": {"limit": 3}}},
    "future": {"linear": None, "inverse": {"fetchOHLCV": {"limit": 4}}},
}


@pytest.mark.parametrize(
    ("symbol", "limit"),
    [
        ("BTC/USDT", 1),
        ("BTC/USDT:USDT", 2),
        ("BTC/USD:BTC", 3),
        ("BTC/USD:BTC-251226", 4),
        ("BTC/USDT:USDT-251226", 100),  # unknown, so cautious
    ],
)
def test_the_limit_of_a_page_goes_by_the_kind_of_market(symbol: str, limit: int) -> None:
    assert candles_limit(FEATURES, symbol) == limit
    assert candles_limit(None, symbol) == 100


@pytest.mark.parametrize(
    ("headers", "time"),
    [
        ({"Date": "Wed, 31 Jan 2024 12:00:00 GMT"}, NOON),
        ({"date": "Wed, 31 Jan 2024 12:00:00 GMT"}, NOON),
        ({"Date": "Wed, 31 Jan 1924 12:00:00 GMT"}, None),
        ({"Date": "noon"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_date_of_an_answer_is_believed_where_it_is_one(headers: Any, time: int | None) -> None:
    assert date_ms(headers) == time
