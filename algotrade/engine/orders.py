"""Orders and the one table of what may become of them."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from algotrade.errors import AlgotradeError


class OrderType(StrEnum):
    """How an order fills."""

    MARKET = "market"


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


class Order(NamedTuple):
    """What is sent to the exchange.

    Exactly one of `exposure` (fraction of equity, resolved where the fill price is known), `quantity` (base units) and
    `notional` (quote units) is not None. `side` is +1 buy, -1 sell, 0 where `exposure` decides it. `time` is the open
    time of the bar at whose close it was decided.
    """

    order_id: str
    symbol: str
    time: int
    side: int
    order_type: OrderType = OrderType.MARKET
    exposure: float | None = None
    quantity: float | None = None
    notional: float | None = None


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


def order_id(symbol: str, time: int, number: int) -> str:
    """Deterministic id of a session's `number`-th order, decided at `time`: the same decision has the same id."""
    return f"{symbol}@{time}#{number}"
