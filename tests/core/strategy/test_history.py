from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from algotrade.backtest.feed import market_events
from algotrade.engine.events import CandleClosed
from algotrade.market.candles import candle_table
from algotrade.strategy.history import History


def candles_of(bars: int) -> list[CandleClosed]:
    values = np.arange(1.0, bars * 5 + 1).reshape(bars, 5)
    table = candle_table(1_700_000_000_000 + np.arange(bars) * 60_000, values.T)
    return [event for event in market_events({"BTC/USD": table}, "1d") if isinstance(event, CandleClosed)]


@settings(deadline=None)
@given(st.integers(0, 60), st.one_of(st.none(), st.integers(1, 70)), st.integers(1, 20))
def test_the_table_is_the_tail_of_what_came_in_whenever_it_is_asked_for(
    bars: int, size: int | None, often: int
) -> None:
    history = History(size)
    values = np.arange(1.0, bars * 5 + 1).reshape(bars, 5)
    whole = candle_table(1_700_000_000_000 + np.arange(bars) * 60_000, values.T)
    for bar, candle in enumerate(candles_of(bars), start=1):
        history.append(candle)
        if bar % often == 0 or bar == bars:
            tail = whole.iloc[:bar] if size is None else whole.iloc[:bar].iloc[-size:]
            assert len(history) == len(tail)
            assert_frame_equal(history.table(), tail, check_freq=False)


@pytest.mark.parametrize("size", [1, 3, 1_000, None])
def test_a_history_grows_past_its_first_block(size: int | None) -> None:
    history = History(size)
    for candle in candles_of(5_000):
        history.append(candle)
    kept = 5_000 if size is None else size
    assert history.table()["close"].tolist() == [candle.close for candle in candles_of(5_000)[-kept:]]


def test_what_a_strategy_does_to_its_table_changes_no_history() -> None:
    history = History(3)
    for candle in candles_of(3):
        history.append(candle)
    history.table()["close"].to_numpy(copy=False)
    table = history.table()
    table["close"] = -1.0
    assert (history.table()["close"] > 0).all()


def test_an_empty_history_is_an_empty_table() -> None:
    assert list(History(5).table().columns) == ["open", "high", "low", "close", "volume"]
    assert len(History(5).table()) == 0
