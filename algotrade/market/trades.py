"""Candles from public trades, block by block, the same however the blocks are cut.

A bar's open is its first trade, its close its last, and its volume the exact sum of its quantities as they are written
in decimals, rounded once: that is what an exchange's own candles hold. A minute without a trade has no bar.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final, NamedTuple, Self

import numpy as np

from algotrade.errors import FixData
from algotrade.market.candles import COLUMNS, Floats, Times, iso
from algotrade.market.sums import exact_sums
from algotrade.market.timeframe import bar_offset, bar_start, timeframe_ms

NS_PER_MS: Final = 1_000_000


class Bars(NamedTuple):
    """Finished candles: open times in milliseconds, shape (n,), and columns in the order of COLUMNS, shape (5, n)."""

    times: Times
    columns: Floats


class _OpenBar(NamedTuple):
    """The newest bar, to which trades may still come; its volume is exact."""

    time: int
    open: float
    high: float
    low: float
    close: float
    volume: Fraction

    def joined(self, later: _OpenBar) -> _OpenBar:
        """This bar with the trades that came to it later."""
        high, low = max(self.high, later.high), min(self.low, later.low)
        return _OpenBar(self.time, self.open, high, low, later.close, self.volume + later.volume)


class CandleBuilder:
    """Makes candles of trades that are fed in the order of their time.

    Args:
        timeframe: of the bars, like "1m".
        start_ms: bars that open before are left out, so that trades which begin inside a bar never make half of one.
    """

    def __init__(self, timeframe: str, *, start_ms: int | None = None) -> None:
        self._timeframe = timeframe
        self._step_ns = timeframe_ms(timeframe) * NS_PER_MS
        self._offset_ns = bar_offset(timeframe) * NS_PER_MS
        self._start_ms = start_ms
        self._seen_ns: int | None = None
        self._bar: _OpenBar | None = None

    def add(self, times_ns: Times, prices: Floats, quantities: Floats) -> Bars:
        """Take in the next trades and give the bars that they show to be over.

        Args:
            times_ns: nanoseconds since the epoch, never falling, also not from block to block; shape (n,).
            prices: finite and above zero, shape (n,).
            quantities: base units, finite and not below zero, shape (n,).

        Raises:
            FixData: the times fall, or a value cannot be; nothing is taken in.
        """
        self._check(times_ns, prices, quantities)
        if not len(times_ns):
            return _no_bars()
        self._seen_ns = int(times_ns[-1])
        opens = self._opens(times_ns)
        begin = 0 if self._start_ms is None else int(np.searchsorted(opens, self._start_ms))
        if begin == len(opens):
            return _no_bars()
        bars, self._bar = _fold(opens[begin:], prices[begin:], quantities[begin:], self._bar)
        return bars

    def finish(self, until_ms: int) -> Bars:
        """The newest bar, if it is over by `until_ms`. It is kept all the same: a trade that comes late corrects it."""
        bar = self._bar
        if bar is None or bar.time * NS_PER_MS + self._step_ns > until_ms * NS_PER_MS:
            return _no_bars()
        return Bars(np.array([bar.time], np.int64), np.array([[*bar[1:5], float(bar.volume)]]).T)

    def finished_until(self) -> int | None:
        """The open time of the newest bar, milliseconds: those before it are over. None before the first trade."""
        return None if self._seen_ns is None else bar_start(self._seen_ns // NS_PER_MS, self._timeframe)

    def state(self) -> dict[str, Any]:
        """All that is to be known to go on later, in JSON's types: the same trades give the same bytes."""
        bar = self._bar and [*self._bar[:5], str(self._bar.volume)]
        return {"timeframe": self._timeframe, "start_ms": self._start_ms, "seen_ns": self._seen_ns, "bar": bar}

    @classmethod
    def resume(cls, state: dict[str, Any]) -> Self:
        """The builder whose `state` this was."""
        builder = cls(state["timeframe"], start_ms=state["start_ms"])
        builder._seen_ns = state["seen_ns"]
        if state["bar"] is not None:
            time, open_, high, low, close, volume = state["bar"]
            builder._bar = _OpenBar(time, open_, high, low, close, Fraction(volume))
        return builder

    def _opens(self, times_ns: Times) -> Times:
        """The open time of each trade's bar, milliseconds."""
        return (times_ns - (times_ns - self._offset_ns) % self._step_ns) // NS_PER_MS

    def _check(self, times_ns: Times, prices: Floats, quantities: Floats) -> None:
        if not len(times_ns) == len(prices) == len(quantities):
            raise ValueError(f"{len(times_ns)} times, {len(prices)} prices and {len(quantities)} quantities")
        if not len(times_ns):
            return
        known = times_ns[:1] if self._seen_ns is None else np.array([self._seen_ns])
        falls = np.flatnonzero(np.diff(times_ns, prepend=known) < 0)
        if len(falls):
            raise FixData(f"the trade of {_moment(times_ns[falls[0]])} comes after a later one")
        good = np.isfinite(prices) & (prices > 0) & np.isfinite(quantities) & (quantities >= 0)
        if not good.all():
            at = int(np.argmin(good))
            raise FixData(
                f"the trade of {_moment(times_ns[at])} cannot be: {quantities[at]} at a price of {prices[at]}"
            )


def _no_bars() -> Bars:
    return Bars(np.empty(0, np.int64), np.empty((len(COLUMNS), 0)))


def _moment(time_ns: np.int64) -> str:
    return iso(int(time_ns) // NS_PER_MS)


def _fold(opens: Times, prices: Floats, quantities: Floats, before: _OpenBar | None) -> tuple[Bars, _OpenBar]:
    """The bars of some trades, at least one, after the unfinished bar `before`: those that are over, and the newest."""
    starts = np.flatnonzero(np.r_[True, opens[1:] != opens[:-1]])
    ends = np.r_[starts[1:], len(opens)]
    times = opens[starts]
    highs, lows = np.maximum.reduceat(prices, starts), np.minimum.reduceat(prices, starts)
    sums = exact_sums(quantities, starts)
    columns = np.array([prices[starts], highs, lows, prices[ends - 1], [float(total) for total in sums]])
    newest = _bar(int(times[-1]), columns[:, -1], sums[-1])
    if before is None:
        return Bars(times[:-1], columns[:, :-1]), newest
    if before.time < times[0]:
        return _after(before, Bars(times[:-1], columns[:, :-1])), newest
    first = before.joined(_bar(before.time, columns[:, 0], sums[0]))
    if len(times) == 1:
        return _no_bars(), first
    return _after(first, Bars(times[1:-1], columns[:, 1:-1])), newest


def _bar(time: int, column: Floats, volume: Fraction) -> _OpenBar:
    open_, high, low, close = column[:4].tolist()
    return _OpenBar(time, open_, high, low, close, volume)


def _after(bar: _OpenBar, bars: Bars) -> Bars:
    """A bar, now over, and those that follow it."""
    column = np.array([[*bar[1:5], float(bar.volume)]]).T
    return Bars(np.r_[np.int64(bar.time), bars.times], np.hstack([column, bars.columns]))
