"""An exchange that obeys the protocol and answers from a list, in the ways that real ones are known to."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Self

import numpy as np

from algotrade.errors import FixCommand
from algotrade.exchange.base import Exchange, Quote, TradePage
from algotrade.market.candles import Floats, iso
from algotrade.market.funding import FundingRates
from algotrade.market.instrument import Instrument
from algotrade.market.timeframe import timeframe_ms

MINUTE = 60_000
NOON = 1_704_110_400_000  # 2024-01-01T12:00:00Z


def candle(time: int, price: float = 100.0) -> list[float]:
    return [time, price, price + 2, price - 1, price + 1, 5.0]


def minutes(first: int, last: int) -> list[list[float]]:
    """Candles of the minutes after noon from `first` to `last`, both inclusive."""
    return [candle(NOON + at * MINUTE, 100.0 + at % 7) for at in range(first, last + 1)]


def page_from(rows: Floats, since: int, limit: int) -> Floats:
    """What most exchanges answer: the first `limit` bars that open at `since` or later."""
    return rows[rows[:, 0] >= since][:limit]


def page_after(rows: Floats, since: int, limit: int) -> Floats:
    """What some answer: `since` itself does not count."""
    return rows[rows[:, 0] > since][:limit]


def page_of_window(rows: Floats, since: int, limit: int) -> Floats:
    """What others answer: the bars of the next `limit` minutes, none where there was no trade."""
    return rows[(rows[:, 0] >= since) & (rows[:, 0] < since + limit * MINUTE)]


def newest_page(rows: Floats, since: int, limit: int) -> Floats:
    """What Kraken answers: the newest bars, of which those before `since` are left out."""
    newest = rows[-limit:]
    return newest[newest[:, 0] >= since]


def first_page(rows: Floats, since: int, limit: int) -> Floats:
    """What a broken one answers: always the same."""
    return rows[:limit]


class ListedExchange:
    """Answers from rows [time, open, high, low, close, volume]; the row that is not over at `now` is forming.

    Attributes:
        asked: the `since` of every request so far.
        spoil: changes an answer on its way out; may raise.
    """

    simulated = False
    origin = "official"
    keeps_trades = True

    def __init__(
        self,
        rows: Iterable[list[float]],
        now: int,
        *,
        page: int = 10,
        answer: Callable[[Floats, int, int], Floats] = page_from,
    ) -> None:
        self.name = "kraken"
        self.rows = list(rows)
        self.now = now
        self.page = page
        self.answer = answer
        self.asked: list[int] = []
        self.spoil: Callable[[str, Floats], Floats] = lambda symbol, rows: rows

    async def now_ms(self) -> int:
        return self.now

    async def instruments(self) -> list[Instrument]:
        return [await self.instrument(symbol) for symbol in ("BTC/USD", "ETH/USD")]

    async def instrument(self, symbol: str) -> Instrument:
        if symbol not in ("BTC/USD", "ETH/USD"):
            raise FixCommand(f"kraken has no symbol '{symbol}'", hint="algotrade list markets --exchange kraken")
        return Instrument(symbol, taker_fee=0.004)

    def timeframes(self) -> list[str]:
        return ["1m", "1h"]

    def page_limit(self, symbol: str, timeframe: str) -> int:
        return self.page

    async def candles(self, symbol: str, timeframe: str, *, since: int | None, limit: int | None) -> Floats:
        assert since is not None
        assert limit is not None
        self.asked.append(since)
        table = np.array(self.rows, np.float64).reshape(-1, 6)
        opened = table[table[:, 0] <= self.now]
        assert timeframe_ms(timeframe) == MINUTE
        return self.spoil(symbol, self.answer(opened, since, limit))

    def asked_after_noon(self) -> list[float]:
        """The `since` of every request, in minutes after noon."""
        return [(since - NOON) / MINUTE for since in self.asked]

    async def trades(self, symbol: str, *, cursor: str | None, since_ns: int | None, limit: int | None) -> TradePage:
        raise FixCommand("kraken gives no trades")

    async def funding(self, symbol: str, *, since: int, until: int) -> FundingRates:
        raise FixCommand("kraken gives no funding rates")

    async def ticker(self, symbol: str) -> Quote:
        """The last close; a fetch never asks for it."""
        return Quote(self.now, self.rows[-1][4], math.nan, math.nan)

    async def close(self) -> None:
        """Nothing to close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Nothing to close."""


def as_exchange(listed: ListedExchange) -> Exchange:
    """For the type checker: it obeys the protocol."""
    return listed


def shown(times: Iterable[int]) -> str:
    return " ".join(iso(time) for time in times)
