from __future__ import annotations

import math
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from algotrade.engine.account import Account
from algotrade.engine.book import Book
from algotrade.engine.events import CandleClosed
from algotrade.engine.orders import Bracket
from algotrade.engine.requests import TargetRequest
from algotrade.errors import FixStrategy
from algotrade.market.candles import candle_table
from algotrade.strategy.protection import Wanted, parsed_steps, protection_of
from algotrade.strategy.signals import Bounds, SignalStrategy
from algotrade.strategy.sizes import Sizing

NAN, MINUTE = math.nan, 60_000
CANDLES = candle_table(np.arange(4) * 86_400_000, np.full((5, 4), 100.0))


def signals_with(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"signal": [0.0, 1.0, 1.0, -1.0], **columns}, index=CANDLES.index)


class Protected(SignalStrategy):
    """Returns the table that it was made with."""

    bounds = Bounds(allow_short=True)

    def __init__(self, table: pd.DataFrame) -> None:
        super().__init__()
        self.table = table

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        return self.table.loc[candles.index]


class WithTable(Protected):
    """The same with a target that changes with time."""

    take_profit_after = MappingProxyType({"1h": 0.01, "20m": 0.04})


ACCEPTED = [
    {"stop_loss": 0.05, "take_profit": 0.1, "trailing_stop": 0.02, "trailing_activation": 0.01, "max_bars": 3},
    {"stop_loss": [0.05, NAN, NAN, 1.5]},  # above a short there is no end
    {"take_profit": [NAN, 2.0, NAN, 0.5]},
    {"stop_loss": [3.0, 0.1, 0.1, 0.1]},  # where nothing is held, a stop is never placed
    {"limit": [NAN, 99.5, 100, 1e9]},
    {"max_bars": pd.array([None, 2, 3, 4], "Int64")},
    {"stop_loss": pd.array([None, 0.1, 0.2, 0.3], "Float64")},
]


@pytest.mark.parametrize("columns", ACCEPTED)
def test_columns_that_make_sense_are_taken(columns: dict[str, Any]) -> None:
    Protected(signals_with(**columns)).signals(CANDLES)


REFUSED = [
    ({"stop_loss": [NAN, math.inf, NAN, NAN]}, r"stop_loss at 1970-01-02T00:00:00Z is inf; .*above 0.*NaN for none"),
    ({"take_profit": [NAN, NAN, -0.1, NAN]}, r"take_profit at 1970-01-03T00:00:00Z is -0.1"),
    (
        {"trailing_stop": 0.0},
        r"trailing_stop at 1970-01-01T00:00:00Z is 0; it is a fraction of the entry price above 0",
    ),
    ({"stop_loss": 5.0}, r"stop_loss at 1970-01-02T00:00:00Z is 5; of a long position it is a fraction below 1"),
    ({"trailing_stop": 1.0}, r"trailing_stop at 1970-01-02T00:00:00Z is 1; of a long position"),
    ({"take_profit": 1.0}, r"take_profit at 1970-01-04T00:00:00Z is 1; of a short position"),
    ({"limit": [NAN, 0.0, NAN, NAN]}, r"limit at 1970-01-02T00:00:00Z is 0; a limit is a price above 0"),
    ({"limit": -math.inf}, r"limit at 1970-01-01T00:00:00Z is -inf"),
    ({"max_bars": 2.5}, r"max_bars at 1970-01-01T00:00:00Z is 2.5; it is a whole number of bars, 1 or more"),
    ({"max_bars": [NAN, NAN, NAN, 0]}, r"max_bars at 1970-01-04T00:00:00Z is 0"),
    ({"max_bars": math.inf}, r"max_bars at 1970-01-01T00:00:00Z is inf"),
    ({"stop_loss": ["5 %"] * 4}, r"stop_loss is a column of numbers, given"),
    ({"trailing_activation": 0.1}, r"add a column trailing_stop"),
    ({"trailing_stop": 0.1, "trailing_activation": -0.1}, r"trailing_activation at 1970-01-01T00:00:00Z is -0.1"),
]


@pytest.mark.parametrize(("columns", "complaint"), REFUSED)
def test_what_makes_no_sense_is_refused_with_its_bar(columns: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FixStrategy, match=complaint):
        Protected(signals_with(**columns)).signals(CANDLES)


def test_durations_are_read_once_and_put_in_order() -> None:
    assert WithTable.take_profit_steps == ((20 * MINUTE, 0.04), (60 * MINUTE, 0.01))
    assert Protected.take_profit_steps == ()


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"20 minutes": 0.04}, "'20 minutes' is no duration; write 20m, 4h or 1d"),
        ({"0m": 0.04}, "'0m' is no duration"),
        ({20: 0.04}, "'20' is no duration"),
        ({"20m": -0.04}, "after 20m comes a fraction of the entry price, 0 or more, given -0.04"),
        ({"20m": math.nan}, "given nan"),
        ({"20m": True}, "given True"),
        ({"20m": "4 %"}, "given '4 %'"),
        ({"60m": 0.01, "1h": 0.02}, "'1h' is there twice"),
        ([("20m", 0.04)], "is a mapping like"),
    ],
)
def test_a_table_of_nonsense_is_refused_where_the_class_is_made(table: Any, complaint: str) -> None:
    with pytest.raises(FixStrategy, match=complaint):
        type("Nonsense", (SignalStrategy,), {"take_profit_after": table})
    with pytest.raises(FixStrategy, match=complaint):
        parsed_steps("Nonsense", table)


def test_each_row_is_a_bracket_and_a_limit_of_its_own() -> None:
    table = signals_with(
        stop_loss=[NAN, 0.1, NAN, 0.2],
        trailing_stop=[NAN, NAN, 0.3, NAN],
        trailing_activation=[0.5, 0.5, 0.5, 0.5],
        max_bars=[NAN, 2.0, NAN, NAN],
        limit=[NAN, 99.0, NAN, NAN],
    )
    found = protection_of(table, ((MINUTE, 0.01),))
    assert found.bracket(0) == Bracket(take_profit_after=((MINUTE, 0.01),))
    assert found.bracket(1) == Bracket(stop_loss=0.1, max_bars=2, take_profit_after=((MINUTE, 0.01),))
    assert found.bracket(2) == Bracket(trailing_stop=0.3, trailing_activation=0.5, take_profit_after=((MINUTE, 0.01),))
    assert [found.limit_price(row) for row in range(4)] == [None, 99.0, None, None]
    assert found.any()
    assert not protection_of(signals_with()).any()
    assert not protection_of(signals_with(stop_loss=NAN)).any()


def test_a_row_asks_for_its_target_its_size_and_its_bracket() -> None:
    table = signals_with(take_profit=0.1, limit=[NAN, 99.0, NAN, NAN])
    wanted = Wanted(table["signal"].to_numpy(), protection_of(table), np.array([1.0, 2.0, 3.0, 4.0]), "quantity")
    assert wanted.request("A", 1) == TargetRequest("A", 1.0, 2.0, "quantity", 99.0, Bracket(take_profit=0.1))
    assert Wanted(np.array([0.5])).request("A", 0) == TargetRequest("A", 0.5, 1.0, "exposure", None, Bracket())


def test_live_the_row_at_which_the_signal_changed_is_asked_for_with_all_that_is_in_it() -> None:
    strategy = WithTable(signals_with(stop_loss=[0.1, 0.2, 0.3, 0.4], limit=[NAN, 99.0, NAN, 101.0]))
    strategy.sizing = Sizing("quantity", 3.0)
    strategy.begin("BTC/USD", 2, timeframe="1d")
    view = Book(strategy, Account(1_000.0)).view
    asked: list[Any] = []
    for day in range(4):
        candle = CandleClosed("BTC/USD", day * 86_400_000, 100.0, 100.0, 100.0, 100.0, 1.0)
        asked += strategy.handle(candle, view)
    steps = WithTable.take_profit_steps
    assert asked == [
        TargetRequest("BTC/USD", 0.0, 3.0, "quantity", None, Bracket(stop_loss=0.1, take_profit_after=steps)),
        TargetRequest("BTC/USD", 1.0, 3.0, "quantity", 99.0, Bracket(stop_loss=0.2, take_profit_after=steps)),
        TargetRequest("BTC/USD", 1.0, 3.0, "quantity", 99.0, Bracket(stop_loss=0.2, take_profit_after=steps)),
        TargetRequest("BTC/USD", -1.0, 3.0, "quantity", 101.0, Bracket(stop_loss=0.4, take_profit_after=steps)),
    ]
