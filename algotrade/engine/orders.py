"""Orders, the brackets that protect what they open, and the one table of what may become of an order."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from algotrade.engine.fills import level_from
from algotrade.errors import AlgotradeError


class OrderType(StrEnum):
    """How an order fills.

    * market: at the next open, worse by the slippage.
    * limit: at `limit` or better, once the price trades through it.
    * stop: as a market order, once the price touches `stop`.
    * stop_limit: as a limit order, once the price touches `stop`.
    * trailing_stop: as a stop that follows the best price seen, by a fraction of it or an amount.
    """

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class TimeInForce(StrEnum):
    """How long an order works."""

    GTC = "gtc"  # good till cancelled
    DAY = "day"  # until the UTC day of the first bar in which it works is over
    IOC = "ioc"  # immediate or cancel: what does not fill at the first open is gone


class Role(StrEnum):
    """Why an order is there: the strategy's own, or a part of a bracket; the reason of its fills."""

    OWN = ""
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    TRAILING_STOP = "trailing_stop"
    MAX_BARS = "max_bars"
    LIQUIDATION = "liquidation"


class Status(StrEnum):
    """Where an order stands."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


WORKING: Final = frozenset({Status.SUBMITTED, Status.ACCEPTED, Status.PARTIALLY_FILLED})
DONE: Final = frozenset({Status.FILLED, Status.REJECTED, Status.CANCELLED})

# Everything that may happen to an order: (status, what happened) -> status. What is not here cannot happen.
TRANSITIONS: Final = MappingProxyType(
    {
        (Status.SUBMITTED, "accepted"): Status.ACCEPTED,
        (Status.SUBMITTED, "rejected"): Status.REJECTED,
        (Status.SUBMITTED, "cancelled"): Status.CANCELLED,
        (Status.SUBMITTED, "partially_filled"): Status.PARTIALLY_FILLED,
        (Status.SUBMITTED, "filled"): Status.FILLED,
        (Status.ACCEPTED, "rejected"): Status.REJECTED,
        (Status.ACCEPTED, "cancelled"): Status.CANCELLED,
        (Status.ACCEPTED, "partially_filled"): Status.PARTIALLY_FILLED,
        (Status.ACCEPTED, "filled"): Status.FILLED,
        (Status.PARTIALLY_FILLED, "partially_filled"): Status.PARTIALLY_FILLED,
        (Status.PARTIALLY_FILLED, "filled"): Status.FILLED,
        (Status.PARTIALLY_FILLED, "cancelled"): Status.CANCELLED,
    }
)

# Reason codes of a rejection.
BELOW_MIN_QUANTITY: Final = "below_min_quantity"
BELOW_MIN_NOTIONAL: Final = "below_min_notional"
NOTHING_TO_TRADE: Final = "nothing_to_trade"
INSUFFICIENT_FUNDS: Final = "insufficient_funds"
NOTHING_TO_SELL: Final = "nothing_to_sell"
RUINED: Final = "no_equity_left"
WOULD_TAKE: Final = "would_take"  # a post-only order that would fill at once

# Reason codes of a cancellation that nobody asked for.
EXPIRED: Final = "expired"
NOT_FILLED_AT_ONCE: Final = "not_filled_at_once"
OTHER_FILLED: Final = "other_filled"  # one cancels the other
POSITION_CLOSED: Final = "position_closed"
REPLACED: Final = "replaced"


class Bracket(NamedTuple):
    """What protects a position: at most one of each fills, and the others go.

    Fractions are of the price at which the position was opened or last added to; None: there is none.

    Attributes:
        stop_loss: fraction by which the price may move against the position.
        stop_loss_price: the same as a price, quote units.
        take_profit: fraction at which the profit is taken, by a limit order.
        take_profit_price: the same as a price, quote units.
        trailing_stop: fraction of the best price by which a stop follows it.
        trailing_amount: the same as a distance, quote units.
        trailing_activation: fraction of profit from which on the stop follows; None: at once.
        take_profit_after: (milliseconds since entry, fraction) in rising order: the target that holds from then on;
            before the first, `take_profit` does.
        max_bars: bars after which the position is closed at the open.
    """

    stop_loss: float | None = None
    stop_loss_price: float | None = None
    take_profit: float | None = None
    take_profit_price: float | None = None
    trailing_stop: float | None = None
    trailing_amount: float | None = None
    trailing_activation: float | None = None
    take_profit_after: tuple[tuple[int, float], ...] = ()
    max_bars: int | None = None

    def any(self) -> bool:
        """Whether it protects at all."""
        return any(part is not None and part != () for part in self)


class Order(NamedTuple):
    """What is sent to the exchange.

    Its size is one of: `exposure` (fraction of equity to hold, resolved where the fill price is known),
    `target_quantity` and `target_notional` (position to hold, base or quote units, negative for short), `quantity` and
    `notional` (to trade, base or quote units); all None: the whole position, for an order of a bracket.

    Attributes:
        order_id: deterministic.
        symbol: what is traded.
        time: open time of the bar at whose close it was decided, or of the event that it answers; milliseconds.
        side: +1 buy, -1 sell, 0 where the target decides it.
        limit: price of a limit or stop-limit order, quote units.
        stop: price that sets a stop, stop-limit or trailing stop off, quote units; of a trailing stop the price from
            which on it follows, None: at once.
        trail: fraction of the best price by which a trailing stop follows it.
        trail_amount: the same as a distance, quote units.
        steps: of a take-profit that changes with time: (milliseconds since `time`, limit price), rising in time; before
            the first, `limit` holds.
        after_bars: opens to let pass before it may fill.
        bracket: protects what it opens.
        parent: the order whose bracket it belongs to; one of them fills, the others go.
        role: why it is there.
        time_in_force: how long it works.
        expires_after: bars in which it works, None: no bound.
        post_only: refused where it would take at once.
        reduce_only: never opens or adds to a position.
        book: the strategy it belongs to, where one account holds several.
    """

    order_id: str
    symbol: str
    time: int
    side: int
    order_type: OrderType = OrderType.MARKET
    exposure: float | None = None
    quantity: float | None = None
    notional: float | None = None
    target_quantity: float | None = None
    target_notional: float | None = None
    limit: float | None = None
    stop: float | None = None
    trail: float | None = None
    trail_amount: float | None = None
    steps: tuple[tuple[int, float], ...] = ()
    after_bars: int = 0
    bracket: Bracket | None = None
    parent: str = ""
    role: Role = Role.OWN
    time_in_force: TimeInForce = TimeInForce.GTC
    expires_after: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    book: str = ""

    @property
    def is_target(self) -> bool:
        """Whether it says what to hold instead of what to trade."""
        return self.exposure is not None or self.target_quantity is not None or self.target_notional is not None


class Entry(NamedTuple):
    """The fill that a bracket is measured from.

    Attributes:
        side: of the position, +1 long, -1 short.
        price: at which it was opened or added to, quote units.
        time: of the bar, milliseconds.
        quantity: base units to protect; None: the whole position, whatever becomes of it.
    """

    side: int
    price: float
    time: int
    quantity: float | None = None


def bracket_orders(parent: Order, bracket: Bracket, entry: Entry) -> list[Order]:
    """The orders that protect a position, at most one of each kind.

    Args:
        parent: the order that carries the bracket.
        bracket: what to protect the position with.
        entry: what its fractions are measured from.
    """
    side, price = entry.side, entry.price

    def level(given: float | None, fraction: float | None, direction: int) -> float | None:
        if given is not None:
            return given
        return None if fraction is None else level_from(price, direction * side, fraction)

    def part(role: Role, order_type: OrderType) -> Order:
        return Order(
            f"{parent.order_id}/{role.value}",
            parent.symbol,
            entry.time,
            -side,
            order_type,
            quantity=entry.quantity,
            parent=parent.order_id,
            role=role,
            reduce_only=True,
            book=parent.book,
        )

    found: list[Order] = []
    stop = level(bracket.stop_loss_price, bracket.stop_loss, -1)
    if stop is not None:
        found.append(part(Role.STOP_LOSS, OrderType.STOP)._replace(stop=stop))
    if bracket.trailing_stop is not None or bracket.trailing_amount is not None:
        trailing = part(Role.TRAILING_STOP, OrderType.TRAILING_STOP)
        begins = level(None, bracket.trailing_activation, 1)
        found.append(trailing._replace(stop=begins, trail=bracket.trailing_stop, trail_amount=bracket.trailing_amount))
    target = level(bracket.take_profit_price, bracket.take_profit, 1)
    steps = tuple((after, level_from(price, side, fraction)) for after, fraction in bracket.take_profit_after)
    if target is not None or steps:
        found.append(part(Role.TAKE_PROFIT, OrderType.LIMIT)._replace(limit=target, steps=steps))
    if bracket.max_bars is not None:
        found.append(part(Role.MAX_BARS, OrderType.MARKET)._replace(after_bars=bracket.max_bars))
    return found


class ImpossibleTransition(AlgotradeError):
    """The exchange reported something that cannot happen to an order in this status: a bug, or a lost event."""


def next_status(status: Status, happened: str) -> Status:
    """The status after `happened` (a key of TRANSITIONS).

    Raises:
        ImpossibleTransition: the table does not allow it.
    """
    try:
        return TRANSITIONS[status, happened]
    except KeyError:
        raise ImpossibleTransition(f"an order that is {status} cannot be {happened}") from None


def order_id(symbol: str, time: int, number: int, book: str = "") -> str:
    """Deterministic id of a book's `number`-th order, decided at `time`: the same decision has the same id."""
    return f"{book}:{symbol}@{time}#{number}" if book else f"{symbol}@{time}#{number}"
