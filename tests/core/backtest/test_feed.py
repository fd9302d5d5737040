from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from algotrade.backtest.feed import CHUNK, Inside, Prints, candles_of, coverage, market_events
from algotrade.engine.events import (
    BarOpened,
    CandleClosed,
    DetailCandle,
    FundingDue,
    MarketEvent,
    TimerStruck,
    TradePrinted,
)
from algotrade.market.candles import candle_table, times_ms
from algotrade.market.funding import FundingRates
from algotrade.market.trades import CandleBuilder

MINUTE = 60_000
HOUR = 60 * MINUTE
BTC, ETH = "BTC/USD", "ETH/USD"


def table(*rows: tuple[int, float, float, float, float], unit: int = HOUR) -> pd.DataFrame:
    """Candles of (bar, open, high, low, close), with a volume of 1."""
    times = np.array([row[0] for row in rows], np.int64) * unit
    return candle_table(times, [*np.array([row[1:] for row in rows], np.float64).reshape(-1, 4).T, np.ones(len(rows))])


def flat(*bars: int, price: float = 10.0, unit: int = HOUR) -> pd.DataFrame:
    return table(*[(bar, price, price, price, price) for bar in bars], unit=unit)


def prints(*rows: tuple[int, float, float]) -> Prints:
    """Trades of (milliseconds, price, quantity), all of them buys."""
    times, prices, quantities = np.array(rows, np.float64).reshape(-1, 3).T
    return Prints(times.astype(np.int64) * 1_000_000, prices, quantities, np.ones(len(rows), np.int8))


def told(events: Iterable[MarketEvent]) -> list[str]:
    """Each event as a word, a time in hours, a symbol, and a plus where there is more."""
    return [
        f"{type(event).__name__} {getattr(event, 'symbol', event)[:3]} {event.time / HOUR:g}"
        + ("+" if getattr(event, "more", False) else "")
        if not isinstance(event, TimerStruck)
        else f"TimerStruck {event.name} {event.time / HOUR:g}"
        for event in events
    ]


def test_every_bar_of_a_symbol_opens_and_closes() -> None:
    candles = table((0, 10, 12, 9, 11), (1, 20, 22, 19, 21))
    events = list(market_events({BTC: candles}, "1h"))
    assert events == [
        BarOpened(BTC, 0, 10.0),
        CandleClosed(BTC, 0, 10.0, 12.0, 9.0, 11.0, 1.0),
        BarOpened(BTC, HOUR, 20.0),
        CandleClosed(BTC, HOUR, 20.0, 22.0, 19.0, 21.0, 1.0),
    ]
    assert {type(value) for event in events for value in event} == {str, int, float, bool}


def test_symbols_open_together_and_then_close_together_in_the_order_given() -> None:
    assert told(market_events({ETH: flat(0, 1), BTC: flat(0, 1)}, "1h")) == [
        "BarOpened ETH 0+",
        "BarOpened BTC 0",
        "CandleClosed ETH 0+",
        "CandleClosed BTC 0",
        "BarOpened ETH 1+",
        "BarOpened BTC 1",
        "CandleClosed ETH 1+",
        "CandleClosed BTC 1",
    ]


def test_a_symbol_may_begin_later_end_earlier_and_miss_bars() -> None:
    assert told(market_events({BTC: flat(0, 1, 3), ETH: flat(1, 2)}, "1h")) == [
        "BarOpened BTC 0",
        "CandleClosed BTC 0",
        "BarOpened BTC 1+",
        "BarOpened ETH 1",
        "CandleClosed BTC 1+",
        "CandleClosed ETH 1",
        "BarOpened ETH 2",
        "CandleClosed ETH 2",
        "BarOpened BTC 3",
        "CandleClosed BTC 3",
    ]


def test_a_bar_that_begins_inside_anothers_never_sees_it_closed() -> None:
    shifted = candle_table(np.array([HOUR // 2]), np.full((5, 1), 10.0))
    assert told(market_events({BTC: flat(0), ETH: shifted}, "1h")) == [
        "BarOpened BTC 0",
        "BarOpened ETH 0.5",
        "CandleClosed BTC 0",
        "CandleClosed ETH 0.5",
    ]


def test_finer_candles_come_inside_their_bar() -> None:
    candles = table((0, 10, 12, 9, 11), (1, 11, 13, 11, 12))
    finer = table((0, 10, 12, 10, 11), (30, 11, 11, 9, 11), (60, 11, 13, 11, 12), unit=MINUTE)
    events = list(market_events({BTC: candles}, "1h", Inside(detail={BTC: finer})))
    assert told(events) == [
        "BarOpened BTC 0",
        "DetailCandle BTC 0",
        "DetailCandle BTC 0.5",
        "CandleClosed BTC 0",
        "BarOpened BTC 1",
        "DetailCandle BTC 1",
        "CandleClosed BTC 1",
    ]
    assert events[2] == DetailCandle(BTC, 30 * MINUTE, 11.0, 11.0, 9.0, 11.0, 1.0)
    assert coverage(candles, "1h", finer) == 1.0


def test_a_bar_whose_finer_candles_miss_its_high_or_its_low_is_walked_itself() -> None:
    candles = table((0, 10, 12, 9, 11), (1, 10, 12, 9, 11), (2, 10, 12, 9, 11), (3, 10, 12, 9, 11))
    finer = table((0, 10, 12, 10, 11), (60, 10, 11, 9, 11), (120, 10, 12, 9, 11), unit=MINUTE)
    events = told(market_events({BTC: candles}, "1h", Inside(detail={BTC: finer})))
    assert [event for event in events if event.startswith("Detail")] == ["DetailCandle BTC 2"]
    assert coverage(candles, "1h", finer) == 0.25


def test_finer_candles_before_between_and_after_the_bars_are_left_out() -> None:
    finer = flat(0, 60, 120, 180, 240, unit=MINUTE)
    events = told(market_events({BTC: flat(1, 3)}, "1h", Inside(detail={BTC: finer})))
    assert [event for event in events if event.startswith("Detail")] == ["DetailCandle BTC 1", "DetailCandle BTC 3"]
    assert coverage(flat(1, 3), "1h", flat(0, 5, unit=HOUR)) == 0.0
    assert math.isnan(coverage(flat(), "1h", finer))


def test_finer_candles_of_several_symbols_are_merged_by_time() -> None:
    inside = Inside(detail={BTC: flat(0, 30, unit=MINUTE), ETH: flat(0, 15, unit=MINUTE)})
    events = told(market_events({BTC: flat(0), ETH: flat(0)}, "1h", inside))
    assert events[2:6] == ["DetailCandle BTC 0", "DetailCandle ETH 0", "DetailCandle ETH 0.25", "DetailCandle BTC 0.5"]


def test_with_trades_a_bar_opens_at_its_first_one() -> None:
    trades = prints((5 * MINUTE, 10.0, 1.0), (6 * MINUTE, 12.0, 0.5), (70 * MINUTE, 11.0, 2.0))
    candles = candles_of(trades, "1h", start_ms=0, until_ms=2 * HOUR)
    events = list(market_events({BTC: candles, ETH: flat(0, 1)}, "1h", Inside(prints={BTC: trades})))
    assert told(events) == [
        "BarOpened ETH 0",
        "BarOpened BTC 0",
        f"TradePrinted BTC {5 / 60:g}",
        "TradePrinted BTC 0.1",
        "CandleClosed BTC 0+",
        "CandleClosed ETH 0",
        "BarOpened ETH 1",
        "BarOpened BTC 1",
        f"TradePrinted BTC {70 / 60:g}",
        "CandleClosed BTC 1+",
        "CandleClosed ETH 1",
    ]
    assert events[2] == TradePrinted(BTC, 5 * MINUTE, 10.0, 1.0, 1)
    assert events[4] == CandleClosed(BTC, 0, 10.0, 12.0, 10.0, 12.0, 1.5, more=True)


def test_the_candles_of_trades_are_those_of_the_builder_and_only_whole_ones() -> None:
    trades = prints(*[(minute * MINUTE, 10.0 + minute % 7, 0.1) for minute in range(30, 200)])
    candles = candles_of(trades, "1h", start_ms=HOUR, until_ms=200 * MINUTE)
    assert (times_ms(candles) / HOUR).tolist() == [1.0, 2.0]
    bars = CandleBuilder("1h", start_ms=HOUR).add(trades.times_ns, trades.prices, trades.quantities)
    assert candles.to_numpy().T.tolist() == bars.columns.tolist()
    assert len(candles_of(trades, "1h", start_ms=HOUR, until_ms=2 * HOUR)) == 1
    assert len(candles_of(prints(), "1h", start_ms=0, until_ms=HOUR)) == 0


def test_funding_is_due_between_the_close_of_one_bar_and_the_opening_of_the_next() -> None:
    rates = FundingRates(np.array([-1, 0, 7 * HOUR // 2, HOUR + 3, 2 * HOUR, 9 * HOUR]), np.arange(6) / 1000)
    rates = FundingRates(np.sort(rates.times), rates.rates)
    events = list(market_events({BTC: flat(0, 1)}, "1h", Inside(funding={BTC: rates})))
    assert told(events) == [
        "FundingDue BTC 0",
        "BarOpened BTC 0",
        "CandleClosed BTC 0",
        "FundingDue BTC 1",
        "BarOpened BTC 1",
        "CandleClosed BTC 1",
        "FundingDue BTC 2",
    ]
    assert events[3] == FundingDue(BTC, HOUR, 0.002)  # three milliseconds late in the exchange's books


def test_timers_strike_behind_the_closed_bars_and_before_the_next_open() -> None:
    assert told(market_events({BTC: flat(0, 1), ETH: flat(0, 1)}, "1h", timers=("1h",)))[3:] == [
        "CandleClosed BTC 0+",
        "CandleClosed ETH 0",
        "TimerStruck 1h 1",
        "BarOpened BTC 1+",
        "BarOpened ETH 1",
        "CandleClosed BTC 1+",
        "CandleClosed ETH 1",
    ]


def test_more_events_than_are_made_at_a_time_come_in_order() -> None:
    bars = CHUNK + 3
    candles = candle_table(np.arange(bars) * MINUTE, np.tile(np.arange(bars, dtype=np.float64), (5, 1)))
    events = list(market_events({BTC: candles}, "1m"))
    assert len(events) == 2 * bars
    assert [event.open for event in events if isinstance(event, CandleClosed)] == list(range(bars))


def test_no_bars_are_no_events() -> None:
    assert list(market_events({BTC: flat()}, "1h")) == []
    assert list(market_events({}, "1h", timers=("1d",))) == []
