"""Merging what is known of several symbols into market events: the order of a backtest, as far as time has come.

At each moment the bars that are over close, then the new ones open, both in the order of the symbols, and every event
but the last of such a group says that there is more. So a moment waits until each symbol has its bar, or can have none
any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from algotrade.engine.events import BarOpened, CandleClosed, MarketEvent, OpenRevised

LONGEST_GRACE_MS: Final = 60_000  # for a candle that is not published yet; a quarter of a bar where that is less

Row = tuple[float, float, float, float, float]


class Position(NamedTuple):
    """Where a symbol stands: the first bar that is not closed yet, and the open that was given for it, if any."""

    bar: int
    opened: float | None = None


class Known(NamedTuple):
    """What an exchange's answer says of a symbol.

    Attributes:
        candles: open, high, low, close and volume by open time, the forming bar's too.
        last_closed: open time of the last one that is complete; None without one.
        cut_after: open time of the last bar of an answer that ended long before now, so that others may follow; None
            where it reached now.
    """

    candles: Mapping[int, Row]
    last_closed: int | None = None
    cut_after: int | None = None


class Bars(NamedTuple):
    """How long bars are, and what time it is, in milliseconds."""

    step: int
    now: int

    @property
    def grace(self) -> int:
        """For which a bar that is missing is waited for."""
        return min(self.step // 4, LONGEST_GRACE_MS)


def advanced(positions: Mapping[str, Position], event: MarketEvent, step: int) -> dict[str, Position]:
    """Where symbols stand after an event: a bar that another symbol has left behind cannot come any more."""
    match event:
        case BarOpened(symbol=symbol, time=time, open=price) | OpenRevised(symbol=symbol, time=time, open=price):
            return {**_passed(positions, time), symbol: Position(time, price)}
        case CandleClosed(symbol=symbol, time=time, more=more):
            closed = {**positions, symbol: Position(time + step)}
            return closed if more else _passed(closed, time + step)
        case _:
            return dict(positions)


def merged(known: Mapping[str, Known], positions: Mapping[str, Position], bars: Bars) -> list[MarketEvent]:
    """The events that have happened for certain since the symbols stood where they do.

    Args:
        known: by symbol, in their order.
        positions: where each stands.
        bars: their length, and the exchange's time.
    """
    step, events = bars.step, list[MarketEvent]()
    times = {time for each in known.values() for time in each.candles}
    for moment in sorted(times | {time + step for time in times}):
        for group in (_closing(known, positions, moment - step, bars), _opening(known, positions, moment, bars)):
            if moment > bars.now or group is None:
                return events
            events += group
            for event in group:
                positions = advanced(positions, event, step)
    return events


def _closing(
    known: Mapping[str, Known], positions: Mapping[str, Position], bar: int, bars: Bars
) -> list[MarketEvent] | None:
    """The closing of all symbols' bars of one open time; None while one of them may still come."""
    due = [symbol for symbol in known if positions[symbol].bar <= bar]
    until = bar + bars.step + bars.grace
    if any(_may_come(known[symbol], bar, until, bars.now) for symbol in due):
        return None
    closing = [symbol for symbol in due if bar in known[symbol].candles]
    candles = [CandleClosed(symbol, bar, *known[symbol].candles[bar], more=True) for symbol in closing]
    revised = [
        OpenRevised(candle.symbol, bar, candle.open)
        for candle in candles
        if positions[candle.symbol].opened not in (None, candle.open)
    ]
    return [*revised, *_ended(candles)]


def _opening(
    known: Mapping[str, Known], positions: Mapping[str, Position], bar: int, bars: Bars
) -> list[MarketEvent] | None:
    """The opening of all symbols' bars of one open time; None while one of them may still come."""
    due = [
        symbol
        for symbol in known
        if positions[symbol].bar < bar or (positions[symbol].bar == bar and positions[symbol].opened is None)
    ]
    is_over = bar + bars.step <= bars.now
    until = bar + bars.grace + (bars.step if is_over else 0)
    opening = [symbol for symbol in due if bar in known[symbol].candles]
    if opening and any(_may_come(known[symbol], bar, until, bars.now) for symbol in due):
        return None
    return _ended([BarOpened(symbol, bar, known[symbol].candles[bar][0], more=True) for symbol in opening])


def _may_come(known: Known, bar: int, until: int, now: int) -> bool:
    """Whether a bar that is not there may still come: it is young, and no later one is complete."""
    if bar in known.candles:
        return False
    if known.cut_after is not None:
        return bar > known.cut_after
    return (known.last_closed is None or bar > known.last_closed) and now < until


def _ended(group: Sequence[BarOpened | CandleClosed]) -> list[MarketEvent]:
    """The events of a moment; after the last there is no more."""
    return [*group[:-1], *(event._replace(more=False) for event in group[-1:])]


def _passed(positions: Mapping[str, Position], bar: int) -> dict[str, Position]:
    """Every symbol at a bar at least."""
    return {symbol: at if at.bar >= bar else Position(bar) for symbol, at in positions.items()}
