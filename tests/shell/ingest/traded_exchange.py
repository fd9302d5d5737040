"""An exchange that gives trades from a list, page by page, in the ways that real ones are known to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import cycle
from typing import NamedTuple

import numpy as np

from algotrade.exchange.base import TradePage
from algotrade.market.trades import NS_PER_MS
from tests.shell.ingest.listed_exchange import NOON, ListedExchange

DAY = 86_400_000
MIDNIGHT = NOON - DAY // 2  # 2024-01-01


class Trade(NamedTuple):
    time_ns: int
    price: float
    quantity: float
    side: int = 1
    id: str | None = None


def trade(seconds: float, price: float = 100.0, quantity: float = 1.0, trade_id: str | None = None) -> Trade:
    """A trade so many seconds after midnight."""
    return Trade((MIDNIGHT + int(seconds * 1000)) * NS_PER_MS, price, quantity, 1, trade_id)


def numbered(trades: Iterable[Trade], first: int = 1) -> list[Trade]:
    """The trades with ids that rise by one."""
    return [each._replace(id=str(number)) for number, each in enumerate(trades, first)]


def steady(minutes: int, every_s: float = 20.0) -> list[Trade]:
    """Trades at an even pace from midnight on, of changing prices and quantities."""
    count = int(minutes * 60 / every_s)
    return numbered(trade(at * every_s, 100.0 + at % 7, 0.1 + at % 3 / 10) for at in range(count))


def page_of(trades: Sequence[Trade], next_cursor: str) -> TradePage:
    return TradePage(
        np.array([each.time_ns for each in trades], np.int64),
        np.array([each.price for each in trades], np.float64),
        np.array([each.quantity for each in trades], np.float64),
        np.array([each.side for each in trades], np.int8),
        tuple(each.id for each in trades),
        next_cursor,
    )


class TradedExchange(ListedExchange):
    """Its cursor is the number of the next trade, and each page repeats some that came before; "7+" is the same as "7".

    Attributes:
        repeats: how many; "moment" for all of the newest one's nanosecond.
        asked_trades: (cursor, since_ns) of every request so far.
        distort: changes an answer on its way out; given the request too. May raise.
    """

    keeps_trades = True

    def __init__(
        self, trades: Sequence[Trade], now: int, *, pages: Sequence[int] = (5,), repeats: int | str = 1
    ) -> None:
        super().__init__([], now)
        self.trades_made = list(trades)
        self.sizes = cycle(pages)
        self.repeats = repeats
        self.asked_trades: list[tuple[str | None, int | None]] = []
        self.distort: Callable[[TradePage, str | None, int | None], TradePage] = lambda page, cursor, since_ns: page

    async def trades(self, symbol: str, *, cursor: str | None, since_ns: int | None, limit: int | None) -> TradePage:
        self.asked_trades.append((cursor, since_ns))
        made = [each for each in self.trades_made if each.time_ns <= self.now * NS_PER_MS]
        size = next(self.sizes)
        if cursor is not None:
            begin = int(cursor.rstrip("+"))
            chosen = made[begin - self._repeated(made[:begin]) : begin + size]
            following = min(begin + size, len(made))
        elif since_ns is not None:
            begin = sum(each.time_ns < since_ns for each in made)
            chosen, following = made[begin : begin + size], min(begin + size, len(made))
        else:
            chosen, following = made[-size:], len(made)
        return self.distort(page_of(chosen, str(following)), cursor, since_ns)

    def _repeated(self, before: Sequence[Trade]) -> int:
        if self.repeats == "moment":
            return sum(each.time_ns == before[-1].time_ns for each in before) if before else 0
        return min(int(self.repeats), len(before))
