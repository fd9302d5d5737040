"""Public trades of an exchange that ccxt knows, page by page, none lost: the rules of exchange/facts.py applied."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from algotrade.errors import FixCommand
from algotrade.exchange.base import TradePage
from algotrade.exchange.ccxt_errors import nonsense
from algotrade.exchange.facts import TRADE_WALKS, RawTrades, TradeWalk
from algotrade.exchange.trade_prints import (
    Asked,
    Print,
    cursor_after,
    next_request,
    parsed_prints,
    raw_prints,
    request_from,
    sorted_prints,
    trade_page,
    unknown_prints,
)

# Asks of a market: (symbol, read) -> what `read` makes of ccxt's description of it.
AskOfMarket = Callable[[str, Callable[[dict[str, Any]], Awaitable[Any]]], Awaitable[Any]]


class CcxtTrades:
    """The trades of one exchange.

    Args:
        client: of ccxt's async kind.
        where: the exchange and its host, for errors.
        ask: runs a read of a market, with its retries and its deadline.

    Attributes:
        walk: how its trades are walked through; None where only the newest can be had.
    """

    def __init__(self, client: Any, where: str, ask: AskOfMarket) -> None:
        self.walk: TradeWalk | None = TRADE_WALKS.get(client.id)
        self._client = client
        self._where = where
        self._ask = ask

    async def page(self, symbol: str, *, cursor: str | None, since_ns: int | None, limit: int | None) -> TradePage:
        """One page; see Exchange.trades."""
        if not self._client.has.get("fetchTrades"):
            raise FixCommand(f"{self._client.id} gives no trades", hint=self._for_candles(symbol))
        if self.walk is None:
            return await self._newest(symbol, cursor, since_ns, limit)
        count = min(limit or self.walk.page, self.walk.page)
        if cursor is None and since_ns is not None and self.walk.by == "id":
            cursor = await self._number_at(symbol, since_ns, self.walk)
        asked = request_from(self.walk, since_ns) if cursor is None else next_request(self.walk, cursor)
        following = None
        if self.walk.raw is not None:
            prints, following = await self._raw_prints(symbol, asked, count, self.walk.raw)
        else:
            prints = await self._prints(symbol, asked, count)
        if cursor is None and since_ns is not None:
            prints = [each for each in prints if each.time_ns >= since_ns]
        elif cursor is not None and self.walk.by == "time":
            prints = self._new_ones(prints, cursor, count)
        if cursor is None and asked.since_ms is not None:
            cursor = str(asked.since_ms)
        return trade_page(prints, following or cursor_after(self.walk, prints, cursor))

    async def _newest(self, symbol: str, cursor: str | None, since_ns: int | None, limit: int | None) -> TradePage:
        if cursor is not None or since_ns is not None:
            raise FixCommand(
                f"{self._client.id} gives only its newest trades, as far as is known", hint=self._for_candles(symbol)
            )
        return trade_page(await self._prints(symbol, Asked(None, {}), limit), "")

    def _for_candles(self, symbol: str) -> str:
        return f"algotrade fetch --exchange {self._client.id} --symbol {symbol}"

    def _new_ones(self, prints: list[Print], cursor: str, count: int) -> list[Print]:
        """Of a page that was asked for by millisecond, the trades that the page before did not have."""
        new = unknown_prints(prints, cursor, self._where)
        if len(prints) >= count and not new:
            raise nonsense(self._where, f"{count} trades of one millisecond, beyond which it cannot be asked")
        return new

    async def _prints(self, symbol: str, asked: Asked, limit: int | None) -> list[Print]:
        """The trades of one answer as ccxt reads them."""

        async def read(market: dict[str, Any]) -> list[Print]:
            trades = await self._client.fetch_trades(symbol, asked.since_ms, limit, asked.parameters)
            return sorted_prints(parsed_prints(trades, self._client.last_json_response, self._where))

        prints: list[Print] = await self._ask(symbol, read)
        return prints

    async def _raw_prints(self, symbol: str, asked: Asked, limit: int, raw: RawTrades) -> tuple[list[Print], str]:
        """The trades of one answer, and its cursor, in the exchange's own digits."""

        async def read(market: dict[str, Any]) -> tuple[list[Print], str]:
            call = getattr(self._client, raw.call)
            await call({raw.market: market["id"], raw.limit: str(limit), **asked.parameters})
            prints, cursor = raw_prints(self._client.last_http_response, raw, market["id"], self._where)
            return sorted_prints(prints), cursor

        found: tuple[list[Print], str] = await self._ask(symbol, read)
        return found

    async def _number_at(self, symbol: str, since_ns: int, walk: TradeWalk) -> str:
        """The number of the first trade at or after a time, by halving: it needs no answer of more than one trade."""
        newest = await self._prints(symbol, Asked(None, {}), 1)
        low, high = 0, int(newest[-1].id or 0) + 1 if newest else 0
        while low < high:
            middle = (low + high) // 2
            found = await self._prints(symbol, Asked(None, {walk.parameter: str(middle)}), 1)
            if found and found[0].time_ns < since_ns:
                low = middle + 1
            else:
                high = middle
        return str(low)
