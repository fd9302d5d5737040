"""Weights of several symbols: which machine runs them, what becomes of bars that are missing, and real markets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from algotrade.backtest.event_loop import run_event_loop
from algotrade.backtest.execution import execute, prepare
from algotrade.backtest.setup import Setup
from algotrade.backtest.weights_run import KnownWeights, run_weights, shared_plan
from algotrade.engine.fills import Costs
from algotrade.engine.risk import Limits
from algotrade.errors import FixCommand
from algotrade.evaluate.portfolio import Outcome, PortfolioResult
from algotrade.evaluate.result import Result
from algotrade.market.candles import candle_table
from algotrade.market.instrument import Instrument
from algotrade.market.moments import moments_of
from algotrade.strategy.asking import Bounds
from algotrade.strategy.base import Strategy, on
from algotrade.strategy.signals import SignalStrategy
from algotrade.strategy.sizes import Sizing
from algotrade.strategy.weights import Plan, plan_of
from tests.leaks.rotations import EqualShares, Rotation

SHARED = Path(os.environ.get("ALGOTRADE_SHARED_DATA") or Path(__file__).parents[4] / "shared" / "data")
DAY = 86_400_000
BTC, ETH = "BTC/USD", "ETH/USD"
FREE = Costs(fee_rate=0.0, slippage_rate=0.0)


def days(present: list[int], prices: list[float]) -> pd.DataFrame:
    """Bars on some days that open and close at one price each."""
    price = np.array(prices, np.float64)
    return candle_table(DAY * np.array(present), [price] * 4 + [np.ones(len(price))])


def setup_of(*symbols: str) -> Setup:
    return Setup(tuple(map(Instrument, symbols)), "1d", cash=1_000.0, costs=FREE)


def plan_for(tables: Mapping[str, pd.DataFrame], weights: list[list[float]], rebalance: tuple[int, ...] = ()) -> Plan:
    moments = moments_of(tables)
    return Plan(moments, np.array(weights), np.isin(np.arange(len(moments)), rebalance))


def traded(outcome: Outcome, symbols: tuple[str, ...] = (BTC, ETH)) -> list[tuple[int, str, str, float, float]]:
    """Day, symbol, side, quantity and price of each fill."""
    filled = outcome.filled
    sides = ["buy" if side > 0 else "sell" for side in filled.side]
    names = [symbols[part] for part in filled.part]
    return list(zip(filled.bar.tolist(), names, sides, filled.quantity.tolist(), filled.price.tolist(), strict=True))


def same(one: Outcome, other: Outcome) -> bool:
    fills = all(np.array_equal(ours, theirs) for ours, theirs in zip(one.filled, other.filled, strict=True))
    return fills and np.array_equal(one.equity_values, other.equity_values) and one.rejections == other.rejections


# ---- missing bars ---------------------------------------------------------------------------------------------------
def test_an_order_waits_for_the_next_bar_of_its_symbol() -> None:
    tables = {BTC: days([0, 1, 2, 3], [1.0] * 4), ETH: days([0, 3], [10.0, 20.0])}
    plan = plan_for(tables, [[0.0, 0.5]] * 4)
    outcome = run_weights(tables, plan, setup_of(BTC, ETH))
    assert traded(outcome) == [(3, ETH, "buy", 25.0, 20.0)]


def test_a_later_weight_takes_the_place_of_an_order_that_waits() -> None:
    tables = {BTC: days([0, 1, 2, 3], [1.0] * 4), ETH: days([0, 3], [10.0, 20.0])}
    changed = run_weights(
        tables, plan_for(tables, [[0.0, 0.5], [0.0, 0.2], [0.0, 0.2], [0.0, 0.2]]), setup_of(BTC, ETH)
    )
    assert traded(changed) == [(3, ETH, "buy", 10.0, 20.0)]
    undone = run_weights(tables, plan_for(tables, [[0.0, 0.5], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]), setup_of(BTC, ETH))
    assert traded(undone) == []
    assert [each.reason for each in undone.rejections] == ["nothing_to_trade"]


def test_what_cannot_be_sold_any_more_counts_at_its_last_close_and_is_named() -> None:
    tables = {BTC: days([0, 1, 2, 3], [1.0] * 4), ETH: days([0, 1], [10.0, 30.0])}
    outcome = run_weights(
        tables, plan_for(tables, [[0.0, 1.0], [0.0, 0.0], [0.0, 0.0], [1.0, 0.0]]), setup_of(BTC, ETH)
    )
    assert isinstance(outcome, PortfolioResult)
    assert traded(outcome) == [(1, ETH, "buy", 1_000.0 / 30.0, 30.0)]
    assert outcome.equity_values[-1] == pytest.approx(1_000.0)
    assert outcome.held_beyond_the_end == {ETH: DAY}


def test_nothing_is_named_where_it_was_sold_before_its_end() -> None:
    tables = {BTC: days([0, 1, 2, 3], [1.0] * 4), ETH: days([0, 1, 2], [10.0, 30.0, 40.0])}
    outcome = run_weights(
        tables, plan_for(tables, [[0.5, 0.5], [0.5, 0.0], [0.5, 0.0], [0.5, 0.0]]), setup_of(BTC, ETH)
    )
    assert isinstance(outcome, PortfolioResult)
    assert outcome.held_beyond_the_end == {}


# ---- which machine runs ---------------------------------------------------------------------------------------------
def walks(bars: int = 200) -> dict[str, pd.DataFrame]:
    random = np.random.default_rng(8)
    tables = {}
    for place, symbol in enumerate((BTC, ETH)):
        close = 100.0 * np.exp(np.cumsum(random.normal(0.0, 0.03, bars)))
        open_ = np.concatenate([[100.0], close[:-1]])
        columns = (open_, np.maximum(open_, close), np.minimum(open_, close), close, np.ones(bars))
        tables[symbol] = candle_table(DAY * np.arange(bars), columns).iloc[50 * place :]
    return tables


class Above(SignalStrategy):
    """Long above the average of twenty bars."""

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        above = candles["close"] > candles["close"].rolling(20).mean()
        return pd.DataFrame({"signal": above.astype(float)}, candles.index)


class Protected(Above):
    """The same with a stop."""

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        return super().generate_signals(candles).assign(stop_loss=0.05)


class Asks(Strategy):
    """Answers events."""

    @on("candles")
    def hold(self, candle: object) -> None:
        self.target(exposure=0.2)


def run(strategy: Strategy, setup: Setup, tables: dict[str, pd.DataFrame] | None = None) -> Outcome:
    tables = walks() if tables is None else tables
    return execute({"": prepare(strategy, tables, setup)}, tables, setup)


@pytest.mark.parametrize("strategy", [Rotation(), EqualShares(), Above()])
@pytest.mark.parametrize("band", [0.0, 0.01])
@pytest.mark.parametrize("symbols", [(BTC, ETH), (BTC,)])
def test_the_kernel_and_the_event_loop_do_the_same(strategy: Strategy, band: float, symbols: tuple[str, ...]) -> None:
    setup = setup_of(*symbols)._replace(rebalance_band=band, costs=Costs(0.001, 0.0005))
    tables = {symbol: walks()[symbol] for symbol in symbols}
    fast = run(strategy, setup, tables)
    never = Limits(max_order_notional=1e12)  # limits are beyond the kernel, and these bound nothing
    slow = run(strategy, setup._replace(limits=never), tables)
    assert (fast.ran_on.machine, slow.ran_on.machine) == ("kernel", "event loop")
    assert slow.ran_on.reason == "risk limits"
    assert len(fast.filled.bar) > 0
    assert same(fast, slow)
    assert isinstance(fast, Result if len(symbols) == 1 else PortfolioResult)


@pytest.mark.parametrize(
    ("strategy", "change", "reason"),
    [
        (Rotation(), {"bounds": Bounds(2.0)}, "leverage in several positions"),
        (Rotation(), {"bounds": Bounds(1.0, allow_short=True)}, "short positions in several markets"),
        (Rotation(), {"costs": Costs(impact_rate=0.1)}, "market impact"),
        (Rotation(), {"costs": Costs(max_volume_share=0.1)}, "a share of the volume"),
        (Rotation(), {"costs": Costs(fee_in_base=True)}, "fees in base units"),
        (Rotation(), {"costs": Costs(latency_bars=1)}, "latency"),
        (Above(), {"sizing": Sizing("fraction", 0.5)}, "stops, limits or sizes in several markets"),
        (Protected(), {}, "stops, limits or sizes in several markets"),
        (Asks(), {}, "a strategy that answers events"),
    ],
)
def test_what_the_kernel_cannot_express_runs_event_by_event(
    strategy: Strategy, change: dict[str, object], reason: str
) -> None:
    assert run(strategy, setup_of(BTC, ETH)._replace(**change)).ran_on == ("event loop", reason)


def test_weights_have_no_sizing_beside_them() -> None:
    with pytest.raises(FixCommand, match="a sizing has no meaning"):
        run(Rotation(), setup_of(BTC, ETH)._replace(sizing=Sizing("fraction", 0.5)))


def test_signals_of_each_symbol_are_shares_of_its_own_bars() -> None:
    tables = {BTC: days([0, 1, 2], [1.0] * 3), ETH: days([1, 3], [1.0] * 2)}
    plan = shared_plan(tables, {BTC: np.array([1.0, 0.0, 0.5]), ETH: np.array([1.0, 0.0])})
    assert plan.weights.tolist() == [[0.5, 0.0], [0.0, 0.5], [0.25, 0.5], [0.25, 0.0]]


# ---- a real market --------------------------------------------------------------------------------------------------
@pytest.mark.skipif(not (SHARED / "bitfinex_7pairs_1h_resampled.parquet").exists(), reason="the candles are not here")
def test_seven_pairs_of_bitfinex_rotated_weekly_are_the_same_event_by_event() -> None:
    rows = pd.read_parquet(SHARED / "bitfinex_7pairs_1h_resampled.parquet")
    tables = {}
    for symbol, own in rows[rows["timestamp"] >= "2017-05-01"].groupby("symbol"):
        columns = [own[name].to_numpy() for name in ("open", "high", "low", "close", "volume")]
        tables[str(symbol)] = candle_table(own["timestamp"].dt.as_unit("ms").astype("int64").to_numpy(), columns)
    assert len({table.index[0] for table in tables.values()}) > 4
    instruments = tuple(Instrument(symbol, quantity_step=1e-6, min_notional=5.0) for symbol in tables)
    setup = Setup(instruments, "1h", costs=Costs(0.002, 0.0005))
    strategy = Rotation(window=168)
    strategy.begin(setup.symbols, None, timeframe="1h")
    prepared = prepare(strategy, tables, setup)
    fast = execute({"": prepared}, tables, setup)
    assert prepared.weights is not None
    slow = run_event_loop(tables, KnownWeights(setup.symbols, plan_of(prepared.weights, setup.symbols)), setup)
    assert same(fast, slow)
    assert len(fast.filled.bar) > 100
    assert_array_equal([len(part.filled.bar) for part in fast.results], [len(part.filled.bar) for part in slow.results])
