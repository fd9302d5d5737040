"""What an exchange can be asked, whoever it is.

Times are milliseconds since the epoch, UTC, by the exchange's own clock: whether a candle is closed is for the
exchange to say. Nothing here can place an order, and no secret is needed.
"""

from __future__ import annotations

import time
from typing import Final, NamedTuple, Protocol, Self

from algotrade.market.candles import Floats
from algotrade.market.instrument import Instrument

DEMO: Final = "demo"
TIMEOUT_S: Final = 30.0
ATTEMPTS: Final = 3


class Quote(NamedTuple):
    """The market at a moment: last traded price, best bid and best ask; NaN where the exchange gives none."""

    time: int
    last: float
    bid: float
    ask: float


class Exchange(Protocol):
    """A source of market data. Use it as an async context manager, or close it.

    Every method that asks may raise CheckConnection (not reached, or an answer that makes no sense), TryLater (the
    exchange asks for patience), FixCommand (an unknown symbol or timeframe) or FixData.

    Attributes:
        name: as given on the command line, "kraken".
        simulated: True where the prices are made up.
        origin: under which origin its candles are stored.
    """

    name: str
    simulated: bool
    origin: str

    async def now_ms(self) -> int:
        """The exchange's time; never ahead of it, so a bar that is over by it is over."""
        ...

    async def instruments(self) -> list[Instrument]:
        """Every market that can be traded now, sorted by symbol."""
        ...

    async def instrument(self, symbol: str) -> Instrument:
        """One market; FixCommand with the nearest match where there is none of that symbol."""
        ...

    def timeframes(self) -> list[str]:
        """The bar lengths it offers, short to long."""
        ...

    def history_limit(self, timeframe: str) -> int | None:
        """How many bars back from now it serves at all; None where it goes back to the market's beginning."""
        ...

    def page_limit(self, timeframe: str) -> int:
        """How many bars it gives at most in one answer."""
        ...

    async def candles(self, symbol: str, timeframe: str, *, since: int | None, limit: int | None) -> Floats:
        """One page of candles, the forming bar included.

        Args:
            symbol: which market.
            timeframe: of the bars.
            since: open time of the first bar wanted; None for the newest page.
            limit: bars at most; None for the exchange's page.

        Returns:
            Rows [time_ms, open, high, low, close, volume] of rising, unique times, shape (n, 6). Values are as the
            exchange gave them, NaN for null; empty only where it really has no bar there.
        """
        ...

    async def ticker(self, symbol: str) -> Quote:
        """The market now; where the exchange gives no time, that of receipt by the exchange's clock."""
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...

    async def __aenter__(self) -> Self:
        """Return itself."""
        ...

    async def __aexit__(self, *exception: object) -> None:
        """Close it."""
        ...


def system_ms() -> int:
    """This machine's clock, milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
