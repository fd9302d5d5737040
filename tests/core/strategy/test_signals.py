from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from algotrade.engine.account import Account
from algotrade.engine.book import Book
from algotrade.engine.events import CandleClosed
from algotrade.errors import FixCommand, FixStrategy
from algotrade.market.candles import candle_table
from algotrade.strategy.signals import Bounds, SignalStrategy, targets_of

CANDLES = candle_table(np.arange(4) * 86_400_000, np.full((5, 4), 100.0))


class Given(SignalStrategy):
    """Returns what it was made with."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        answer: pd.DataFrame = self.answer(candles) if callable(self.answer) else self.answer
        return answer


def column(values: list[Any], dtype: Any = None) -> pd.DataFrame:
    return pd.DataFrame({"signal": pd.array(values, dtype=dtype) if dtype else values}, index=CANDLES.index)


@pytest.mark.parametrize(
    ("values", "dtype", "targets"),
    [
        ([0.0, 0.5, 1.0, 0.0], None, [0.0, 0.5, 1.0, 0.0]),
        ([False, True, True, False], None, [0.0, 1.0, 1.0, 0.0]),
        ([0, 1, 1, 0], None, [0.0, 1.0, 1.0, 0.0]),
        ([math.nan, math.nan, 1.0, 0.0], None, [0.0, 0.0, 1.0, 0.0]),
        ([math.nan] * 4, None, [0.0] * 4),
        ([True, False, True, True], "boolean", [1.0, 0.0, 1.0, 1.0]),
    ],
)
def test_fractions_bools_and_whole_numbers_are_signals(values: list[Any], dtype: Any, targets: list[float]) -> None:
    assert targets_of(Given(column(values, dtype)).signals(CANDLES)).tolist() == targets


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (None, "must return a table with a column 'signal', given NoneType"),
        (CANDLES["close"], "given Series"),
        (CANDLES, "given open, high, low, close, volume"),
        (column([1.0] * 4).iloc[1:], r"need the index of the candles \(4 bars\), given 3 rows"),
        (column([1.0] * 4).reset_index(drop=True), "need the index of the candles"),
        (column(["long", "flat", "flat", "long"]), "signals are numbers"),
        (column([math.nan, 1.0, math.nan, 1.0]), "the signal at 1970-01-03T00:00:00Z is nan; NaN only comes first"),
        (column([0.0, math.inf, 0.0, 0.0]), "the signal at 1970-01-02T00:00:00Z is inf"),
        (column([0.0, 0.0, 1.5, 0.0]), "the signal at 1970-01-03T00:00:00Z is 1.5, outside the leverage of 1.0"),
    ],
)
def test_an_answer_that_is_no_table_of_signals_is_told_with_its_first_bar(answer: Any, complaint: str) -> None:
    with pytest.raises(FixStrategy, match=complaint):
        Given(answer).signals(CANDLES)


def test_a_short_signal_names_the_flag_that_allows_it() -> None:
    strategy = Given(column([0.0, 1.0, -1.0, 0.0]))
    with pytest.raises(FixCommand, match=r"short at 1970-01-03T00:00:00Z.*--allow-short"):
        strategy.signals(CANDLES)
    strategy.bounds = Bounds(allow_short=True)
    assert targets_of(strategy.signals(CANDLES)).tolist() == [0.0, 1.0, -1.0, 0.0]


def test_leverage_widens_what_a_signal_may_be() -> None:
    strategy = Given(column([2.0, 0.0, 0.0, 0.0]))
    strategy.bounds = Bounds(leverage=2.0)
    assert targets_of(strategy.signals(CANDLES))[0] == 2.0


def test_a_strategy_that_raises_shows_its_line() -> None:
    class Typo(SignalStrategy):
        def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
            return candles[["clsoe"]]

    with pytest.raises(FixStrategy, match=r"typo raised KeyError.*test_signals\.py line \d+: return candles"):
        Typo().signals(CANDLES)


def test_a_strategy_without_signals_is_told_to_define_them() -> None:
    class Empty(SignalStrategy):
        pass

    with pytest.raises(FixStrategy, match=r"Empty must define generate_signals"):
        Empty().signals(CANDLES)


def test_as_an_event_strategy_it_aims_at_the_signal_of_the_newest_bar() -> None:
    strategy = Given(lambda candles: candles[["close"]].assign(signal=(candles.close > 100).astype(float)))
    strategy.begin("BTC/USD", 2)
    for close, exposure in ((90.0, 0.0), (110.0, 1.0), (95.0, 0.0)):
        candle = CandleClosed("BTC/USD", int(close), close, close, close, close, 1.0)
        (request,) = strategy.handle(candle, Book(strategy, Account(1.0)).view)
        assert request[:2] == ("BTC/USD", exposure)
    assert len(strategy.candles()) == 2
