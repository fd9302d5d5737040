"""What is tested is what is traded: a live session and a backtest over the same candles agree to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from algotrade.backtest.event_loop import run_event_loop
from algotrade.backtest.kernel import run_kernel
from algotrade.backtest.known_signals import KnownSignals
from algotrade.evaluate.result import Result
from algotrade.live.header import setup_of, strategies_of, warmed_up
from algotrade.live.results import session_result
from algotrade.market.simulate import simulate_candles
from algotrade.pipeline import execute_backtest, generate_signals
from algotrade.store.journal import Journal, list_sessions
from algotrade.strategy.protection import Wanted
from algotrade.strategy.signals import SignalStrategy, targets_of
from tests.shell.live.sessions import MINUTE, START, new_project, plan, trade

BARS = 300
BEFORE = 600  # bars of history that the backtest's signals are computed over as well
STRATEGIES = [
    ("sma_cross", {"fast": 5, "slow": 12}),
    ("rsi_reversion", {}),
    ("bollinger_reversion", {}),
    ("donchian_breakout", {}),
    ("macd_trend", {}),
    ("buy_the_dip", {"drop": 0.001}),
]


TWO_MINDS = """
from algotrade import SignalStrategy, on

class TwoMinds(SignalStrategy):
    "Its signal is flat; a method of its own goes long."
    warmup = 3

    def generate_signals(self, candles):
        return candles[["close"]].assign(signal=0.0)

    @on("candles")
    def go_long(self, candle):
        self.target(exposure=1)
"""


def assert_same(live: Result, backtest: Result) -> None:
    assert live.times.tolist() == backtest.times.tolist()
    for name in ("bar", "side", "quantity", "price", "fee"):
        np.testing.assert_array_equal(getattr(live.filled, name), getattr(backtest.filled, name))


@pytest.mark.parametrize(("name", "parameters"), STRATEGIES)
async def test_a_session_and_a_backtest_give_the_same_fills_equity_and_targets(
    tmp_path: Path, name: str, parameters: dict[str, float]
) -> None:
    project = new_project(tmp_path)
    await trade(project, plan(strategy=name, parameters=parameters, bars=BARS, fee_rate=0.0001))
    (info,) = list_sessions(project.sessions)
    live, _ = session_result(info.path)
    with Journal.open(info.path, read_only=True) as journal:
        header = journal.header
    setup = setup_of(header)
    candles = simulate_candles("BTC/USD", "1m", START - BEFORE * MINUTE, START + (BARS - 1) * MINUTE)
    traded = candles.iloc[BEFORE:]
    (strategy,) = strategies_of(header).values()
    if not isinstance(strategy, SignalStrategy):
        backtest = run_event_loop(traded, warmed_up(header)[""], setup)
    else:
        targets = targets_of(strategy.signals(candles))[BEFORE:]
        assert live.signals is not None
        np.testing.assert_array_equal(live.signals["signal"], targets)
        backtest = run_event_loop(traded, KnownSignals({"BTC/USD": Wanted(targets)}), setup)
        kernel = run_kernel(traded, targets, setup)
        assert_same(live, kernel)
        np.testing.assert_allclose(live.equity_values, kernel.equity_values, rtol=1e-12)
    assert len(live.filled.bar) > 0
    assert_same(live, backtest)
    np.testing.assert_array_equal(live.equity_values, backtest.equity_values)


async def test_a_signal_strategy_with_a_method_of_its_own_trades_the_same_in_a_session_and_a_backtest(
    tmp_path: Path,
) -> None:
    project = new_project(tmp_path)
    (project.folder / "strategies").mkdir()
    (project.folder / "strategies" / "two_minds.py").write_text(TWO_MINDS)
    await trade(project, plan(strategy="two_minds", parameters={}, bars=10))
    (info,) = list_sessions(project.sessions)
    live, _ = session_result(info.path)
    with Journal.open(info.path, read_only=True) as journal:
        header = journal.header
    candles = simulate_candles("BTC/USD", "1m", START, START + 9 * MINUTE)
    (strategy,) = strategies_of(header).values()
    backtest = execute_backtest(strategy, candles, generate_signals(strategy, candles), setup_of(header))
    assert live.filled.side.tolist()[:1] == [1]
    assert_same(live, backtest)
