"""A strategy with brackets has the same fills in the kernel, compiled or not, the event loop and a paper session."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from algotrade.backtest.event_loop import new_session, run_event_loop
from algotrade.backtest.kernel import run_kernel
from algotrade.backtest.known_signals import KnownSignals
from algotrade.discover import load_file
from algotrade.evaluate.executions import ROLES
from algotrade.evaluate.result import Result
from algotrade.exchange.base import Exchange
from algotrade.exchange.demo import DemoExchange
from algotrade.live.header import setup_of, strategies_of, warmed_up
from algotrade.live.plan import SessionPlan
from algotrade.live.replay import canonical_rows, replay
from algotrade.live.results import session_result
from algotrade.market.candles import candle_table, times_ms
from algotrade.market.simulate import simulate_candles
from algotrade.market.timeframe import timeframe_ms
from algotrade.store.journal import Journal
from algotrade.strategy.protection import Wanted
from algotrade.strategy.signals import SignalStrategy, wanted_of
from tests.shell.live.recorded import RecordedExchange, trade_on_paper
from tests.shell.live.sessions import plan

ROOT = Path(__file__).parents[3]
SHARED = Path(os.environ.get("ALGOTRADE_SHARED_DATA", ROOT.parent / "shared" / "data"))
KRAKEN = SHARED / "kraken_btcusd_1d.csv.gz"
BEFORE = 200  # bars of history before the session begins
SYMBOL = "BTC/USD"


class Market(NamedTuple):
    """Candles, and an exchange that tells them."""

    candles: pd.DataFrame
    exchange: Exchange
    timeframe: str
    stop: float
    goal: float


def demo_minutes() -> Market:
    start = 1_706_702_400_000
    candles = simulate_candles(SYMBOL, "1m", start, start + 899 * 60_000)
    end = start + 900 * 60_000
    return Market(candles, DemoExchange(lambda: end), "1m", 0.0015, 0.003)


def demo_days() -> Market:
    start = 1_514_764_800_000
    candles = simulate_candles(SYMBOL, "1d", start, start + 899 * 86_400_000)
    end = start + 900 * 86_400_000
    return Market(candles, DemoExchange(lambda: end), "1d", 0.03, 0.06)


def kraken_days() -> Market:
    rows = pd.read_csv(KRAKEN, index_col="timestamp", parse_dates=True).loc["2020-01-01":"2022-12-31"]
    times = times_ms(rows.tz_localize("UTC"))
    candles = candle_table(times, [rows[name] for name in ("open", "high", "low", "close", "volume")])
    return Market(candles, RecordedExchange(candles, int(times[-1]) + 10 * 86_400_000), "1d", 0.03, 0.06)


class Session(NamedTuple):
    """What a paper session left behind, and the same request for the other machines."""

    journal: Path
    live: Result
    candles: pd.DataFrame
    wanted: Wanted


async def paper_session(folder: Path, market: Market) -> Session:
    (found,) = load_file(ROOT / "tests" / "scenarios" / "bracketed_cross.py")
    parameters = {"stop": market.stop, "goal": market.goal}
    first, last = int(times_ms(market.candles)[BEFORE]), int(times_ms(market.candles)[-1])
    asked: SessionPlan = plan(
        exchange=market.exchange.name,
        timeframe=market.timeframe,
        strategy="bracketed_cross",
        parameters=parameters,
        fee_rate=0.0026,
        start=first,
        bars=1 + (last - first) // timeframe_ms(market.timeframe),
    )
    path = await trade_on_paper(folder, market.exchange, asked, found(**parameters))
    live, _ = session_result(path)
    with Journal.open(path, read_only=True) as journal:
        (strategy,) = strategies_of(journal.header).values()
    assert isinstance(live, Result)
    assert isinstance(strategy, SignalStrategy)
    wanted = wanted_of(strategy, market.candles, strategy.signals(market.candles))
    protection = None if wanted.protection is None else wanted.protection.rows(slice(BEFORE, None))
    traded = Wanted(wanted.targets[BEFORE:], protection)
    return Session(path, live, market.candles.iloc[BEFORE:], traded)


MARKETS = [
    pytest.param(demo_minutes, id="demo minutes"),
    pytest.param(demo_days, id="demo days"),
    pytest.param(
        kraken_days,
        id="Kraken days",
        marks=pytest.mark.skipif(not KRAKEN.exists(), reason=f"{KRAKEN.name} is not here"),
    ),
]


@pytest.mark.parametrize("made", MARKETS)
async def test_every_machine_and_a_paper_session_have_the_same_fills(
    tmp_path: Path, made: Callable[[], Market]
) -> None:
    journal, live, candles, wanted = await paper_session(tmp_path, made())
    with Journal.open(journal, read_only=True) as kept:
        setup = setup_of(kept.header)
        assert replay(canonical_rows(kept), new_session(warmed_up(kept.header), setup)) is None
    assert {ROLES[code].value for code in live.filled.role} >= {"stop_loss", "take_profit"}
    assert live.times.tolist() == times_ms(candles).tolist()
    for result in (
        run_kernel(candles, wanted, setup, compile_from=10**9),
        run_kernel(candles, wanted, setup, compile_from=0),
        run_event_loop(candles, KnownSignals({SYMBOL: wanted}), setup),
    ):
        for name in live.filled._fields:
            np.testing.assert_array_equal(getattr(live.filled, name), getattr(result.filled, name), err_msg=name)
        np.testing.assert_array_equal(live.ambiguous.bar, result.ambiguous.bar)
        np.testing.assert_allclose(live.equity_values, result.equity_values, rtol=1e-12)
