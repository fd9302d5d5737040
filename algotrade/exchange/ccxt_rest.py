"""Market data of any exchange that ccxt knows, over its REST interface, with the traps of ccxt closed.

An answer of the wrong shape is an error and never "no data". Reads are asked again; each call ends within its deadline.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final, Self, TypeVar

from algotrade.errors import AlgotradeError, FixCommand, did_you_mean
from algotrade.exchange.base import Quote, TradePage
from algotrade.exchange.bounded_answers import bound_answers
from algotrade.exchange.ccxt_answers import (
    believable_ms,
    candle_rows,
    candles_limit,
    check_spacing,
    date_ms,
    instrument_from,
    number,
)
from algotrade.exchange.ccxt_client import host_of
from algotrade.exchange.ccxt_errors import nonsense, translate, unreachable
from algotrade.exchange.ccxt_funding import CcxtFunding
from algotrade.exchange.ccxt_trades import CcxtTrades
from algotrade.exchange.facts import NEWEST_BY_LOCAL_CLOCK
from algotrade.exchange.retry import Backoff, retry_read
from algotrade.market.candles import Floats
from algotrade.market.funding import FundingRates
from algotrade.market.instrument import Instrument
from algotrade.market.timeframe import UNIT_MS, bar_start, timeframe_ms

Answer = TypeVar("Answer")

SKEW_LIFE_MS: Final = 60_000


class CcxtExchange:
    """A real exchange, read only.

    Args:
        client: of ccxt's async kind, made by `make_client`.
        clock: the local clock, milliseconds, against which the exchange's is measured.
        timeout_s: seconds after which a call is given up, all its attempts together.
        attempts: how often a call is made when the network fails or the exchange asks for patience.
    """

    simulated = False
    origin = "official"

    def __init__(self, client: Any, *, clock: Callable[[], int], timeout_s: float, attempts: int) -> None:
        self.name: str = client.id
        self._client = client
        self._clock = clock
        self._timeout_s = timeout_s
        self._backoff = Backoff(attempts)
        self._where = f"{self.name} ({host_of(client)})"
        self._loading = asyncio.Lock()  # ccxt shares one load among callers, and cancelling one cancels all
        self._bounded = False
        self._noted_headers: Any = None
        self._skew_ms = 0
        self._skew_measured: int | None = None
        self._trades = CcxtTrades(client, self._where, self._ask_of_market)
        self._funding = CcxtFunding(client, self._where, self._ask_of_market)
        self.keeps_trades = self._trades.walk is not None

    async def now_ms(self) -> int:
        """The exchange's time; where it cannot be asked for that, the time at which it sent its last answer."""
        if self._client.has.get("fetchTime"):
            return await self._ask(self._read_time)
        if self._skew_measured is None:
            await self._ask(self._load_markets)
        return self._clock() + self._skew_ms

    async def instruments(self) -> list[Instrument]:
        """Every active market, sorted by symbol; options are left out."""
        markets = await self._ask(self._load_markets)
        tradable = [market for market in markets.values() if market["active"] is not False and not market["option"]]
        found = [instrument_from(market, self._client.precisionMode) for market in tradable]
        return sorted(found, key=lambda instrument: instrument.symbol)

    async def instrument(self, symbol: str) -> Instrument:
        """One market; FixCommand where there is none of that symbol."""
        markets = await self._ask(self._load_markets)
        return instrument_from(self._find(markets, symbol), self._client.precisionMode)

    def timeframes(self) -> list[str]:
        """The bar lengths that ccxt names for it; months and years have no fixed length and are left out."""
        return [name for name in self._client.timeframes or {} if name[-1] in UNIT_MS]

    def page_limit(self, symbol: str, timeframe: str) -> int:
        """How many bars it gives at most in one answer, as far as ccxt knows; the same for all timeframes."""
        return candles_limit(self._client.features, symbol)

    async def candles(self, symbol: str, timeframe: str, *, since: int | None, limit: int | None) -> Floats:
        """One page of candles, the forming bar included; see Exchange."""
        if timeframe not in (known := self.timeframes()):
            raise FixCommand(
                f"{self.name} has no {timeframe} candles.{did_you_mean(timeframe, known)}",
                hint=f"algotrade list timeframes --exchange {self.name}",
            )
        bars = min(limit or self.page_limit(symbol, timeframe), self.page_limit(symbol, timeframe))
        if since is None and self.name in NEWEST_BY_LOCAL_CLOCK:
            since = bar_start(await self.now_ms(), timeframe) - (bars - 1) * timeframe_ms(timeframe)

        async def read(market: dict[str, Any]) -> Floats:
            rows = await self._client.fetch_ohlcv(symbol, timeframe, since, bars)
            table = candle_rows(rows, self._client.last_json_response, self._where)
            check_spacing(table, timeframe, self._where)
            return table

        return await self._ask_of_market(symbol, read)

    async def trades(self, symbol: str, *, cursor: str | None, since_ns: int | None, limit: int | None) -> TradePage:
        """One page of public trades, oldest first; see Exchange."""
        return await self._trades.page(symbol, cursor=cursor, since_ns=since_ns, limit=limit)

    async def funding(self, symbol: str, *, since: int, until: int) -> FundingRates:
        """Some of the funding rates of a perpetual contract; see Exchange."""
        return await self._funding.rates(symbol, since=since, until=until)

    async def ticker(self, symbol: str) -> Quote:
        """The market now; see Exchange."""

        async def read(market: dict[str, Any]) -> Quote:
            answer = await self._client.fetch_ticker(symbol)
            time = answer.get("timestamp") or await self._time_of_receipt()
            quote = Quote(int(time), *(number(answer.get(name)) for name in ("last", "bid", "ask")))
            if not quote.last > 0:
                raise nonsense(self._where, f"no price of {symbol}")
            return quote

        return await self._ask_of_market(symbol, read)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Close it."""
        await self.close()

    async def _ask(self, read: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer of `read`, asked again where that may help, in our errors, within the deadline."""

        async def once() -> Answer:
            try:
                self._bound_answers()
                answer = await read()
                self._note_time()
                return answer
            except AlgotradeError:
                raise
            except Exception as error:  # ccxt indexes into what it receives, so anything may rise from a bad answer
                raise translate(error, self._where) from error

        try:
            async with asyncio.timeout(self._timeout_s):
                return await retry_read(once, self._backoff, sleep=asyncio.sleep, uniform=random.uniform)
        except TimeoutError:
            raise unreachable(self._where, f"no answer within {self._timeout_s:g} s") from None

    async def _ask_of_market(self, symbol: str, read: Callable[[dict[str, Any]], Awaitable[Answer]]) -> Answer:
        """As `_ask`, of a market that must exist; `read` is given ccxt's description of it."""

        async def found() -> Answer:
            return await read(self._find(await self._load_markets(), symbol))

        return await self._ask(found)

    def _bound_answers(self) -> None:
        """Bound what is read, once there is an event loop to read it."""
        if not self._bounded:
            bound_answers(self._client)
            self._bounded = True

    def _note_time(self) -> None:
        """Measure the clock of an exchange that cannot be asked for its time by the date of its newest answer."""
        headers = self._client.last_response_headers
        if self._client.has.get("fetchTime") or headers is self._noted_headers:
            return
        self._noted_headers = headers
        if (sent := date_ms(headers)) is not None:
            self._skew_measured = self._clock()
            self._skew_ms = sent - self._skew_measured

    async def _load_markets(self) -> dict[str, Any]:
        async with self._loading:
            if not self._client.markets:
                options = dict(self._client.options)
                try:
                    await self._client.load_markets(reload=True)
                    if not self._client.markets:
                        raise nonsense(self._where, "no markets")
                except Exception:
                    self._client.options = options  # where some of ccxt's classes keep an answer, also a bad one
                    raise
            markets: dict[str, Any] = self._client.markets
            return markets

    def _find(self, markets: dict[str, Any], symbol: str) -> dict[str, Any]:
        if symbol not in markets:
            raise FixCommand(
                f"{self.name} has no symbol '{symbol}'.{did_you_mean(symbol, markets)}",
                hint=f"algotrade list markets --exchange {self.name}",
            )
        market: dict[str, Any] = markets[symbol]
        return market

    async def _read_time(self) -> int:
        before = self._clock()
        time: int = await self._client.fetch_time()
        if not believable_ms(time):
            raise nonsense(self._where, "no time")
        self._skew_measured = self._clock()
        self._skew_ms = time - (before + self._skew_measured) // 2
        return time

    async def _time_of_receipt(self) -> int:
        """The exchange's time now, by the local clock and the difference between the two, measured every minute."""
        received = self._clock()
        if not self._client.has.get("fetchTime"):
            return received + self._skew_ms
        if self._skew_measured is None or not 0 <= received - self._skew_measured < SKEW_LIFE_MS:
            await self._read_time()
        return received + self._skew_ms
