"""What a session asks for before it begins, and what it says of a strategy that could not be checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from algotrade.errors import FixCommand
from algotrade.live.begin import describe_unproven
from algotrade.store.journal import list_sessions
from algotrade.strategy.base import Strategy, param
from algotrade.strategy.signals import SignalStrategy
from tests.shell.live.sessions import MINUTE, START, new_project, plan, session, trade

LOOKS_FAR_BACK = """
from algotrade import SignalStrategy, param

class FarBack(SignalStrategy):
    "Compares with the mean of a long time."
    length = param(1_500, low=2)

    def generate_signals(self, candles):
        mean = candles["close"].rolling(self.length).mean()
        return candles[["close"]].assign(signal=(candles["close"] > mean) * 1.0)
"""


class Crossing(SignalStrategy):
    """Stands for any strategy that decides by signals."""

    length = param(3, low=1)


class Answering(Strategy):
    """Stands for any strategy that answers events: of these the warm-up check says nothing."""


def test_a_strategy_that_decides_by_signals_is_named_when_a_check_has_no_verdict() -> None:
    checks = {
        "look_ahead": {"passed": True, "detail": "fine"},
        "warm_up": {"passed": None, "detail": "not checked: the warm-up is 9 bars, the data 8 bars"},
    }
    assert describe_unproven([Crossing()], {"strategies": [{"checks": checks}]}) == [
        "crossing trades although its warm-up check has no verdict: not checked: the warm-up is 9 bars, the data 8 bars"
    ]
    assert describe_unproven([Answering()], {"strategies": [{"checks": checks}]}) == []
    assert describe_unproven([Crossing()], {"strategies": [{"checks": {}}]}) == []


async def test_a_strategy_that_looks_far_back_is_checked_on_twice_as_much(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    (project.folder / "strategies").mkdir()
    (project.folder / "strategies" / "far_back.py").write_text(LOOKS_FAR_BACK)
    async with session(project, plan(strategy="far_back", parameters={})) as launch:
        header = launch.opened.journal.header
    assert header["strategies"][0]["checks"]["warm_up"]["passed"] is True
    assert header["strategies"][0]["checks"]["look_ahead"]["passed"] is True


async def test_an_end_before_the_first_bar_closes_is_refused(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    with pytest.raises(
        FixCommand, match=r"--until 2024-01-31T12:00:58\.999Z lies before the first bar closes at 2024-01-31T12:01:00Z"
    ):
        await trade(project, plan(bars=None, until=START + MINUTE - 1001))
    assert list_sessions(project.sessions) == []
    await trade(project, plan(bars=None, until=START + MINUTE - 1))
    assert [row[1] for row in project.canonical()].count("CandleClosed") == 1
