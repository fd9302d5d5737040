"""The market events of a backtest, of one symbol or several, in one deterministic order.

What happens at one moment comes in this order: the bars that are over close, timers strike, funding is paid, new bars
open, and then the market moves inside them. Symbols that do the same at the same moment come in the order in which
they were given, and every one but the last says that there is more. A symbol may begin later, end earlier, and miss
bars.

A bar is walked inside along its trades, or its finer candles, where they are known. They are taken only where they
reach the bar's high and its low: with a part of them missing, the bar itself says more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, repeat
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from algotrade.engine.events import BarOpened, CandleClosed, DetailCandle, FundingDue, MarketEvent, TradePrinted
from algotrade.engine.timers import Timers
from algotrade.market.candles import COLUMNS, Floats, Times, candle_table, times_ms
from algotrade.market.funding import SETTLEMENT_MS, FundingRates
from algotrade.market.timeframe import timeframe_ms
from algotrade.market.trades import NS_PER_MS, CandleBuilder

CLOSES, PAYS, OPENS, MOVES, KINDS = range(5)  # in the order in which they happen at one moment
SAME_PRICE: Final = 1e-9  # of a price: what two sources of the same candles may differ by in their last bits
CHUNK: Final = 65_536  # events made at a time, so that they never stand in memory all together

Flags = npt.NDArray[np.bool_]


class Prints(NamedTuple):
    """Public trades of a symbol, in order; every array has shape (trades,)."""

    times_ns: Times  # nanoseconds since the epoch, never falling
    prices: Floats  # quote units
    quantities: Floats  # base units
    sides: npt.NDArray[np.int8]  # the taker's: +1 bought, -1 sold, 0 unknown


class Inside(NamedTuple):
    """What is known of the markets besides the bars, by symbol.

    Attributes:
        detail: finer candles.
        prints: public trades; they go before finer candles.
        funding: rates of a perpetual contract.
    """

    detail: Mapping[str, pd.DataFrame] = MappingProxyType({})
    prints: Mapping[str, Prints] = MappingProxyType({})
    funding: Mapping[str, FundingRates] = MappingProxyType({})


NOTHING: Final = Inside()


class _Source(NamedTuple):
    """One kind of event of one symbol, in order.

    `moments` are the times at which they happen, milliseconds, shape (n,); `columns` are their fields after the symbol,
    `grouped` whether they say that there is more of their kind at the moment.
    """

    event: type[Any]
    symbol: str
    kind: int
    moments: Times
    columns: tuple[npt.NDArray[Any], ...]
    grouped: bool = False


def market_events(
    tables: Mapping[str, pd.DataFrame], timeframe: str, inside: Inside = NOTHING, timers: Iterable[str] = ()
) -> Iterator[MarketEvent]:
    """All that happens in the markets of a run.

    Args:
        tables: closed candles by symbol.
        timeframe: of these candles.
        inside: what is known besides.
        timers: intervals at which the strategies want to be asked.
    """
    events = _merged([source for symbol in tables for source in _sources(symbol, tables[symbol], timeframe, inside)])
    timers = tuple(timers)
    return _with_timers(events, Timers(timers)) if timers else events


def moments(tables: Mapping[str, pd.DataFrame], timeframe: str) -> Iterator[tuple[CandleClosed, ...]]:
    """The candles of a run, those together that open and close at one moment.

    Args:
        tables: closed candles by symbol.
        timeframe: of these candles.
    """
    length = timeframe_ms(timeframe)
    closes = _merged([_closes(symbol, candles, length) for symbol, candles in tables.items()])
    return zip(closes) if len(tables) == 1 else _together(closes)


def _together(closes: Iterator[CandleClosed]) -> Iterator[tuple[CandleClosed, ...]]:
    candles: list[CandleClosed] = []
    for candle in closes:
        candles.append(candle)
        if not candle.more:
            yield tuple(candles)
            candles.clear()


def coverage(candles: pd.DataFrame, timeframe: str, moves: pd.DataFrame | Prints) -> float:
    """Fraction of the bars that are walked along their finer candles or trades, NaN without bars."""
    times, values = _moves(moves)
    covered, _ = _covered(candles, timeframe_ms(timeframe), times, values)
    return float(covered.mean()) if len(covered) else float("nan")


def candles_of(prints: Prints, timeframe: str, *, start_ms: int, until_ms: int) -> pd.DataFrame:
    """The candles that trades make: of whole bars from one time to another.

    Args:
        prints: in order.
        timeframe: of the candles.
        start_ms: bars that open before are left out.
        until_ms: until when the trades are known; bars that close after it are left out.
    """
    builder = CandleBuilder(timeframe, start_ms=start_ms)
    bars = builder.add(prints.times_ns, prints.prices, prints.quantities), builder.finish(until_ms)
    times, columns = np.concatenate([part.times for part in bars]), np.hstack([part.columns for part in bars])
    whole = times + timeframe_ms(timeframe) <= until_ms
    return candle_table(times[whole], columns[:, whole])


def _sources(symbol: str, candles: pd.DataFrame, timeframe: str, inside: Inside) -> Iterator[_Source]:
    length = timeframe_ms(timeframe)
    times = times_ms(candles)
    opens_at = times
    moves = _source_inside(symbol, candles, length, inside)
    if moves is not None and moves.event is TradePrinted:
        first = np.searchsorted(moves.moments, times)  # the first trade of each bar, where there is one
        known = np.append(moves.moments, np.iinfo(np.int64).max)[first]
        opens_at = np.where(known < times + length, known, times)
    yield _closes(symbol, candles, length)
    rates = inside.funding.get(symbol)
    if rates is not None and len(times):
        due = rates.between(int(times[0]), int(times[-1]) + length)
        settled = due.times - due.times % SETTLEMENT_MS  # written down some milliseconds after the hour
        yield _Source(FundingDue, symbol, PAYS, settled, (settled, due.rates))
    yield _Source(BarOpened, symbol, OPENS, opens_at, (times, candles["open"].to_numpy(np.float64)), grouped=True)
    if moves is not None:
        yield moves


def _closes(symbol: str, candles: pd.DataFrame, length: int) -> _Source:
    times = times_ms(candles)
    columns = (candles[name].to_numpy(np.float64) for name in COLUMNS)
    return _Source(CandleClosed, symbol, CLOSES, times + length, (times, *columns), grouped=True)


def _source_inside(symbol: str, candles: pd.DataFrame, length: int, inside: Inside) -> _Source | None:
    """The moves inside the bars of a symbol, those of bars that they cover; None where nothing is known."""
    given = inside.prints.get(symbol, inside.detail.get(symbol))
    if given is None:
        return None
    times, values = _moves(given)
    _, used = _covered(candles, length, times, values)
    moments = times[used]
    if isinstance(given, Prints):
        traded = (moments, given.prices[used], given.quantities[used], given.sides[used])
        return _Source(TradePrinted, symbol, MOVES, moments, traded)
    columns = tuple(given[name].to_numpy(np.float64)[used] for name in COLUMNS)
    return _Source(DetailCandle, symbol, MOVES, moments, (moments, *columns))


def _moves(given: pd.DataFrame | Prints) -> tuple[Times, tuple[Floats, Floats]]:
    """Times in milliseconds, and the lowest and highest price of each move."""
    if isinstance(given, Prints):
        return given.times_ns // NS_PER_MS, (given.prices, given.prices)
    return times_ms(given), (given["low"].to_numpy(np.float64), given["high"].to_numpy(np.float64))


def _covered(candles: pd.DataFrame, length: int, times: Times, prices: tuple[Floats, Floats]) -> tuple[Flags, Flags]:
    """Which bars the moves inside them cover, shape (bars,), and which moves those are, shape (moves,)."""
    opens = times_ms(candles)
    covered = np.zeros(len(opens), np.bool_)
    bar = np.searchsorted(opens, times, side="right") - 1
    used = (bar >= 0) & (times < opens[np.maximum(bar, 0)] + length) if len(opens) else np.zeros(len(times), np.bool_)
    if not used.any():
        return covered, used
    bars, begins = np.unique(bar[used], return_index=True)
    low, high = (candles[name].to_numpy(np.float64)[bars] for name in ("low", "high"))
    reached_low = np.minimum.reduceat(prices[0][used], begins)
    reached_high = np.maximum.reduceat(prices[1][used], begins)
    tolerance = SAME_PRICE * high
    covered[bars] = (abs(reached_low - low) <= tolerance) & (abs(reached_high - high) <= tolerance)
    used[used] = covered[bar[used]]
    return covered, used


def _merged(sources: list[_Source]) -> Iterator[Any]:
    """The events of all sources in the order of their moments; at one moment by kind, then in the order given."""
    keys = np.concatenate([source.moments * KINDS + source.kind for source in sources] or [np.empty(0, np.int64)])
    order = np.argsort(keys, kind="stable")
    ends = np.cumsum([len(source.moments) for source in sources])
    merged = keys[order]
    more = np.empty(len(keys), np.bool_)
    more[order] = np.append(merged[1:] == merged[:-1], np.zeros(min(len(keys), 1), np.bool_))
    streams = [
        _stream(source, more[end - len(source.moments) : end]) for source, end in zip(sources, ends, strict=True)
    ]
    if len(streams) == 1:
        return streams[0]
    owner = np.searchsorted(ends, order, side="right").astype(np.int16)
    return map(next, map(streams.__getitem__, _values(owner)))


def _stream(source: _Source, more: Flags) -> Iterator[Any]:
    columns = (*source.columns, more) if source.grouped else source.columns
    fields = zip(repeat(source.symbol), *map(_values, columns), strict=False)
    return map(tuple.__new__, repeat(source.event), fields)  # a third of the time of calling the class


def _values(column: npt.NDArray[Any]) -> Iterator[Any]:
    """The values of an array as Python's own, made as they are wanted."""
    return chain.from_iterable(column[begin : begin + CHUNK].tolist() for begin in range(0, len(column), CHUNK))


def _with_timers(events: Iterator[MarketEvent], timers: Timers) -> Iterator[MarketEvent]:
    for event in events:
        yield from timers.before(event)
        yield event
