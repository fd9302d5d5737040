from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from algotrade.engine.account import Account
from algotrade.engine.book import Book
from algotrade.engine.events import CandleClosed
from algotrade.errors import FixStrategy
from algotrade.market.candles import candle_table, resample, times_ms
from algotrade.market.timeframe import UNIT_MS
from algotrade.strategy.base import Strategy, on
from algotrade.strategy.signals import SignalStrategy
from algotrade.strategy.timeframes import Resampler, align

BTC, ETH = "BTC/USD", "ETH/USD"
HOUR = UNIT_MS["h"]
START = 1_609_459_200_000  # 2021-01-01, a Friday, midnight


def hours(count: int, *, first: int = 0, without: tuple[int, ...] = ()) -> pd.DataFrame:
    """Hourly candles whose prices are their numbers: of hour n open n, high n + 2, low n - 1, close n + 1."""
    numbers = np.array([n for n in range(first, first + count) if n not in without])
    price = 100.0 + numbers
    columns = (price, price + 2, price - 1, price + 1, np.full(len(numbers), 0.1))
    return candle_table(START + numbers * HOUR, columns)


def events(candles: pd.DataFrame, symbol: str = BTC) -> list[CandleClosed]:
    rows = zip(times_ms(candles).tolist(), *candles.to_numpy().T.tolist(), strict=True)
    return [CandleClosed(symbol, *row) for row in rows]


def played(strategy: Strategy, candles: pd.DataFrame, warmup: int | str | None = "all") -> None:
    strategy.begin([BTC, ETH], warmup, timeframe="1h")
    view = Book(strategy, Account(1.0)).view
    for event in events(candles):
        strategy.handle(event, view)


# ---- one by one -----------------------------------------------------------------------------------------------------
def finished(candles: pd.DataFrame, target: str = "4h") -> list[tuple[int, list[int]]]:
    """Hour of each candle that completed coarser ones, and their hours."""
    resampler = Resampler("1h", target)
    told = [(event.time, resampler.add(event)) for event in events(candles)]
    return [((at - START) // HOUR, [(bar.time - START) // HOUR for bar in bars]) for at, bars in told if bars]


def test_a_coarse_candle_is_complete_with_the_last_candle_in_it() -> None:
    assert finished(hours(9)) == [(3, [0]), (7, [4])]
    bar = Resampler("1h", "4h")
    (whole,) = [done for event in events(hours(4)) for done in bar.add(event)]
    assert whole == CandleClosed(BTC, START, 100.0, 105.0, 99.0, 104.0, 0.4)


def test_one_whose_first_candles_were_not_seen_is_left_out() -> None:
    assert finished(hours(8, first=1)) == [(7, [4])]
    assert finished(hours(8, first=3)) == [(7, [4])]


def test_where_its_last_candle_is_missing_it_is_complete_with_the_next_one() -> None:
    assert finished(hours(9, without=(3,))) == [(4, [0]), (7, [4])]
    assert finished(hours(9, without=(2,))) == [(3, [0]), (7, [4])]
    assert finished(hours(16, without=(3, 4, 5, 6))) == [(7, [0, 4]), (11, [8]), (15, [12])]
    assert finished(hours(16, without=tuple(range(3, 11)))) == [(11, [0, 8]), (15, [12])]


def test_days_begin_at_midnight_and_weeks_on_monday() -> None:
    assert finished(hours(24 * 12), "1w") == [(24 * 10 - 1, [24 * 3])]


def test_what_cannot_be_put_together_is_refused() -> None:
    with pytest.raises(FixStrategy, match="15m candles cannot be put together from 1h candles"):
        Resampler("1h", "15m")
    with pytest.raises(FixStrategy, match="1w candles cannot be put together from 3d candles"):
        Resampler("3d", "1w")


# ---- as events ------------------------------------------------------------------------------------------------------
class Diary(Strategy):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, int]] = []

    def note(self, kind: str, candle: CandleClosed) -> None:
        self.seen.append((kind, (candle.time - START) // HOUR))

    @on("candles")
    def base(self, candle: CandleClosed) -> None:
        self.note("1h", candle)

    @on("candles:4h")
    def four(self, candle: CandleClosed) -> None:
        self.note("4h", candle)

    @on("candles:1d")
    def zzz_daily(self, candle: CandleClosed) -> None:
        self.note("1d", candle)


def test_a_candle_that_completes_coarser_ones_is_answered_from_the_coarsest_down() -> None:
    diary = Diary()
    played(diary, hours(24))
    assert diary.seen[-3:] == [("1d", 0), ("4h", 20), ("1h", 23)]
    assert [entry for entry in diary.seen if entry[0] != "1h"][:2] == [("4h", 0), ("4h", 4)]
    assert diary.seen[3:5] == [("4h", 0), ("1h", 3)]


def test_warming_up_fills_coarser_candles_without_calling_anybody() -> None:
    diary = Diary()
    diary.begin(BTC, None, timeframe="1h")
    for event in events(hours(23)):
        diary.warm_up(event)
    assert diary.seen == []
    diary.handle(events(hours(24))[-1], Book(diary, Account(1.0)).view)
    assert diary.seen == [("1d", 0), ("4h", 20), ("1h", 23)]


def test_candles_of_several_symbols_do_not_mix() -> None:
    diary = Diary()
    diary.begin([BTC, ETH], None, timeframe="1h")
    view = Book(diary, Account(1.0)).view
    for one, other in zip(events(hours(4)), events(hours(4), ETH), strict=True):
        diary.handle(one, view)
        diary.handle(other._replace(close=50.0), view)
    assert diary.seen.count(("4h", 0)) == 2
    assert diary.candles("4h", symbol=BTC).close.tolist() == [104.0]
    assert diary.candles("4h", symbol=ETH).close.tolist() == [50.0]
    with pytest.raises(FixStrategy, match=r"no candles of 'ETC/USD' here .*Did you mean 'ETH/USD'"):
        diary.candles(symbol="ETC/USD")


def test_a_timeframe_that_was_never_told_is_an_error_that_says_so() -> None:
    strategy = Strategy()
    strategy.begin(BTC, None)
    with pytest.raises(FixStrategy, match="it is not known how long those are"):
        strategy.candles("4h")


# ---- as tables ------------------------------------------------------------------------------------------------------
class Looks(Strategy):
    """Compares what it sees with the resampling of its own candles, at every bar from `first` on."""

    first: int = 0

    @on("candles")
    def look(self, candle: CandleClosed) -> None:
        if candle.time >= START + self.first * HOUR:
            for timeframe in ("4h", "1d"):
                pd.testing.assert_frame_equal(self.candles(timeframe), resample(self.candles(), "1h", timeframe))


@pytest.mark.parametrize("warmup", ["all", 30, 7])
@pytest.mark.parametrize("first", [0, 29])
def test_the_coarser_candles_are_those_that_the_others_contain(warmup: int | str, first: int) -> None:
    played(Looks(first=first), hours(60, first=2, without=(9, 11, 12, 13, 14, 15, 40)), warmup)


def test_what_is_done_to_a_table_changes_nothing() -> None:
    diary = Diary()
    played(diary, hours(8))
    for timeframe in (None, "1h", "4h"):
        before = diary.candles(timeframe)
        table = diary.candles(timeframe)
        table.loc[:, "close"] = 0.0
        pd.testing.assert_frame_equal(diary.candles(timeframe), before)


class Trend(SignalStrategy):
    """Long above the last four-hour close."""

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        coarse = self.candles("4h")
        pd.testing.assert_frame_equal(self.candles(), candles)
        coarse.loc[:, "open"] = 0.0  # and what is done to it changes nothing
        known = self.align(coarse.close, "4h")
        return candles[["close"]].assign(known=known, signal=(candles.close > known).astype(float))


def test_signals_may_look_at_the_coarser_candles_of_their_own() -> None:
    trend = Trend()
    trend.begin(BTC, None, timeframe="1h")
    known = trend.signals(hours(10)).known
    assert known.tolist()[3:] == [104.0] * 4 + [108.0] * 3
    assert known[:3].isna().all()
    assert len(trend.candles()) == 0  # afterwards it has its own again


# ---- back on the finer candles --------------------------------------------------------------------------------------
def test_each_bar_sees_the_last_value_that_was_known_at_its_close() -> None:
    fine, coarse = hours(10), resample(hours(10), "1h", "4h")
    assert align(coarse.close, fine, "4h", "1h").tolist()[3:] == [104.0] * 4 + [108.0] * 3
    conditions = align(coarse.close > 105, fine, "4h", "1h")
    assert conditions.tolist() == [False] * 7 + [True] * 3
    assert conditions.dtype == bool
    assert conditions.name == "close"


def test_a_gap_keeps_what_was_known() -> None:
    fine = hours(24, without=tuple(range(8, 20)))
    coarse = resample(hours(8), "1h", "4h")
    assert align(coarse.close, fine, "4h", "1h").tolist()[-4:] == [108.0] * 4


def test_a_series_without_values_is_known_nowhere() -> None:
    coarse = resample(hours(2), "1h", "4h")
    assert align(coarse.close, hours(2), "4h", "1h").isna().all()


def test_a_series_of_another_timeframe_is_refused() -> None:
    with pytest.raises(FixStrategy, match="the series is not one of 4h candles"):
        align(hours(10).close, hours(10), "4h", "1h")
    with pytest.raises(FixStrategy, match="1h candles cannot be put together from 4h candles"):
        align(hours(10).close, hours(10), "1h", "4h")
