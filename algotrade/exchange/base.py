"""What an exchange can be asked, whoever it is.

Times are milliseconds since the epoch, UTC, by the exchange's own clock: whether a candle is closed is for the
exchange to say. Nothing here can place an order, and no secret is needed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt

from algotrade.market.candles import Floats, Times
from algotrade.market.funding import FundingRates
from algotrade.market.instrument import Instrument

DEMO: Final = "demo"
DEFAULT_EXCHANGE: Final = "kraken"  # where none is named
TIMEOUT_S: Final = 30.0
ATTEMPTS: Final = 3


class Quote(NamedTuple):
    """The market at a moment: last traded price, best bid and best ask; NaN where the exchange gives none."""

    time: int
    last: float
    bid: float
    ask: float


class TradePage(NamedTuple):
    """One answer's public trades, as the exchange gave them: a trade may repeat the page before.

    Attributes:
        times_ns: when each was made, nanoseconds, never falling, shape (n,); as fine as the exchange tells.
        prices: shape (n,).
        quantities: base units, shape (n,).
        sides: of the taker, 1 bought, -1 sold, 0 unknown; shape (n,).
        ids: the exchange's own, None where it gives none.
        next_cursor: asks for what comes after. The one that was given where nothing has come after it yet. It is text
            to be kept and handed back, never to be taken apart.
    """

    times_ns: Times
    prices: Floats
    quantities: Floats
    sides: npt.NDArray[np.int8]
    ids: tuple[str | None, ...]
    next_cursor: str


class Exchange(Protocol):
    """A source of market data. Use it as an async context manager, or close it.

    Every method that asks may raise CheckConnection (not reached, or an answer that makes no sense), TryLater (the
    exchange asks for patience), FixCommand (an unknown symbol or timeframe) or FixData.

    Attributes:
        name: as given on the command line, "kraken".
        simulated: True where the prices are made up.
        origin: under which origin its candles are stored.
        keeps_trades: whether `trades` reaches back to the market's beginning without a hole.
    """

    name: str
    simulated: bool
    origin: str
    keeps_trades: bool

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

    def page_limit(self, symbol: str, timeframe: str) -> int:
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

    async def trades(self, symbol: str, *, cursor: str | None, since_ns: int | None, limit: int | None) -> TradePage:
        """One page of public trades, oldest first.

        A walk gives `since_ns` once and the `next_cursor` of each answer from then on: so no trade is lost, though
        one at a page's edge may come twice. It has caught up when an answer holds no trade that is new.

        Args:
            symbol: which market.
            cursor: `next_cursor` of the answer before; it goes before `since_ns`.
            since_ns: time of the first trade wanted, nanoseconds; without both, the newest page.
            limit: trades at most; None for the exchange's page.

        Raises:
            FixCommand: it gives no trades, or only its newest ones and others were asked for (see `keeps_trades`).
        """
        ...

    async def funding(self, symbol: str, *, since: int, until: int) -> FundingRates:
        """Some of the funding rates of a perpetual contract, as many as fit into one answer, in rising time.

        Which part of the span they are is the exchange's choice: the oldest, the newest, or all; what lies after
        `until` is to be left aside. None only where it really has none there.

        Args:
            symbol: which market.
            since: time of the first settlement wanted, milliseconds.
            until: time of the last, inclusive.

        Raises:
            FixCommand: the exchange gives no funding rates, or the market has none.
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


class Stream(Protocol):
    """What an exchange sends by itself. Use it as an async context manager, or close it.

    Attributes:
        name: the exchange's, as given on the command line.
        what: what it sends: "candles", "trades" or "prices".
    """

    name: str

    @property
    def what(self) -> str:
        """See the class."""
        ...

    async def wait(self, symbol: str, timeframe: str, *, timeout_s: float) -> Floats | None:
        """The next updates: rows [time_ms, open, high, low, close, volume], shape (n, 6), in rising time.

        A candle comes again with every change, the forming one too. Trades and prices have a time alone, the rest NaN.
        None when nothing came in time: the market sleeps, or the connection is deaf.

        Raises:
            CheckConnection, TryLater: the connection broke, or was given up; the next call makes a new one.
        """
        ...

    async def reconnect(self, timeframe: str) -> None:
        """Give up the connection for a timeframe, which all its symbols share; the next `wait` makes a new one."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
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


def steady_clock() -> Callable[[], int]:
    """This machine's clock as it stands now, carried on by one that nobody sets; milliseconds since the epoch."""
    offset_ms = system_ms() - time.monotonic_ns() // 1_000_000
    return lambda: time.monotonic_ns() // 1_000_000 + offset_ms
