"""A feed of trades gives each event once, wherever it is cut and however the exchange cuts its pages."""

from __future__ import annotations

import numpy as np
import pytest

from algotrade.engine.events import CandleClosed, MarketEvent
from algotrade.exchange.base import TradePage
from algotrade.live.trade_feed import Given, TradeFeed

MINUTE = 60_000
TRADES = {
    "BTC/USD": [(0, 100.0), (15_000, 101.0), (15_000, 102.0), (61_000, 103.0), (100_000, 104.0), (130_000, 105.0)],
    "ETH/USD": [(0, 10.0), (31_000, 11.0), (65_000, 12.0), (119_999, 13.0), (125_000, 14.0)],
}


class Tape:
    """An exchange that has all these trades, and gives so many of them a page."""

    def __init__(self, page: int) -> None:
        self.page = page

    async def now_ms(self) -> int:
        return 200_000

    async def trades(self, symbol: str, *, cursor: str | None, since_ns: int | None, limit: int | None) -> TradePage:
        known = TRADES[symbol]
        first = int(cursor) if cursor else sum(time * 1_000_000 < (since_ns or 0) for time, _ in known)
        rows = known[first : first + self.page]
        return TradePage(
            np.array([time * 1_000_000 for time, _ in rows], np.int64),
            np.array([price for _, price in rows], np.float64),
            np.ones(len(rows)),
            np.ones(len(rows), np.int8),
            tuple(f"{symbol}{first + row}" for row in range(len(rows))),
            str(first + len(rows)),
        )


async def events_of(given: Given, page: int) -> list[MarketEvent]:
    feed = TradeFeed(Tape(page), TRADES, "1m", given)  # type: ignore[arg-type]  # only what a feed asks
    return [event for _ in range(20) for event in (await feed.poll()).events]


@pytest.mark.parametrize("page", [1, 2, 100])
async def test_a_restart_gives_nothing_twice_and_leaves_nothing_out(page: int) -> None:
    whole = await events_of(Given(0), 100)
    assert len([event for event in whole if isinstance(event, CandleClosed)]) == 6
    for cut in range(1, len(whole) + 1):
        journaled = whole[:cut]
        closed = [place for place, event in enumerate(journaled) if isinstance(event, CandleClosed)]
        if closed and journaled[closed[-1]].more:  # type: ignore[union-attr]
            continue  # what closes at one moment is journaled at once
        since = journaled[closed[-1]].time + MINUTE if closed else 0
        given = Given(since, cut - closed[-1] - 1 if closed else cut)
        assert journaled + await events_of(given, page) == whole
