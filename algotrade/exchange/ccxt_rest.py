"""Market data of any exchange that ccxt knows, over its REST interface, with the traps of ccxt closed.

ccxt checks no answer: a page of HTML, an empty body or rows under an unexpected key come out of it as "no candles".
Here an answer of the wrong shape is an error. Reads are asked again; each call ends within its deadline.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final, Self, TypeVar

import ccxt
import numpy as np

from algotrade.errors import AlgotradeError, FixCommand, did_you_mean
from algotrade.exchange.base import Quote
from algotrade.exchange.ccxt_client import host_of
from algotrade.exchange.ccxt_errors import nonsense, translate, unreachable
from algotrade.exchange.retry import Backoff, retry_read
from algotrade.market.candles import Floats
from algotrade.market.instrument import Instrument
from algotrade.market.timeframe import UNIT_MS

Answer = TypeVar("Answer")

DEFAULT_PAGE: Final = 500
SKEW_LIFE_MS: Final = 60_000
# Their candle endpoint ignores a `since` that lies further back than one page, which ccxt does not record.
SERVES_ONE_PAGE: Final = frozenset({"kraken"})


class CcxtExchange:
    """A real exchange, read only.

    Args:
        client: of ccxt's async kind, made by `make_client`.
        clock: the local clock, milliseconds; stands in where the exchange tells no time.
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
        self._skew_ms = 0
        self._skew_measured: int | None = None

    async def now_ms(self) -> int:
        """The exchange's time; the local clock where the exchange tells none."""
        return await self._ask(self._read_time) if self._client.has.get("fetchTime") else self._clock()

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

    def history_limit(self, timeframe: str) -> int | None:
        """One page for the exchanges that are known to serve no more; None for the others."""
        return self.page_limit(timeframe) if self.name in SERVES_ONE_PAGE else None

    def page_limit(self, timeframe: str) -> int:
        """How many bars it gives at most in one answer, as far as ccxt knows."""
        spot = (self._client.features or {}).get("spot") or {}
        return int((spot.get("fetchOHLCV") or {}).get("limit") or DEFAULT_PAGE)

    async def candles(self, symbol: str, timeframe: str, *, since: int | None, limit: int | None) -> Floats:
        """One page of candles, the forming bar included; see Exchange."""
        if timeframe not in (known := self.timeframes()):
            raise FixCommand(
                f"{self.name} has no {timeframe} candles.{did_you_mean(timeframe, known)}",
                hint=f"algotrade list timeframes --exchange {self.name}",
            )

        async def read() -> Floats:
            self._find(await self._load_markets(), symbol)
            rows = await self._client.fetch_ohlcv(symbol, timeframe, since, limit)
            return candle_rows(rows, self._client.last_json_response, self._where)

        return await self._ask(read)

    async def ticker(self, symbol: str) -> Quote:
        """The market now; see Exchange."""

        async def read() -> Quote:
            self._find(await self._load_markets(), symbol)
            answer = await self._client.fetch_ticker(symbol)
            time = answer.get("timestamp") or await self._time_of_receipt()
            quote = Quote(int(time), *(_number(answer.get(name)) for name in ("last", "bid", "ask")))
            if not quote.last > 0:
                raise nonsense(self._where, f"no price of {symbol}")
            return quote

        return await self._ask(read)

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
                return await read()
            except AlgotradeError:
                raise
            except Exception as error:  # ccxt indexes into what it receives, so anything may rise from a bad answer
                raise translate(error, self._where) from error

        try:
            async with asyncio.timeout(self._timeout_s):
                return await retry_read(once, self._backoff, sleep=asyncio.sleep, uniform=random.uniform)
        except TimeoutError:
            raise unreachable(self._where, f"no answer within {self._timeout_s:g} s") from None

    async def _load_markets(self) -> dict[str, Any]:
        async with self._loading:
            if not self._client.markets:
                await self._client.load_markets(reload=True)
            if not self._client.markets:
                raise nonsense(self._where, "no markets")
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
        time = await self._client.fetch_time()
        if not isinstance(time, int) or time <= 0:
            raise nonsense(self._where, "no time")
        self._skew_measured = self._clock()
        self._skew_ms = time - (before + self._skew_measured) // 2
        return time

    async def _time_of_receipt(self) -> int:
        """The exchange's time now, by the local clock and the difference between the two, measured every minute."""
        received = self._clock()
        if not self._client.has.get("fetchTime"):
            return received
        if self._skew_measured is None or not 0 <= received - self._skew_measured < SKEW_LIFE_MS:
            await self._read_time()
        return received + self._skew_ms


def candle_rows(rows: Any, answer: Any, where: str) -> Floats:
    """ccxt's candles as an array, shape (n, 6): times rising and unique (the later of two rows stays), null as NaN.

    Args:
        rows: what ccxt parsed.
        answer: the JSON that it parsed, None where it was none.
        where: the exchange and its host, for the error.

    Raises:
        CheckConnection: not rows of six numbers, or no rows though the answer holds no empty list to account for it.
    """
    if not rows and not holds_empty_list(answer):
        raise nonsense(where, "no candles in it")
    try:
        table = np.array([[_number(value) for value in row] for row in rows], np.float64).reshape(len(rows), 6)
    except (TypeError, ValueError):
        raise nonsense(where, "candles that are not six numbers") from None
    if np.isnan(table[:, 0]).any():
        raise nonsense(where, "a candle without a time")
    table = table[np.argsort(table[:, 0], kind="stable")]
    last_of_time = np.append(np.diff(table[:, 0]) > 0, np.ones(min(1, len(table)), np.bool_))
    return np.asarray(table[last_of_time], np.float64)


def holds_empty_list(answer: Any) -> bool:
    """Whether a JSON answer holds a list without elements, other than its list of errors."""
    if isinstance(answer, dict):
        return any(holds_empty_list(value) for key, value in answer.items() if key not in ("error", "errors"))
    if isinstance(answer, list):
        return not answer or any(holds_empty_list(value) for value in answer)
    return False


def instrument_from(market: dict[str, Any], precision_mode: int) -> Instrument:
    """Our instrument for ccxt's market; steps are known where ccxt gives them as steps or as decimal places."""

    def step(name: str) -> float:
        value = (market.get("precision") or {}).get(name)
        if value is None or precision_mode == ccxt.SIGNIFICANT_DIGITS:
            return 0.0
        return float(value) if precision_mode == ccxt.TICK_SIZE else float(f"1e{-int(value)}")

    def minimum(name: str) -> float:
        return float(((market.get("limits") or {}).get(name) or {}).get("min") or 0.0)

    return Instrument(
        symbol=market["symbol"],
        quantity_step=step("amount"),
        price_tick=step("price"),
        min_quantity=minimum("amount"),
        min_notional=minimum("cost"),
        taker_fee=market.get("taker"),
        maker_fee=market.get("maker"),
        can_short=not market.get("spot"),
    )


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
