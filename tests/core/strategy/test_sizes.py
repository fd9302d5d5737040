from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from algotrade.engine.account import Account
from algotrade.engine.book import Book
from algotrade.engine.events import CandleClosed
from algotrade.engine.requests import TargetRequest
from algotrade.errors import FixCommand, FixStrategy
from algotrade.market.candles import candle_table
from algotrade.strategy.base import Strategy, on
from algotrade.strategy.sizes import Scaling, Sizing, check_sizing, parse_sizing, scales_of, unit_of

BTC = "BTC/USD"
DAY = 86_400_000
CLOSES = [100.0, 110.0, 99.0, 108.9, 98.01, 107.811]  # up a tenth, down a tenth, and so on
DEVIATION = 0.2 / math.sqrt(3)  # of the four moves among five of them
YEAR = Scaling(bars_per_year=365.0, leverage=1.0)


def candles(closes: list[float]) -> pd.DataFrame:
    column = np.array(closes)
    return candle_table(np.arange(len(closes)) * DAY, [column] * 5)


def sized(sizing: Sizing, *, signal: float = 1.0, scaling: Scaling = YEAR, **columns: object) -> list[float]:
    table = candles(CLOSES)
    return scales_of(sizing, table, table.assign(signal=signal, **columns)[["signal", *columns]], scaling).tolist()


# ---- as it is typed -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "sizing"),
    [
        ("risk=0.01", Sizing("risk", 0.01)),
        ("volatility=0.4", Sizing("volatility", 0.4)),
        ("kelly=0.5,window=100,cap=2", Sizing("kelly", 0.5, 100, 2.0)),
        ("notional=1000", Sizing("notional", 1000.0)),
        (" quantity = 0.5 ", Sizing("quantity", 0.5)),
        ("fraction=0.5", Sizing("fraction", 0.5)),
    ],
)
def test_a_sizing_is_read_as_it_is_typed(text: str, sizing: Sizing) -> None:
    assert parse_sizing(text) == sizing


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("risks=0.01", r"unknown sizing 'risks' \(known: fraction, .*\)\. Did you mean 'risk'"),
        ("risk", r"--size is given as kind=number \(risk=0.01\), given 'risk'"),
        ("risk=1%", "kind=number"),
        ("risk=1", r"takes a fraction of equity below 1 \(0.01 for 1 %\), given 1.0"),
        ("fraction=0", "takes a positive number, given 0.0"),
        ("quantity=-1", "positive number"),
        ("notional=inf", "positive number, given inf"),
        ("kelly=nan", "positive number, given nan"),
        ("kelly=0.5,windows=3", "--size has no 'windows'. Did you mean 'window'"),
        ("kelly=0.5,window=2", "at least 3 closes, given 2"),
        ("kelly=0.5,cap=0", "cap is a positive number, given 0.0"),
    ],
)
def test_a_sizing_that_makes_no_sense_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(FixCommand, match=complaint):
        parse_sizing(text)


def test_the_unit_and_the_bars_needed_follow_from_the_kind() -> None:
    kinds = ("fraction", "risk", "volatility", "kelly", "quantity", "notional")
    units = [unit_of(Sizing(kind, 0.5)) for kind in kinds]
    assert units == ["exposure"] * 4 + ["quantity", "notional"]
    assert unit_of(None) == "exposure"
    assert [Sizing(kind, 0.5, 40).bars for kind in kinds] == [1, 1, 40, 40, 1, 1]
    assert check_sizing(Sizing("kelly", 0.5)) == Sizing("kelly", 0.5)


# ---- what a signal of 1 means ---------------------------------------------------------------------------------------
def test_fixed_sizes_are_the_same_at_every_bar() -> None:
    assert sized(Sizing("fraction", 0.25)) == [0.25] * 6
    assert sized(Sizing("quantity", 3.0)) == [3.0] * 6
    assert sized(Sizing("notional", 5000.0)) == [5000.0] * 6


def test_risk_is_what_the_stop_would_cost() -> None:
    assert sized(Sizing("risk", 0.01), stop_loss=0.05) == pytest.approx([0.2] * 6)
    assert sized(Sizing("risk", 0.01), trailing_stop=0.1) == pytest.approx([0.1] * 6)
    assert sized(Sizing("risk", 0.01), stop_loss=0.05, trailing_stop=0.1) == pytest.approx([0.2] * 6)


def test_volatility_is_that_of_the_last_window_closes_over_a_year() -> None:
    scaling = Scaling(365.0, leverage=10.0)
    scales = sized(Sizing("volatility", 0.5, window=5), scaling=scaling)
    assert scales[:4] == [0.0] * 4
    assert scales[4:] == pytest.approx([0.5 / (DEVIATION * math.sqrt(365))] * 2)


def test_kelly_is_mean_over_variance_and_nothing_against_the_signal() -> None:
    table = candles([100.0, 101.0, 104.03, 105.0703, 108.222409])  # moves of 1 %, 3 %, 1 %, 3 %
    moves = np.array([0.01, 0.03, 0.01, 0.03])
    optimal = moves.mean() / moves.var(ddof=1)
    kelly = Sizing("kelly", 0.1, window=5)
    for signal, expected in ((1.0, 0.1 * optimal), (-1.0, 0.0)):
        scales = scales_of(kelly, table, table.assign(signal=signal), Scaling(leverage=100.0))
        assert scales[-1] == pytest.approx(expected)
        assert scales[:4].tolist() == [0.0] * 4
    capped = scales_of(kelly._replace(cap=2.0), table, table.assign(signal=1.0), Scaling(leverage=100.0))
    assert capped[-1] == 2.0


def test_no_scale_takes_a_signal_beyond_the_leverage() -> None:
    risky = Sizing("risk", 0.5)
    assert sized(risky, stop_loss=0.01) == [1.0] * 6
    assert sized(risky, stop_loss=0.01, scaling=Scaling(leverage=3.0)) == [3.0] * 6
    assert sized(risky, stop_loss=0.01, signal=-0.5, scaling=Scaling(leverage=3.0)) == [6.0] * 6
    assert sized(risky._replace(cap=1.5), stop_loss=0.01, scaling=Scaling(leverage=3.0)) == [1.5] * 6
    assert sized(Sizing("fraction", 2.0)) == [1.0] * 6


def test_a_market_that_stands_still_takes_all_that_is_allowed_and_offers_no_growth() -> None:
    still = candles([100.0] * 5).assign(signal=1.0)
    assert scales_of(Sizing("volatility", 0.4, 3), still, still, YEAR).tolist() == [0.0, 0.0, 1.0, 1.0, 1.0]
    assert scales_of(Sizing("kelly", 0.4, 3), still, still, YEAR).tolist() == [0.0] * 5


def test_where_there_is_no_signal_there_is_no_scale() -> None:
    assert sized(Sizing("fraction", 0.5), signal=math.nan) == [0.0] * 6
    assert sized(Sizing("fraction", 0.5), signal=0.0) == [0.0] * 6


def test_risk_without_a_stop_is_refused_with_the_bar() -> None:
    with pytest.raises(FixStrategy, match="give the signals a column stop_loss"):
        sized(Sizing("risk", 0.01))
    nan = math.nan
    scales = sized(Sizing("risk", 0.01), stop_loss=[nan, nan, 0.1, 0.1, nan, 0.1])
    assert scales == pytest.approx([0.0, 0.0, 0.1, 0.1, 0.0, 0.1])
    table = candles(CLOSES).assign(signal=[0.0, 1.0, 0.0, 1.0, 1.0, 1.0], stop_loss=[nan, 0.1, nan, nan, 0.1, 0.1])
    with pytest.raises(FixStrategy, match="stop_loss at 1970-01-04T00:00:00Z is NaN"):
        scales_of(Sizing("risk", 0.01), table, table, YEAR)


@pytest.mark.parametrize("kind", ["volatility", "kelly"])
def test_the_last_window_alone_gives_the_same_scale_bit_for_bit(kind: str) -> None:
    moves = np.random.default_rng(7).normal(0.0005, 0.02, 400)
    table = candles((100 * np.exp(np.cumsum(moves))).tolist())
    table = table.assign(signal=1.0)
    sizing, scaling = Sizing(kind, 0.3, window=21), Scaling(365.0, leverage=50.0)
    whole = scales_of(sizing, table, table, scaling)
    for bar in range(20, 400):
        window = table.iloc[bar - 20 : bar + 1]
        assert scales_of(sizing, window, window, scaling)[-1] == whole[bar]
    assert len(set(whole)) > 100


# ---- an event strategy ----------------------------------------------------------------------------------------------
class Aims(Strategy):
    stop: float = 0.0

    @on("candles")
    def aim(self, candle: CandleClosed) -> None:
        words = {"stop_loss": self.stop} if self.stop else {}
        self.target(exposure=1.0, **words)


def last_request(strategy: Strategy, sizing: Sizing, warmup: int = 3) -> TargetRequest:
    strategy.sizing = sizing
    strategy.begin(BTC, warmup, timeframe="1d")
    view = Book(strategy, Account(1000.0)).view
    table = candles(CLOSES)
    for row in zip(range(len(table)), *table.to_numpy().T.tolist(), strict=True):
        (request,) = strategy.handle(CandleClosed(BTC, *row), view)
    assert isinstance(request, TargetRequest)
    return request


def test_a_target_of_an_event_strategy_is_sized_like_a_signal() -> None:
    request = last_request(Aims(), Sizing("volatility", 0.5, window=5), warmup=2)
    assert request.size == sized(Sizing("volatility", 0.5, window=5))[-1] > 0.0
    assert (request.exposure, request.unit) == (1.0, "exposure")
    request = last_request(Aims(), Sizing("notional", 250.0))
    assert (request.exposure, request.size, request.unit) == (1.0, 250.0, "notional")
    assert last_request(Aims(stop=0.05), Sizing("risk", 0.01)).size == pytest.approx(0.2)


def test_a_target_that_is_sized_by_risk_needs_a_stop() -> None:
    with pytest.raises(FixStrategy, match=r"needs a stop for every entry: give stop_loss=.*self\.target"):
        last_request(Aims(), Sizing("risk", 0.01))


@pytest.mark.parametrize(
    ("words", "size"),
    [
        ({"stop_loss_price": 90.0}, 0.1),
        ({"trailing_stop": 0.05}, 0.2),
        ({"trailing_amount": 20.0}, 0.05),
        ({"stop_loss_price": 45.0, "limit": 50.0}, 0.1),
    ],
)
def test_any_stop_will_do(words: dict[str, float], size: float) -> None:
    class Stops(Strategy):
        @on("candles")
        def aim(self, candle: CandleClosed) -> None:
            self.target(exposure=1.0, **words)

    strategy = Stops()
    strategy.sizing = Sizing("risk", 0.01)
    strategy.begin(BTC, None, timeframe="1d")
    account = Account(1000.0)
    account.mark(BTC, 100.0)
    (request,) = strategy.handle(CandleClosed(BTC, 0, 100.0, 100.0, 100.0, 100.0, 1.0), Book(strategy, account).view)
    assert request.size == pytest.approx(size)


def test_an_amount_that_is_given_in_units_is_not_sized_again() -> None:
    class Exact(Strategy):
        @on("candles")
        def aim(self, candle: CandleClosed) -> None:
            self.target(quantity=2.0)

    assert last_request(Exact(), Sizing("notional", 250.0)) == TargetRequest(BTC, 2.0, 1.0, "quantity")
