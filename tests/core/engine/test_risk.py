"""Limits, as a trader would try them: bars in rows, what is asked at their close, and whether it may go out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from algotrade.engine.account import View
from algotrade.engine.events import BarOpened, CandleClosed, Denied, Emitted, Event, OrderFilled
from algotrade.engine.orders import Bracket, Role
from algotrade.engine.requests import OrderRequest, Request
from algotrade.engine.risk import Limits
from algotrade.engine.session import SimulatedSession
from tests.core.engine.limited import (
    BTC,
    DAY,
    ETH,
    HOUR,
    Row,
    Script,
    bar,
    reasons,
    records_of,
    request_of,
    session,
)

COOLDOWN: list[Row] = [
    (100, "buy 1", ""),
    (100, "sell 1", ""),
    (90, "buy 1", "cooldown_bars"),  # sold at this open, at a loss: its close is the first of two
    (90, "buy 1", "cooldown_bars"),
    (90, "buy 1", ""),
    (90, "sell 1", ""),
    (95, "buy 1", ""),  # a gain cools nothing down
]
LOCKED: list[Row] = [
    (100, "buy 1", ""),
    (100, "sell 1", ""),
    (90, "buy 1", ""),  # one loss
    (90, "sell 1", ""),
    (80, "buy 1", "max_consecutive_losses"),  # two in a row
    (80, "buy 1", "max_consecutive_losses"),
    (80, "buy 1", ""),
    (80, "sell 1", ""),
    (70, "buy 1", ""),  # the count began anew
]
LOCKED_FOR_GOOD: list[Row] = [
    (*row[:2], "max_consecutive_losses" if at in (4, 5, 6, 7, 8) else "") for at, row in enumerate(LOCKED)
]
GAIN_BETWEEN: list[Row] = [
    (100, "buy 1", ""),
    (100, "sell 1", ""),
    (90, "buy 1", ""),  # a loss
    (90, "sell 1", ""),
    (95, "buy 1", ""),  # a gain
    (95, "sell 1", ""),
    (90, "buy 1", ""),  # a loss, but not the second in a row
]
CROSSING: list[Row] = [
    (100, "buy 1", ""),
    (100, "sell 2", ""),
    (90, "sell 1", "cooldown_bars"),  # ended a losing long and began a short
    (90, "sell 1", ""),
    (90, "buy 2", ""),
    (80, "buy 1", ""),  # the short gained: 1 x 10 + 1 x 10
]
DRAWDOWN: list[Row] = [
    (100, "buy 5", ""),
    (100, "buy 1", ""),
    (120, "buy 1", ""),  # 1,100 + 20: the peak
    (108, "buy 1", ""),  # 6 + 1 = 7 held, 1,036 left
    (96, "buy 1", "max_drawdown"),  # 944 left: more than a tenth below 1,120
    (96, "sell 1", ""),
    (200, "buy 1", "max_drawdown"),  # for good
    (200, "hold -0.1", "max_drawdown"),
    (200, "hold 0", ""),
]
DAILY_LOSS: list[Row] = [
    (100, "buy 5", ""),  # 1970-01-01, a bar each eight hours
    (100, "", ""),
    (80, "buy 1", "max_daily_loss"),  # 100 lost, in a position that is open
    (80, "buy 1", ""),  # the next day
    (70, "buy 1", ""),  # 60 lost since
    (60, "sell 1", ""),
    (100, "buy 1", ""),  # the third day
]
DAILY_LOSS_STAYS: list[Row] = [
    (100, "buy 5", ""),
    (100, "", ""),
    (80, "buy 1", "max_daily_loss"),
    (110, "buy 1", "max_daily_loss"),  # back again, and still that day
    (110, "buy 1", ""),
]
TABLES: dict[str, tuple[Limits, list[Row], dict[str, Any]]] = {
    "an order": (Limits(max_order_notional=500), [(100, "buy 5", ""), (100, "buy 5.01", "max_order_notional")], {}),
    "a target is an order": (
        Limits(max_order_notional=500),
        [(100, "hold 0.5", ""), (100, "hold 1", ""), (100, "hold 0", ""), (100, "hold 0.6", "max_order_notional")],
        {},
    ),
    "a target of base units": (
        Limits(max_order_notional=500),
        [(100, "hold 5 quantity", ""), (100, "hold -5 quantity", "max_order_notional"), (100, "hold 1 quantity", "")],
        {},
    ),
    "a target of money": (
        Limits(max_order_notional=500),
        [(100, "hold 501 notional", "max_order_notional"), (100, "hold 500 notional", "")],
        {},
    ),
    "a position": (
        Limits(max_position_notional=500),
        [(100, "buy 3", ""), (100, "buy 2.1", "max_position_notional"), (100, "buy 2", ""), (200, "sell 1", "")],
        {},
    ),
    "a short position": (
        Limits(max_position_notional=500),
        [(100, "sell 5", ""), (100, "sell 0.1", "max_position_notional"), (100, "buy 4", ""), (100, "sell 1", "")],
        {},
    ),
    "orders a day": (
        Limits(max_orders_per_day=2),
        [(100, "buy 1", ""), (100, "buy 1", ""), (100, "buy 1", "max_orders_per_day"), (100, "buy 1", "")],
        {"step": DAY // 3},
    ),
    "orders a minute": (
        Limits(max_orders_per_minute=2),
        [
            (100, "buy 1", ""),  # 00:00
            (100, "buy 1", ""),  # 00:25
            (100, "buy 1", "max_orders_per_minute"),  # 00:50
            (100, "buy 1", ""),  # 01:15, the first is over
            (100, "buy 1", ""),  # 01:40, and now the second
            (100, "buy 1", "max_orders_per_minute"),
            (100, "sell 1", ""),
        ],
        {"step": 25_000},
    ),
    "daily loss": (Limits(max_daily_loss=100), DAILY_LOSS, {"step": DAY // 3}),
    "daily loss stays for the day": (Limits(max_daily_loss=100), DAILY_LOSS_STAYS, {"step": DAY // 4}),
    "drawdown": (Limits(max_drawdown=0.1), DRAWDOWN, {}),
    "cool-down": (Limits(cooldown_bars=2), COOLDOWN, {}),
    "a crossing ends a round trip": (Limits(cooldown_bars=1), CROSSING, {}),
    "a fee can make a loss": (
        Limits(cooldown_bars=1),
        [(100, "buy 1", ""), (100, "sell 1", ""), (101, "buy 1", "cooldown_bars"), (101, "buy 1", "")],
        {"fee": 0.01},
    ),
    "nothing gained is no loss": (Limits(cooldown_bars=9), [(100.0, "buy 1", ""), (100.0, "sell 1", "")] * 3, {}),
    "a part sold is no end": (
        Limits(cooldown_bars=9),
        [
            (100, "buy 2", ""),
            (100, "sell 1", ""),
            (90, "buy 1", ""),
            (90, "sell 2", ""),
            (90, "buy 1", "cooldown_bars"),
        ],
        {},
    ),
    "a lock": (Limits(max_consecutive_losses=2, lock_bars=2), LOCKED, {}),
    "a lock without an end": (Limits(max_consecutive_losses=2), LOCKED_FOR_GOOD, {}),
    "a gain between two losses": (Limits(max_consecutive_losses=2, lock_bars=2), GAIN_BETWEEN, {}),
}


@pytest.mark.parametrize(("limits", "rows", "how"), TABLES.values(), ids=TABLES)
def test_an_order_goes_out_or_not_as_the_table_says(limits: Limits, rows: list[Row], how: dict[str, Any]) -> None:
    assert reasons(limits, rows, **how) == [reason for _, _, reason in rows]


# ---- several symbols, several books ---------------------------------------------------------------------------------
def denials(told: SimulatedSession, events: Iterable[Any]) -> list[tuple[str, str, str]]:
    return [
        (each.order.book, each.order.symbol, each.reason)
        for each in records_of(told, events)
        if isinstance(each, Denied)
    ]


def both(time: int, bitcoin: float = 100.0, ether: float = 10.0) -> list[BarOpened | CandleClosed]:
    first, second = bar(time, bitcoin), bar(time, ether, ETH)
    return [
        event._replace(more=more)
        for pair in zip(first, second, strict=True)
        for event, more in zip(pair, (True, False), strict=True)
    ]


class EachOnce(Script):
    """Asks at the close of the last symbol only, for whatever symbols."""

    def handle(self, event: Event | Emitted, view: View) -> list[Request]:
        return super().handle(event, view) if isinstance(event, CandleClosed) and event.symbol == ETH else []


def test_only_so_many_symbols_are_held_and_one_that_is_being_sold_makes_room() -> None:
    asks = {
        0: [request_of("buy 1", BTC), request_of("buy 1", ETH)],  # the first is on its way
        HOUR: [request_of("buy 1", BTC), request_of("buy 1", ETH)],  # adding is not opening
        2 * HOUR: [request_of("sell 2", BTC), request_of("buy 1", ETH)],
    }
    told = session(EachOnce(asks), Limits(max_open_positions=1))
    assert denials(told, both(0)) == [("", ETH, "max_open_positions")]
    assert denials(told, both(HOUR)) == [("", ETH, "max_open_positions")]
    assert denials(told, [*both(2 * HOUR), *both(3 * HOUR)]) == []
    assert (told.engine.account.position(BTC), told.engine.account.position(ETH)) == (0.0, 1.0)


def test_a_loss_in_one_symbol_leaves_the_others_alone() -> None:
    asks = {
        0: [request_of("buy 1")],
        HOUR: [request_of("sell 1")],
        2 * HOUR: [request_of("buy 1", s) for s in (BTC, ETH)],
    }
    told = session(EachOnce(asks), Limits(cooldown_bars=1))
    events = [*both(0), *both(HOUR), *both(2 * HOUR, 90.0)]
    assert denials(told, events) == [("", BTC, "cooldown_bars")]


def test_a_position_counts_over_all_books_and_a_loss_for_the_book_that_made_it() -> None:
    calm = Script({0: [request_of("buy 3")], 2 * HOUR: [request_of("buy 1")]})
    bold = Script({0: [request_of("buy 3")], HOUR: [request_of("buy 2")]})
    books = {"calm": calm, "bold": bold}
    told = session(books, Limits(max_position_notional=500), cash={"calm": 1_000.0, "bold": 1_000.0})
    events = [event for at in range(3) for event in bar(at * HOUR, 100.0)]
    assert denials(told, events) == [
        ("bold", BTC, "max_position_notional"),
        ("calm", BTC, "max_position_notional"),
    ]
    calm = Script({0: [request_of("buy 1")], HOUR: [request_of("sell 1")], 2 * HOUR: [request_of("buy 1")]})
    bold = Script({2 * HOUR: [request_of("buy 1")]})
    told = session({"calm": calm, "bold": bold}, Limits(cooldown_bars=3), cash={"calm": 1_000.0, "bold": 1_000.0})
    events = [event for at in range(3) for event in bar(at * HOUR, 100.0 - at)]
    assert denials(told, events) == [("calm", BTC, "cooldown_bars")]


def test_the_loss_of_one_book_stops_all_of_them() -> None:
    books = {"calm": Script({HOUR: [request_of("buy 1")]}), "bold": Script({0: [request_of("buy 9")]})}
    told = session(books, Limits(max_drawdown=0.2), cash={"calm": 1_000.0, "bold": 1_000.0})
    records_of(told, [*bar(0, 100.0), BarOpened(BTC, HOUR, 100.0)])
    close = CandleClosed(BTC, HOUR, 100.0, 100.0, 50.0, 50.0, 1.0)
    assert denials(told, [close]) == [("calm", BTC, "max_drawdown")]


# ---- fills that no order of ours made -------------------------------------------------------------------------------
def test_a_stop_loss_cools_down_too_and_passes_whatever_the_limits_are() -> None:
    protected = OrderRequest(BTC, +1, quantity=1.0, bracket=Bracket(stop_loss=0.1))
    told = session(Script({0: [protected], HOUR: [request_of("buy 1")]}), Limits(cooldown_bars=1, max_orders_per_day=1))
    records = records_of(told, [*bar(0, 100.0), BarOpened(BTC, HOUR, 100.0)])
    records += records_of(told, [CandleClosed(BTC, HOUR, 100.0, 100.0, 80.0, 80.0, 1.0)])
    fills = [each.role for each in records if isinstance(each, OrderFilled)]
    assert fills == [Role.OWN, Role.STOP_LOSS]
    assert [each.reason for each in records if isinstance(each, Denied)] == ["max_orders_per_day"]
    told = session(Script({0: [protected], HOUR: [request_of("buy 1")]}), Limits(cooldown_bars=1))
    records_of(told, [*bar(0, 100.0), BarOpened(BTC, HOUR, 100.0)])
    (denied,) = [
        each
        for each in told.process(CandleClosed(BTC, HOUR, 100.0, 100.0, 80.0, 80.0, 1.0))
        if isinstance(each, Denied)
    ]
    assert (denied.reason, denied.detail) == ("cooldown_bars", "since 1970-01-01T01:00:00Z, until the next bar")


def test_the_bars_of_every_symbol_are_counted() -> None:
    asks = {
        0: [request_of("buy 1", ETH)],
        HOUR: [request_of("sell 1", ETH)],
        2 * HOUR: [request_of("buy 1", ETH)],
        3 * HOUR: [request_of("buy 1", ETH)],
    }
    told = session(EachOnce(asks), Limits(cooldown_bars=1))
    events = [event for at in range(4) for event in both(at * HOUR, ether=10.0 - at)]
    assert denials(told, events) == [("", ETH, "cooldown_bars")]
