"""From an exchange's answers to market events: each bar opens once and closes once, in order, by the exchange's clock.

A feed remembers where it stands and nothing else; what it returns twice after a restart is the same. Missing bars are
absent. A candle that cannot be true is passed over and named.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from algotrade.engine.events import BarOpened, CandleClosed, MarketEvent, OpenRevised
from algotrade.exchange.base import Exchange
from algotrade.ingest.pages import RefusedCandle, judge_page
from algotrade.ingest.plan import Interval
from algotrade.market.candles import Floats
from algotrade.market.timeframe import bar_start, timeframe_ms


class Polled(NamedTuple):
    """What one question to the exchange brought.

    Attributes:
        events: in order.
        now: the exchange's time, milliseconds.
        refused: candles that cannot be true.
        more: the answer ended before now; ask again at once.
    """

    events: tuple[MarketEvent, ...]
    now: int
    refused: tuple[RefusedCandle, ...] = ()
    more: bool = False


class Position(NamedTuple):
    """Where a feed stands: the first bar that is not closed yet, and the open that was given for it, if any."""

    bar: int
    opened: float | None = None


class Feed(Protocol):
    """Where market events come from."""

    async def poll(self) -> Polled:
        """Ask the exchange once."""
        ...


class CandleFeed:
    """Polls candles. The forming one only says that its bar has opened, and where.

    Args:
        exchange: answers.
        symbol: what is traded.
        timeframe: of the bars.
        position: where to begin.
    """

    def __init__(self, exchange: Exchange, symbol: str, timeframe: str, position: Position) -> None:
        self._exchange = exchange
        self._symbol = symbol
        self._timeframe = timeframe
        self._step = timeframe_ms(timeframe)
        self._at = position

    async def poll(self) -> Polled:
        """The bars that closed since the last poll, and the opening of the one that is forming."""
        now = await self._exchange.now_ms()
        asked_from = self._at.bar
        rows = await self._exchange.candles(self._symbol, self._timeframe, since=asked_from, limit=None)
        page = judge_page(rows, Interval(asked_from, now + 1), now)
        events: list[MarketEvent] = []
        for time, values in zip(page.times.tolist(), page.columns.T, strict=True):
            if time + self._step <= now:
                events += self._close(CandleClosed(self._symbol, time, *values.tolist()))
            elif time > self._at.bar or self._at.opened is None:
                events.append(self._open(time, float(values[0])))
        behind = bool(len(page.seen)) and int(page.seen[-1]) + 2 * self._step <= now and bool(events)
        return Polled(tuple(events), now, page.refused, more=behind)

    def _open(self, time: int, price: float) -> BarOpened:
        self._at = Position(time, price)
        return BarOpened(self._symbol, time, price)

    def _close(self, candle: CandleClosed) -> list[MarketEvent]:
        events: list[MarketEvent] = []
        if self._at.opened is None or self._at.bar != candle.time:
            events.append(BarOpened(candle.symbol, candle.time, candle.open))
        elif self._at.opened != candle.open:
            events.append(OpenRevised(candle.symbol, candle.time, candle.open))
        self._at = Position(candle.time + self._step)
        return [*events, candle]


class TickerFeed:
    """Polls the last price and builds the candles itself; volume is unknown and stays 0.

    The bar in which it starts was not seen from its beginning and is left out, so a candle is always one that was
    watched from its first poll to its last.
    """

    def __init__(self, exchange: Exchange, symbol: str, timeframe: str, position: Position) -> None:
        self._exchange = exchange
        self._symbol = symbol
        self._timeframe = timeframe
        self._after = position.bar
        self._skipped: int | None = None
        self._forming: CandleClosed | None = None

    async def poll(self) -> Polled:
        """The candle that the last price closed, if it did, and the opening of the next."""
        quote = await self._exchange.ticker(self._symbol)
        bar = bar_start(quote.time, self._timeframe)
        if self._skipped is None:
            self._skipped = bar
        if bar <= self._skipped or bar < self._after:
            return Polled((), quote.time)
        events: list[MarketEvent] = []
        if self._forming is not None and bar > self._forming.time:
            events.append(self._forming)
            self._forming = None
        if self._forming is None:
            events.append(BarOpened(self._symbol, bar, quote.last))
            self._forming = CandleClosed(self._symbol, bar, quote.last, quote.last, quote.last, quote.last, 0.0)
        forming = self._forming
        self._forming = forming._replace(
            high=max(forming.high, quote.last), low=min(forming.low, quote.last), close=quote.last
        )
        return Polled(tuple(events), quote.time)


async def closed_candles(exchange: Exchange, symbol: str, timeframe: str, *, before: int, count: int) -> Floats:
    """The last `count` closed candles that open before a time, as far as the exchange has them.

    Args:
        exchange: answers.
        symbol: which market.
        timeframe: of the candles.
        before: open time of the first bar not wanted, milliseconds.
        count: how many bars to go back.

    Returns:
        Rows [time, open, high, low, close, volume], shape (n, 6), rising.
    """
    step = timeframe_ms(timeframe)
    now = await exchange.now_ms()
    since = before - count * step
    pages: list[Floats] = []
    while since < before:
        rows = await exchange.candles(symbol, timeframe, since=since, limit=None)
        page = judge_page(rows, Interval(since, min(before, now - step + 1)), now)
        if not len(page.times):
            break
        pages.append(np.vstack([page.times.astype(np.float64), page.columns]).T)
        since = int(page.times[-1]) + step
    return np.concatenate(pages) if pages else np.empty((0, 6))
