"""What the screen is told: figures after every step, clocks that go on while the exchange is silent."""

from __future__ import annotations

import math
from pathlib import Path

from algotrade.engine.events import BarOpened, CandleClosed, StrategyStopped
from algotrade.live.states import State
from algotrade.live.status import Status
from algotrade.live.trader import Update
from tests.shell.live.sessions import MINUTE, START, new_project, plan, session


async def test_a_snapshot_follows_the_session_and_its_clocks_go_on(tmp_path: Path) -> None:
    wall = START
    async with session(new_project(tmp_path), plan(speed=1.0)) as launch:
        opened, status = launch.opened, Status(launch.opened, lambda: wall)
        before = status.snapshot()
        assert (before.state, before.equity, before.times.tolist()) == ("STARTING", 10_000.0, [])
        assert math.isnan(before.feed_age_s)
        records = [
            *opened.simulation.process(BarOpened("BTC/USD", START, 100.0)),
            *opened.simulation.process(CandleClosed("BTC/USD", START, 100.0, 101.0, 99.0, 100.5, 1.0)),
        ]
        for record in records:
            opened.take(record)
        status.hear(Update(State.RUNNING, tuple(records), START + MINUTE, "the feed is back"))
        wall += 5_000
        after = status.snapshot()
        assert (after.state, after.holdings[0].price, after.message) == ("RUNNING", 100.5, "the feed is back")
        assert after.times.tolist() == [START]
        assert after.summary["total_return"] == 0.0
        assert [signal.time for signal in after.signals] == [START]
        assert (after.feed_age_s, after.next_bar_s, after.exchange_time) == (5.0, 55.0, START + MINUTE + 5_000)
        status.hear(Update(State.RUNNING, (), START + MINUTE + 5_000))
        assert status.snapshot().message == "the feed is back"  # it stays to be read until the next event
        status.hear(Update(State.DEGRADED, (), None, "away", 8.0))
        wall += 3_000
        failing = status.snapshot()
        assert (failing.state, failing.message, failing.retry_in_s, failing.feed_age_s) == (
            "DEGRADED",
            "away",
            5.0,
            3.0,
        )
        wall -= 60_000  # a clock that is set back
        assert status.snapshot().feed_age_s == 0.0


async def test_why_a_strategy_was_stopped_stays_on_the_screen(tmp_path: Path) -> None:
    async with session(new_project(tmp_path), plan()) as launch:
        status = Status(launch.opened, lambda: START)
        launch.opened.take(StrategyStopped("BTC/USD", START, "later raised ValueError: no more"))
        for _ in range(2):
            status.hear(Update(State.HALTED, (), START))
            assert status.snapshot().message.startswith("later raised ValueError: no more; it is stopped since")
        status.hear(Update(State.HALTED, (), None, "away", 1.0))
        assert status.snapshot().message == "away"
