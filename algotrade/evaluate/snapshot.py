"""What a live session looks like at one moment: handed from the loop to whoever shows it, and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from algotrade.engine.events import OrderFilled
from algotrade.engine.orders import Order
from algotrade.market.candles import Floats, Times


class Chosen(NamedTuple):
    """A strategy of the session: its name and its parameters."""

    name: str
    parameters: Mapping[str, Any]


class Holding(NamedTuple):
    """A symbol in a strategy's book.

    Attributes:
        symbol: ccxt's unified symbol.
        book: the strategy's name, "" for the only one.
        quantity: base units held, negative when short.
        entry_price: average, quote units; 0.0 when flat.
        price: last price seen, quote units; NaN before the first.
    """

    symbol: str
    book: str
    quantity: float
    entry_price: float
    price: float

    @property
    def profit(self) -> float:
        """Of the position at the last price, before fees, quote units."""
        return self.quantity * (self.price - self.entry_price) if self.quantity else 0.0


class Signal(NamedTuple):
    """What a strategy wanted at the close of a bar.

    Attributes:
        time: open time of the bar, milliseconds.
        close: its close, quote units.
        exposure: target fraction of equity; NaN for a strategy that sends orders itself.
        action: "hold", "trade", "refused" or "stopped", see engine/events.py.
        symbol: of which symbol.
        book: of which strategy, "" for the only one.
        detail: why it was refused, in short; "" where it was not.
    """

    time: int
    close: float
    exposure: float
    action: str
    symbol: str = ""
    book: str = ""
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class LiveSnapshot:
    """A session as its screen shows it.

    Attributes:
        session: its id.
        mode: "PAPER", or what else is traded with.
        simulated: the market is the demo exchange.
        exchange: "kraken", "demo", any ccxt id.
        symbols: ccxt's unified ones.
        timeframe: of the bars.
        strategies: in order.
        state: "RUNNING", "DEGRADED", ... of live/states.py.
        exchange_time: milliseconds.
        next_bar_s: seconds until the bar that is forming closes; NaN if unknown.
        feed_age_s: seconds since the exchange last answered; NaN if it never has.
        cash: quote units, of all books.
        holdings: every symbol in every strategy's book.
        equity: quote units, of all books.
        profit: quote units, since the session began.
        summary: metrics so far, the keys of evaluate/summary.py.
        signals: the last ones, oldest first.
        open_orders: orders that still work.
        fills: the last ones, oldest first.
        times: of the equity line, milliseconds, shape (points,).
        equity_values: the equity line, quote units, shape (points,).
        message: the last thing worth saying, or the last error; "" if there is none.
        retry_in_s: seconds until the feed is tried again; None unless it is backing off.
    """

    session: str
    mode: str
    simulated: bool
    exchange: str
    symbols: tuple[str, ...]
    timeframe: str
    strategies: tuple[Chosen, ...]
    state: str
    exchange_time: int
    next_bar_s: float
    feed_age_s: float
    cash: float
    holdings: tuple[Holding, ...]
    equity: float
    profit: float
    summary: Mapping[str, float]
    signals: tuple[Signal, ...]
    open_orders: tuple[Order, ...]
    fills: tuple[OrderFilled, ...]
    times: Times
    equity_values: Floats
    message: str
    retry_in_s: float | None
