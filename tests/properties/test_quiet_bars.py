"""A backtest passes over the bars on which nothing happens; a session that tells everything has the same result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algotrade.backtest.event_loop import new_session, run_event_loop
from algotrade.backtest.feed import market_events
from algotrade.backtest.setup import Setup
from algotrade.engine.events import CandleClosed, OrderFilled, StrategyStopped
from algotrade.engine.fills import Costs
from algotrade.engine.orders import Bracket, TimeInForce
from algotrade.engine.requests import CancelRequest, EmitRequest, OrderRequest, Request, TargetRequest
from algotrade.engine.risk import Limits
from algotrade.errors import FixStrategy
from algotrade.evaluate.portfolio import Outcome, PortfolioResult
from algotrade.evaluate.recording import Recording
from algotrade.evaluate.result import Result
from algotrade.market.candles import candle_table, iso
from algotrade.market.instrument import Instrument

HOUR = 3_600_000
BARS = 80
SYMBOLS = ("BTC/USD", "ETH/USD", "SOL/USD")
BRACKETS = (None, Bracket(), Bracket(stop_loss=0.03, take_profit=0.04), Bracket(trailing_stop=0.04, max_bars=4))


class NowAndThen:
    """Asks for something now and then: at candles, at its own fills, at what another tells it; it may also fail."""

    def __init__(self, seed: int, *, eagerness: float, fails_at: int | None, short: bool) -> None:
        self._random = np.random.default_rng(seed)
        self._eagerness, self._fails_at, self._lowest = eagerness, fails_at, -1.0 if short else 0.0
        self._asked = 0

    def handle(self, event: Any, view: Any) -> Sequence[Request]:
        self._asked += 1
        if self._asked == self._fails_at:
            raise FixStrategy("failed")
        if self._random.random() > self._eagerness:
            return ()
        symbol, price = getattr(event, "symbol", SYMBOLS[0]), view.mark(getattr(event, "symbol", SYMBOLS[0]))
        side, bracket = int(self._random.choice([-1, 1])), BRACKETS[self._random.integers(len(BRACKETS))]
        match self._random.integers(9 if isinstance(event, CandleClosed | OrderFilled) else 1):
            case 1 | 2 | 3:
                return [TargetRequest(symbol, self._lowest * (side < 0) / 3.0, bracket=bracket)]
            case 4:
                return [TargetRequest(symbol, 0.3, limit=price * 0.99, bracket=bracket)]
            case 5:
                quantity = float(self._random.choice([0.1, 0.2, 0.3]))  # which leave last bits of each other
                return [OrderRequest(symbol, side, quantity=quantity, bracket=bracket)]
            case 6:
                limit = price * (1.0 - side * 0.01)
                return [OrderRequest(symbol, side, notional=200.0, limit=limit, time_in_force=TimeInForce.DAY)]
            case 7:
                return [CancelRequest(order.order_id) for order in view.orders(symbol)]
            case 8:
                return [EmitRequest("told", 1.0)]
        return [TargetRequest(symbol, 0.25)]


def candles(seed: int, first: int, last: int) -> pd.DataFrame:
    """With a hole in it, so that several symbols do not always close together."""
    random = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(random.normal(0.0, 0.02, BARS)))
    open_ = np.concatenate([[100.0], close[:-1]]) * np.exp(random.normal(0.0, 0.002, BARS))
    high, low = np.maximum(open_, close) * 1.008, np.minimum(open_, close) * 0.992
    volume = random.uniform(1.0, 50.0, BARS)
    whole = candle_table(np.arange(BARS, dtype=np.int64) * HOUR, (open_, high, low, close, volume))
    hole = int(random.integers(first + 1, BARS - last - 1))
    return whole.drop(whole.index[hole : hole + int(random.integers(0, 4))]).iloc[first : BARS - last]


Run = tuple[dict[str, pd.DataFrame], Setup, dict[str, dict[str, Any]]]


@st.composite
def runs(draw: Any) -> Run:
    seed, symbols = draw(st.integers(0, 10_000)), SYMBOLS[: draw(st.integers(1, 3))]
    books = draw(st.sampled_from([("",), ("tame", "wild")]))
    short = draw(st.booleans())
    setup = Setup(
        tuple(
            Instrument(symbol, can_short=short, quantity_step=draw(st.sampled_from([0.0, 0.01]))) for symbol in symbols
        ),
        "1h",
        costs=Costs(
            0.004,
            0.001,
            max_volume_share=draw(st.sampled_from([0.0, 0.5])),
            impact_rate=draw(st.sampled_from([0.0, 0.1])),
            latency_ms=draw(st.sampled_from([0, 1_000, HOUR + 1])),
            fee_in_base=draw(st.booleans()),
            borrow_rate=draw(st.sampled_from([0.0, 0.5])),
        ),
        limits=draw(st.sampled_from([Limits(), Limits(max_order_notional=2_500.0)])),
        rebalance_band=draw(st.sampled_from([0.0, 0.01])),
        books=books if len(books) > 1 else (),
    )
    tables = {symbol: candles(seed + number, number * 5, number * 15) for number, symbol in enumerate(symbols)}
    deciders = {
        book: {
            "seed": seed + number,
            "eagerness": draw(st.sampled_from([0.05, 0.3, 0.9])),
            "fails_at": draw(st.none() | st.none() | st.integers(1, 3 * BARS)),
            "short": short,
        }
        for number, book in enumerate(books)
    }
    return tables, setup, deciders


def told_in_full(run: Run) -> Outcome | str:
    """Every bar opens and closes, every decision is told, and equity is what the engine saw."""
    tables, setup, deciders = run
    session = new_session({book: NowAndThen(**each) for book, each in deciders.items()}, setup)
    recording = Recording(setup.symbols, setup.deposits)
    for event in market_events(tables, setup.timeframe):
        for record in session.process(event):
            if isinstance(record, StrategyStopped):
                return f"at {iso(record.time)}: {record.message}"
            recording.add(record)
    several = len(tables) > 1 or len(deciders) > 1
    return recording.portfolio(setup, setup.deposits) if several else recording.result(setup)


def passed_over(run: Run) -> Outcome | str:
    tables, setup, deciders = run
    try:
        return run_event_loop(tables, {book: NowAndThen(**each) for book, each in deciders.items()}, setup)
    except FixStrategy as stopped:
        return stopped.message


@settings(max_examples=150, deadline=None)
@given(runs())
def test_a_backtest_that_passes_over_quiet_bars_is_the_session_told_in_full(run: Run) -> None:
    quick, full = passed_over(run), told_in_full(run)
    if isinstance(quick, str) or isinstance(full, str):
        assert quick == full
        return
    assert quick.equity_values.tobytes() == full.equity_values.tobytes()
    for one, other in ((quick.filled, full.filled), (quick.charges, full.charges)):
        assert [column.tolist() for column in one] == [column.tolist() for column in other]
    assert quick.rejections == full.rejections
    for one, other in zip(_parts(quick), _parts(full), strict=True):
        assert one.equity_values.tobytes() == other.equity_values.tobytes()
        assert [column.tolist() for column in one.ambiguous] == [column.tolist() for column in other.ambiguous]
        pd.testing.assert_frame_equal(one.candles, other.candles, check_freq=False)
        assert (one.signals is None) == (other.signals is None)
        if one.signals is not None and other.signals is not None:
            pd.testing.assert_frame_equal(one.signals, other.signals, check_freq=False)


def _parts(outcome: Outcome) -> Sequence[Result]:
    return outcome.results if isinstance(outcome, PortfolioResult) else (outcome,)


@pytest.mark.parametrize("can_short", [False, True])
def test_no_bar_is_passed_over_where_a_position_could_be_liquidated(can_short: bool) -> None:
    setup = Setup((Instrument("BTC/USD", can_short=can_short),), "1h")
    session = new_session(NowAndThen(0, eagerness=0.0, fails_at=None, short=False), setup, tells_every_close=False)
    candle = CandleClosed("BTC/USD", 0, 100.0, 101.0, 99.0, 100.0, 1.0)
    assert bool(session.process_bars([candle])) is can_short
