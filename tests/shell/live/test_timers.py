from __future__ import annotations

from pathlib import Path

from algotrade.backtest.event_loop import run_event_loop
from algotrade.engine.events import OrderFilled, TimerStruck
from algotrade.live.header import setup_of, warmed_up
from algotrade.live.replay import canonical_rows, record_of
from algotrade.live.sessions import list_sessions, replay_session
from algotrade.live.trader import Trader, Update
from algotrade.market.simulate import simulate_candles
from algotrade.store.journal import Journal

from .sessions import START, new_project, plan, trade

MINUTE = 60_000
TURNS = '''
from algotrade import Strategy, on


class Turns(Strategy):
    """Goes in and out every five minutes."""

    @on("timer:5m")
    def turn(self, timer):
        self.target(exposure=0.0 if self.position else 1.0)
'''


async def turned(folder: Path, *, cut: int | None = None) -> Path:
    """The journal of a session of twenty minutes, begun again after `cut` closed bars."""
    project = new_project(folder)
    (project.folder / "strategies").mkdir()
    (project.folder / "strategies" / "turns.py").write_text(TURNS)
    asked = plan(strategy="turns", parameters={}, bars=20, speed=600.0)  # a bar at every poll

    def watch(trader: Trader, update: Update) -> None:
        if cut is not None and trader.opened.bars >= cut:
            trader.stop()

    if cut is not None:
        await trade(project, asked, watch=watch)
    await trade(project, asked)
    (info,) = list_sessions(project.sessions)
    return info.path


def records(path: Path) -> list[object]:
    with Journal.open(path, read_only=True) as journal:
        return [record_of(row) for row in canonical_rows(journal)]


async def test_timers_strike_in_a_session_as_in_a_backtest_and_are_replayed(tmp_path: Path) -> None:
    path = await turned(tmp_path)
    told = records(path)
    struck = [record.time for record in told if isinstance(record, TimerStruck)]
    assert struck == [START + minute * MINUTE for minute in (0, 5, 10, 15)]
    with Journal.open(path, read_only=True) as journal:
        header = journal.header
    candles = simulate_candles("BTC/USD", "1m", START, START + 19 * MINUTE)
    backtest = run_event_loop(candles, warmed_up(header)[""], setup_of(header))
    fills = [(record.side, record.price) for record in told if isinstance(record, OrderFilled)]
    assert fills == list(zip(backtest.filled.side.tolist(), backtest.filled.price.tolist(), strict=True))
    assert len(fills) == 4
    assert replay_session(path)[1] is None


async def test_a_session_that_was_cut_off_strikes_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, cut = await turned(tmp_path / "whole"), await turned(tmp_path / "cut", cut=7)
    assert records(cut) == records(whole)
