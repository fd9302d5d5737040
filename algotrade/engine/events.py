"""The vocabulary of the engine: what happens (events), what a strategy asks for (requests), what to do (effects).

Everything is a NamedTuple of plain values, so that a journal row is its fields. Times are integer milliseconds, UTC.
`time` of a market event is the open time of its bar; `time` of an order event is the exchange's time of it.
"""

from __future__ import annotations

from typing import NamedTuple

from algotrade.engine.orders import Order, Role

Plain = None | bool | int | float | str  # what a strategy may tell another, so that a journal can keep it


# ---- events from the market -----------------------------------------------------------------------------------------
class BarOpened(NamedTuple):
    """A bar began: market orders fill here. The strategy never sees it.

    `more`: another symbol opens at the same moment, and orders wait until the last of them is known.
    """

    symbol: str
    time: int
    open: float
    more: bool = False


class OpenRevised(NamedTuple):
    """The closed candle's open differs from the one that BarOpened gave; fills made on the first one stand."""

    symbol: str
    time: int
    open: float


class DetailCandle(NamedTuple):
    """A finer candle inside the bar that is forming: the exchange walks through it. The strategy never sees it."""

    symbol: str
    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class CandleClosed(NamedTuple):
    """A bar is complete, by the exchange's clock.

    `more`: another symbol closes at the same moment, and the strategy is asked when the last of them is known.
    """

    symbol: str
    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    more: bool = False


class TradePrinted(NamedTuple):
    """A public trade; `side` is the taker's, +1 buy or -1 sell."""

    symbol: str
    time: int
    price: float
    quantity: float
    side: int


class TimerStruck(NamedTuple):
    """The clock passed a multiple of an interval, "1d", that a strategy asked for; UTC, just before a market event."""

    name: str
    time: int


class FundingDue(NamedTuple):
    """A perpetual contract's funding: longs pay `rate` of their notional to shorts, or receive it where negative."""

    symbol: str
    time: int
    rate: float


# ---- events from the exchange about our orders ----------------------------------------------------------------------
class OrderAccepted(NamedTuple):
    """The exchange has the order."""

    order_id: str
    time: int


class OrderFilled(NamedTuple):
    """An execution of ours.

    Attributes:
        order_id: of the order; a liquidation has one of its own.
        symbol: what was traded.
        time: of the bar, of the finer candle inside it, or of the trade that filled it.
        side: +1 buy, -1 sell.
        quantity: base units, positive.
        price: quote units, slippage included.
        fee: quote units; where `fee_quantity` is not 0, what that is worth.
        remaining: base units of the order that still work.
        fee_quantity: base units taken from what was bought, instead of cash.
        maker: it rested in the book and paid the maker's fee.
        role: why the order was there.
        book: the strategy it belongs to, where one account holds several.
    """

    order_id: str
    symbol: str
    time: int
    side: int
    quantity: float
    price: float
    fee: float
    remaining: float = 0.0
    fee_quantity: float = 0.0
    maker: bool = False
    role: Role = Role.OWN
    book: str = ""


class OrderRejected(NamedTuple):
    """The exchange, or our own limits, refused the order; `reason` is a code of engine/orders.py."""

    order_id: str
    time: int
    reason: str


class OrderCancelled(NamedTuple):
    """The order is gone unfilled, or its rest is; `reason` is a code of engine/orders.py, "" where it was asked for."""

    order_id: str
    time: int
    reason: str = ""


class BracketPlaced(NamedTuple):
    """The exchange placed an order of a bracket, because the order that carried it filled."""

    order: Order


class Charged(NamedTuple):
    """Cash that holding a position cost, or brought where negative: `reason` is "borrow" or "funding"."""

    symbol: str
    time: int
    reason: str
    amount: float
    book: str = ""


class AmbiguousBar(NamedTuple):
    """A bar on which it mattered to us which way the price went.

    Attributes:
        symbol: of the bar.
        time: its open time.
        worst: account value at its close by the way that was worse for us, quote units.
        best: by the way that was better.
        diverges: whether the two leave different positions, so that later bars decide which was the better one.
    """

    symbol: str
    time: int
    worst: float
    best: float
    diverges: bool


# ---- effects --------------------------------------------------------------------------------------------------------
class Submit(NamedTuple):
    """Send the order to the exchange."""

    order: Order


class Cancel(NamedTuple):
    """Ask the exchange to cancel the order."""

    order_id: str
    time: int


class Protect(NamedTuple):
    """Have the exchange protect the position with the order's bracket, in the place of any before."""

    order: Order


class Denied(NamedTuple):
    """Our own limits kept the order back.

    `reason` is the limit's name (engine/risk.py), `detail` says by how much, since when or until when.
    """

    order: Order
    reason: str
    detail: str = ""


class Emitted(NamedTuple):
    """A strategy told the others something; an effect, and the event that their methods are called with."""

    name: str
    time: int
    value: Plain
    book: str = ""


class StrategyStopped(NamedTuple):
    """The strategy's own code raised: it is asked nothing any more; its position and orders stay as they are."""

    symbol: str
    time: int
    message: str
    book: str = ""


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
    book: str = ""


HOLD = "hold"
TRADE = "trade"
REFUSED = "refused"
STOPPED = "stopped"

MarketEvent = BarOpened | OpenRevised | DetailCandle | CandleClosed | TradePrinted | TimerStruck | FundingDue
OrderEvent = OrderAccepted | OrderFilled | OrderRejected | OrderCancelled | BracketPlaced | Charged | AmbiguousBar
Event = MarketEvent | OrderEvent
Effect = Submit | Cancel | Protect | Denied | Emitted | StrategyStopped | Decided
