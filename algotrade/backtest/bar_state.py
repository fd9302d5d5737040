"""What the protective kernel knows inside a bar, as tuples that each step makes anew.

A way through the bar can so be tried and forgotten. They hold plain numbers only: machine code passes them by value.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from algotrade.engine._jit import scalar
from algotrade.engine.account import equity_at
from algotrade.engine.orders import Role
from algotrade.engine.sizing import Terms

OWN, STOP_LOSS, TAKE_PROFIT, TRAILING_STOP, MAX_BARS, LIQUIDATION = range(len(Role))  # as in the table of roles
NOTHING: Final = -1
NO_ORDER, MARKET, LIMIT = range(3)
LOG_COLUMNS: Final = 8  # bar, side, quantity, price, fee, index into REFUSALS, role, whether it rested
NAN: Final = math.nan


class Bar(NamedTuple):
    """A candle: its row, and when it opened (milliseconds)."""

    row: int
    time: int
    open: float
    high: float
    low: float
    close: float


class Ask(NamedTuple):
    """What was asked for when the target changed last; NaN: none.

    Attributes:
        row: of the bar at whose close it was.
        amount: what to hold, in the unit of the run.
        limit: price of a limit order, quote units.
        stop_loss: fraction of the entry price; so are the next three.
        take_profit: at which the profit is taken.
        trailing_stop: by which a stop follows the best price.
        trailing_activation: of profit, from which on it does.
        max_bars: after which the position is closed.
        has_steps: the take-profit changes with time.
    """

    row: int
    amount: float
    limit: float
    stop_loss: float
    take_profit: float
    trailing_stop: float
    trailing_activation: float
    max_bars: float
    has_steps: bool


class Venue(NamedTuple):
    """The rules of the simulated exchange.

    Attributes:
        taker: costs of what takes, and legal sizes.
        maker: of what rested.
        unit: of the amounts asked for: EXPOSURE, QUANTITY or NOTIONAL.
        can_short: the position may go below zero.
        worst: of the ways through a bar the worse one is taken, else the better one.
        touch: a limit fills where the price reaches it.
    """

    taker: Terms
    maker: Terms
    unit: int
    can_short: bool
    worst: bool
    touch: bool


class Purse(NamedTuple):
    """The account: quote units, base units, and the price at which these were bought on average."""

    cash: float
    position: float
    average: float


class Pending(NamedTuple):
    """The order of the last ask: NO_ORDER, MARKET or LIMIT; side and price of a limit order, else 0 and NaN."""

    kind: int
    side: int
    limit: float


class Guard(NamedTuple):
    """The bracket around the position; NaN for what there is not.

    Attributes:
        stop: price of the stop loss.
        trail: fraction of the trailing stop.
        begins: price from which on it follows, NaN: at once.
        best: price that it has seen; NaN while it does not follow.
        target: price of the take-profit in this bar.
        entry: price that it is measured from; NaN: there is no take-profit.
        since: time of the bar of the entry, milliseconds.
        out_at: bar at whose open the position is closed, NOTHING for none.
    """

    stop: float
    trail: float
    begins: float
    best: float
    target: float
    entry: float
    since: int
    out_at: int


class State(NamedTuple):
    """Everything that a step may change.

    Attributes:
        purse: the account.
        pending: the target's own order.
        guard: the bracket.
        rows: of the log that are written.
        turned: first price inside the bar at which an order got a bracket; NaN: none did.
    """

    purse: Purse
    pending: Pending
    guard: Guard
    rows: int
    turned: float


class Spot(NamedTuple):
    """Where an order is set off: the row of the bar, the price before slippage, and bounds that the fill stays in."""

    row: int
    price: float
    low: float
    high: float
    rests: bool


class Trade(NamedTuple):
    """What an order comes to where it is set off; `refusal` is an index into REFUSALS, 0 where it fills."""

    side: int
    quantity: float
    price: float
    fee: float
    refusal: int


@scalar
def no_order() -> Pending:
    """The target has no order that works."""
    return Pending(NO_ORDER, 0, NAN)


@scalar
def no_guard() -> Guard:
    """Nothing protects the position."""
    return Guard(NAN, NAN, NAN, NAN, NAN, NAN, 0, NOTHING)


@scalar
def unprotected(state: State) -> State:
    """The same without a bracket."""
    return State(state.purse, state.pending, no_guard(), state.rows, state.turned)


@scalar
def turned_at(state: State, price: float) -> State:
    """The same, having noted where inside the bar a position was opened; NaN: nowhere."""
    return State(state.purse, state.pending, state.guard, state.rows, price)


@scalar
def value_at(state: State, price: float) -> float:
    """Account value at a price, quote units."""
    return equity_at(state.purse.cash, state.purse.position, price)
