"""Limits, as a trader would try them: bars in rows, what is asked at their close, and whether it may go out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algotrade.engine.account import Account, View
from algotrade.engine.engine import Engine
from algotrade.engine.events import BarOpened, CandleClosed, Denied, Emitted, Event, OrderFilled, Submit
from algotrade.engine.matching import SimulatedVenue
from algotrade.engine.orders import Bracket, Order, OrderType, Role
from algotrade.engine.requests import OrderRequest, Request, TargetRequest
from algotrade.engine.risk import Limits, RiskGate, position_wanted
from algotrade.engine.rules import Market, Rules
from algotrade.engine.session import Record, SimulatedSession
from algotrade.engine.sizing import Terms

BTC, ETH = "BTC/USD", "ETH/USD"
DAY = 86_400_000
HOUR = 3_600_000
Row = tuple[float, str, str]  # price of a flat bar, what is asked at its close, what keeps it back ("" passes)


class Script:
    """Answers the close of a bar of its symbol with what the script has for its time."""

    def __init__(self, requests: Mapping[int, list[Request]]) -> None:
        self.requests = requests

    def handle(self, event: Event | Emitted, view: View) -> list[Request]:
        return list(self.requests.get(event.time, [])) if isinstance(event, CandleClosed) else []


def request_of(words: str, symbol: str = BTC) -> Request:
    """ "buy 2", "sell 2", "hold 0.5", "hold -1 quantity"."""
    verb, amount, *unit = words.split()
    if verb == "hold":
        return TargetRequest(symbol, float(amount), unit=unit[0] if unit else "exposure")
    return OrderRequest(symbol, +1 if verb == "buy" else -1, quantity=float(amount))


def session(strategy: Any, limits: Limits | None, *, cash: Any = 1_000.0, fee: float = 0.0) -> SimulatedSession:
    terms = Terms(fee, 0.0)
    rules = Rules({symbol: Market(terms, can_short=True) for symbol in (BTC, ETH)}, bar_ms=HOUR)
    return SimulatedSession(Engine(strategy, cash=cash, limits=limits, symbols=(BTC, ETH)), SimulatedVenue(rules, cash))


def bar(time: int, price: float, symbol: str = BTC) -> list[BarOpened | CandleClosed]:
    return [BarOpened(symbol, time, price), CandleClosed(symbol, time, price, price, price, price, 1.0)]


def records_of(told: SimulatedSession, events: Iterable[Any]) -> list[Record]:
    return [record for event in events for record in told.process(event)]


def reasons(limits: Limits, rows: list[Row], *, step: int = HOUR, fee: float = 0.0) -> list[str]:
    """What each row's order was denied for; "" where it went out or none was asked."""
    asked = {at * step: [request_of(asks)] for at, (_, asks, _) in enumerate(rows) if asks}
    told = session(Script(asked), limits, fee=fee)
    found = []
    for at, (price, _, _) in enumerate(rows):
        denied = [each for each in records_of(told, bar(at * step, price)) if isinstance(each, Denied)]
        found.append(denied[0].reason if denied else "")
    return found


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


def account(position: float = 0.0, price: float = 100.0, cash: float = 1_000.0) -> Account:
    made = Account(cash)
    if position:
        made.apply(OrderFilled("id", BTC, 0, 1 if position > 0 else -1, abs(position), price, 0.0))
    made.mark(BTC, price)
    return made


def order(side: int = +1, **fields: Any) -> Order:
    return Order("id", BTC, 0, side, **fields)


def reason_of(gate: RiskGate, asked: Order, working: tuple[Order, ...] = ()) -> str:
    denial = gate.denial_of(asked, working)
    return denial.reason if denial else ""


def test_a_liquidation_is_a_loss() -> None:
    held = account(1.0)
    gate = RiskGate(Limits(cooldown_bars=1), {"": held})
    for fill in (
        OrderFilled("a", BTC, 0, +1, 1.0, 100.0, 0.0),
        OrderFilled("a!liquidation", BTC, HOUR, -1, 1.0, 50.0, 0.0, role=Role.LIQUIDATION),
    ):
        gate.note_fill(fill, account() if fill.side > 0 else held)
    assert reason_of(gate, order(quantity=2.0)) == "cooldown_bars"


def test_a_fee_in_base_counts_once() -> None:
    gate = RiskGate(Limits(cooldown_bars=1), {"": account()})
    gate.note_fill(OrderFilled("a", BTC, 0, +1, 1.0, 100.0, 1.0, fee_quantity=0.01), account())
    gate.note_fill(OrderFilled("b", BTC, 1, -1, 0.99, 101.5, 0.0), account(0.99))  # 100.485 for 100
    assert reason_of(gate, order(quantity=1.0)) == ""


# ---- the rule above all ---------------------------------------------------------------------------------------------
TIGHTEST = Limits(0, 0, 0, 0, 0, 1e-9, 0, 9, 1, None)


@pytest.mark.parametrize(
    ("held", "asked", "passes"),
    [
        (5.0, order(-1, quantity=1.0), True),
        (5.0, order(-1, quantity=5.0), True),
        (5.0, order(-1, quantity=5.1), False),
        (5.0, order(-1, quantity=9.0, reduce_only=True), True),
        (5.0, order(-1, notional=500.0), True),
        (5.0, order(0, exposure=0.0), True),
        (5.0, order(0, exposure=0.3), True),
        (5.0, order(0, exposure=0.6), False),
        (5.0, order(0, exposure=-0.1), False),
        (5.0, order(0, target_quantity=4.0), True),
        (5.0, order(0, target_quantity=6.0), False),
        (5.0, order(0, target_notional=400.0), True),
        (5.0, order(0, target_notional=600.0), False),
        (5.0, order(+1, quantity=0.1), False),
        (0.0, order(-1, quantity=0.1), False),
        (0.0, order(0, exposure=0.0), True),
        (-5.0, order(+1, quantity=5.0), True),
        (-5.0, order(-1, quantity=1.0), False),
    ],
)
def test_an_order_that_only_reduces_passes_every_limit(held: float, asked: Order, passes: bool) -> None:
    assert (RiskGate(TIGHTEST, {"": account(held)}).denial_of(asked) is None) is passes


@settings(deadline=None)
@given(
    held=st.floats(-1e3, 1e3).filter(lambda held: abs(held) > 1e-3),
    part=st.floats(0.0, 1.0),
    others=st.floats(-1e3, 1e3),
    resting=st.lists(st.tuples(st.sampled_from([+1, -1]), st.floats(0.01, 1e3)), max_size=3),
    limits=st.builds(Limits, *[st.one_of(st.none(), st.integers(0, 3))] * 5, st.one_of(st.none(), st.floats(0, 0.5))),
)
def test_whatever_the_limits_nobody_is_kept_in_a_trade(
    held: float, part: float, others: float, resting: list[tuple[int, float]], limits: Limits
) -> None:
    limits = limits._replace(max_open_positions=0, cooldown_bars=5, max_consecutive_losses=1)
    gate = RiskGate(limits, {"": account(held, cash=1e6), "other": account(others, cash=1e6)})
    gate.note_fill(OrderFilled("lost", BTC, 0, -1, 1.0, 1.0, 0.0), account(1.0))
    gate.note_close(0, [BTC])
    working = tuple(order(side, quantity=q, order_type=OrderType.LIMIT, limit=1.0) for side, q in resting)
    side = -1 if held > 0 else 1
    assert reason_of(gate, order(side, quantity=abs(held) * part), working) == ""
    assert reason_of(gate, order(0, target_quantity=held * part), working) == ""


NO_BOUND = Limits(math.inf, math.inf, 10**9, math.inf, 10**9, 0.999999, 10**9, None, 10**9, None)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(50, 150), st.sampled_from(["", "buy 1", "sell 1", "hold 0.5", "hold 0"])), max_size=30
    )
)
def test_limits_that_nothing_reaches_change_nothing(rows: list[tuple[int, str]]) -> None:
    asked = {at * HOUR: [request_of(asks)] for at, (_, asks) in enumerate(rows) if asks}
    events = [event for at, (price, _) in enumerate(rows) for event in bar(at * HOUR, float(price))]
    free, bounded = session(Script(asked), None, cash=1e5), session(Script(asked), NO_BOUND, cash=1e5)
    assert records_of(free, events) == records_of(bounded, events)


# ---- what works beside it -------------------------------------------------------------------------------------------
def test_what_an_order_makes_of_a_position() -> None:
    assert position_wanted(order(+1, quantity=2.0), 3.0, account()) == 5.0
    assert position_wanted(order(-1, notional=200.0), 3.0, account()) == 1.0
    assert position_wanted(order(0, exposure=0.5), 3.0, account()) == 5.0
    assert position_wanted(order(0, target_quantity=-2.0), 3.0, account()) == -2.0
    assert position_wanted(order(0, target_notional=400.0), 3.0, account()) == 4.0


def test_market_orders_beside_count_as_filled_and_resting_ones_where_they_add() -> None:
    gate = RiskGate(Limits(max_position_notional=500), {"": account()})
    beside = (order(quantity=2.0), order(notional=100.0))
    assert reason_of(gate, order(quantity=2.0), beside) == ""
    assert reason_of(gate, order(quantity=2.1), beside) == "max_position_notional"
    assert reason_of(gate, order(-1, quantity=3.0), beside) == ""
    ladder = (order(quantity=4.0, limit=90.0, order_type=OrderType.LIMIT),)
    assert reason_of(gate, order(quantity=1.1), ladder) == "max_position_notional"
    assert reason_of(gate, order(-1, quantity=5.0), ladder) == ""
    assert reason_of(gate, order(-1, quantity=5.1), ladder) == "max_position_notional"  # it may never fill


def test_an_order_for_a_symbol_without_a_price_is_not_let_out_blind() -> None:
    gate = RiskGate(Limits(max_order_notional=500), {"": Account(1_000.0)})
    denial = gate.denial_of(order(quantity=1.0))
    assert denial == ("max_order_notional", "no price of it is known yet")
    assert RiskGate(Limits(max_orders_per_day=1), {"": Account(1_000.0)}).denial_of(order(quantity=1.0)) is None


def test_denied_orders_do_not_count() -> None:
    gate = RiskGate(Limits(max_orders_per_day=1, max_orders_per_minute=1, max_order_notional=500), {"": account()})
    assert reason_of(gate, order(quantity=6.0)) == "max_order_notional"
    assert reason_of(gate, order(quantity=1.0)) == ""
    assert reason_of(gate, order(quantity=1.0)) == "max_orders_per_minute"


def test_an_event_that_tells_of_an_earlier_moment_brings_nothing_back() -> None:
    gate = RiskGate(Limits(max_orders_per_day=1), {"": account()})
    assert reason_of(gate, order(quantity=1.0)._replace(time=DAY)) == ""
    assert reason_of(gate, order(quantity=1.0)._replace(time=DAY - 1)) == "max_orders_per_day"
    gate.note_close(DAY - 1, [BTC])
    assert reason_of(gate, order(quantity=1.0)._replace(time=DAY)) == "max_orders_per_day"


@pytest.mark.parametrize("limit", Limits._fields)
def test_any_single_limit_is_a_limit(limit: str) -> None:
    assert not Limits().any()
    assert Limits(**{limit: 0}).any()


DETAILS: list[tuple[Limits, str]] = [
    (Limits(max_order_notional=50), "100, at most 50"),
    (Limits(max_position_notional=50), "100, at most 50"),
    (Limits(max_open_positions=0), "0 held, at most 0"),
    (Limits(max_orders_per_day=0), "until 1970-01-02T00:00:00Z"),
    (Limits(max_daily_loss=0), "since 1970-01-01T00:00:00Z until 1970-01-02T00:00:00Z"),
    (Limits(max_drawdown=0), "since 1970-01-01T00:00:00Z, for good"),
]


@pytest.mark.parametrize(("limits", "detail"), DETAILS)
def test_a_denial_says_by_how_much_since_when_or_until_when(limits: Limits, detail: str) -> None:
    told = session(Script({0: [request_of("buy 1")]}), limits)
    (denied,) = [each for each in records_of(told, bar(0, 100.0)) if isinstance(each, Denied)]
    assert denied.detail == detail


def test_a_cool_down_and_a_lock_say_how_many_bars_are_left() -> None:
    for limits, name in (
        (Limits(cooldown_bars=3), "cooldown_bars"),
        (Limits(max_consecutive_losses=1, lock_bars=3), "max_consecutive_losses"),
    ):
        asks = {0: [request_of("buy 1")], HOUR: [request_of("sell 1")]}
        told = session(Script(asks | {at * HOUR: [request_of("buy 1")] for at in (2, 3, 4)}), limits)
        records = records_of(told, [event for at in range(5) for event in bar(at * HOUR, 100.0 - at)])
        assert [each[1:] for each in records if isinstance(each, Denied)] == [
            (name, f"since 1970-01-01T02:00:00Z, {left}")
            for left in ("2 more bars", "1 more bar", "until the next bar")
        ]
        assert len([each for each in records if isinstance(each, Submit)]) == 2


def test_a_lost_day_is_not_begun_again_by_an_event_of_the_day_before() -> None:
    gate = RiskGate(Limits(max_daily_loss=100), {"": (held := account(5.0))})
    gate.note_close(DAY, [BTC])
    held.mark(BTC, 70.0)
    assert reason_of(gate, order(quantity=1.0)._replace(time=DAY)) == "max_daily_loss"
    gate.note_close(DAY - 1, [BTC])
    assert reason_of(gate, order(quantity=1.0)._replace(time=DAY)) == "max_daily_loss"


def test_what_makes_the_position_of_all_books_smaller_is_not_too_large() -> None:
    gate = RiskGate(Limits(max_position_notional=500), {"": account(), "other": account(9.0)})
    assert reason_of(gate, order(-1, quantity=1.0)) == ""
    assert reason_of(gate, order(+1, quantity=1.0)) == "max_position_notional"


def test_a_minute_is_over_after_sixty_seconds() -> None:
    gate = RiskGate(Limits(max_orders_per_minute=1), {"": account()})
    assert reason_of(gate, order(quantity=1.0)) == ""
    assert gate.denial_of(order(quantity=1.0)._replace(time=59_999)) == (
        "max_orders_per_minute",
        "until 1970-01-01T00:01:00Z",
    )
    assert reason_of(gate, order(quantity=1.0)._replace(time=60_000)) == ""


def test_an_order_that_waits_to_open_a_position_takes_its_place() -> None:
    gate = RiskGate(Limits(max_open_positions=1), {"": account()})
    waits = order(quantity=1.0, limit=9.0, order_type=OrderType.LIMIT)._replace(symbol=ETH)
    assert reason_of(gate, order(quantity=1.0), (waits,)) == "max_open_positions"
    assert reason_of(gate, waits._replace(order_id="more"), (waits,)) == ""


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
