"""Several symbols share the cash, and the same strategy gives the same fills in a session and in a backtest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from algotrade.backtest.event_loop import run_event_loop
from algotrade.backtest.execution import prepare
from algotrade.backtest.known_signals import KnownSignals
from algotrade.backtest.weights_run import KnownWeights
from algotrade.engine.book import Decider
from algotrade.engine.events import OrderFilled
from algotrade.evaluate.portfolio import PortfolioResult
from algotrade.live.header import setup_of, strategies_of
from algotrade.live.plan import Chosen
from algotrade.live.results import session_result
from algotrade.live.sessions import find_session, replay_session, resume_session
from algotrade.live.trader import Trader, Update
from algotrade.market.simulate import simulate_candles
from algotrade.store.journal import Journal
from algotrade.strategy.sizes import Sizing
from algotrade.strategy.weights import plan_of
from tests.shell.live.sessions import MINUTE, START, Project, new_project, plan, trade

ROTATE = """
from algotrade import PortfolioStrategy, closes, hold, rebalance_on, top


class Rotate(PortfolioStrategy):
    "Every five minutes, the two that rose most."
    warmup = 30

    def generate_weights(self, candles):
        prices = closes(candles)
        often = rebalance_on(prices.index, "5m")
        return hold(top(prices / prices.shift(10) - 1, 2), often).assign(rebalance=often)
"""
SYMBOLS = ("BTC/USD", "ETH/USD", "SOL/USD")
BARS, BEFORE = 150, 600
CASES = [
    pytest.param("sma_cross", {"fast": 3, "slow": 8}, {}, id="signals"),
    pytest.param("sma_cross", {"fast": 3, "slow": 8}, {"sizing": Sizing("volatility", 0.3, 20)}, id="sized signals"),
    pytest.param("sma_cross", {"fast": 3, "slow": 8}, {"rebalance_band": 0.001}, id="a rebalance band"),
    pytest.param("rotate", {}, {}, id="weights"),
]


def decider(header: dict[str, Any]) -> Decider:
    """What the strategy of a session decides, all at once, from the session's first bar on."""
    (strategy,), setup = strategies_of(header).values(), setup_of(header)
    last = START + (BARS - 1) * MINUTE
    tables = {symbol: simulate_candles(symbol, "1m", START - BEFORE * MINUTE, last) for symbol in SYMBOLS}
    prepared = prepare(strategy, tables, setup)
    if prepared.weights is not None:
        return KnownWeights(SYMBOLS, plan_of(prepared.weights.iloc[BEFORE:], SYMBOLS))
    wanted = {
        symbol: each._replace(
            targets=each.targets[BEFORE:], scales=None if each.scales is None else each.scales[BEFORE:], protection=None
        )
        for symbol, each in (prepared.wanted or {}).items()
    }
    return KnownSignals(wanted)


def header_of(project: Project) -> dict[str, Any]:
    with Journal.open(find_session(project.sessions, "latest"), read_only=True) as journal:
        return journal.header


@pytest.mark.parametrize(("name", "parameters", "changes"), CASES)
async def test_several_symbols_trade_in_a_session_as_in_a_backtest(
    tmp_path: Path, name: str, parameters: dict[str, Any], changes: dict[str, Any]
) -> None:
    project = new_project(tmp_path)
    (project.folder / "strategies").mkdir()
    (project.folder / "strategies" / "rotate.py").write_text(ROTATE)
    await trade(project, plan(name, parameters, symbols=SYMBOLS, bars=BARS, fee_rate=0.0001, **changes))
    path = find_session(project.sessions, "latest")
    live, document = session_result(path)
    header = header_of(project)
    tables = {symbol: simulate_candles(symbol, "1m", START, START + (BARS - 1) * MINUTE) for symbol in SYMBOLS}
    backtest = run_event_loop(tables, decider(header), setup_of(header))
    assert isinstance(live, PortfolioResult)
    assert len(live.filled.bar) > 5
    for column in ("bar", "side", "quantity", "price", "fee", "part"):
        np.testing.assert_array_equal(getattr(live.filled, column), getattr(backtest.filled, column))
    np.testing.assert_array_equal(live.equity_values, backtest.equity_values)
    assert [each["data"]["symbol"] for each in document["markets"]] == list(SYMBOLS)
    assert replay_session(path)[1] is None


async def test_two_strategies_have_a_book_each_and_half_of_the_cash(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    both = (Chosen("sma_cross", {"fast": 3, "slow": 8}), Chosen("donchian_breakout", {"entry": 5, "exit": 3}))
    await trade(project, plan(strategies=both, symbols=SYMBOLS[:2], bars=60))
    live, document = session_result(find_session(project.sessions, "latest"))
    assert isinstance(live, PortfolioResult)
    assert {part.strategy for part in live.parts} == {"sma_cross", "donchian_breakout"}
    assert {part.result.cash for part in live.parts} == {5_000.0}
    assert [each["book"] for each in document["strategies"]] == ["sma_cross", "donchian_breakout"]


async def test_a_session_of_several_symbols_that_was_stopped_goes_on_to_the_same_end(tmp_path: Path) -> None:
    whole, parts = new_project(tmp_path / "whole"), new_project(tmp_path / "parts")
    asked = plan(symbols=SYMBOLS, bars=30)
    await trade(whole, asked)

    def watch(trader: Trader, update: Update) -> None:
        if trader.opened.bars >= 7:
            trader.stop()

    await trade(parts, asked._replace(speed=600.0), watch=watch)
    await trade(parts, asked)
    assert parts.canonical() == whole.canonical()
    path, header = find_session(parts.sessions, "latest"), header_of(parts)
    opened = resume_session(path, asked, [each["hash"] for each in header["strategies"]])
    with opened.journal:
        assert opened.bars == 30
    assert any(isinstance(record, OrderFilled) for record in opened.recent)
