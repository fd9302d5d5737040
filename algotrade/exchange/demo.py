"""The demo exchange: the simulated market behind the same questions as a real one. No network, no waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Self

import numpy as np

from algotrade.errors import FixCommand, did_you_mean
from algotrade.exchange.base import DEMO, Quote, TradePage
from algotrade.market.candles import COLUMNS, Floats, times_ms
from algotrade.market.funding import FundingRates
from algotrade.market.instrument import Instrument
from algotrade.market.simulate import (
    FIRST_MS,
    MINUTE_MS,
    SYMBOLS,
    TRADES_A_MINUTE,
    forming_candle,
    instrument_of,
    price_at,
    simulate_candles,
    simulate_trades,
    spread_at,
)
from algotrade.market.timeframe import COMMON, bar_start, timeframe_ms

PAGE: Final = 1000
NS_PER_MS: Final = 1_000_000


class DemoExchange:
    """A simulated exchange that lives by the clock it is given.

    Args:
        clock: the exchange's time, milliseconds since the epoch; may run faster than ours.
    """

    name = DEMO
    simulated = True
    origin = "demo"
    keeps_trades = True

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock

    async def now_ms(self) -> int:
        """The time of the clock it was given."""
        return self._clock()

    async def instruments(self) -> list[Instrument]:
        """The simulated markets, sorted by symbol."""
        return [instrument_of(symbol) for symbol in sorted(SYMBOLS)]

    async def instrument(self, symbol: str) -> Instrument:
        """One simulated market; FixCommand where there is none of that symbol."""
        return instrument_of(symbol)

    def timeframes(self) -> list[str]:
        """The usual ones, from one minute on."""
        return list(COMMON)

    def page_limit(self, symbol: str, timeframe: str) -> int:
        """A thousand bars an answer."""
        return PAGE

    async def candles(self, symbol: str, timeframe: str, *, since: int | None, limit: int | None) -> Floats:
        """One page of candles, the forming bar included; see Exchange."""
        if timeframe not in COMMON:
            raise FixCommand(
                f"the demo exchange has no {timeframe} candles.{did_you_mean(timeframe, COMMON)}",
                hint="algotrade list timeframes --exchange demo",
            )
        now, length = self._clock(), timeframe_ms(timeframe)
        count = PAGE if limit is None else max(1, min(limit, PAGE))
        forming = bar_start(now, timeframe)
        earliest = bar_start(FIRST_MS + length - 1, timeframe)
        wanted = forming - (count - 1) * length if since is None else bar_start(since + length - 1, timeframe)
        first = max(wanted, earliest)
        last = min(first + (count - 1) * length, forming)
        table = simulate_candles(symbol, timeframe, first, min(last, forming - length))
        rows = np.column_stack([times_ms(table), table[list(COLUMNS)].to_numpy()])
        if first <= forming <= last:
            rows = np.vstack([rows, forming_candle(symbol, timeframe, now)])
        return rows

    async def trades(self, symbol: str, *, cursor: str | None, since_ns: int | None, limit: int | None) -> TradePage:
        """One page of simulated trades, oldest first: four a minute, which add up to the minute's candle exactly."""
        now, count = self._clock(), PAGE if limit is None else max(1, min(limit, PAGE))
        span = -(-count // TRADES_A_MINUTE) * MINUTE_MS
        start = now - span if cursor is None and since_ns is None else FIRST_MS
        if cursor is not None:
            start = max(start, int(cursor) // TRADES_A_MINUTE * MINUTE_MS)
        elif since_ns is not None:
            start = max(start, since_ns // NS_PER_MS)
        made = simulate_trades(symbol, bar_start(min(start, now), "1m"), min(start + span, now))
        wanted = made.times <= now
        if cursor is not None:
            wanted &= made.numbers >= int(cursor)
        elif since_ns is not None:
            wanted &= made.times * NS_PER_MS >= since_ns
        chosen = np.flatnonzero(wanted)
        chosen = chosen[-count:] if cursor is None and since_ns is None else chosen[:count]
        numbers = made.numbers[chosen]
        following = str(numbers[-1] + 1) if len(numbers) else cursor or str(start // MINUTE_MS * TRADES_A_MINUTE)
        return TradePage(
            times_ns=made.times[chosen] * NS_PER_MS,
            prices=made.prices[chosen],
            quantities=made.quantities[chosen],
            sides=made.sides[chosen],
            ids=tuple(str(number) for number in numbers),
            next_cursor=following,
        )

    async def funding(self, symbol: str, *, since: int, until: int) -> FundingRates:
        """None: its markets are spot; see Exchange."""
        raise FixCommand(
            "the demo exchange has no perpetual contracts, and only those have funding",
            hint="algotrade fetch --funding --exchange binance --symbol BTC/USDT:USDT",
        )

    async def ticker(self, symbol: str) -> Quote:
        """The simulated market at this moment."""
        now = self._clock()
        return Quote(now, price_at(symbol, now), *spread_at(symbol, now))

    async def close(self) -> None:
        """Nothing to let go of."""

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Close it."""
        await self.close()
