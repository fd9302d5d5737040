"""Tick mode: candles built from polled prices, journaled, stored, and good for a backtest."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from algotrade.backtest.setup import Setup
from algotrade.config import load_settings
from algotrade.engine.events import CandleClosed
from algotrade.engine.session import Record
from algotrade.errors import TryLater
from algotrade.ingest.source import DataRequest, load_candles
from algotrade.live.keep import CandleKeeper
from algotrade.live.sessions import find_session, replay_session
from algotrade.live.trader import Trader, Update
from algotrade.market.candles import SeriesKey, times_ms
from algotrade.market.simulate import simulate_candles
from algotrade.pipeline import run_backtest
from algotrade.store.candles import read_candles
from algotrade.store.database import Database, open_database
from strategies.sma_cross import SmaCross
from tests.shell.live.sessions import MINUTE, START, Project, new_project, plan, trade

KEY = SeriesKey("demo", "BTC/USD", "1m", "ticker")
TICKER = plan(source="ticker", bars=8, speed=200.0)  # the clock of the tests gives four to six prices a bar


def recorded(project: Project) -> list[list[float]]:
    rows = [json.loads(row[3]) for row in project.canonical() if row[1] == "CandleClosed"]
    return [[row[name] for name in ("time", "open", "high", "low", "close", "volume")] for row in rows]


async def test_closed_candles_are_stored_and_a_backtest_runs_over_them(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    await trade(project, TICKER)
    candles = recorded(project)
    assert candles[0][0] == START + MINUTE  # the bar in which it began was not seen from its beginning
    settings = load_settings({}, project.folder / "algotrade.toml")
    with open_database(settings.database) as database:
        market = load_candles(DataRequest("BTC/USD", "1m", "demo"), database, settings)
        assert market.key == KEY
        assert market.simulated
        np.testing.assert_array_equal(times_ms(market.candles), [row[0] for row in candles])
        np.testing.assert_array_equal(market.candles.to_numpy(), [row[1:] for row in candles])
        run = run_backtest(SmaCross(fast=2, slow=5), market, Setup((market.instrument,), "1m"), check="none")
    assert len(run.result.equity_values) == 8
    true = simulate_candles("BTC/USD", "1m", START + MINUTE, START + 8 * MINUTE)
    assert (np.array(candles)[:, 2] <= true["high"].to_numpy() + 1e-9).all()
    assert (np.array(candles)[:, 3] >= true["low"].to_numpy() - 1e-9).all()
    assert replay_session(find_session(project.sessions, "latest"))[1] is None


async def test_a_restart_leaves_its_bar_out(tmp_path: Path) -> None:
    project = new_project(tmp_path)

    def stop_at_three(trader: Trader, update: Update) -> None:
        if trader.opened.bars == 3:
            trader.stop()

    await trade(project, TICKER, watch=stop_at_three)
    await trade(project, TICKER)
    times = [int(row[0] - START) // MINUTE for row in recorded(project)]
    assert len(times) == 8
    assert times[:3] == [1, 2, 3]
    assert times[3] >= 5
    assert np.diff(times[3:]).tolist() == [1] * 4
    assert "absent" in project.names()
    settings = load_settings({}, project.folder / "algotrade.toml")
    with open_database(settings.database) as database:
        assert len(read_candles(database, KEY)) == 8
    assert replay_session(find_session(project.sessions, "latest"))[1] is None


def candle(minute: int) -> Record:
    return CandleClosed("BTC/USD", START + minute * MINUTE, 1.0, 2.0, 0.5, 1.5, 0.0)


def test_candles_that_a_kill_kept_from_the_store_are_written_with_the_next(database: Database) -> None:
    keeper = CandleKeeper(database, KEY, [candle(1), candle(2)])
    assert keeper.keep([]) == ""
    assert len(read_candles(database, KEY)) == 0
    assert keeper.keep([candle(3)]) == ""
    assert len(read_candles(database, KEY)) == 3


def test_a_store_that_fails_is_said_and_made_up_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*arguments: object) -> None:
        raise TryLater("the store is locked")

    keeper = CandleKeeper(database, KEY, ())
    with monkeypatch.context() as patched:
        patched.setattr("algotrade.live.keep.write_candles", locked)
        assert keeper.keep([candle(1)]).startswith("the store is locked; the candles are in the journal")
    assert keeper.keep([candle(2)]) == ""
    assert len(read_candles(database, KEY)) == 2
