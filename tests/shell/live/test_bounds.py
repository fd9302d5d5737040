"""How long and how fast a session runs may change whenever it goes on; journals of the first version are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from algotrade.errors import FixCommand
from algotrade.live.header import setup_of, up_to_date
from algotrade.live.plan import plan_of
from algotrade.live.sessions import find_session, open_journal
from algotrade.live.trader import Trader, Update
from algotrade.store.journal import Journal, list_sessions
from tests.shell.live.sessions import MINUTE, START, new_project, plan, trade

SLOWLY = 600.0  # a bar at every poll
FIRST_PLAN = {
    "exchange": "demo",
    "symbol": "BTC/USD",
    "timeframe": "1m",
    "strategy": "sma_cross",
    "parameters": {"fast": 3, "slow": 8},
    "cash": 10_000.0,
    "fee_rate": None,
    "slippage_rate": 0.0005,
    "bounds": {"leverage": 1.0, "allow_short": False},
    "limits": {"max_order_notional": None, "max_daily_loss": None},
    "source": "candles",
    "start": START,
    "until": None,
    "bars": 30,
    "speed": 60_000.0,
}


def stop_after_three(trader: Trader, update: Update) -> None:
    if trader.opened.bars >= 3:
        trader.stop()


async def test_a_session_goes_on_with_other_bounds_at_another_speed(tmp_path: Path) -> None:
    whole, parts = new_project(tmp_path / "whole"), new_project(tmp_path / "parts")
    await trade(whole, plan(bars=40))
    await trade(parts, plan(bars=None, speed=SLOWLY), watch=stop_after_three)
    await trade(parts, plan(bars=20, speed=SLOWLY / 2), watch=stop_after_three)
    await trade(parts, plan(bars=40))
    (info,) = list_sessions(parts.sessions)
    assert info.status == "complete"
    assert parts.canonical() == whole.canonical()


@pytest.mark.parametrize("bounds", [{"bars": 2}, {"until": START + 2 * MINUTE}])
async def test_a_session_that_is_further_than_its_new_end_stays_as_it_is(
    tmp_path: Path, bounds: dict[str, int]
) -> None:
    project = new_project(tmp_path)
    await trade(project, plan(bars=None, speed=SLOWLY), watch=stop_after_three)
    with pytest.raises(FixCommand, match="more than it should end with; to begin another one beside it add --fresh"):
        await trade(project, plan(**{"bars": None, **bounds}))
    assert [info.status for info in list_sessions(project.sessions)] == ["stopped"]
    await trade(project, plan(**{"bars": None, **bounds}), fresh=True)
    assert [info.status for info in list_sessions(project.sessions)] == ["stopped", "complete"]


def test_a_plan_of_the_first_version_is_that_of_one_symbol_and_one_strategy() -> None:
    header = up_to_date({"version": 1, "plan": FIRST_PLAN})
    assert plan_of(header["plan"]) == plan()


async def test_a_journal_of_the_first_version_says_the_same(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    await trade(project, plan(bars=2))
    with open_journal(find_session(project.sessions, "latest"), read_only=True) as journal:
        now = journal.header
    (described,), (instrument,), (candles,) = now["strategies"], now["instruments"], now["warm_up_candles"]
    first = {**now, "version": 1, "plan": FIRST_PLAN, "plan_key": "0", "instrument": instrument}
    first |= {"warm_up_candles": candles, "warmup": described.pop("warmup"), "checks": described.pop("checks")}
    first |= {"strategy": described}
    del first["strategies"], first["instruments"]
    path = tmp_path / "first.sqlite"
    Journal.create(path, first).close()
    with open_journal(path, read_only=True) as journal:
        assert setup_of(journal.header) == setup_of(now)
        assert journal.header["warm_up_candles"] == [candles]
