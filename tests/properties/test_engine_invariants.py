"""What holds of engine and exchange whatever is traded: on markets and order programs made at random."""

from __future__ import annotations

import itertools
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from algotrade.backtest.setup import Setup
from algotrade.engine.events import (
    AmbiguousBar,
    BarOpened,
    BracketPlaced,
    CandleClosed,
    Charged,
    DetailCandle,
    MarketEvent,
    OrderFilled,
    Submit,
)
from algotrade.engine.fills import Costs
from algotrade.engine.orders import Bracket, ImpossibleTransition, Order, Role
from algotrade.engine.requests import OrderRequest
from algotrade.engine.rules import BEST, WORST
from algotrade.engine.session import Record, SimulatedSession
from algotrade.market.instrument import Instrument
from tests.properties.worlds import DAY, LEVELS, PRICES, worlds
from tests.scenarios.story import Story
from tests.scenarios.tellers import new_session, replayed_journal

RANDOMLY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
SYMBOL = "BTC/USD"


def run(world: Story) -> tuple[list[Record], SimulatedSession]:
    session = new_session(world, world.setup)
    return [record for event in world.events for record in session.process(event)], session


def orders_in(records: list[Record]) -> dict[str, Order]:
    return {record.order.order_id: record.order for record in records if isinstance(record, Submit | BracketPlaced)}


@RANDOMLY
@given(worlds())
def test_cash_and_positions_change_by_fills_fees_and_charges_alone(world: Story) -> None:
    session = new_session(world, world.setup)
    cash = dict(world.cash)
    held: dict[tuple[str, str], float] = defaultdict(float)
    fees: dict[str, float] = defaultdict(float)
    for market_event in world.events:
        for record in session.process(market_event):
            if isinstance(record, OrderFilled):
                fees[record.book] += record.fee
                paid = record.side * record.quantity * record.price + (0.0 if record.fee_quantity else record.fee)
                cash[record.book] -= paid
                held[record.book, record.symbol] += record.side * record.quantity - record.fee_quantity
            elif isinstance(record, Charged):
                cash[record.book] -= record.amount
        for name, book in session.engine.books.items():
            assert book.account.cash == pytest.approx(cash[name], rel=1e-9, abs=1e-6)
            assert book.account.fees_paid == pytest.approx(fees[name])
            for symbol, position in book.account.positions.items():
                assert position == pytest.approx(held[name, symbol], rel=1e-9, abs=1e-9)
            value = cash[name] + sum(q * book.account.marks[s] for (b, s), q in held.items() if b == name and q)
            assert book.account.equity() == pytest.approx(value, rel=1e-9, abs=1e-6)


@RANDOMLY
@given(worlds())
def test_nothing_fills_outside_of_its_bar_except_at_the_open_and_worse(world: Story) -> None:
    bars = {(each.symbol, each.time): each for each in world.events if isinstance(each, CandleClosed)}
    for fill in run(world)[0]:
        if not isinstance(fill, OrderFilled) or fill.role is Role.LIQUIDATION:  # that one loses its margin, no more
            continue
        bar = bars[fill.symbol, fill.time]
        at_open = not fill.maker and fill.side * fill.price >= fill.side * bar.open
        assert bar.low * (1 - 1e-12) <= fill.price <= bar.high * (1 + 1e-12) or at_open


@RANDOMLY
@given(worlds())
def test_what_is_filled_and_what_is_left_is_what_was_ordered(world: Story) -> None:
    records = run(world)[0]
    orders, done = orders_in(records), defaultdict(float)
    for fill in records:
        if not isinstance(fill, OrderFilled):
            continue
        assert fill.quantity > 0.0
        assert fill.remaining >= 0.0
        done[fill.order_id] += fill.quantity
        order = orders.get(fill.order_id)
        if order is not None and order.quantity is not None and order.role is Role.OWN:
            assert done[fill.order_id] <= order.quantity * (1 + 1e-9)
            if not order.reduce_only and world.setup.instrument.quantity_step == 0.0:
                assert done[fill.order_id] + fill.remaining == pytest.approx(order.quantity)


@RANDOMLY
@given(worlds())
def test_an_engine_never_takes_a_fill_twice(world: Story) -> None:
    session = new_session(world, world.setup)
    for market_event in world.events:
        for record in session.process(market_event):
            if isinstance(record, OrderFilled) and record.remaining == 0.0 and record.role is not Role.LIQUIDATION:
                before = dict(session.engine.books[record.book].account.positions)
                if record.order_id in {order.order_id for order in session.engine.working_orders()}:
                    continue  # another order has that name by now
                with pytest.raises(ImpossibleTransition):
                    session.engine.process(record)
                assert session.engine.books[record.book].account.positions == before


@RANDOMLY
@given(worlds(), st.data())
def test_cutting_off_the_future_never_changes_the_past(world: Story, data: st.DataObject) -> None:
    until = data.draw(st.integers(0, len(world.events)))
    whole, _ = run(world)
    past, _ = run(world._replace(events=world.events[:until]))
    assert past == whole[: len(past)]


@RANDOMLY
@given(worlds())
def test_the_worse_way_is_never_better(world: Story) -> None:
    for path in (WORST, BEST):
        for record in run(world._replace(setup=world.on(path)))[0]:
            if isinstance(record, AmbiguousBar):
                assert record.worst <= record.best
                assert record.diverges or record.worst < record.best


@RANDOMLY
@given(worlds())
def test_what_only_reduces_never_opens_and_protects_only_what_is_held(world: Story) -> None:
    session = new_session(world, world.setup)
    held: dict[tuple[str, str], float] = defaultdict(float)
    orders: dict[str, Order] = {}
    for market_event in world.events:
        records = session.process(market_event)
        for record in records:
            if isinstance(record, Submit | BracketPlaced):
                orders[record.order.order_id] = record.order
            if not isinstance(record, OrderFilled):
                continue
            place = record.book, record.symbol
            after = held[place] + record.side * record.quantity - record.fee_quantity
            order = orders.get(record.order_id)
            if record.role is not Role.OWN or (order is not None and order.reduce_only):
                assert abs(after) < abs(held[place])
                assert after * held[place] >= -1e-9
            held[place] = 0.0 if abs(after) < 1e-9 else after
        for order in session.engine.working_orders():
            if order.role is not Role.OWN:
                position = session.engine.books[order.book].account.position(order.symbol)
                assert position * order.side < 0.0, order


@RANDOMLY
@given(worlds())
def test_both_ledgers_agree_to_the_last_bit(world: Story) -> None:
    session = new_session(world, world.setup)
    for market_event in world.events:
        session.process(market_event)
        for name, theirs in session.venue.accounts.items():
            ours = session.engine.books[name].account
            assert (ours.cash, ours.positions, ours.averages) == (theirs.cash, theirs.positions, theirs.averages)
            assert ours.fees_paid == theirs.fees_paid
            if isinstance(market_event, CandleClosed) and not market_event.more:
                assert ours.equity() == theirs.equity()


@RANDOMLY
@given(worlds())
def test_a_journal_comes_out_to_the_byte(world: Story) -> None:
    replayed_journal(world, world.setup)


@RANDOMLY
@given(worlds())
def test_an_account_is_never_worth_less_than_nothing_after_a_bar(world: Story) -> None:
    session = new_session(world, world.setup)
    for market_event in world.events:
        session.process(market_event)
        if isinstance(market_event, CandleClosed) and not market_event.more:
            assert all(book.account.equity() >= -1e-6 for book in session.engine.books.values())


# ---- bounds: the truth inside the bars lies between (without slippage, which a finer candle may hold within less) ----
@st.composite
def paths(draw: st.DrawFn) -> list[list[float]]:
    """Bars as the ways that the price really went: open, turns, close."""
    bars = draw(st.lists(st.lists(PRICES, min_size=2, max_size=7), min_size=2, max_size=6))
    return [[before + 0.001 * place for place, before in enumerate(bar)] for bar in bars]


def events_of(bars: list[list[float]], *, finer: bool) -> list[MarketEvent]:
    events: list[MarketEvent] = []
    for number, turns in enumerate(bars):
        time = number * DAY
        events.append(BarOpened(SYMBOL, time, turns[0]))
        if finer:
            events += [
                DetailCandle(SYMBOL, time + place, one, max(one, other), min(one, other), other, 1.0)
                for place, (one, other) in enumerate(itertools.pairwise(turns))
            ]
        events.append(CandleClosed(SYMBOL, time, turns[0], max(turns), min(turns), turns[-1], 1.0))
    return events


def final_equity(
    bars: list[list[float]], orders: list[OrderRequest | None], path: str, *, finer: bool = False
) -> tuple[float, list[AmbiguousBar]]:
    setup = Setup((Instrument(SYMBOL),), "1d", cash=1e6, costs=Costs(0.002, 0.0), path=path)
    asks = {("", bar * DAY, SYMBOL): [order] for bar, order in enumerate(orders) if order is not None}
    world = Story("", events_of(bars, finer=finer), asks, {}, setup, {"": 1e6})
    records, session = run(world)
    return session.engine.account.equity(), [record for record in records if isinstance(record, AmbiguousBar)]


FIXED = st.builds(
    lambda stop, target: Bracket(stop_loss=stop, take_profit=target),
    st.sampled_from([0.01, 0.03, 0.05]),
    st.sampled_from([0.01, 0.03, 0.05]),
)
MARKET_ENTRIES = st.lists(
    st.one_of(st.none(), FIXED.map(lambda bracket: OrderRequest(SYMBOL, 1, 1.0, bracket=bracket))), max_size=6
)
ENTRIES = st.builds(
    lambda limit, level, bracket: OrderRequest(
        SYMBOL, 1, 1.0, limit=level if limit else None, stop=None if limit else level, bracket=bracket
    ),
    st.booleans(),
    LEVELS,
    FIXED,
)


@RANDOMLY
@given(paths(), MARKET_ENTRIES)
def test_entries_at_the_market_with_a_fixed_stop_and_target_are_bounded_and_never_diverge(
    bars: list[list[float]], orders: list[OrderRequest | None]
) -> None:
    worst, doubts = final_equity(bars, orders, WORST)
    best, others = final_equity(bars, orders, BEST)
    actual, _ = final_equity(bars, orders, WORST, finer=True)
    assert not any(bar.diverges for bar in (*doubts, *others))
    assert worst - 1e-6 <= actual <= best + 1e-6


@RANDOMLY
@given(paths(), ENTRIES)
def test_an_entry_inside_a_bar_is_bounded_where_nothing_diverges(bars: list[list[float]], entry: OrderRequest) -> None:
    worst, doubts = final_equity(bars, [entry], WORST)
    best, others = final_equity(bars, [entry], BEST)
    assume(not any(bar.diverges for bar in (*doubts, *others)))
    actual, _ = final_equity(bars, [entry], WORST, finer=True)
    assert worst - 1e-6 <= actual <= best + 1e-6
