"""The demo market: candles and prices that look like crypto, made up, and the same for whoever asks.

Nothing here is data. A result on these candles says that a program works, never that a strategy makes money.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from algotrade.errors import FixCommand, FixData, did_you_mean
from algotrade.market.candles import Floats, Times, candle_table, empty_candles, iso
from algotrade.market.instrument import Instrument
from algotrade.market.simulated_minutes import (
    DAY_MINUTES,
    FIRST_DAY,
    LAST_DAY,
    VOLUME_LOTS,
    MarketModel,
    Minutes,
    buyers,
    path_times,
    simulate_minutes,
)
from algotrade.market.timeframe import UNIT_MS, bar_start, timeframe_ms

MINUTE_MS: Final = UNIT_MS["m"]
DAY_MS: Final = UNIT_MS["d"]
FIRST_MS: Final = FIRST_DAY * DAY_MS
END_MS: Final = (LAST_DAY + 1) * DAY_MS
TRADES_A_MINUTE: Final = 4  # at its open, its two extremes and its close
CLOSE_PRINT_MS: Final = 59_900  # of a minute
CHUNK_MINUTES: Final = 16 * DAY_MINUTES  # made at a time, so that the arrays stay in the processor's cache


class DemoMarket(NamedTuple):
    """What may be traded, how it behaves, and how many ticks make one unit of the quote currency."""

    instrument: Instrument
    model: MarketModel
    ticks_per_unit: int


class SimulatedTrades(NamedTuple):
    """Public trades of a demo market, oldest first, every array of shape (n,).

    Attributes:
        numbers: rising by one; no number is left out.
        times: milliseconds since the epoch.
        prices, quantities: in quote and base units.
        sides: of the taker, 1 bought, -1 sold.
    """

    numbers: Times
    times: Times
    prices: Floats
    quantities: Floats
    sides: npt.NDArray[np.int8]


def _market(symbol: str, ticks_per_unit: int, min_quantity: float, model: MarketModel) -> DemoMarket:
    instrument = Instrument(
        symbol=symbol,
        quantity_step=1e-8,
        price_tick=1 / ticks_per_unit,
        min_quantity=min_quantity,
        min_notional=0.5,
        taker_fee=0.004,
        maker_fee=0.0025,
    )
    return DemoMarket(instrument, model, ticks_per_unit)


MARKETS: Final = (
    _market("BTC/USD", 10, 0.00005, MarketModel(16, 11_000, 0.12, 0.0395, 0.9, 4_000, 0.5e-4)),
    _market("ETH/USD", 100, 0.001, MarketModel(3, 600, 0.12, 0.05, 0.8, 40_000, 0.8e-4)),
    _market("SOL/USD", 100, 0.02, MarketModel(0, 25, 0.12, 0.062, 0.65, 300_000, 2e-4)),
    _market("XRP/USD", 100_000, 2.0, MarketModel(2, 0.4, 0.05, 0.053, 0.6, 20_000_000, 2e-4)),
    _market("ADA/USD", 1_000_000, 4.0, MarketModel(7, 0.3, 0.05, 0.053, 0.65, 15_000_000, 2e-4)),
)
SYMBOLS: Final = tuple(market.instrument.symbol for market in MARKETS)


def instrument_of(symbol: str) -> Instrument:
    """The steps, minima and fees of a demo market.

    Raises:
        FixCommand: the demo exchange has no such symbol.
    """
    return _find(symbol).instrument


def simulate_candles(symbol: str, timeframe: str, start: int, end: int) -> pd.DataFrame:
    """Candles whose open times lie between `start` and `end`, both inclusive, in milliseconds, UTC.

    Any two calls agree on the bars they share, and finer bars add up to coarser ones exactly.

    Raises:
        FixCommand: an unknown symbol or timeframe.
        FixData: a timeframe that is not whole minutes, or a bar that begins before 2010 or ends after 2059.
    """
    market, length = _find(symbol), _bar_length(timeframe)
    first = bar_start(start + length - 1, timeframe)
    count = max(0, (bar_start(end, timeframe) - first) // length + 1)
    if not count:
        return empty_candles()
    _check_span(first, first + count * length)
    columns = np.empty((5, count))
    at_once = max(1, CHUNK_MINUTES * MINUTE_MS // length)
    for done in range(0, count, at_once):
        bars = min(at_once, count - done)
        minutes = _minutes_between(market.model, first + done * length, first + (done + bars) * length)
        columns[:, done : done + bars] = _gather(market, minutes, bars)
    return candle_table(first + length * np.arange(count), columns)


def forming_candle(symbol: str, timeframe: str, time_ms: int) -> tuple[int, float, float, float, float, float]:
    """The bar that contains `time_ms`, as it stands then: open time, open, high, low, close, volume so far.

    Raises:
        FixCommand, FixData: as `simulate_candles`.
    """
    market = _find(symbol)
    _bar_length(timeframe)
    begin, minute = bar_start(time_ms, timeframe), bar_start(time_ms, "1m")
    _check_span(begin, time_ms + 1)
    current = _forming_minute(market, minute, time_ms - minute)
    if begin < minute:
        before = _gather(market, _minutes_between(market.model, begin, minute), 1)[:, 0]
        high, low = max(before[1], current[1]), min(before[2], current[2])
        current = np.array([before[0], high, low, current[3], before[4] + current[4]])
    open_, high, low, close, volume = current.tolist()
    return begin, open_, high, low, close, volume


def simulate_trades(symbol: str, start: int, end: int) -> SimulatedTrades:
    """The trades of the minutes that open between `start` and `end`, both inclusive: each minute's make its candle.

    A minute trades at its open, at its two extremes and at its close. Its candle is theirs to the last bit: volumes
    are multiples of 1/1024 and so add up exactly.

    Raises:
        FixCommand, FixData: as `simulate_candles`.
    """
    market = _find(symbol)
    first, last = bar_start(start + MINUTE_MS - 1, "1m"), bar_start(end, "1m")
    _check_span(first, last + MINUTE_MS)
    minutes = _minutes_between(market.model, first, last + MINUTE_MS)
    count = len(minutes.open)
    open_, high, low, close, volume = _gather(market, minutes, count)
    high_first, earlier, later = path_times(minutes.shapes)
    opens = first + MINUTE_MS * np.arange(count)
    times = np.array([opens, opens + earlier, opens + later, opens + CLOSE_PRINT_MS])
    prices = np.array([open_, np.where(high_first, high, low), np.where(high_first, low, high), close])
    bought = np.array([buyers(minutes.shapes)[0], high_first, ~high_first, buyers(minutes.shapes)[1]])
    quantities = np.repeat(volume / TRADES_A_MINUTE, TRADES_A_MINUTE)
    numbers = first // MINUTE_MS * TRADES_A_MINUTE + np.arange(count * TRADES_A_MINUTE)
    sides = np.where(bought, 1, -1).astype(np.int8)
    return SimulatedTrades(numbers, times.T.ravel(), prices.T.ravel(), quantities, sides.T.ravel())


def price_at(symbol: str, time_ms: int) -> float:
    """Price of the last trade at `time_ms`; it lies within the minute's candle and starts at its open.

    Raises:
        FixCommand, FixData: as `simulate_candles`.
    """
    _check_span(time_ms, time_ms + 1)
    minute = bar_start(time_ms, "1m")
    return float(_forming_minute(_find(symbol), minute, time_ms - minute)[3])


def spread_at(symbol: str, time_ms: int) -> tuple[float, float]:
    """Best bid and ask at `time_ms`, around `price_at` and at least two ticks apart."""
    market, price = _find(symbol), price_at(symbol, time_ms)
    ticks = round(price * market.ticks_per_unit)
    half = max(1, round(ticks * market.model.half_spread))
    return (ticks - half) / market.ticks_per_unit, (ticks + half) / market.ticks_per_unit


def _find(symbol: str) -> DemoMarket:
    for market in MARKETS:
        if market.instrument.symbol == symbol:
            return market
    raise FixCommand(
        f"the demo exchange has no symbol '{symbol}'.{did_you_mean(symbol, SYMBOLS)}",
        hint="algotrade list markets --exchange demo",
    )


def _bar_length(timeframe: str) -> int:
    length = timeframe_ms(timeframe)
    if length % MINUTE_MS:
        raise FixData(f"the demo exchange has bars of whole minutes, not of {timeframe}")
    return length


def _check_span(start: int, end: int) -> None:
    if start < FIRST_MS or end > END_MS:
        wrong = start if start < FIRST_MS else end
        raise FixData(f"the demo exchange knows the years 2010 to 2059, not {iso(wrong)}")


def _minutes_between(model: MarketModel, start: int, end: int) -> Minutes:
    """The minutes from `start` (inclusive) to `end` (exclusive), cut out of their whole days."""
    first_day, last_day = start // DAY_MS, (end - 1) // DAY_MS
    open_, high, low, close, volume, shapes = simulate_minutes(model, first_day, last_day)
    cut = slice((start - first_day * DAY_MS) // MINUTE_MS, (end - first_day * DAY_MS) // MINUTE_MS)
    return Minutes(open_[cut], high[cut], low[cut], close[cut], volume[cut], shapes[cut])


def _gather(market: DemoMarket, minutes: Minutes, bars: int) -> Floats:
    """The five candle columns of `bars` equal bars out of their minutes, shape (5, bars); prices on the tick."""
    columns = np.empty((5, bars))
    columns[0] = minutes.open.reshape(bars, -1)[:, 0]
    columns[1] = minutes.high.reshape(bars, -1).max(axis=1)
    columns[2] = minutes.low.reshape(bars, -1).min(axis=1)
    columns[3] = minutes.close.reshape(bars, -1)[:, -1]
    columns[4] = minutes.volume.reshape(bars, -1).sum(axis=1)
    columns[:4] = np.rint(np.exp(columns[:4]) * market.ticks_per_unit) / market.ticks_per_unit
    return columns


def _forming_minute(market: DemoMarket, minute: int, elapsed: int) -> Floats:
    """The five columns of a minute after `elapsed` of its milliseconds, shape (5,).

    The price goes straight from the open to one extreme, to the other, and to the close.
    """
    minutes = _minutes_between(market.model, minute, minute + MINUTE_MS)
    open_, high, low, close, volume = _gather(market, minutes, 1)[:, 0].tolist()
    high_first, first, second = (each[0] for each in path_times(minutes.shapes))
    stops = (open_, high, low, close) if high_first else (open_, low, high, close)
    price = float(np.interp(elapsed, (0, first, second, MINUTE_MS), stops))
    price = round(price * market.ticks_per_unit) / market.ticks_per_unit
    seen = [stop for stop, time in zip(stops, (0, first, second), strict=False) if time <= elapsed] + [price]
    lots = volume * VOLUME_LOTS * elapsed // MINUTE_MS
    return np.array([open_, max(seen), min(seen), price, lots / VOLUME_LOTS])
