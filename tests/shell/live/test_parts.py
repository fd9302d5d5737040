"""The small parts: states, clocks, plans, names, lines, remarks, bounds."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest

from algotrade.engine.events import CandleClosed, Charged, Decided, Denied, OrderFilled, OrderRejected, Submit
from algotrade.engine.fills import Costs
from algotrade.engine.orders import Order, Role
from algotrade.engine.risk import Limits
from algotrade.errors import AlgotradeError
from algotrade.live.clock import DemoClock, DemoTime, jitter
from algotrade.live.lines import Lines, plain_number, prefix_of
from algotrade.live.plan import plan_of
from algotrade.live.remarks import remarks_on_bars
from algotrade.live.sessions import bound_reached, session_name, status_at_end, status_of
from algotrade.live.states import TRANSITIONS, State, move
from algotrade.store.canonical import canonical_json
from algotrade.store.journal import SessionInfo
from algotrade.strategy.signals import Bounds
from algotrade.strategy.sizes import Sizing
from tests.shell.live.sessions import MINUTE, START, plan


def test_a_state_leads_where_the_table_says_and_nowhere_else() -> None:
    for state, to in itertools.product(State, State):
        if to is state or to in TRANSITIONS[state]:
            assert move(state, to) is to
        else:
            with pytest.raises(AlgotradeError, match=f"from {state} to {to}"):
                move(state, to)


def test_every_state_can_be_left_for_the_end() -> None:
    for state in set(State) - {State.STOPPING, State.STOPPED}:
        assert State.STOPPING in TRANSITIONS[state]
    assert TRANSITIONS[State.STOPPING] == {State.STOPPED}
    assert not TRANSITIONS[State.STOPPED]
    assert State.RUNNING not in TRANSITIONS[State.HALTED]


def test_a_demo_clock_stands_until_it_is_started_and_then_runs_at_its_speed() -> None:
    wall = 1_000
    time = DemoTime(5_000, lambda: wall)
    wall = 2_000
    assert time() == 5_000
    time.start(DemoClock(anchor=5_000, started=2_000, speed=60.0))
    wall = 2_500
    assert time() == 35_000
    assert 0 <= jitter() < 1


def test_a_plan_comes_back_from_its_document_under_the_same_key() -> None:
    asked = plan(fee_rate=0.001, bars=None)
    assert plan_of(asked.document()) == asked
    assert plan_of(asked.document()).key() == asked.key()


@pytest.mark.parametrize(
    "change",
    [
        {"cash": 1.0},
        {"fee_rate": 0.1},
        {"maker_fee_rate": 0.1},
        {"costs": Costs(borrow_rate=0.1)},
        {"parameters": {"fast": 4}},
        {"symbols": ("BTC/USD", "ETH/USD")},
        {"sizing": Sizing("risk", 0.01)},
        {"path": "best"},
        {"touch": True},
        {"rebalance_band": 0.05},
        {"limits": Limits(cooldown_bars=3)},
        {"bounds": Bounds(2.0)},
        {"start": START + MINUTE},
    ],
)
def test_another_wish_is_another_session(change: dict[str, Any]) -> None:
    asked = plan(**change)
    assert asked.key() != plan().key()
    assert plan_of(json.loads(canonical_json(asked.document()))) == asked


@pytest.mark.parametrize("change", [{"bars": 3}, {"until": START + MINUTE}, {"speed": 2.0}])
def test_how_long_and_how_fast_a_session_runs_is_no_part_of_it(change: dict[str, Any]) -> None:
    assert plan(**change).key() == plan().key()


def test_a_schedule_of_fees_comes_back_as_it_was() -> None:
    asked = plan(costs=Costs(fee_schedule=((0.0, 0.002, 0.004), (50_000.0, 0.001, 0.002))))
    assert plan_of(json.loads(canonical_json(asked.document()))) == asked


def test_lines_name_symbols_and_strategies_where_there_are_several() -> None:
    order = Order("id", "ETH/USD", START, 1, quantity=1.0, book="trend")
    lines = Lines(plan(symbols=("BTC/USD", "ETH/USD"))).of(
        [
            Submit(order),
            OrderFilled("id", "ETH/USD", START, 1, 1.0, 2.0, 0.1, role=Role.STOP_LOSS, book="trend"),
            Charged("ETH/USD", START, "borrow", 0.25, "trend"),
            Submit(order),
            OrderRejected("id", START, "below_minimum"),
            Denied(order, "max_drawdown"),
        ]
    )
    assert lines == [
        "2024-01-31T12:00:00Z ETH/USD trend bought 1 at 2 fee 0.1000 (stop_loss)",
        "2024-01-31T12:00:00Z ETH/USD trend charged 0.25 for borrow",
        "ETH/USD order refused: below_minimum",
        "ETH/USD trend order refused: max_drawdown",
    ]


def test_sessions_are_named_by_their_time_so_that_names_sort() -> None:
    first, second = session_name(START, plan()), session_name(START + 1000, plan())
    assert first.startswith("s20240131-120000000-")
    assert first < second
    names = [session_name(START + ms, plan(cash=cash)) for cash, ms in enumerate((0, 1, 2, 10, 999), 5)]
    assert names == sorted(set(names))


@pytest.mark.parametrize(
    ("status", "running", "shown"),
    [
        ("unfinished", True, "running"),
        ("unfinished", False, "killed"),
        ("", False, "killed"),
        ("stopped", False, "stopped"),
        ("stopped", True, "running"),
        ("halted", False, "halted"),
        ("complete", False, "complete"),
    ],
)
def test_the_list_tells_a_running_session_from_a_killed_one(status: str, running: bool, shown: str) -> None:
    info = SessionInfo("s", Path("s.sqlite"), {"plan": {}}, status, None, 0, running)
    assert status_of(info) == shown
    assert status_of(info._replace(header={}, status="is damaged", running=False)) == "is damaged"


def test_a_session_that_ends_without_its_strategy_is_halted() -> None:
    assert status_at_end(State.STOPPED, finished=True, halted=False) == "complete"
    assert status_at_end(State.STOPPED, finished=True, halted=True) == "halted"
    assert status_at_end(State.STOPPED, finished=False, halted=True) == "stopped"


@pytest.mark.parametrize(
    ("bounds", "bars", "next_bar", "now", "reached"),
    [
        ({}, 10**6, 10**6, 10**6, False),
        ({"bars": 3}, 2, 3, 3, False),
        ({"bars": 3}, 3, 3, 3, True),
        ({"until": 5}, 0, 4, 4, False),
        ({"until": 5}, 0, 5, 5, True),
        ({"until": 5}, 0, 1, 6, False),
        ({"until": 5}, 0, 1, 8, True),
    ],
)
def test_bounds(bounds: dict[str, int], bars: int, next_bar: int, now: int, reached: bool) -> None:
    until = bounds["until"] * MINUTE - 1 if "until" in bounds else None
    asked = plan(bars=bounds.get("bars"), until=until)
    assert bound_reached(asked, bars, next_bar * MINUTE, now * MINUTE) is reached


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (43251.123, "43251.123"),
        (0.00001234, "0.00001234"),
        (100.0, "100"),
        (1e7, "10000000"),
        (-0.5, "-0.5"),
        (1e-8, "0.00000001"),
    ],
)
def test_numbers_in_lines_keep_their_digits(value: float, text: str) -> None:
    assert plain_number(value) == text


def test_a_line_for_every_decision_fill_and_refusal() -> None:
    order = Order("id", "BTC/USD", START, 0, exposure=1.0)
    lines = Lines(plan()).of(
        [
            CandleClosed("BTC/USD", START, 1.0, 2.0, 0.5, 43251.123, 0.0),
            Decided("BTC/USD", START, 1.0, "trade", 0.0, 10_000.0, 10_000.0),
            OrderFilled("id", "BTC/USD", START + MINUTE, 1, 0.12345678, 43251.12, 21.4),
            OrderRejected("id", START, "below_minimum"),
            Denied(order, "max_order"),
            Decided("BTC/USD", START, math.nan, "hold", 0.0, 10_000.0, 10_000.0),
        ]
    )
    assert lines == [
        "2024-01-31T12:00:00Z close 43251.123 target 1 trade equity 10000.00",
        "2024-01-31T12:01:00Z bought 0.12345678 at 43251.12 fee 21.4000",
        "order refused: below_minimum",
        "order refused: max_order",
        "2024-01-31T12:00:00Z close 43251.123 hold equity 10000.00",
    ]


def test_every_line_says_that_no_real_money_is_used_and_whether_the_market_is_real() -> None:
    assert prefix_of(plan(), simulated=True) == "PAPER SIMULATED demo BTC/USD 1m"
    assert prefix_of(plan(exchange="kraken"), simulated=False) == "PAPER kraken BTC/USD 1m"


def test_remarks_name_absent_and_late_bars() -> None:
    closed = [CandleClosed("BTC/USD", START + bar * MINUTE, 1, 1, 1, 1, 0) for bar in (0, 1, 4, 5)]
    remarks = remarks_on_bars(closed, expected=START, now=START + round(6.5 * MINUTE), step=MINUTE)
    assert [(remark.name, remark.values) for remark in remarks] == [
        ("absent", {"first": START + 2 * MINUTE, "bars": 2}),
        ("late", {"first": START, "last": START + 4 * MINUTE, "bars": 3}),
    ]
    assert remarks[0].sentence == "2 bars are absent from 2024-01-31T12:02:00Z on"
    assert not remarks_on_bars(closed[:1], expected=START, now=START + MINUTE, step=MINUTE)
