"""The strategies we ship: what they do, bar by bar, and what they refuse."""

from __future__ import annotations

import ast

import numpy as np
import pandas as pd
import pytest

from algotrade.backtest.event_loop import run_event_loop
from algotrade.backtest.setup import Setup
from algotrade.engine.fills import Costs
from algotrade.errors import FixCommand
from algotrade.market.candles import candle_table
from algotrade.market.instrument import Instrument
from algotrade.strategy.signals import SignalStrategy, targets_of
from tests.leaks.clean import SHIPPED, shipped

NAMES = sorted(path.stem for path in SHIPPED.glob("*.py"))
DAY = 86_400_000


def days(closes: list[float]) -> pd.DataFrame:
    """Daily bars that open at the last close and have no shadows."""
    close = np.array(closes, np.float64)
    open_ = np.r_[close[0], close[:-1]]
    bars = (open_, np.maximum(open_, close), np.minimum(open_, close), close, np.ones(len(close)))
    return candle_table(DAY * np.arange(len(close)), bars)


def targets(name: str, closes: list[float], **parameters: float) -> list[float]:
    strategy = shipped(name)(**parameters)
    assert isinstance(strategy, SignalStrategy)
    return targets_of(strategy.signals(days(closes))).tolist()


def test_these_are_shipped() -> None:
    assert NAMES == [
        "bollinger_reversion",
        "buy_the_dip",
        "dollar_cost_averaging",
        "donchian_breakout",
        "falling_target",
        "four_week_rule",
        "limit_ladder",
        "macd_trend",
        "market_regime",
        "momentum_rotation",
        "pair_spread",
        "regime_follower",
        "risk_parity",
        "rsi_pullback",
        "rsi_reversion",
        "scale_out",
        "sma_cross",
        "supertrend_follow",
        "time_series_momentum",
        "trade_flow",
        "trailing_momentum",
        "triple_barrier",
        "triple_screen",
        "turn_of_month",
        "turtle",
        "turtle_soup",
        "volatility_breakout",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_each_is_short_and_says_its_idea_and_its_source(name: str) -> None:
    text = (SHIPPED / f"{name}.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 40
    assert "Source: " in (ast.get_docstring(ast.parse(text)) or "")
    assert shipped(name).name() == name
    assert shipped(name).idea().endswith(".")


@pytest.mark.parametrize(
    ("name", "parameters", "sentence"),
    [
        ("sma_cross", {"fast": 20, "slow": 20}, "slow must be longer than fast, given fast=20, slow=20"),
        ("rsi_reversion", {"oversold": 60.0}, "recovered must be above oversold, given 50.0 and 60.0"),
        ("donchian_breakout", {"exit": 21}, "exit must not be longer than entry, given entry=20, exit=21"),
        ("macd_trend", {"fast": 30}, "slow must be longer than fast, given fast=30, slow=26"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(name: str, parameters: dict[str, float], sentence: str) -> None:
    with pytest.raises(FixCommand, match=f"{name}: {sentence}"):
        shipped(name)(**parameters)


def test_sma_cross_is_long_while_the_fast_average_is_above_the_slow_one() -> None:
    closes = [10, 10, 10, 10, 10, 13, 13, 13, 13, 13, 9, 9, 9]
    assert targets("sma_cross", closes, fast=2, slow=5) == [0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0]


def test_rsi_reversion_buys_when_oversold_and_sells_when_recovered() -> None:
    #         falls: oversold                       rises: recovered
    closes = [20, 19, 18, 17, 16, 16.5, 16.6, 16.7, 20, 21, 22]
    assert targets("rsi_reversion", closes, window=3) == [0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0]


def test_rsi_reversion_gives_up_after_its_patience() -> None:
    closes = [20, 19, 18, 17, 18, 18.1, 18.1, 18.1, 18.1]
    assert targets("rsi_reversion", closes, window=3, patience=2) == [0, 0, 0, 1, 1, 1, 0, 0, 0]


def test_bollinger_reversion_buys_below_the_band_and_sells_at_the_average() -> None:
    closes = [10, 11, 10, 11, 10, 5, 6, 6, 7, 10, 11]
    assert targets("bollinger_reversion", closes, window=5, width=1.0) == [0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0]


def test_donchian_breakout_buys_a_new_high_and_sells_a_new_low() -> None:
    closes = [10, 11, 10, 11, 12, 12, 11.5, 11, 10.5, 10, 13]
    assert targets("donchian_breakout", closes, entry=3, exit=2) == [0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1]


def test_donchian_breakout_gives_up_when_no_new_high_comes() -> None:
    closes = [10, 11, 10, 11, 12, 12, 12, 12, 12, 12]
    assert targets("donchian_breakout", closes, entry=3, exit=2, patience=3) == [0, 0, 0, 0, 1, 1, 1, 1, 0, 0]


def test_macd_trend_follows_the_line_over_its_signal() -> None:
    closes = [*range(50, 10, -1), *range(10, 60)]
    wanted = targets("macd_trend", closes, fast=3, slow=6, smoothing=3)
    assert wanted[:41] == [0.0] * 41
    assert wanted[42:46] == [1.0] * 4


def test_buy_the_dip_sells_the_rebound_or_gives_up() -> None:
    #              bought,  sold at 100       bought at 80, given up after three bars
    closes = [100, 90, 91, 100, 100, 100, 80, 80, 80, 81, 82, 82]
    setup = Setup((Instrument("BTC/USD"),), "1d", costs=Costs(0.0, 0.0))
    result = run_event_loop(days(closes), begun(shipped("buy_the_dip")(rebound=0.1, patience=3)), setup)
    fills = list(zip(result.filled.bar.tolist(), result.filled.side.tolist(), strict=True))
    assert fills == [(2, 1), (4, -1), (7, 1), (10, -1)]
    assert result.filled.price.tolist() == [90.0, 100.0, 80.0, 81.0]


def begun(strategy):
    strategy.begin("BTC/USD", strategy.warmup)
    return strategy
