from __future__ import annotations

import json
import math
from typing import Any

import pytest

from algotrade.engine.events import (
    AmbiguousBar,
    BarOpened,
    BracketPlaced,
    Cancel,
    CandleClosed,
    Charged,
    Decided,
    Denied,
    DetailCandle,
    Emitted,
    FundingDue,
    OpenRevised,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    Protect,
    StrategyStopped,
    Submit,
    TimerStruck,
    TradePrinted,
)
from algotrade.engine.orders import Bracket, Order, OrderType, Role
from algotrade.engine.records import KINDS, candle_of, decode, encode, name_of, time_of
from algotrade.engine.session import Record
from algotrade.errors import FixData

BTC = "BTC/USD"
ORDER = Order("id", BTC, 5, -1, notional=0.1)
EXAMPLES: list[Record] = [
    BarOpened(BTC, 5, 0.1),
    OpenRevised(BTC, 5, 0.1),
    CandleClosed(BTC, 5, 0.1, 0.2, 0.1, 0.2, 3e-8),
    TradePrinted(BTC, 5, 0.1, 0.2, -1),
    TimerStruck("hourly", 5),
    OrderAccepted("id", 5),
    OrderFilled("id", BTC, 5, 1, 0.1, 0.2, 0.3),
    OrderRejected("id", 5, "nothing_to_sell"),
    OrderCancelled("id", 5),
    Submit(ORDER),
    Cancel("id", 5),
    Denied(ORDER._replace(exposure=0.5, notional=None), "max_order_notional"),
    StrategyStopped(BTC, 5, "raised"),
    Decided(BTC, 5, 0.5, "trade", 0.0, 1.0, 1.0),
    DetailCandle(BTC, 5, 0.1, 0.2, 0.1, 0.2, 3e-8),
    FundingDue(BTC, 5, -0.0001),
    BracketPlaced(ORDER._replace(parent="other", role=Role.STOP_LOSS, order_type=OrderType.STOP, stop=0.1)),
    Charged(BTC, 5, "borrow", 0.1, "calm"),
    AmbiguousBar(BTC, 5, 0.1, 0.2, True),
    Protect(ORDER._replace(bracket=Bracket(stop_loss=0.1, take_profit_after=((60_000, 0.04),)))),
    Emitted("news", 5, "good", "calm"),
]


def test_there_is_an_example_of_every_kind_of_record() -> None:
    assert {name_of(record) for record in EXAMPLES} == set(KINDS)


@pytest.mark.parametrize("record", EXAMPLES, ids=name_of)
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    text = json.dumps(encode(record), allow_nan=False)
    back = decode(name_of(record), json.loads(text))
    assert back == record
    assert type(back) is type(record)
    assert time_of(back) == 5


def test_the_order_inside_a_record_is_an_order_again() -> None:
    back = decode("Submit", json.loads(json.dumps(encode(Submit(ORDER)))))
    assert isinstance(back, Submit)
    assert isinstance(back.order, Order)
    assert back.order.order_type is OrderType.MARKET


def test_no_target_yet_is_written_as_null() -> None:
    written = encode(Decided(BTC, 5, math.nan, "hold", 0.0, 1.0, 1.0))
    assert written["exposure"] is None
    back = decode("Decided", written)
    assert isinstance(back, Decided)
    assert math.isnan(back.exposure)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("Nonsense", {}),
        ("BarOpened", {"symbol": BTC}),
        ("BarOpened", {"symbol": BTC, "time": 1, "open": 1.0, "close": 1.0}),
        ("Submit", {"order": {"order_id": "id"}}),
        ("Submit", {"order": {**encode(Submit(ORDER))["order"], "order_type": "guess"}}),
        ("Submit", {"order": {**encode(Submit(ORDER))["order"], "extra": 1}}),
        ("Submit", {"order": None}),
        ("Submit", {"order": {**encode(Submit(ORDER))["order"], "notional": "all"}}),
        ("BarOpened", None),
        ("BarOpened", 7),
        ("BarOpened", {"symbol": BTC, "time": "noon", "open": 1.0}),
        ("BarOpened", {"symbol": BTC, "time": 1, "open": None}),
        ("BarOpened", {"symbol": BTC, "time": 1, "open": True}),
    ],
)
def test_a_record_that_cannot_be_read_is_bad_data_and_says_which(name: str, fields: Any) -> None:
    with pytest.raises(FixData, match=name):
        decode(name, fields)


def test_a_whole_number_may_stand_where_a_number_does() -> None:
    assert decode("BarOpened", {"symbol": BTC, "time": 1, "open": 100}) == BarOpened(BTC, 1, 100)


def test_a_row_of_numbers_is_a_closed_candle() -> None:
    candle = candle_of([5.0, 1, 2, 0.5, 1.5, 7], BTC)
    assert candle == CandleClosed(BTC, 5, 1.0, 2.0, 0.5, 1.5, 7.0)
    assert type(candle.time) is int
