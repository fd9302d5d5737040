"""Sessions with every kind of order and event: as a backtest of the same bars, and replayed to the byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from algotrade.backtest.event_loop import new_session, timers_of
from algotrade.backtest.feed import Inside, Prints, market_events
from algotrade.engine.events import (
    BracketPlaced,
    CandleClosed,
    Charged,
    Emitted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    Submit,
    TimerStruck,
    TradePrinted,
)
from algotrade.engine.orders import OrderType, Role, TimeInForce
from algotrade.engine.session import Record
from algotrade.live.header import setup_of, warmed_up
from algotrade.live.plan import Chosen, SessionPlan
from algotrade.live.replay import canonical_rows, record_of, rows_of
from algotrade.live.sessions import find_session, replay_session
from algotrade.live.trader import Trader, Update
from algotrade.market.simulate import simulate_candles, simulate_trades
from algotrade.market.trades import NS_PER_MS
from algotrade.store.journal import Journal
from tests.shell.live.everything import SYMBOLS, everything
from tests.shell.live.sessions import MINUTE, START, Project, new_project, trade

SLOWLY = 600.0  # a bar at every poll


def told(project: Project) -> tuple[dict[str, Any], list[Record]]:
    with Journal.open(find_session(project.sessions, "latest"), read_only=True) as journal:
        return journal.header, [record_of(row) for row in canonical_rows(journal)]


def backtest(header: dict[str, Any], bars: int, *, trades: bool = False) -> list[Record]:
    """The records of a backtest over the bars of a session, or over its trades."""
    last = START + (bars - 1) * MINUTE
    tables = {symbol: simulate_candles(symbol, "1m", START, last) for symbol in SYMBOLS}
    made = {symbol: simulate_trades(symbol, START, last) for symbol in SYMBOLS} if trades else {}
    prints = {
        symbol: Prints(each.times * NS_PER_MS, each.prices, each.quantities, each.sides)
        for symbol, each in made.items()
    }
    strategies = warmed_up(header)
    session = new_session(strategies, setup_of(header))
    events = market_events(tables, "1m", Inside(prints=prints), timers_of(strategies))
    return [record for event in events for record in session.process(event)]


def stop_after(bars: int) -> Any:
    def watch(trader: Trader, update: Update) -> None:
        if trader.opened.bars >= bars:
            trader.stop()

    return watch


async def test_every_kind_of_order_gives_the_records_of_a_backtest_and_replays(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    await trade(project, everything(project))
    header, records = told(project)
    kinds = {type(record) for record in records}
    assert kinds >= {BracketPlaced, Charged, Emitted, OrderCancelled, OrderFilled, OrderRejected, TimerStruck}
    sent = [record.order for record in records if isinstance(record, Submit)]
    assert {order.order_type for order in sent} >= {*OrderType} - {OrderType.TRAILING_STOP}
    assert {order.time_in_force for order in sent} == {*TimeInForce}
    fills = [record for record in records if isinstance(record, OrderFilled)]
    assert {fill.role for fill in fills} >= {Role.OWN, Role.STOP_LOSS, Role.TAKE_PROFIT, Role.TRAILING_STOP}
    assert {(fill.symbol, fill.book) for fill in fills} >= {(symbol, "everything") for symbol in SYMBOLS}
    assert any(fill.remaining for fill in fills)
    assert {fill.book for fill in fills} == {"everything", "listens"}
    assert rows_of(records) == rows_of(backtest(header, 120))
    assert replay_session(find_session(project.sessions, "latest"))[1] is None


@pytest.mark.parametrize("cuts", [(1, 3, 6), (11, 12, 13), (5, 16, 27)])
async def test_a_session_that_is_stopped_in_the_middle_of_everything_goes_on_as_if_it_had_not_been(
    tmp_path: Path, cuts: tuple[int, ...]
) -> None:
    whole, parts = new_project(tmp_path / "whole"), new_project(tmp_path / "parts")
    await trade(whole, everything(whole, bars=30))
    asked = everything(parts, bars=30, speed=SLOWLY)
    for cut in cuts:
        await trade(parts, asked, watch=stop_after(cut))
    await trade(parts, asked._replace(speed=60_000.0))
    assert parts.canonical() == whole.canonical()


def tape(project: Project, **changes: Any) -> SessionPlan:
    return everything(project, strategies=(Chosen("tape", {}),), source="trades", bars=20, **changes)


async def test_a_session_over_trades_gives_the_records_of_a_backtest_over_them(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    await trade(project, tape(project))
    header, records = told(project)
    printed = [record for record in records if isinstance(record, TradePrinted)]
    assert len(printed) == len(SYMBOLS) * 20 * 4
    assert len([record for record in records if isinstance(record, OrderFilled)]) > 10
    assert rows_of(records) == rows_of(backtest(header, 20, trades=True))
    assert replay_session(find_session(project.sessions, "latest"))[1] is None


async def test_trades_are_neither_lost_nor_repeated_over_restarts(tmp_path: Path) -> None:
    whole, parts = new_project(tmp_path / "whole"), new_project(tmp_path / "parts")
    await trade(whole, tape(whole))
    asked = tape(parts, speed=150.0)  # a poll every seven seconds of the market
    seen = 0

    def stop_in_a_bar(trader: Trader, update: Update) -> None:
        nonlocal seen
        seen += sum(isinstance(record, TradePrinted) for record in update.records)
        if seen >= 13:
            trader.stop()

    for _ in range(4):
        seen = 0
        await trade(parts, asked, watch=stop_in_a_bar)
    await trade(parts, asked._replace(speed=60_000.0))
    assert parts.canonical() == whole.canonical()


async def test_candles_close_together_and_say_which_is_the_last(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    await trade(project, everything(project, bars=3))
    _, records = told(project)
    closed = [(record.symbol, record.more) for record in records if isinstance(record, CandleClosed)]
    assert closed == [("BTC/USD", True), ("ETH/USD", False)] * 3
