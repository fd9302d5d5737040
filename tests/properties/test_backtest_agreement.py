"""Every form of the backtest gives the same fills and the same equity, on candles and targets made at random."""

from __future__ import annotations

import itertools
import json
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from algotrade.backtest.event_loop import new_session, run_event_loop
from algotrade.backtest.feed import market_events
from algotrade.backtest.kernel import run_kernel
from algotrade.backtest.known_signals import KnownSignals
from algotrade.backtest.setup import Setup
from algotrade.engine.engine import Engine
from algotrade.engine.events import BarOpened
from algotrade.engine.fills import Costs
from algotrade.engine.orders import Role
from algotrade.engine.records import EVENT_NAMES, decode, encode, name_of
from algotrade.engine.session import Record
from algotrade.evaluate.executions import ROLES
from algotrade.evaluate.result import Result
from algotrade.market.candles import Floats, candle_table
from algotrade.market.instrument import Instrument
from algotrade.strategy.protection import Wanted
from algotrade.strategy.signals import Bounds
from tests import naive

DAY = 86_400_000
PLAIN, COMPILED = 10**9, 0


class Case(NamedTuple):
    candles: pd.DataFrame
    targets: Floats
    setup: Setup


@st.composite
def cases(draw: st.DrawFn, *, most_bars: int = 40, lowest: float = -2.0, highest: float = 2.0) -> Case:
    """Prices that may leap, targets with fractions, shorts, leverage and repeats, costs, steps and minima."""
    bars = draw(st.integers(0, most_bars))
    prices = st.floats(0.5, 400.0, allow_subnormal=False)
    if draw(st.booleans()):  # else every price leaps
        prices = st.floats(90.0, 110.0)
    opens, closes = (draw(st.lists(prices, min_size=bars, max_size=bars)) for _ in range(2))
    round_ones = [target for target in (0.0, 0.5, 1.0, -1.0, -0.5, 2.0) if lowest <= target <= highest]
    exposure = st.one_of(st.sampled_from(round_ones), st.floats(lowest, highest).map(lambda x: round(x, 6)))
    targets: list[float] = []
    while len(targets) < bars:
        targets += [draw(exposure)] * draw(st.integers(1, 6))
    high, low = np.maximum(opens, closes), np.minimum(opens, closes)
    gaps = draw(st.lists(st.integers(1, 3), min_size=bars, max_size=bars))
    times = np.cumsum(np.array(gaps, np.int64)) * DAY
    instrument = Instrument(
        "BTC/USD",
        quantity_step=draw(st.sampled_from([0.0, 0.0, 1e-8, 0.001, 0.1, 1.0])),
        min_quantity=draw(st.sampled_from([0.0, 0.0, 0.01, 2.0])),
        min_notional=draw(st.sampled_from([0.0, 0.0, 5.0, 300.0])),
    )
    costs = Costs(
        fee_rate=draw(st.sampled_from([0.0, 0.0026, 0.05])), slippage_rate=draw(st.sampled_from([0.0, 0.0005, 0.1]))
    )
    cash = draw(st.sampled_from([1_000.0, 10_000.0, 123.45]))
    setup = Setup((instrument,), "1d", cash=cash, costs=costs, bounds=Bounds(max(highest, 1.0), allow_short=True))
    table = candle_table(times, (opens, high, low, closes, np.ones(bars)))
    return Case(table, np.array(targets[:bars], np.float64), setup)


def fills_of(result: Result) -> list[tuple[float, ...]]:
    return list(zip(*(column.tolist() for column in result.filled[:5]), strict=True))


def refusals_of(result: Result) -> list[tuple[int, str]]:
    rows = {int(time): row for row, time in enumerate(result.times)}
    return [(rows[refused.time], refused.reason) for refused in result.rejections]


def by_naive(case: Case) -> naive.Outcome:
    market, costs, terms = case.setup.instrument, case.setup.costs, case.setup.terms
    sizes = (market.quantity_step, market.min_quantity, market.min_notional)
    return naive.backtest(
        naive.Bars(*(case.candles[name].tolist() for name in ("open", "high", "low", "close"))),
        case.targets.tolist(),
        case.setup.cash,
        naive.Market(costs.fee_rate, costs.slippage_rate, *sizes, terms.leverage, terms.maintenance_rate),
    )


def by_events(case: Case) -> Result:
    return run_event_loop(case.candles, KnownSignals({"BTC/USD": Wanted(case.targets)}), case.setup)


def records_of(case: Case) -> list[Record]:
    session = new_session(KnownSignals({"BTC/USD": Wanted(case.targets)}), case.setup)
    return [
        record
        for event in market_events({"BTC/USD": case.candles}, case.setup.timeframe)
        for record in session.process(event)
    ]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases() | cases(lowest=0.0, highest=1.0))
def test_kernel_event_loop_and_naive_give_the_same_fills_and_equity(case: Case) -> None:
    expected = by_naive(case)
    plain = run_kernel(case.candles, case.targets, case.setup, compile_from=PLAIN)
    event("has fills" if expected.fills else "no fills")
    for result in (plain, by_events(case)):
        assert fills_of(result) == expected.fills
        assert refusals_of(result) == expected.refusals
        assert_allclose(result.equity_values, expected.equity, rtol=1e-12, atol=1e-9)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_the_compiled_kernel_gives_the_bits_of_the_plain_one(case: Case) -> None:
    plain, machine = (run_kernel(case.candles, case.targets, case.setup, compile_from=n) for n in (PLAIN, COMPILED))
    assert machine.equity_values.tobytes() == plain.equity_values.tobytes()
    assert [column.tobytes() for column in machine.filled] == [column.tobytes() for column in plain.filled]
    assert machine.charges.amount.tolist() == plain.charges.amount.tolist()
    assert [column.dtype for column in machine.filled] == [column.dtype for column in plain.filled]
    assert machine.rejections == plain.rejections


def test_more_steps_than_a_machine_integer_holds_are_counted_alike() -> None:
    cheap = candle_table(np.arange(4) * DAY, np.full((5, 4), 1e-6))
    setup = Setup((Instrument("PEPE/USD", quantity_step=1e-8),), "1d", cash=1e6, costs=Costs(0.0, 0.0))
    targets = np.array([0.0, 1.0, 1.0, 0.0])
    plain, machine = (run_kernel(cheap, targets, setup, compile_from=n) for n in (PLAIN, COMPILED))
    assert fills_of(plain) == fills_of(machine)
    assert plain.filled.quantity[0] == pytest.approx(1e12)


@settings(max_examples=100, deadline=None)
@given(cases())
def test_cash_and_position_change_only_by_price_moves_and_fees(case: Case) -> None:
    result = run_kernel(case.candles, case.targets, case.setup, compile_from=PLAIN)
    opens, closes = (case.candles[name].to_numpy() for name in ("open", "close"))
    position, value = 0.0, case.setup.cash
    marked_at = opens[0] if len(opens) else 0.0
    fills = fills_of(result)
    for bar in range(len(closes)):
        for _, side, quantity, price, fee, *_ in (fill for fill in fills if fill[0] == bar):
            value += position * (price - marked_at) - fee
            position, marked_at = position + side * quantity, price
        value += position * (closes[bar] - marked_at)
        value -= float(result.charges.amount[result.charges.bar == bar].sum())
        marked_at = closes[bar]
        scale = case.setup.cash + abs(position) * closes[bar]
        assert result.equity_values[bar] == pytest.approx(value, rel=1e-9, abs=1e-9 * scale)


@settings(max_examples=100, deadline=None)
@given(cases(), st.data())
def test_cutting_off_the_future_never_changes_the_past(case: Case, data: st.DataObject) -> None:
    bars = data.draw(st.integers(0, len(case.candles)))
    whole = by_events(case)
    past = by_events(Case(case.candles.iloc[:bars], case.targets[:bars], case.setup))
    assert past.equity_values.tobytes() == whole.equity_values[:bars].tobytes()
    assert fills_of(past) == [fill for fill in fills_of(whole) if fill[0] < bars]


@settings(max_examples=100, deadline=None)
@given(cases())
def test_every_fill_is_at_an_open_made_worse_by_the_slippage(case: Case) -> None:
    result = by_events(case)
    opens = case.candles["open"].to_numpy()
    ordered = result.filled.only(np.array([ROLES[role] is not Role.LIQUIDATION for role in result.filled.role], bool))
    for bar, side, quantity, price, fee in zip(*(column.tolist() for column in ordered[:5]), strict=True):
        assert bar > 0
        assert price == opens[int(bar)] * (1 + side * case.setup.costs.slippage_rate)
        assert fee == pytest.approx(quantity * price * case.setup.costs.fee_rate)
        assert quantity > 0


@settings(max_examples=100, deadline=None)
@given(cases())
def test_without_leverage_a_long_account_never_owes_cash(case: Case) -> None:
    bounded = np.clip(case.targets, 0.0, 1.0)
    session = new_session(KnownSignals({"BTC/USD": Wanted(bounded)}), case.setup)
    for market_event in market_events({"BTC/USD": case.candles}, case.setup.timeframe):
        session.process(market_event)
        assert session.engine.account.cash >= -1e-9 * case.setup.cash
        assert session.engine.account.position("BTC/USD") >= 0.0


@settings(max_examples=100, deadline=None)
@given(cases(most_bars=15))
def test_the_same_events_give_the_same_records_and_both_ledgers_agree(case: Case) -> None:
    assert records_of(case) == records_of(case)
    session = new_session(KnownSignals({"BTC/USD": Wanted(case.targets)}), case.setup)
    for market_event in market_events({"BTC/USD": case.candles}, case.setup.timeframe):
        session.process(market_event)
        ours, theirs = session.engine.account, session.venue.account
        assert (ours.cash, ours.positions, ours.fees_paid) == (theirs.cash, theirs.positions, theirs.fees_paid)


@settings(max_examples=100, deadline=None)
@given(cases(most_bars=15))
def test_records_survive_being_written_down_and_read(case: Case) -> None:
    for record in records_of(case):
        text = json.dumps(encode(record), allow_nan=False)
        assert decode(name_of(record), json.loads(text)) == record


def as_the_engine_is_told(records: list[Record]) -> list[Record]:
    """What the exchange said about a market event comes before the event itself."""
    first, *others = records
    said = list(itertools.takewhile(lambda record: name_of(record) in EVENT_NAMES, others))
    return [*said, first, *others[len(said) :]]


@settings(max_examples=60, deadline=None)
@given(cases(most_bars=20))
def test_an_engine_fed_only_what_the_exchange_said_decides_the_same(case: Case) -> None:
    """Recovery is replay: events in, the same effects out, without an exchange."""
    session = new_session(KnownSignals({"BTC/USD": Wanted(case.targets)}), case.setup)
    told = [session.process(event) for event in market_events({"BTC/USD": case.candles}, "1d")]
    records: list[Any] = [record for answers in told for record in as_the_engine_is_told(answers)]
    engine = Engine(KnownSignals({"BTC/USD": Wanted(case.targets)}), cash=case.setup.cash)
    effects: list[Any] = [
        effect for record in records if name_of(record) in EVENT_NAMES for effect in engine.process(record)
    ]
    assert effects == [record for record in records if name_of(record) not in EVENT_NAMES]


@settings(max_examples=60, deadline=None)
@given(cases())
def test_a_bar_that_opens_between_closed_ones_changes_no_equity_at_a_close(case: Case) -> None:
    """The forming bar of live trading: its open may be told twice, and only the first one trades."""
    session = new_session(KnownSignals({"BTC/USD": Wanted(case.targets)}), case.setup)
    for market_event in market_events({"BTC/USD": case.candles}, case.setup.timeframe):
        session.process(market_event)
        if isinstance(market_event, BarOpened):
            assert all(name_of(record) == "BarOpened" for record in session.process(market_event))
    expected = by_events(case).equity_values[-1] if len(case.candles) else case.setup.cash
    assert session.engine.account.equity() == expected


def test_nothing_happens_in_no_bars() -> None:
    nothing = candle_table(np.empty(0, np.int64), np.empty((5, 0)))
    setup = Setup((Instrument("BTC/USD"),), "1d")
    for result in (
        run_kernel(nothing, np.empty(0), setup, compile_from=PLAIN),
        run_kernel(nothing, np.empty(0), setup, compile_from=COMPILED),
        run_event_loop(nothing, KnownSignals({"BTC/USD": Wanted(np.empty(0))}), setup),
    ):
        assert len(result.equity_values) == len(result.filled.bar) == 0
        assert_array_equal(result.times, [])
