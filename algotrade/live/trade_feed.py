"""From public trades to market events: each trade once and in order, and the bars that they make.

The events are those of a backtest over the same trades, made by the same function. What is certain of a bar that is
forming is made anew at every poll, and what was given before is left out. So a restart needs to know nothing but from
which moment on, and how many events were given since.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np

from algotrade.backtest.feed import Inside, Prints, candles_of, market_events
from algotrade.engine.events import CandleClosed, MarketEvent
from algotrade.exchange.base import Exchange
from algotrade.ingest.trades.pages import Asked, Edge, edge_after, new_trades
from algotrade.live.feed import Polled
from algotrade.market.timeframe import bar_start, timeframe_ms
from algotrade.market.trades import NS_PER_MS

GRACE_MS: Final = 2_000  # for a trade that is not published yet


class Given(NamedTuple):
    """Where a feed of trades stands.

    Attributes:
        since: opening of the first bar that is not closed yet, milliseconds.
        events: how many openings and trades were given since.
    """

    since: int
    events: int = 0


class Walk(NamedTuple):
    """How far the trades of a symbol are known.

    Attributes:
        prints: those since the first bar that is not closed.
        cursor: asks for what comes after them; None before the first answer.
        edge: the newest of them.
        until: all that were made before this time are known, milliseconds.
    """

    prints: Prints
    cursor: str | None
    edge: Edge | None
    until: int


NONE: Final = Prints(np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0, np.int8))


class TradeFeed:
    """Polls public trades and builds the candles from them.

    Args:
        exchange: answers; it keeps its trades.
        symbols: in their order.
        timeframe: of the bars.
        given: where to begin.
    """

    def __init__(self, exchange: Exchange, symbols: Iterable[str], timeframe: str, given: Given) -> None:
        self._exchange = exchange
        self._timeframe = timeframe
        self._given = given
        self._walks = {symbol: Walk(NONE, None, None, given.since) for symbol in symbols}

    async def poll(self) -> Polled:
        """The trades that were made since the last poll, with the bars that they opened and closed."""
        now = await self._exchange.now_ms()
        walked = await asyncio.gather(*(self._asked(symbol, walk, now) for symbol, walk in self._walks.items()))
        behind = any(
            walk.edge != before.edge and walk.until < now - GRACE_MS
            for walk, before in zip(walked, self._walks.values(), strict=True)
        )
        self._walks = dict(zip(self._walks, walked, strict=True))
        until = min(walk.until for walk in walked)
        events = self._events(until)
        new = events[self._given.events :]
        self._forget(events, until)
        return Polled(tuple(new), now, more=behind)

    async def _asked(self, symbol: str, walk: Walk, now: int) -> Walk:
        """What is known of a symbol after one more question."""
        since_ns = self._given.since * NS_PER_MS
        page = await self._exchange.trades(symbol, cursor=walk.cursor, since_ns=since_ns, limit=None)
        block = new_trades(page, Asked(walk.cursor, since_ns, walk.edge, now))
        if not len(block.times_ns):
            return walk._replace(cursor=page.next_cursor, until=max(walk.until, now - GRACE_MS))
        columns = (block.times_ns, block.prices, block.quantities, block.sides)
        pairs: Iterable[tuple[Any, Any]] = zip(walk.prints, columns, strict=True)
        prints = Prints._make(np.concatenate([known, new]) for known, new in pairs)
        until = max(walk.until, int(block.times_ns[-1]) // NS_PER_MS)
        return Walk(prints, page.next_cursor, edge_after(walk.edge, block), until)

    def _events(self, until: int) -> list[MarketEvent]:
        """All that has happened since the first bar that was not closed, as far as every symbol is known."""
        step = timeframe_ms(self._timeframe)
        prints = {symbol: _before(walk.prints, until) for symbol, walk in self._walks.items()}
        candles = {
            symbol: candles_of(each, self._timeframe, start_ms=self._given.since, until_ms=until + step)
            for symbol, each in prints.items()
        }
        found = market_events(candles, self._timeframe, Inside(prints=prints))
        return [event for event in found if not isinstance(event, CandleClosed) or event.time + step <= until]

    def _forget(self, events: list[MarketEvent], until: int) -> None:
        """Leave behind the bars that are closed."""
        since = max(self._given.since, bar_start(until, self._timeframe))
        events_since = sum(event.time >= since for event in events if not isinstance(event, CandleClosed))
        if since == self._given.since:  # a first answer after a restart may reach less far than what was given before
            events_since = max(events_since, self._given.events)
        self._given = Given(since, events_since)
        for symbol, walk in self._walks.items():
            first = int(np.searchsorted(walk.prints.times_ns, since * NS_PER_MS))
            self._walks[symbol] = walk._replace(prints=Prints._make(column[first:] for column in walk.prints))


def _before(prints: Prints, until: int) -> Prints:
    """The trades that were made before a time."""
    last = int(np.searchsorted(prints.times_ns, until * NS_PER_MS))
    return Prints._make(column[:last] for column in prints)
