"""An exchange that answers what a test has written down."""

from __future__ import annotations

from typing import Self

import numpy as np

from algotrade.errors import AlgotradeError
from algotrade.exchange.base import Quote, TradePage
from algotrade.market.candles import Floats
from algotrade.market.funding import FundingRates
from algotrade.market.instrument import Instrument

Row = tuple[float, float, float, float, float, float]


class ScriptedExchange:
    """Tells the time and the rows that it is set to; an error among them is raised."""

    name = "scripted"
    simulated = True
    origin = "demo"
    keeps_trades = False

    def __init__(self) -> None:
        self.now = 0
        self.rows: list[Row] = []
        self.quotes: list[Quote | AlgotradeError] = []
        self.asked: list[int | None] = []

    async def now_ms(self) -> int:
        return self.now

    async def instruments(self) -> list[Instrument]:
        return [Instrument("BTC/USD")]

    async def instrument(self, symbol: str) -> Instrument:
        return Instrument(symbol)

    def timeframes(self) -> list[str]:
        return ["1m"]

    def page_limit(self, symbol: str, timeframe: str) -> int:
        return 1000

    async def candles(self, symbol: str, timeframe: str, *, since: int | None, limit: int | None) -> Floats:
        self.asked.append(since)
        rows = [row for row in self.rows if since is None or row[0] >= since]
        return np.array(rows, np.float64).reshape(-1, 6)

    async def trades(self, symbol: str, *, cursor: str | None, since_ns: int | None, limit: int | None) -> TradePage:
        raise NotImplementedError

    async def funding(self, symbol: str, *, since: int, until: int) -> FundingRates:
        raise NotImplementedError

    async def ticker(self, symbol: str) -> Quote:
        quote = self.quotes.pop(0)
        if isinstance(quote, AlgotradeError):
            raise quote
        return quote

    async def close(self) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        pass
