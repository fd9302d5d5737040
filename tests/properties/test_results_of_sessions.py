"""Results of random sessions: several symbols and books, brackets, shorts, borrowing, funding, fees in base units.

What the engine saw is rebuilt from fills and charges alone, bit for bit; parts add up to the whole; and a document that
was written as JSON and read again gives the same result.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algotrade.backtest.event_loop import run_event_loop
from algotrade.backtest.feed import Inside
from algotrade.backtest.setup import Setup
from algotrade.engine.events import CandleClosed
from algotrade.engine.fills import Costs
from algotrade.engine.orders import Bracket
from algotrade.engine.requests import OrderRequest, Request, TargetRequest
from algotrade.evaluate.document import run_document
from algotrade.evaluate.executions import equity_of_account, equity_of_fills
from algotrade.evaluate.kept import result_of_document
from algotrade.evaluate.portfolio import Outcome, PortfolioResult
from algotrade.evaluate.provenance import MarketSource, Provenance
from algotrade.evaluate.result import Result
from algotrade.market.candles import SeriesKey, candle_table
from algotrade.market.funding import FundingRates
from algotrade.market.instrument import Instrument
from algotrade.strategy.signals import Bounds

pytestmark = pytest.mark.filterwarnings("error")

HOUR = 3_600_000
BARS = 60
SYMBOLS = ("BTC/USD", "ETH/USD", "SOL/USD")
BRACKETS = (Bracket(), Bracket(stop_loss=0.02, take_profit=0.03), Bracket(trailing_stop=0.03, max_bars=5))


class AnyThing:
    """Asks for targets and orders at random, but the same again for the same seed."""

    def __init__(self, seed: int, *, short: bool) -> None:
        self._random = np.random.default_rng(seed)
        self._lowest = -1.5 if short else 0.0

    def handle(self, event: Any, view: Any) -> Sequence[Request]:
        if not isinstance(event, CandleClosed) or self._random.random() > 0.4:
            return []
        bracket = BRACKETS[self._random.integers(len(BRACKETS))]
        if self._random.random() < 0.7:
            exposure = float(np.round(self._random.uniform(self._lowest, 1.0), 2)) / 3.0
            return [TargetRequest(event.symbol, exposure, bracket=bracket)]
        side = int(self._random.choice([-1, 1]))
        limit = event.close * (1.0 - side * 0.01)
        return [OrderRequest(event.symbol, side, notional=200.0, limit=limit, bracket=bracket)]


def candles(seed: int, first: int, last: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(random.normal(0.0, 0.03, BARS)))
    open_ = np.concatenate([[100.0], close[:-1]]) * np.exp(random.normal(0.0, 0.002, BARS))
    high, low = np.maximum(open_, close) * 1.01, np.minimum(open_, close) * 0.99
    rows = candle_table(np.arange(BARS, dtype=np.int64) * HOUR, (open_, high, low, close, np.full(BARS, 1e6)))
    return rows.iloc[first : BARS - last]


@st.composite
def sessions(draw: Any) -> tuple[Outcome, Setup]:
    seed, symbols = draw(st.integers(0, 10_000)), SYMBOLS[: draw(st.integers(1, 3))]
    books = ("", "tame", "wild")[: draw(st.integers(1, 2))] if draw(st.booleans()) else ("",)
    short = draw(st.booleans())
    setup = Setup(
        instruments=tuple(Instrument(symbol, can_short=short) for symbol in symbols),
        timeframe="1h",
        costs=Costs(
            fee_rate=0.004,
            maker_fee_rate=draw(st.sampled_from([None, 0.001])),
            fee_in_base=draw(st.booleans()),
            borrow_rate=0.5 if short else 0.0,
        ),
        bounds=Bounds(draw(st.sampled_from([1.0, 3.0]))),
        books=books if len(books) > 1 else (),
    )
    tables = {
        symbol: candles(seed + number, draw(st.integers(0, 9)) if number else 0, draw(st.integers(0, 9)))
        for number, symbol in enumerate(symbols)
    }
    funding = FundingRates(np.arange(0, BARS, 8) * HOUR, np.full(len(range(0, BARS, 8)), 0.001))
    inside = Inside(funding={symbols[0]: funding}) if draw(st.booleans()) else Inside()
    deciders = {book: AnyThing(seed + number, short=short) for number, book in enumerate(books)}
    return run_event_loop(tables, deciders, setup, inside=inside), setup


def described(outcome: Outcome, setup: Setup) -> dict[str, Any]:
    sources = [MarketSource(SeriesKey("demo", each.symbol, "1h", "demo"), each) for each in setup.instruments]
    provenance = Provenance(
        sources[0].key,
        setup.instrument,
        setup.bounds,
        simulated=False,
        strategy={"name": "any_thing", "parameters": {}},
        warmup=None,
        checks={},
        versions={},
        markets=tuple(sources) if isinstance(outcome, PortfolioResult) else (),
    )
    return dict(json.loads(json.dumps(run_document(outcome, provenance), allow_nan=False)))


@settings(max_examples=60, deadline=None)
@given(sessions())
def test_equity_follows_from_fills_and_charges_bit_for_bit(session: tuple[Outcome, Setup]) -> None:
    outcome, setup = session
    if isinstance(outcome, Result):
        closes = outcome.candles["close"].to_numpy()
        again = equity_of_fills(outcome.filled, outcome.cash, closes, outcome.charges)
    elif setup.books:
        return  # each book has its own; the document's test puts them together
    else:
        marks = [
            part.result.candles["close"].reindex(outcome.equity.index).ffill().to_numpy() for part in outcome.parts
        ]
        again = equity_of_account(outcome.filled, outcome.charges, outcome.cash, marks)
    assert again.tobytes() == outcome.equity_values.tobytes()


@settings(max_examples=60, deadline=None)
@given(sessions())
def test_parts_add_up_to_the_whole(session: tuple[Outcome, Setup]) -> None:
    outcome, setup = session
    whole = float(outcome.equity_values[-1]) - setup.cash
    if isinstance(outcome, PortfolioResult):
        assert sum(part.profit for part in outcome.parts) == pytest.approx(whole, rel=1e-9, abs=1e-6)
    trips = outcome.round_trips
    assert outcome.summary["round_trips"] == len(trips)
    if all(result.filled.received @ result.filled.side == pytest.approx(0.0, abs=1e-9) for result in outcome.results):
        assert trips["profit"].sum() == pytest.approx(whole, rel=1e-9, abs=1e-6)
    named = outcome.filled.table(outcome.times)
    assert (named["time"].diff().dropna() >= pd.Timedelta(0)).all()


@settings(max_examples=60, deadline=None)
@given(sessions())
def test_a_document_read_again_is_the_same_result(session: tuple[Outcome, Setup]) -> None:
    outcome, setup = session
    tables = {
        instrument.symbol: market.candles for instrument, market in zip(setup.instruments, outcome.markets, strict=True)
    }
    document = described(outcome, setup)
    again = result_of_document(document, tables)
    assert again.equity_values.tobytes() == outcome.equity_values.tobytes()
    for kept, original in ((again.filled, outcome.filled), (again.charges, outcome.charges)):
        assert [column.tolist() for column in kept] == [column.tolist() for column in original]
    alone = {"targets": None} if isinstance(outcome, Result) else {}  # which are not kept as a column of signals
    assert described(again, setup) == document | alone
