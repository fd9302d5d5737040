"""The last closed candles that a strategy may look at, and the coarser ones put together from them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
import pandas as pd

from algotrade.engine.events import CandleClosed
from algotrade.errors import FixStrategy, did_you_mean
from algotrade.market.candles import candle_table
from algotrade.strategy.timeframes import Resampler, closed_candles

ROWS: Final = 6  # time, open, high, low, close, volume
MOST_WAITING: Final = 4096  # candles that wait to be written down where every one is kept


class History:
    """The newest `size` candles, or all of them, in one growing block of memory.

    A new candle waits until somebody looks: most strategies never do.

    Args:
        size: candles to keep; None keeps every one.

    Attributes:
        append: adds a closed candle; the oldest goes when there are more than `size`.
    """

    def __init__(self, size: int | None) -> None:
        self._size = size
        self._block = np.empty((ROWS, 2 * size if size else 1024))
        self._begin = 0
        self._end = 0
        self._waiting: deque[CandleClosed] = deque(maxlen=size)
        self.append: Callable[[CandleClosed], None] = self._waiting.append if size else self._append_to_all

    def __len__(self) -> int:
        known = self._end - self._begin + len(self._waiting)
        return known if self._size is None else min(known, self._size)

    def _append_to_all(self, candle: CandleClosed) -> None:
        self._waiting.append(candle)
        if len(self._waiting) == MOST_WAITING:
            self._write_down()

    def table(self, *, since: int | None = None) -> pd.DataFrame:
        """The candles, those of before `since` (milliseconds) left out; nothing done to it changes the history."""
        block = self._written()
        if since is not None:
            block = block[:, np.searchsorted(block[0], since) :]
        block = block.copy()
        return candle_table(block[0].astype(np.int64), block[1:])

    def first_time(self) -> int | None:
        """Open time of the oldest candle; None where there is none."""
        block = self._written()
        return int(block[0, 0]) if block.shape[1] else None

    def rows(self) -> Iterator[tuple[float, ...]]:
        """Time, open, high, low, close and volume of every candle."""
        return zip(*self._written().tolist(), strict=True)

    def _written(self) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        if self._waiting:
            self._write_down()
        return self._block[:, self._begin : self._end]

    def _write_down(self) -> None:
        count = len(self._waiting)
        if self._end + count > self._block.shape[1]:
            self._make_room(count)
        self._block[:, self._end : self._end + count] = np.array([candle[1:7] for candle in self._waiting]).T
        self._waiting.clear()
        self._end += count
        if self._size is not None:
            self._begin = max(self._begin, self._end - self._size)

    def _make_room(self, count: int) -> None:
        kept = self._block[:, self._begin : self._end]
        if self._size is not None:
            kept = kept[:, max(0, kept.shape[1] + count - self._size) :]
        block = np.empty((ROWS, max(2 * (kept.shape[1] + count), 1024)))
        block[:, : kept.shape[1]] = kept
        self._block, self._begin, self._end = block, 0, kept.shape[1]


class Finished(NamedTuple):
    """A coarser candle that a candle completed."""

    timeframe: str
    candle: CandleClosed


class Coarse(NamedTuple):
    """A coarser timeframe of one symbol."""

    resampler: Resampler
    history: History


class Series:
    """One symbol's candles, and the coarser ones that somebody asked for.

    Args:
        size: candles to keep; None keeps every one.
        timeframe: of the candles.
        coarser: timeframes whose candles are reported when they close, in this order.
    """

    def __init__(self, size: int | None, timeframe: str, coarser: tuple[str, ...]) -> None:
        self._size, self._timeframe = size, timeframe
        self.base = History(size)
        self.coarse: dict[str, Coarse] = {}
        for each in coarser:
            self._add(each)

    def finished(self, candle: CandleClosed) -> Sequence[Finished]:
        """The coarser candles that a candle completed."""
        found: list[Finished] = []
        for timeframe, coarse in self.coarse.items():
            for finished in coarse.resampler.add(candle):
                coarse.history.append(finished)
                found.append(Finished(timeframe, finished))
        return found

    def table(self, timeframe: str | None) -> pd.DataFrame:
        """The candles kept; or the coarser ones that these contain from beginning to end."""
        if timeframe is None or timeframe == self._timeframe:
            return self.base.table()
        if timeframe not in self.coarse:
            self._add(timeframe)
        return self.coarse[timeframe].history.table(since=self.base.first_time())

    def _add(self, timeframe: str) -> None:
        coarse = Coarse(Resampler(self._timeframe, timeframe), History(self._size))
        for time, open_, high, low, close, volume in self.base.rows():
            for finished in coarse.resampler.add(CandleClosed("", int(time), open_, high, low, close, volume)):
                coarse.history.append(finished)
        self.coarse[timeframe] = coarse


class Past:
    """What a strategy that is asked event by event has seen: the last candles of every symbol.

    Args:
        symbols: that are traded; others come behind them as they appear.
        size: candles to keep of each; None keeps every one.
        timeframe: of the candles, "" where it is not known.
        coarser: timeframes whose candles are reported when they close, in this order.
    """

    def __init__(self, symbols: tuple[str, ...], size: int | None, timeframe: str, coarser: tuple[str, ...]) -> None:
        self.timeframe = timeframe
        self._size, self._coarser = size, coarser
        self._series = {symbol: self._new_series() for symbol in symbols}

    def append(self, candle: CandleClosed) -> Sequence[Finished]:
        """Add a closed candle; the coarser candles that it completed."""
        series = self._series.get(candle.symbol)
        if series is None:
            series = self._series[candle.symbol] = self._new_series()
        series.base.append(candle)
        return series.finished(candle) if series.coarse else ()

    def _new_series(self) -> Series:
        return Series(self._size, self.timeframe, self._coarser)

    def table(self, symbol: str, timeframe: str | None = None) -> pd.DataFrame:
        """The candles of a symbol."""
        if symbol not in self._series:
            raise _no_candles(symbol, self._series)
        return self._series[symbol].table(timeframe)


class Given:
    """What a strategy that is given tables may look at: those tables.

    Args:
        tables: candles by symbol.
        timeframe: of the candles, "" where it is not known.
    """

    def __init__(self, tables: Mapping[str, pd.DataFrame], timeframe: str) -> None:
        self.timeframe = timeframe
        self._tables = tables
        self._coarse: dict[tuple[str, str], pd.DataFrame] = {}

    def table(self, symbol: str, timeframe: str | None = None) -> pd.DataFrame:
        """The candles of a symbol; or the coarser ones that they contain from beginning to end."""
        if symbol not in self._tables:
            raise _no_candles(symbol, self._tables)
        base = self._tables[symbol]
        if timeframe is None or timeframe == self.timeframe:
            return base.copy()
        if (symbol, timeframe) not in self._coarse:
            self._coarse[symbol, timeframe] = closed_candles(base, self.timeframe, timeframe)
        return self._coarse[symbol, timeframe].copy()


class Tables(Protocol):
    """Candles that may be looked at."""

    timeframe: str

    def table(self, symbol: str, timeframe: str | None = None) -> pd.DataFrame:
        """The candles of a symbol, or coarser ones."""
        ...


def _no_candles(symbol: str, known: Mapping[str, object]) -> FixStrategy:
    if not known:
        return FixStrategy("there are no candles yet: look at them while an event is answered, not in __init__")
    near = did_you_mean(symbol, known)
    return FixStrategy(f"there are no candles of '{symbol}' here (there are: {', '.join(known)}).{near}")
