"""The protective kernel does what the event loop does, on candles, columns, costs and markets made at random."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from algotrade.backtest.event_loop import run_event_loop
from algotrade.backtest.kernel import is_plain, run_kernel
from algotrade.backtest.known_signals import KnownSignals
from algotrade.backtest.setup import Setup
from algotrade.engine.fills import Costs
from algotrade.engine.orders import Role
from algotrade.evaluate.executions import ROLES
from algotrade.evaluate.result import Result
from algotrade.market.candles import Floats, candle_table
from algotrade.market.instrument import Instrument
from algotrade.strategy.protection import PROTECTIVE, Wanted, protection_of
from algotrade.strategy.signals import Bounds

DAY = 86_400_000
BTC = "BTC/USD"
PLAIN, COMPILED = 10**9, 0
NAN = float("nan")


class Case(NamedTuple):
    candles: pd.DataFrame
    wanted: Wanted
    setup: Setup


def made(draw: st.DrawFn, values: st.SearchStrategy[float], bars: int) -> Floats:
    return np.array(draw(st.lists(values, min_size=bars, max_size=bars)), np.float64)


@st.composite
def candles_of(draw: st.DrawFn) -> pd.DataFrame:
    """Prices on a coarse grid, so that levels are met exactly, or anywhere."""
    bars = draw(st.integers(1, 14))
    price: st.SearchStrategy[float] = st.integers(88, 112).map(float)
    if draw(st.booleans()):
        price = st.floats(*draw(st.sampled_from([(80.0, 120.0), (99.0, 101.0), (1.0, 300.0)])), allow_subnormal=False)
    corners = np.array([made(draw, price, bars) for _ in range(4)])
    if draw(st.booleans()):  # a market that opens where it closed
        corners[0, 1:] = corners[1, :-1]
    gaps = draw(st.lists(st.integers(1, 2), min_size=bars, max_size=bars))
    rows = (corners[0], corners.max(axis=0), corners.min(axis=0), corners[1], np.ones(bars))
    return candle_table(np.cumsum(np.array(gaps, np.int64)) * DAY, rows)


@st.composite
def wanted_of(draw: st.DrawFn, bars: int, *, unit: str, bounds: Bounds) -> Wanted:
    lowest = -bounds.leverage if bounds.allow_short else 0.0
    choices = (0.0, 1.0, 1.0, 0.5, -1.0, -0.5, 2.0, 0.7, -2.0)
    exposure = st.sampled_from([each for each in choices if lowest <= each <= bounds.leverage])
    targets: list[float] = []
    while len(targets) < bars:
        targets += [draw(exposure)] * draw(st.integers(1, 5))
    columns: dict[str, Any] = {"signal": targets[:bars]}
    fraction = st.sampled_from([NAN, 0.01, 0.02, 0.05, 0.1, 0.3])
    limit = st.one_of(st.just(NAN), st.integers(85, 115).map(float), st.floats(80.0, 120.0))
    kinds = {"limit": limit, "max_bars": st.sampled_from([NAN, 1.0, 2.0, 3.0])}
    for name in draw(st.sets(st.sampled_from(PROTECTIVE))):
        columns[name] = made(draw, kinds.get(name, fraction), bars)
    steps = draw(st.sampled_from([(), (), ((DAY, 0.03),), ((DAY, 0.08), (2 * DAY, 0.0), (4 * DAY, 0.02))]))
    one = {"exposure": 1.0, "quantity": 5.0, "notional": 500.0}[unit]
    scales = None if unit == "exposure" and draw(st.booleans()) else one * made(draw, st.floats(0.0, 1.5), bars)
    table = pd.DataFrame(columns)
    return Wanted(table["signal"].to_numpy(np.float64), protection_of(table, steps), scales, unit)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    candles = draw(candles_of())
    unit = draw(st.sampled_from(["exposure", "exposure", "quantity", "notional"]))
    instrument = Instrument(
        BTC,
        quantity_step=draw(st.sampled_from([0.0, 0.0, 0.1, 1.0])),
        price_tick=draw(st.sampled_from([0.0, 0.0, 0.5, 0.01])),
        min_quantity=draw(st.sampled_from([0.0, 0.0, 2.0, 9.0])),
        min_notional=draw(st.sampled_from([0.0, 0.0, 300.0, 950.0])),
    )
    costs = Costs(
        fee_rate=draw(st.sampled_from([0.0, 0.0026, 0.05])),
        slippage_rate=draw(st.sampled_from([0.0, 0.0005, 0.02, 0.1])),
        maker_fee_rate=draw(st.sampled_from([None, 0.0, 0.001])),
        spread_rate=draw(st.sampled_from([0.0, 0.01])),
        maintenance_rate=draw(st.sampled_from([0.005, 0.1])),
    )
    bounds = Bounds(draw(st.sampled_from([1.0, 2.0, 5.0, 20.0])), allow_short=draw(st.booleans()))
    setup = Setup(
        (instrument,),
        "1d",
        cash=draw(st.sampled_from([1_000.0, 123.45])),
        costs=costs,
        bounds=bounds,
        path=draw(st.sampled_from(["worst", "best"])),
        touch=draw(st.booleans()),
    )
    return Case(candles, draw(wanted_of(len(candles), unit=unit, bounds=bounds)), setup)


def by_kernel(case: Case, compile_from: int) -> Result:
    return run_kernel(case.candles, case.wanted, case.setup, compile_from=compile_from)


def by_events(case: Case) -> Result:
    def decider() -> KnownSignals:
        return KnownSignals({BTC: case.wanted})

    return run_event_loop(case.candles, decider(), case.setup, again=decider)


def assert_same_bits(one: Result, other: Result) -> None:
    for name in one.filled._fields:
        mine, theirs = getattr(one.filled, name), getattr(other.filled, name)
        assert (mine.dtype, mine.tolist()) == (theirs.dtype, theirs.tolist())
        assert mine.tobytes() == theirs.tobytes()
    refusals = [[(refused.time, refused.reason) for refused in each.rejections] for each in (one, other)]
    assert refusals[0] == refusals[1]
    assert_array_equal(one.ambiguous.bar, other.ambiguous.bar)
    assert_array_equal(one.ambiguous.diverges, other.ambiguous.diverges)
    for name in one.charges._fields:
        assert_array_equal(getattr(one.charges, name), getattr(other.charges, name))


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_the_protective_kernel_does_what_the_event_loop_does(case: Case) -> None:
    kernel, events = by_kernel(case, PLAIN), by_events(case)
    for role in {ROLES[code] for code in kernel.filled.role}:
        event(f"fills of {role.value or Role.OWN.name}")
    event("ambiguous" if len(kernel.ambiguous.bar) else "clear")
    assert_same_bits(kernel, events)
    assert_allclose(kernel.equity_values, events.equity_values, rtol=1e-12, atol=1e-9)
    assert_allclose(kernel.ambiguous.worst, events.ambiguous.worst, rtol=1e-12, atol=1e-9)
    assert_allclose(kernel.ambiguous.best, events.ambiguous.best, rtol=1e-12, atol=1e-9)
    assert (kernel.bounds is None) == (events.bounds is None)
    if kernel.bounds is not None and events.bounds is not None:
        assert_allclose(kernel.bounds, events.bounds, rtol=1e-12, atol=1e-9)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_machine_code_gives_the_bits_of_the_plain_form(case: Case) -> None:
    machine, plain = by_kernel(case, COMPILED), by_kernel(case, PLAIN)
    assert_same_bits(machine, plain)
    assert machine.equity_values.tobytes() == plain.equity_values.tobytes()
    assert machine.ambiguous.worst.tobytes() == plain.ambiguous.worst.tobytes()
    assert machine.ambiguous.best.tobytes() == plain.ambiguous.best.tobytes()
    assert machine.bounds == plain.bounds


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_nothing_fills_outside_of_what_was_traded_but_at_opens_and_liquidations(case: Case) -> None:
    result = by_kernel(case, PLAIN)
    low, high, open_ = (case.candles[name].to_numpy() for name in ("low", "high", "open"))
    slippage = case.setup.costs.slippage_rate + case.setup.costs.spread_rate / 2.0
    for row in range(len(result.filled.bar)):
        bar, price = result.filled.bar[row], result.filled.price[row]
        side, start = result.filled.side[row], open_[bar]
        at_open = 0.0 <= side * (price - start) <= side * (start * (1.0 + side * slippage) - start)  # or at its limit
        liquidated = ROLES[result.filled.role[row]] is Role.LIQUIDATION
        assert liquidated or at_open or low[bar] <= price <= high[bar]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_signals_that_the_plain_kernel_takes_are_the_same_to_the_protective_one(case: Case) -> None:
    """The plain loop is a shorter way to the same fills."""
    plain = case._replace(
        wanted=Wanted(np.clip(case.wanted.targets, 0.0, 1.0)),
        setup=case.setup._replace(bounds=Bounds(1.0, allow_short=case.setup.bounds.allow_short)),
    )
    far = protection_of(pd.DataFrame({"signal": plain.wanted.targets, "take_profit": 1e12}))
    assert is_plain(plain.wanted, plain.setup)
    protected = plain._replace(wanted=plain.wanted._replace(protection=far))
    assert not is_plain(protected.wanted, protected.setup)
    one, other = by_kernel(plain, PLAIN), by_kernel(protected, PLAIN)
    assert_same_bits(one, other)
    assert one.equity_values.tobytes() == other.equity_values.tobytes()
