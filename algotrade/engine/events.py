"""The vocabulary of the engine: what happens (events), what a strategy asks for (requests), what to do (effects).

Everything is a NamedTuple of plain values, so that a journal row is its fields. Times are integer milliseconds, UTC.
`time` of a market event is the open time of its bar; `time` of an order event is the exchange's time of it.
"""

from __future__ import annotations

from typing import NamedTuple

from algotrade.engine.orders import Order


# ---- events from the market -----------------------------------------------------------------------------------------
class BarOpened(NamedTuple):
    """A bar began: market orders fill here. The strategy never sees it."""

    symbol: str
    time: int
    open: float


class OpenRevised(NamedTuple):
    """The closed candle's open differs from the one that BarOpened gave; fills made on the first one stand."""

    symbol: str
    time: int
    open: float


class CandleClosed(NamedTuple):
    """A bar is complete, by the exchange's clock."""

    symbol: str
    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class TradePrinted(NamedTuple):
    """A public trade; `side` is the taker's, +1 buy or -1 sell."""

    symbol: str
    time: int
    price: float
    quantity: float
    side: int


class TimerStruck(NamedTuple):
    """A timer that a strategy asked for."""

    name: str
    time: int


# ---- events from the exchange about our orders ----------------------------------------------------------------------
class OrderAccepted(NamedTuple):
    """The exchange has the order."""

    order_id: str
    time: int


class OrderFilled(NamedTuple):
    """An execution of ours: `quantity` in base units at `price`, `fee` in quote units, `side` +1 buy or -1 sell."""

    order_id: str
    symbol: str
    time: int
    side: int
    quantity: float
    price: float
    fee: float


class OrderRejected(NamedTuple):
    """The exchange, or our own limits, refused the order; `reason` is a code of engine/orders.py."""

    order_id: str
    time: int
    reason: str


class OrderCancelled(NamedTuple):
    """The order is gone unfilled, or its rest is."""

    order_id: str
    time: int


# ---- what a strategy asks for ---------------------------------------------------------------------------------------
class OrderRequest(NamedTuple):
    """Buy (+1) or sell (-1): exactly one of `quantity` (base units) and `notional` (quote units)."""

    symbol: str
    side: int
    quantity: float | None = None
    notional: float | None = None


class TargetRequest(NamedTuple):
    """Hold `exposure`, a fraction of equity: 1 long, 0 flat, -1 short."""

    symbol: str
    exposure: float


class CancelRequest(NamedTuple):
    """Cancel a working order."""

    order_id: str


# ---- effects --------------------------------------------------------------------------------------------------------
class Submit(NamedTuple):
    """Send the order to the exchange."""

    order: Order


class Cancel(NamedTuple):
    """Ask the exchange to cancel the order."""

    order_id: str
    time: int


class Denied(NamedTuple):
    """Our own limits kept the order back; `reason` is the limit's name (engine/risk.py)."""

    order: Order
    reason: str


class StrategyStopped(NamedTuple):
    """The strategy's own code raised: it is asked nothing any more; its position and orders stay as they are."""

    symbol: str
    time: int
    message: str


class Decided(NamedTuple):
    """Told after every closed candle: what is wanted, what was done about it, and the account marked at the close.

    `exposure` is the target in force (NaN for a strategy that sends orders itself), `action` one of the codes below.
    """

    symbol: str
    time: int
    exposure: float
    action: str
    position: float
    cash: float
    equity: float


HOLD = "hold"
TRADE = "trade"
REFUSED = "refused"
STOPPED = "stopped"

MarketEvent = BarOpened | OpenRevised | CandleClosed | TradePrinted | TimerStruck
OrderEvent = OrderAccepted | OrderFilled | OrderRejected | OrderCancelled
Event = MarketEvent | OrderEvent
Request = OrderRequest | TargetRequest | CancelRequest
Effect = Submit | Cancel | Denied | StrategyStopped | Decided
