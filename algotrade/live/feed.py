"""From an exchange's answers to market events: each bar opens once and closes once, in order, by the exchange's clock.

A feed remembers where it stands and nothing else; what it returns twice after a restart is the same. Missing bars are
absent. A candle that cannot be true is passed over and named.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np

from algotrade.engine.events import BarOpened, CandleClosed, MarketEvent
from algotrade.exchange.base import Exchange
from algotrade.ingest.pages import Page, judge_page
from algotrade.ingest.plan import Interval
from algotrade.live.merge import Bars, Known, Position, advanced, merged
from algotrade.market.candles import Floats, RefusedCandle
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


class Feed(Protocol):
    """Where market events come from."""

    async def poll(self) -> Polled:
        """Ask the exchange once."""
        ...


class CandleFeed:
    """Polls candles. The forming one only says that its bar has opened, and where.

    An exchange may publish a closed candle late, and one symbol's before another's. So a bar that follows a missing
    one, or that another symbol does not have yet, is not given before a short grace is over by the exchange's clock;
    the missing one is then absent, as it is once a later bar of its symbol closed.

    Args:
        exchange: answers.
        timeframe: of the bars.
        positions: by symbol, in their order, where to begin.
    """

    def __init__(self, exchange: Exchange, timeframe: str, positions: Mapping[str, Position]) -> None:
        self._exchange = exchange
        self._timeframe = timeframe
        self._step = timeframe_ms(timeframe)
        self._at = dict(positions)

    async def poll(self) -> Polled:
        """The bars that closed since the last poll, and the opening of those that are forming."""
        now = await self._exchange.now_ms()
        answers = await asyncio.gather(*(self._ask(symbol, now) for symbol in self._at))
        known = {
            symbol: self._known(page, at.bar, now) for (symbol, at), page in zip(self._at.items(), answers, strict=True)
        }
        events = merged(known, self._at, Bars(self._step, now))
        for event in events:
            self._at = advanced(self._at, event, self._step)
        cut = any(each.cut_after is not None for each in known.values())
        refused = tuple(candle for page in answers for candle in page.refused)
        return Polled(tuple(events), now, refused, more=cut and bool(events))

    async def _ask(self, symbol: str, now: int) -> Page:
        asked_from = self._at[symbol].bar
        rows = await self._exchange.candles(symbol, self._timeframe, since=asked_from, limit=None)
        if (rows[:, 0] > now).any():  # they opened between the two questions
            later = await self._exchange.now_ms()
            rows = rows[(rows[:, 0] <= now) | (rows[:, 0] > later + self._step)]
        return judge_page(rows, Interval(asked_from, now + 1), now)

    def _known(self, page: Page, asked_from: int, now: int) -> Known:
        times = page.times.tolist()
        candles = dict(zip(times, map(tuple, page.columns.T.tolist()), strict=True))
        closed = [time for time in times if time + self._step <= now]
        newest = int(page.seen[-1]) if len(page.seen) else now
        cut = asked_from <= newest <= now - 2 * self._step
        return Known(candles, closed[-1] if closed else None, newest if cut else None)


class TickerFeed:
    """Polls the last price and builds the candles itself; volume is unknown and stays 0.

    A candle is given only if its bar was watched from beginning to end: the bar in which the feed starts is left out,
    and so is every bar in which it heard nothing for more than half a bar.

    Args:
        exchange: answers.
        symbol: what is traded.
        timeframe: of the bars.
        position: bars that open before it are not given again.
    """

    def __init__(self, exchange: Exchange, symbol: str, timeframe: str, position: Position) -> None:
        self._exchange = exchange
        self._symbol = symbol
        self._timeframe = timeframe
        self._longest_silence = timeframe_ms(timeframe) // 2
        self._after = position.bar if position.opened is None else position.bar + timeframe_ms(timeframe)
        self._heard: int | None = None
        self._forming: CandleClosed | None = None

    async def poll(self) -> Polled:
        """The candle that the last price closed, if it did, and the opening of the next."""
        quote = await self._exchange.ticker(self._symbol)
        if self._heard is not None and quote.time < self._heard:
            return Polled((), quote.time)  # an answer that overtook another, or a clock that was set back
        bar = bar_start(quote.time, self._timeframe)
        watched = self._heard is not None and quote.time - self._heard <= self._longest_silence
        first_of_bar = self._heard is None or bar > bar_start(self._heard, self._timeframe)
        self._heard = quote.time
        events: list[MarketEvent] = []
        if self._forming is not None and (first_of_bar or not watched):
            events += [self._forming] if watched else []
            self._forming = None
        if first_of_bar and watched and bar >= self._after:
            events.append(BarOpened(self._symbol, bar, quote.last))
            self._forming = CandleClosed(self._symbol, bar, quote.last, quote.last, quote.last, quote.last, 0.0)
        if self._forming is not None:
            high, low = max(self._forming.high, quote.last), min(self._forming.low, quote.last)
            self._forming = self._forming._replace(high=high, low=low, close=quote.last)
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
    since = max(0, before - count * step)
    pages: list[Floats] = []
    while since < before:
        rows = await exchange.candles(symbol, timeframe, since=since, limit=None)
        page = judge_page(rows, Interval(since, min(before, now - step + 1)), now)
        if not len(page.times):
            break
        pages.append(np.vstack([page.times.astype(np.float64), page.columns]).T)
        since = int(page.times[-1]) + step
    return np.concatenate(pages) if pages else np.empty((0, 6))
