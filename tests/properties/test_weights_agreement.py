"""Weights of several symbols lead to the same fills and the same equity in every form, on markets made at random."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from algotrade.backtest.event_loop import run_event_loop
from algotrade.backtest.setup import Setup
from algotrade.backtest.weights_run import KnownWeights, run_weights
from algotrade.engine.fills import Costs
from algotrade.evaluate.portfolio import Outcome
from algotrade.market.candles import candle_table, utc_index
from algotrade.market.instrument import Instrument
from algotrade.strategy.weights import Plan, PortfolioStrategy

DAY = 86_400_000
PLAIN, COMPILED = 10**9, 0
NAMES = ("BTC/USD", "ETH/USD", "SOL/USD", "XRP/USD")


class Case(NamedTuple):
    tables: dict[str, pd.DataFrame]
    plan: Plan
    setup: Setup


@st.composite
def cases(draw: st.DrawFn, *, most_moments: int = 30) -> Case:
    """Symbols that begin late, end early and miss bars; prices that may leap; weights with repeats; rules and costs."""
    count, moments = draw(st.integers(1, 4)), draw(st.integers(1, most_moments))
    present = np.array(
        draw(st.lists(st.lists(st.booleans(), min_size=count, max_size=count), min_size=moments, max_size=moments))
    )
    if draw(st.booleans()):  # else most bars are missing
        present |= np.array(
            draw(
                st.lists(st.sampled_from([True, True, True, False]), min_size=moments * count, max_size=moments * count)
            )
        ).reshape(moments, count)
    present[~present.any(axis=1), draw(st.integers(0, count - 1))] = True
    times = np.cumsum(np.array(draw(st.lists(st.integers(1, 3), min_size=moments, max_size=moments)), np.int64)) * DAY
    prices = draw(st.sampled_from([st.floats(0.5, 400.0), st.floats(90.0, 110.0)]))
    tables = {}
    for place in range(count):
        own = times[present[:, place]]
        opens, closes = (np.array(draw(st.lists(prices, min_size=len(own), max_size=len(own)))) for _ in range(2))
        high, low = np.maximum(opens, closes), np.minimum(opens, closes)
        tables[NAMES[place]] = candle_table(own, (opens, high, low, closes, np.ones(len(own))))
    weights = draw(weights_of(moments, count))
    weights[~np.logical_or.accumulate(present, axis=0)] = 0.0
    rebalance = np.array(draw(st.lists(st.booleans(), min_size=moments, max_size=moments))) & draw(st.booleans())
    return Case(tables, Plan(times, weights, rebalance), draw(setups(count)))


@st.composite
def weights_of(draw: st.DrawFn, moments: int, count: int) -> Any:
    rows: list[list[float]] = []
    share = st.one_of(st.sampled_from([0.0, 0.0, 0.25, 1.0]), st.floats(0.0, 1.0).map(lambda x: round(x, 4)))
    while len(rows) < moments:
        row = draw(st.lists(share, min_size=count, max_size=count))
        total = max(1.0, sum(row))
        rows += [[each / total for each in row]] * draw(st.integers(1, 5))
    return np.array(rows[:moments], np.float64).reshape(moments, count)


@st.composite
def setups(draw: st.DrawFn, count: int) -> Setup:
    instruments = tuple(
        Instrument(
            name,
            quantity_step=draw(st.sampled_from([0.0, 0.0, 1e-8, 0.001, 0.1, 1.0])),
            min_quantity=draw(st.sampled_from([0.0, 0.0, 0.01, 2.0])),
            min_notional=draw(st.sampled_from([0.0, 0.0, 5.0, 300.0])),
        )
        for name in NAMES[:count]
    )
    fee, slippage = draw(st.sampled_from([0.0, 0.0026, 0.05])), draw(st.sampled_from([0.0, 0.0005, 0.1]))
    costs = Costs(fee_rate=fee, slippage_rate=slippage, spread_rate=draw(st.sampled_from([0.0, 0.002])))
    cash, band = draw(st.sampled_from([1_000.0, 123.45])), draw(st.sampled_from([0.0, 0.0, 0.01, 0.1]))
    return Setup(instruments, "1d", cash=cash, costs=costs, rebalance_band=band)


def assert_same(one: Outcome, other: Outcome) -> None:
    for ours, theirs in zip(one.filled, other.filled, strict=True):
        assert_array_equal(ours, theirs)
    assert_array_equal(one.equity_values, other.equity_values)
    assert one.rejections == other.rejections
    for ours, theirs in zip(one.results, other.results, strict=True):
        assert ours.rejections == theirs.rejections
        assert_array_equal(ours.equity_values, theirs.equity_values)
        pd.testing.assert_frame_equal(ours.candles, theirs.candles, check_freq=False)
        if theirs.signals is not None and ours.signals is not None:
            assert_array_equal(ours.signals["signal"], theirs.signals["signal"])


def by_events(case: Case) -> Outcome:
    return run_event_loop(case.tables, KnownWeights(case.setup.symbols, case.plan), case.setup)


def by_strategy(case: Case) -> Outcome:
    """Asked at the last candle of every moment, with the candles up to then."""
    table = pd.DataFrame(case.plan.weights, utc_index(case.plan.times), list(case.tables))
    table = table.assign(rebalance=case.plan.rebalance)

    class FromTable(PortfolioStrategy):
        def generate_weights(self, candles: Any) -> pd.DataFrame:
            known = table.index.isin(np.concatenate([each.index for each in candles.values()]))
            return table[known]

    strategy = FromTable()
    strategy.begin(case.setup.symbols, "all", timeframe="1d")
    return run_event_loop(case.tables, strategy, case.setup)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(cases())
def test_the_plain_loop_does_what_the_event_loop_does(case: Case) -> None:
    kernel = run_weights(case.tables, case.plan, case.setup, compile_from=PLAIN)
    event(f"{'some' if len(kernel.filled.bar) else 'no'} fills, {'some' if kernel.rejections else 'no'} refusals")
    assert_same(kernel, by_events(case))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(cases())
def test_machine_code_and_the_plain_loop_give_the_same_bits(case: Case) -> None:
    pytest.importorskip("numba")
    plain = run_weights(case.tables, case.plan, case.setup, compile_from=PLAIN)
    assert_same(run_weights(case.tables, case.plan, case.setup, compile_from=COMPILED), plain)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(cases(most_moments=12))
def test_a_strategy_that_is_asked_moment_by_moment_does_the_same(case: Case) -> None:
    assert_same(by_strategy(case), by_events(case))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(cases())
def test_cash_never_falls_below_zero_and_no_position_does(case: Case) -> None:
    outcome = run_weights(case.tables, case.plan, case.setup, compile_from=PLAIN)
    filled = outcome.filled
    cash = case.setup.cash + np.cumsum(-filled.side * filled.quantity * filled.price - filled.fee)
    assert cash.min(initial=0.0) >= -1e-9 * cash.max(initial=case.setup.cash)  # rounding is of the largest sum
    for part in range(len(case.tables)):
        ours = filled.part == part
        held = np.cumsum(np.where(ours, filled.side * filled.quantity, 0.0))
        assert held.min(initial=0.0) >= -1e-9


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(cases(), st.integers(1, 29))
def test_cutting_off_the_future_changes_nothing_before(case: Case, kept: int) -> None:
    full = run_weights(case.tables, case.plan, case.setup, compile_from=PLAIN)
    until = case.plan.times[:kept][-1]
    tables = {symbol: table[table.index <= utc_index(np.array([until]))[0]] for symbol, table in case.tables.items()}
    cut = run_weights(tables, Plan(*(column[:kept] for column in case.plan)), case.setup, compile_from=PLAIN)
    assert_array_equal(cut.equity_values, full.equity_values[:kept])
