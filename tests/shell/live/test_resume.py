"""The same command resumes the session; what may not go on says why."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from algotrade.config import load_settings
from algotrade.engine.events import CandleClosed
from algotrade.errors import FixCommand, FixConfiguration, NotAllowed, ReviewResult, TryLater
from algotrade.live.launch import plan_to_resume
from algotrade.live.sessions import find_resumable, find_session, replay_session, resume_session
from algotrade.live.states import State
from algotrade.live.trader import Trader, Update
from algotrade.store.journal import Journal, list_sessions
from tests.shell.live.sessions import MINUTE, START, Project, new_project, plan, session, trade
from tests.shell.loopback.kraken import Clock, LoopbackKraken

STRATEGY = """
import random
import pandas as pd
from algotrade import SignalStrategy

class Later(SignalStrategy):
    "Does something else after five minutes."
    warmup = 3

    def generate_signals(self, candles):
        signals = candles[["close"]].assign(signal=1.0)
        if candles.index[-1] >= pd.Timestamp("2024-01-31T12:05Z"):
            {later}
        return signals
"""


def write_strategy(project: Project, later: str) -> None:
    folder = project.folder / "strategies"
    folder.mkdir(exist_ok=True)
    (folder / "later.py").write_text(STRATEGY.replace("{later}", later))


def stop_after(bars: int) -> Callable[[Trader, Update], None]:
    def watch(trader: Trader, update: Update) -> None:
        if trader.opened.bars >= bars:
            trader.stop()

    return watch


LATER = plan(strategy="later", parameters={})
SLOWLY = 600.0  # a bar at every poll


async def test_a_stopped_session_goes_on_to_the_same_end(tmp_path: Path) -> None:
    whole, parts = new_project(tmp_path / "whole"), new_project(tmp_path / "parts")
    await trade(whole, plan(bars=20))
    asked = plan(bars=20, speed=SLOWLY)
    for bars in (3, 9):
        heard = await trade(parts, asked, watch=stop_after(bars))
        assert heard[-1].note == "the session has stopped"
        assert list_sessions(parts.sessions)[-1].status == "stopped"
    heard = await trade(parts, asked)
    assert heard[-1].note == "the session is complete"
    (info,) = list_sessions(parts.sessions)
    assert info.status == "complete"
    assert parts.canonical() == whole.canonical()
    assert replay_session(info.path)[1] is None


async def test_an_end_in_time_holds_over_restarts(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    asked = plan(bars=None, until=START + 8 * MINUTE - 1, speed=SLOWLY)
    await trade(project, asked, watch=stop_after(3))
    await trade(project, asked)
    closed = [row[2] for row in project.canonical() if row[1] == "CandleClosed"]
    assert closed == [START + bar * MINUTE for bar in range(8)]


async def test_a_complete_session_and_fresh_begin_anew(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    await trade(project, plan(bars=3))
    await trade(project, plan(bars=3))
    assert [info.status for info in list_sessions(project.sessions)] == ["complete", "complete"]
    await trade(project, plan(bars=9, speed=SLOWLY), watch=stop_after(2))
    await trade(project, plan(bars=9, speed=SLOWLY), watch=stop_after(2), fresh=True)
    assert [info.status for info in list_sessions(project.sessions)][2:] == ["stopped", "stopped"]


async def test_a_second_process_is_refused_even_with_fresh(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    async with session(project, plan(bars=3)):
        for fresh in (False, True):
            with pytest.raises(TryLater, match=r"already running .*pid"):
                await trade(project, plan(bars=3), fresh=fresh)
        with pytest.raises(TryLater, match=r"already running .*pid"):
            resume_session(find_session(project.sessions, "latest"), plan(bars=3), [""])


async def test_a_strategy_that_was_edited_does_not_take_over_the_session(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    write_strategy(project, "pass")
    await trade(project, LATER._replace(speed=SLOWLY), watch=stop_after(2))
    write_strategy(project, "signals['signal'] = 0.0")
    with pytest.raises(FixConfiguration, match=r"changed since session .* --fresh"):
        await trade(project, LATER._replace(speed=SLOWLY))
    await trade(project, LATER, fresh=True)
    assert len(list_sessions(project.sessions)) == 2


async def test_a_strategy_whose_helper_was_edited_does_not_take_over_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = new_project(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "beside_later.py").write_text("LEVEL = 1.0\n")
    write_strategy(project, "from beside_later import LEVEL")
    await trade(project, LATER._replace(speed=SLOWLY), watch=stop_after(2))
    (tmp_path / "beside_later.py").write_text("LEVEL = 0.0\n")
    with pytest.raises(FixConfiguration, match=r"changed since session .* --fresh"):
        await trade(project, LATER._replace(speed=SLOWLY))


async def test_a_strategy_that_throws_dice_is_caught_when_it_resumes(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    write_strategy(project, "signals['signal'] = random.random()")
    await trade(project, LATER._replace(speed=SLOWLY), watch=stop_after(12))
    with pytest.raises(ReviewResult, match="its replay differs at row"):
        await trade(project, LATER._replace(speed=SLOWLY))
    _, difference = replay_session(find_session(project.sessions, "latest"))
    assert difference is not None
    assert difference.recorded is not None
    assert difference.recorded.name in ("Submit", "Decided")


@pytest.mark.parametrize(
    ("later", "said"),
    [
        ("raise ValueError('no more')", r"raised ValueError: no more \(later.py line 13: raise ValueError"),
        ("raise SystemExit(3)", "raised SystemExit: 3"),
        ("signals['signal'] = float('nan')", "wants|NaN|nan"),
        ("signals['signal'] = float('inf')", "is inf"),
        ("signals['signal'] = 7.0", "7.0, outside the leverage of 1.0"),
        ("signals['signal'] = -1.0", "wants to be short"),
        ("return None", "must return a table"),
    ],
)
async def test_a_strategy_that_fails_is_stopped_and_the_session_goes_on(tmp_path: Path, later: str, said: str) -> None:
    project = new_project(tmp_path)
    write_strategy(project, later)
    heard = await trade(project, LATER._replace(bars=10, speed=SLOWLY), watch=stop_after(7))
    if "nan" in later:  # all NaN means flat: not a failure
        assert State.HALTED not in {update.state for update in heard}
        return
    (told,) = [update.note for update in heard if "it is stopped since" in update.note]
    assert re.search(said, told)
    assert heard[-2].state is State.HALTED
    resumed = await trade(project, LATER._replace(bars=10, speed=SLOWLY))
    assert resumed[0].state is State.HALTED
    assert "it is stopped since 2024-01-31T12:05:00Z" in resumed[0].note
    actions = [json.loads(row[3])["action"] for row in project.canonical() if row[1] == "Decided"]
    assert actions[5:] == ["stopped"] * 5
    assert list_sessions(project.sessions)[-1].status == "halted"
    assert find_resumable(project.sessions, [LATER._replace(bars=10, speed=SLOWLY)]) is None
    assert replay_session(find_session(project.sessions, "latest"))[1] is None


async def test_a_strategy_that_fails_the_checks_is_refused_before_anything_begins(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    write_strategy(project, "pass")
    path = project.folder / "strategies" / "later.py"
    path.write_text(path.read_text().replace("signal=1.0", "signal=(candles.close.shift(-1) > candles.close) * 1.0"))
    with pytest.raises(NotAllowed, match="later fails the look-ahead check"):
        await trade(project, LATER)
    assert list_sessions(project.sessions) == []


async def test_a_long_session_resumes_without_asking_for_every_signal(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    bars = 1_200
    await trade(project, plan(bars=bars + 1, speed=10_000_000.0), watch=stop_after(bars))
    path = find_session(project.sessions, "latest")
    with Journal.open(path, read_only=True) as journal:
        source = journal.header["strategies"][0]["hash"]
    started = time.process_time()
    opened = resume_session(path, plan(bars=bars + 1), [source])
    seconds = time.process_time() - started
    opened.journal.close()
    assert opened.bars >= bars
    print(f"{opened.bars} bars resumed in {seconds:.2f} s of CPU")
    recomputed, difference = replay_session(path)
    assert difference is None
    assert recomputed.simulation.engine.account.equity() == opened.simulation.engine.account.equity()
    candle = opened.last_closed
    assert candle is not None
    following = CandleClosed(candle.symbol, candle.time + MINUTE, *candle[2:])
    assert opened.simulation.process(following) == recomputed.simulation.process(following)


async def test_without_an_exchange_the_unfinished_session_decides_where_it_goes_on(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    settings = load_settings({}, project.folder / "algotrade.toml")
    on_demo, on_kraken = plan(bars=200, speed=SLOWLY), plan(bars=200, speed=SLOWLY, exchange="kraken")
    assert plan_to_resume([on_kraken, on_demo], settings) is None
    await trade(project, on_demo, watch=stop_after(2))
    assert plan_to_resume([on_kraken, on_demo], settings) == on_demo


async def test_a_beginning_that_has_not_come_yet_is_refused(tmp_path: Path) -> None:
    async with LoopbackKraken(Clock(START)) as kraken:
        project = new_project(tmp_path, kraken)
        with pytest.raises(FixCommand, match="has not come yet: kraken says it is 2024-01-31T12:00:00Z"):
            await trade(project, plan(exchange="kraken", start=START + MINUTE))
    assert list_sessions(project.sessions) == []
