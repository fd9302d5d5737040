"""Engine and exchange fill orders as their plain twin does, on candles and orders made at random."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from algotrade.engine.engine import Engine
from algotrade.engine.events import (
    AmbiguousBar,
    BarOpened,
    CandleClosed,
    Emitted,
    Event,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
)
from algotrade.engine.fills import Costs
from algotrade.engine.matching import SimulatedVenue
from algotrade.engine.orders import Bracket, TimeInForce
from algotrade.engine.requests import CancelRequest, OrderRequest, Request
from algotrade.engine.rules import BEST, WORST, Market, Rules
from algotrade.engine.session import Record, SimulatedSession
from algotrade.engine.sizing import Terms
from tests import naive_orders as naive

SYMBOL, DAY = "BTC/USD", 86_400_000


class Program(NamedTuple):
    """Candles, and the orders (or the names of orders to cancel) that are asked for at each close."""

    candles: list[naive.Candle]
    asks: list[list[naive.Order | str]]
    rules: naive.Rules


PRICES = st.integers(160, 240).map(lambda halves: halves / 2)
LEVELS = st.integers(85, 115).map(float)
FRACTIONS = st.sampled_from([None, None, 0.01, 0.03, 0.05, 0.1])


@st.composite
def candles(draw: st.DrawFn) -> naive.Candle:
    open_, close, one, other = (draw(PRICES) for _ in range(4))
    return naive.Candle(open_, max(open_, close, one), min(open_, close, other), close)


@st.composite
def guards(draw: st.DrawFn) -> naive.Guards | None:
    found = naive.Guards(
        stop_loss=draw(FRACTIONS),
        take_profit=draw(FRACTIONS),
        trailing=draw(FRACTIONS),
        max_bars=draw(st.sampled_from([None, None, 1, 2])),
    )
    if found == naive.Guards():
        return None
    if found.trailing is not None:
        found.activation = draw(FRACTIONS)
    return found


@st.composite
def orders(draw: st.DrawFn, name: str) -> naive.Order:
    kind = draw(st.sampled_from(["market", "limit", "stop", "stop_limit"]))
    immediate = draw(st.booleans()) if kind == "limit" else False
    return naive.Order(
        name,
        draw(st.sampled_from([1, 1, -1])),
        draw(st.sampled_from([1.0, 2.0, 3.0, 8.0])),
        kind,
        limit=draw(LEVELS) if "limit" in kind else naive.NEVER,
        stop=draw(LEVELS) if "stop" in kind else naive.NEVER,
        guards=draw(guards()),
        bars=draw(st.sampled_from([None, None, 1, 2])),
        immediate=immediate,
        post_only=draw(st.booleans()) if "limit" in kind and not immediate else False,
        reduces=draw(st.sampled_from([False, False, True])),
    )


@st.composite
def programs(draw: st.DrawFn) -> Program:
    bars = draw(st.lists(candles(), min_size=2, max_size=7))
    names: list[str] = []
    asks: list[list[naive.Order | str]] = []
    for _ in bars:
        asked: list[naive.Order | str] = []
        for _ in range(draw(st.integers(0, 2))):
            if names and draw(st.integers(0, 5)) == 0:
                asked.append(draw(st.sampled_from(names)))
            else:
                names.append(f"n{len(names)}")
                asked.append(draw(orders(names[-1])))
        asks.append(asked)
    rules = naive.Rules(
        taker=draw(st.sampled_from([0.0, 0.01])),
        maker=draw(st.sampled_from([0.0, 0.002])),
        slippage=draw(st.sampled_from([0.0, 0.01])),
        leverage=draw(st.sampled_from([1.0, 1.0, 3.0, 10.0])),
        can_short=draw(st.booleans()),
        touch=draw(st.booleans()),
        worst=draw(st.booleans()),
    )
    return Program(bars, asks, rules)


class Scripted:
    """Asks, at the close of each bar, for what the program says."""

    def __init__(self, asks: list[list[Request]]) -> None:
        self._asks = iter(asks)

    def handle(self, event: Event | Emitted, view: Any) -> list[Request]:
        return next(self._asks) if isinstance(event, CandleClosed) else []


def request_of(ask: naive.Order | str) -> Request:
    if isinstance(ask, str):
        return CancelRequest(ask)
    kept = ask.guards
    return OrderRequest(
        SYMBOL,
        ask.side,
        quantity=ask.quantity,
        order_id=ask.name,
        limit=ask.limit if "limit" in ask.kind else None,
        stop=ask.stop if "stop" in ask.kind else None,
        bracket=None
        if kept is None
        else Bracket(
            stop_loss=kept.stop_loss,
            take_profit=kept.take_profit,
            trailing_stop=kept.trailing,
            trailing_activation=kept.activation,
            max_bars=kept.max_bars,
        ),
        time_in_force=TimeInForce.IOC if ask.immediate else TimeInForce.GTC,
        expires_after=ask.bars,
        post_only=ask.post_only,
        reduce_only=ask.reduces,
    )


def by_engine(program: Program) -> tuple[list[Record], SimulatedSession]:
    given_rules = program.rules
    terms = Terms(
        given_rules.taker,
        given_rules.slippage,
        maker_fee_rate=given_rules.maker,
        leverage=given_rules.leverage,
        maintenance_rate=given_rules.maintenance,
    )
    rules = Rules(
        {SYMBOL: Market(terms, given_rules.can_short)},
        Costs(given_rules.taker, given_rules.slippage),
        DAY,
        WORST if given_rules.worst else BEST,
        touch=given_rules.touch,
    )
    strategy = Scripted([[request_of(ask) for ask in asked] for asked in program.asks])
    session = SimulatedSession(Engine(strategy, cash=1_000.0), SimulatedVenue(rules, 1_000.0))
    records: list[Record] = []
    for bar, candle in enumerate(program.candles):
        records += session.process(BarOpened(SYMBOL, bar * DAY, candle.open))
        records += session.process(CandleClosed(SYMBOL, bar * DAY, *candle, 1.0))
    return records, session


def by_twin(program: Program) -> naive.Market:
    market = naive.Market(program.rules, 1_000.0)
    for candle, asked in zip(program.candles, program.asks, strict=True):
        market = market.step(candle)
        for ask in asked:
            if isinstance(ask, str):
                market.cancel(ask)
            else:
                market.send(ask)
    return market


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(programs())
def test_the_engine_fills_orders_as_its_plain_twin_does(program: Program) -> None:
    twin = by_twin(program)
    records, session = by_engine(program)
    fills = [fill for fill in records if isinstance(fill, OrderFilled)]
    for part in {fill.role for fill in fills}:
        event(f"a fill of {part or 'its own'}")
    told = [(fill.time // DAY, fill.side, str(fill.role)) for fill in fills]
    assert told == [(bar, side, part) for bar, side, _, _, _, part in twin.fills]
    for fill, (_, _, quantity, price, fee, _) in zip(fills, twin.fills, strict=True):
        assert (fill.quantity, fill.price, fill.fee) == pytest.approx((quantity, price, fee), rel=1e-9)
    gone = [
        (record.time // DAY, "refused" if isinstance(record, OrderRejected) else "cancelled", record.reason)
        for record in records
        if isinstance(record, OrderCancelled | OrderRejected)
    ]
    assert sorted(gone) == sorted(twin.said)
    account = session.engine.account
    assert account.cash == pytest.approx(twin.cash, rel=1e-9, abs=1e-6)
    assert account.position(SYMBOL) == pytest.approx(twin.position, rel=1e-9, abs=1e-9)
    doubts = [record for record in records if isinstance(record, AmbiguousBar)]
    assert [(bar.time // DAY, bar.diverges) for bar in doubts] == [(doubt[0], doubt[3]) for doubt in twin.doubts]
    for bar, (_, worst, best, _) in zip(doubts, twin.doubts, strict=True):
        assert (bar.worst, bar.best) == pytest.approx((worst, best), rel=1e-9, abs=1e-6)
