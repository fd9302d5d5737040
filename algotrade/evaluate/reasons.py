"""Reason codes as words that a trader understands: why an order did not go out, was refused, went away, or closed."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from algotrade.engine.orders import (
    BELOW_MIN_NOTIONAL,
    BELOW_MIN_QUANTITY,
    EXPIRED,
    INSUFFICIENT_FUNDS,
    NOT_FILLED_AT_ONCE,
    NOTHING_TO_SELL,
    NOTHING_TO_TRADE,
    OTHER_FILLED,
    POSITION_CLOSED,
    REPLACED,
    RUINED,
    WOULD_TAKE,
    Role,
)
from algotrade.engine.protections import COOLDOWN, MAX_CONSECUTIVE_LOSSES, MAX_DAILY_LOSS, MAX_DRAWDOWN
from algotrade.engine.risk import (
    MAX_OPEN_POSITIONS,
    MAX_ORDER_NOTIONAL,
    MAX_ORDERS_PER_DAY,
    MAX_ORDERS_PER_MINUTE,
    MAX_POSITION_NOTIONAL,
)

# Our own limits kept the order back.
LIMITS: Final = MappingProxyType(
    {
        MAX_ORDER_NOTIONAL: "the order was above the limit on one order",
        MAX_POSITION_NOTIONAL: "the position would have been above its limit",
        MAX_OPEN_POSITIONS: "as many symbols were held as may be at one time",
        MAX_ORDERS_PER_MINUTE: "the minute's orders were used up",
        MAX_ORDERS_PER_DAY: "the day's orders were used up",
        MAX_DAILY_LOSS: "the day's loss had reached its limit",
        MAX_DRAWDOWN: "the account had fallen below its peak as far as it may, and positions are only reduced",
        COOLDOWN: "the symbol was cooling down after a losing round trip",
        MAX_CONSECUTIVE_LOSSES: "the symbol was locked after too many losing round trips in a row",
    }
)
# The exchange refused it.
REJECTIONS: Final = MappingProxyType(
    {
        BELOW_MIN_QUANTITY: "the order was below the market's smallest quantity",
        BELOW_MIN_NOTIONAL: "the order was below the market's smallest notional",
        NOTHING_TO_TRADE: "the position was already what the target meant",
        INSUFFICIENT_FUNDS: "there was not enough cash",
        NOTHING_TO_SELL: "there was nothing to sell",
        RUINED: "there was no equity left",
        WOULD_TAKE: "it was post-only and would have filled at once",
    }
)
# It went away without having filled, or its rest did.
CANCELLATIONS: Final = MappingProxyType(
    {
        "": "it was cancelled, as the strategy asked",
        EXPIRED: "its time was over before it filled",
        NOT_FILLED_AT_ONCE: "it was immediate-or-cancel, and what did not fill at the first open was cancelled",
        OTHER_FILLED: "another order of its bracket filled first",
        POSITION_CLOSED: "the position that it protected was closed",
        REPLACED: "another bracket took its place",
    }
)
# What closed a position, where the strategy itself did not.
EXITS: Final = MappingProxyType(
    {
        Role.STOP_LOSS: "the price reached the stop-loss",
        Role.TAKE_PROFIT: "the price reached the take-profit",
        Role.TRAILING_STOP: "the price fell back to the trailing stop",
        Role.MAX_BARS: "the position had been held for as many bars as it may",
        Role.LIQUIDATION: "the position was liquidated: its margin was used up",
    }
)


def words_of(reason: str, detail: str = "") -> str:
    """A reason code as a sentence, with its detail behind it; a code that is not ours as it is."""
    sentence = (CANCELLATIONS | REJECTIONS | LIMITS | EXITS).get(reason, reason) if reason else ""
    return f"{sentence}: {detail}" if detail else sentence
