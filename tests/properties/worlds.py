"""Markets and order programs made at random: several symbols, bars missing, one or two books, every kind of order."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from algotrade.backtest.setup import Setup
from algotrade.engine.events import BarOpened, CandleClosed, FundingDue, MarketEvent
from algotrade.engine.fills import Costs
from algotrade.engine.orders import Bracket, TimeInForce
from algotrade.engine.requests import (
    CancelRequest,
    OrderRequest,
    ProtectRequest,
    ReplaceRequest,
    Request,
    TargetRequest,
)
from algotrade.engine.rules import PATHS
from algotrade.market.instrument import Instrument
from algotrade.strategy.signals import Bounds
from tests.scenarios.story import Asks, Story

DAY = 86_400_000
PRICES = st.integers(160, 240).map(lambda halves: halves / 2)
LEVELS = st.integers(85, 115).map(float)
FRACTIONS = st.sampled_from([None, None, 0.01, 0.03, 0.05, 0.1])


@st.composite
def brackets(draw: st.DrawFn) -> Bracket:
    trailing = draw(FRACTIONS)
    steps = draw(st.sampled_from([(), (), ((DAY, 0.02), (2 * DAY, 0.0))]))
    return Bracket(
        stop_loss=draw(FRACTIONS),
        take_profit=draw(FRACTIONS),
        trailing_stop=trailing,
        trailing_activation=None if trailing is None else draw(FRACTIONS),
        take_profit_after=steps,
        max_bars=draw(st.sampled_from([None, None, 1, 2])),
    )


@st.composite
def sent(draw: st.DrawFn, symbol: str, name: str) -> OrderRequest:
    """An order of a fixed size."""
    in_money = draw(st.booleans())
    return OrderRequest(
        symbol,
        draw(st.sampled_from([1, 1, -1])),
        quantity=None if in_money else draw(st.sampled_from([1.0, 2.5, 7.0])),
        notional=draw(st.sampled_from([100.0, 333.0])) if in_money else None,
        order_id=name,
        limit=draw(st.one_of(st.none(), LEVELS)),
        stop=draw(st.one_of(st.none(), LEVELS)),
        bracket=draw(st.one_of(st.none(), brackets())),
        time_in_force=draw(st.sampled_from(list(TimeInForce))),
        expires_after=draw(st.sampled_from([None, 1, 3])),
        post_only=draw(st.booleans()),
        reduce_only=draw(st.sampled_from([False, False, True])),
    )


@st.composite
def aimed(draw: st.DrawFn, symbol: str, bounds: Bounds) -> TargetRequest:
    """A target; in units and money it may be more than there is."""
    lowest = -bounds.leverage if bounds.allow_short else 0.0
    unit, size = draw(st.sampled_from([("exposure", 1.0), ("exposure", 0.5), ("quantity", 4.0), ("notional", 300.0)]))
    return TargetRequest(
        symbol,
        round(draw(st.floats(lowest, bounds.leverage)), 2),
        size,
        unit,
        limit=draw(st.one_of(st.none(), st.none(), LEVELS)),
        bracket=draw(st.one_of(st.none(), brackets())),
        rebalance=draw(st.booleans()),
    )


@st.composite
def asked(draw: st.DrawFn, symbol: str, bounds: Bounds, names: list[str]) -> Request:
    kind = draw(st.sampled_from(["order", "order", "target", "target", "protect", "cancel", "replace"]))
    name = f"n{len(names)}"
    if kind == "protect":
        return ProtectRequest(symbol, draw(st.one_of(st.none(), brackets())))
    if kind == "target":
        return draw(aimed(symbol, bounds))
    if kind == "order" or not names:
        names.append(name)
        return draw(sent(symbol, name))
    if kind == "cancel":
        return CancelRequest(draw(st.sampled_from(names)))
    old = draw(st.sampled_from(names))
    names.append(name)
    return ReplaceRequest(old, name, quantity=draw(st.sampled_from([None, 3.0])), limit=draw(LEVELS))


@st.composite
def costs(draw: st.DrawFn) -> Costs:
    def some(*values: Any) -> Any:
        return draw(st.sampled_from([values[0], *values]))

    return Costs(
        fee_rate=some(0.0, 0.01),
        slippage_rate=some(0.0, 0.01),
        maker_fee_rate=some(None, 0.002),
        spread_rate=some(0.0, 0.004),
        impact_rate=some(0.0, 0.05),
        max_volume_share=some(0.0, 0.1),
        fee_schedule=some((), ((0.0, 0.001, 0.01), (1_000.0, 0.0, 0.005))),
        fee_in_base=some(False, True),
        borrow_rate=some(0.0, 0.3),
        latency_bars=some(0, 1),
    )


@st.composite
def worlds(draw: st.DrawFn, *, most_bars: int = 7) -> Story:
    symbols = draw(st.sampled_from([("BTC/USD",), ("BTC/USD",), ("BTC/USD", "ETH/USD")]))
    books = draw(st.sampled_from([{"": 1_000.0}, {"": 1_000.0}, {"calm": 600.0, "wild": 400.0}]))
    bounds = Bounds(draw(st.sampled_from([1.0, 1.0, 3.0, 10.0])), allow_short=draw(st.booleans()))
    step = draw(st.sampled_from([0.0, 0.0, 0.1, 1.0]))
    minimum, tick = draw(st.sampled_from([0.0, 0.0, 150.0])), draw(st.sampled_from([0.0, 0.5]))
    instruments = tuple(
        Instrument(symbol, quantity_step=step, min_notional=minimum, price_tick=tick) for symbol in symbols
    )
    setup = Setup(
        instruments,
        "1d",
        cash=sum(books.values()),
        costs=draw(costs()),
        bounds=bounds,
        path=draw(st.sampled_from(PATHS)),
        touch=draw(st.booleans()),
    )
    events: list[MarketEvent] = []
    asks: Asks = {}
    names: list[str] = []
    for bar in range(draw(st.integers(1, most_bars))):
        open_now = [symbol for symbol in symbols if bar == 0 or draw(st.integers(0, 4))]
        closed = [draw(candle(symbol, bar * DAY, more=symbol != open_now[-1])) for symbol in open_now]
        events += [BarOpened(each.symbol, each.time, each.open, each.more) for each in closed]
        if closed and draw(st.integers(0, 6)) == 0:
            events.append(FundingDue(closed[0].symbol, bar * DAY, draw(st.sampled_from([0.01, -0.01]))))
        events += closed
        for each in closed:
            for book in books:
                count = draw(st.integers(0, 2))
                found = [draw(asked(each.symbol, bounds, names)) for _ in range(count)]
                asks[book, each.time, each.symbol] = found
    return Story("", events, asks, {}, setup, books)


@st.composite
def candle(draw: st.DrawFn, symbol: str, time: int, *, more: bool) -> CandleClosed:
    open_, close, one, other = (draw(PRICES) for _ in range(4))
    volume = draw(st.sampled_from([0.0, 20.0, 100.0]))
    return CandleClosed(symbol, time, open_, max(open_, close, one), min(open_, close, other), close, volume, more)
