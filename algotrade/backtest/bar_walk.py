"""One bar of one symbol with everything that can happen inside it, in a form that can be compiled.

It is what engine/path.py and engine/ledger.py do for any number of orders, books and symbols, for the few orders that
signals lead to: that of the target, and the bracket around the position. It knows no rule of its own: when something
fills, at what price and how much of it, it asks the scalar functions of the engine.

States are tuples that each step makes anew, so a way through the bar can be tried and forgotten.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

from algotrade.engine._jit import scalar
from algotrade.engine.account import average_after, cash_after, equity_at, position_after
from algotrade.engine.fills import (
    bankruptcy_price,
    comes_first,
    fee_of,
    followed,
    level_from,
    limit_on_leg,
    limit_on_tick,
    liquidation_on_leg,
    slipped_inside,
    stop_on_leg,
    stop_on_tick,
    trailing_level,
)
from algotrade.engine.orders import Role
from algotrade.engine.path import turn_behind, turns_inside, ways_differ
from algotrade.engine.sizing import (
    EXPOSURE,
    Books,
    Terms,
    fixed_quantity,
    quantity_for,
    refusal_of,
    shortage_of,
    side_for,
    side_unless_turned,
)

OWN, STOP_LOSS, TAKE_PROFIT, TRAILING_STOP, MAX_BARS, LIQUIDATION = range(len(Role))  # as in the table of roles
NOTHING: Final = -1
NO_ORDER, MARKET, LIMIT = range(3)
LOG_COLUMNS: Final = 8  # bar, side, quantity, price, fee, index into REFUSALS, role, whether it rested
NAN: Final = math.nan
MOST_WAYS: Final = 6  # two, and two more for each price at which one of them opened a position


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


# ---- executions -----------------------------------------------------------------------------------------------------
@scalar
def refused(state: State, row: int, role: int, refusal: int, log: Any) -> State:
    """An order is gone that the exchange did not take; the others stay."""
    log[state.rows, 0] = row
    log[state.rows, 5] = refusal
    old = state.guard
    guard = Guard(
        NAN if role == STOP_LOSS else old.stop,
        NAN if role == TRAILING_STOP else old.trail,
        old.begins,
        old.best,
        NAN if role == TAKE_PROFIT else old.target,
        NAN if role == TAKE_PROFIT else old.entry,
        old.since,
        NOTHING if role == MAX_BARS else old.out_at,
    )
    pending = no_order() if role == OWN else state.pending
    return State(state.purse, pending, guard, state.rows + 1, state.turned)


@scalar
def booked(state: State, spot: Spot, role: int, trade: Trade, log: Any) -> State:
    """A fill: the account moves, the order is gone; the bracket is as it was."""
    row, purse = state.rows, state.purse
    log[row, 0] = spot.row
    log[row, 1] = trade.side
    log[row, 2] = trade.quantity
    log[row, 3] = trade.price
    log[row, 4] = trade.fee
    log[row, 5] = 0
    log[row, 6] = role
    log[row, 7] = spot.rests
    after = Purse(
        cash_after(purse.cash, trade.side, trade.quantity, trade.price, trade.fee),
        position_after(purse.position, trade.side, trade.quantity),
        average_after(purse.position, purse.average, trade.side, trade.quantity, trade.price),
    )
    pending = no_order() if role == OWN else state.pending
    return State(after, pending, state.guard, row + 1, state.turned)


@scalar
def new_guard(ask: Ask, side: int, bar: Bar, price: float, tick: float) -> Guard:
    """The bracket of an ask around a position of this side that was entered in the bar at the price."""
    begins = stop_on_tick(-side, level_from(price, side, ask.trailing_activation), tick)
    return Guard(
        stop_on_tick(-side, level_from(price, -side, ask.stop_loss), tick),
        ask.trailing_stop,
        begins,
        followed(-side, NAN, begins, price),
        limit_on_tick(-side, level_from(price, side, ask.take_profit), tick),
        NAN if math.isnan(ask.take_profit) and not ask.has_steps else price,
        bar.time,
        NOTHING if math.isnan(ask.max_bars) else bar.row + int(ask.max_bars),
    )


@scalar
def is_guarding(guard: Guard) -> bool:
    """Whether an order of the bracket works."""
    has_price = not (math.isnan(guard.stop) and math.isnan(guard.trail) and math.isnan(guard.entry))
    return has_price or guard.out_at != NOTHING


@scalar
def trade_of_ask(state: State, amount: float, spot: Spot, venue: Venue) -> Trade:
    """What the target's own order comes to."""
    terms = venue.maker if spot.rests else venue.taker
    cash, held, price, quantity = state.purse.cash, state.purse.position, spot.price, 0.0
    side = side_unless_turned(state.pending.side, side_for(venue.unit, amount, cash, held, price))
    if side != 0:
        price = slipped_inside(price, side, terms.slippage_rate, spot.low, spot.high)
        quantity = quantity_for(venue.unit, amount, cash, held, side, price, terms)
    equity = equity_at(cash, held, price)
    refusal = refusal_of(quantity, price, equity, terms)
    if refusal == 0 and venue.unit != EXPOSURE:
        refusal = shortage_of(Books(equity, held, 0.0, venue.can_short), side, quantity, price, terms)
    return Trade(side, quantity, price, fee_of(quantity, price, terms.fee_rate), refusal)


@scalar
def fill_ask(state: State, spot: Spot, ask: Ask, bar: Bar, venue: Venue, log: Any) -> State:
    """The target's own order is set off; what it opens or adds to gets its bracket, what it closes needs none."""
    trade = trade_of_ask(state, ask.amount, spot, venue)
    if trade.refusal != 0:
        return refused(state, bar.row, OWN, trade.refusal, log)
    filled = booked(state, spot, OWN, trade, log)
    held = filled.purse.position
    if held == 0.0:
        return unprotected(filled)
    if held * trade.side < 0.0:
        return filled  # a part was closed
    guard, turned = new_guard(ask, trade.side, bar, trade.price, venue.taker.price_tick), filled.turned
    inside = turns_inside(trade.price, bar.low, bar.high)
    if math.isnan(turned) and inside and is_guarding(guard):
        turned = trade.price
    return State(filled.purse, filled.pending, guard, filled.rows, turned)


@scalar
def fill_bracket(state: State, spot: Spot, role: int, venue: Venue, log: Any) -> State:
    """An order of the bracket is set off: it closes the position and the others go; or it is refused."""
    terms, cash, held = venue.maker if spot.rests else venue.taker, state.purse.cash, state.purse.position
    side = -1 if held > 0.0 else 1
    price = slipped_inside(spot.price, side, terms.slippage_rate, spot.low, spot.high)
    quantity = fixed_quantity(abs(held), held, side, terms.quantity_step)
    refusal = refusal_of(quantity, price, equity_at(cash, held, price), terms)
    if refusal != 0:
        return refused(state, spot.row, role, refusal, log)
    trade = Trade(side, quantity, price, fee_of(quantity, price, terms.fee_rate), 0)
    return unprotected(booked(state, spot, role, trade, log))


@scalar
def liquidated(state: State, row: int, leverage: float, log: Any) -> State:
    """The exchange takes the position: its margin is lost."""
    held = state.purse.position
    side = -1 if held > 0.0 else 1
    price = bankruptcy_price(-side, state.purse.average, leverage)
    trade = Trade(side, abs(held), price, 0.0, 0)
    return unprotected(booked(state, Spot(row, price, price, price, False), LIQUIDATION, trade, log))


# ---- on the way through a bar ---------------------------------------------------------------------------------------
@scalar
def following(state: State, price: float) -> State:
    """The same after the price got here: the trailing stop follows."""
    held, old = state.purse.position, state.guard
    if held == 0.0 or math.isnan(old.trail):
        return state
    best = followed(-1 if held > 0.0 else 1, old.best, old.begins, price)
    if best == old.best or math.isnan(best):
        return state
    guard = Guard(old.stop, old.trail, old.begins, best, old.target, old.entry, old.since, old.out_at)
    return State(state.purse, state.pending, guard, state.rows, state.turned)


@scalar
def trailing_price(guard: Guard, side: int, best: float, tick: float) -> float:
    """Where a trailing stop of this side is, once the best price was `best`; NaN while it does not follow."""
    return stop_on_tick(side, trailing_level(side, best, guard.trail, NAN), tick)


@scalar
def next_on_leg(state: State, start: float, end: float, venue: Venue) -> tuple[int, float]:
    """What is set off first while the price goes from `start` to `end`, and where: a role, or NOTHING."""
    role, at = NOTHING, NAN
    terms, held, guard = venue.taker, state.purse.position, state.guard
    if held != 0.0:
        side = -1 if held > 0.0 else 1
        price = stop_on_leg(side, guard.stop, start, end)
        if comes_first(price, at, start):
            role, at = STOP_LOSS, price
        if not math.isnan(guard.trail) and not math.isnan(guard.best):
            price = stop_on_leg(side, trailing_price(guard, side, guard.best, terms.price_tick), start, end)
            if comes_first(price, at, start):
                role, at = TRAILING_STOP, price
        price = limit_on_leg(side, guard.target, start, end, venue.touch)
        if comes_first(price, at, start):
            role, at = TAKE_PROFIT, price
    if state.pending.kind == LIMIT:
        price = limit_on_leg(state.pending.side, state.pending.limit, start, end, venue.touch)
        if comes_first(price, at, start):
            role, at = OWN, price
    price = liquidation_on_leg(held, state.purse.average, terms.leverage, terms.maintenance_rate, start, end)
    if not math.isnan(price) and not comes_first(at, price, start):
        role, at = LIQUIDATION, price
    return role, at


@scalar
def set_off(state: State, hit: tuple[int, float, bool], ask: Ask, bar: Bar, venue: Venue, log: Any) -> State:
    """What becomes of an order (hit: its role, the price, and whether a limit order is new)."""
    role, price, fresh = hit
    if role == LIQUIDATION:
        return liquidated(state, bar.row, venue.taker.leverage, log)
    if role == TAKE_PROFIT:
        return fill_bracket(state, Spot(bar.row, price, -math.inf, math.inf, True), role, venue, log)
    if role != OWN:
        return fill_bracket(state, Spot(bar.row, price, bar.low, bar.high, False), role, venue, log)
    low, high, limit = -math.inf, math.inf, state.pending.limit
    if fresh and state.pending.side > 0:  # the market is there already: it takes, but never beyond its limit
        high = limit
    if fresh and state.pending.side < 0:
        low = limit
    return fill_ask(state, Spot(bar.row, price, low, high, not fresh), ask, bar, venue, log)


@scalar
def go(state: State, leg: tuple[float, float, bool], ask: Ask, bar: Bar, venue: Venue, log: Any) -> State:
    """Let the price go along a leg (from, to, and whether a limit order is new), filling what it crosses."""
    start, end, fresh = leg
    state = following(state, start)
    role, price = next_on_leg(state, start, end, venue)
    while role != NOTHING:
        state = following(set_off(state, (role, price, fresh), ask, bar, venue, log), price)
        role, price = next_on_leg(state, price, end, venue)
    return following(state, end)


@scalar
def along(state: State, way: tuple[bool, float], ask: Ask, bar: Bar, venue: Venue, log: Any) -> State:
    """One way through a bar (way: whether the high comes first, and a price at which it turns before; NaN: none)."""
    high_first, turn = way
    middle, last = (bar.high, bar.low) if high_first else (bar.low, bar.high)
    start, fresh = bar.open, ask.row + 1 == bar.row
    state = go(state, (start, start, fresh), ask, bar, venue, log)
    if not math.isnan(turn):
        state = go(state, (start, turn, False), ask, bar, venue, log)
        start = turn
    state = go(state, (start, middle, False), ask, bar, venue, log)
    state = go(state, (middle, last, False), ask, bar, venue, log)
    return go(state, (last, bar.close, False), ask, bar, venue, log)


class Outcome(NamedTuple):
    """The way through a bar that was taken; the account's value at its close by the worst and by the best one.

    `ambiguous`: they differ; `diverges`: and leave different positions.
    """

    state: State
    worst: float
    best: float
    ambiguous: bool
    diverges: bool


@scalar
def value_at(state: State, price: float) -> float:
    """Account value at a price, quote units."""
    return equity_at(state.purse.cash, state.purse.position, price)


@scalar
def through(state: State, ask: Ask, bar: Bar, venue: Venue, log: Any) -> Outcome:
    """Take the orders through a bar by every way, and keep the one that the rules choose."""
    close, diverges = bar.close, False
    chosen = along(state, (True, NAN), ask, bar, venue, log)
    held, last_way, chosen_way, chosen_turn = chosen.purse.position, 0, 0, NAN
    lowest = highest = value_at(chosen, close)
    turn, other_turn = chosen.turned, NAN
    for way in range(1, MOST_WAYS):
        price = NAN if way == 1 else turn_behind(turn if way < 4 else other_turn, bar.open)
        if way > 1 and math.isnan(price):
            continue
        tried = along(state, (way % 2 == 0, price), ask, bar, venue, log)
        last_way = way
        if way == 1 and math.isnan(turn):
            turn = tried.turned
        elif way == 1 and tried.turned != turn:
            other_turn = tried.turned
        value = value_at(tried, close)
        diverges = diverges or tried.purse.position != held
        if (venue.worst and value < lowest) or (not venue.worst and value > highest):
            chosen, chosen_way, chosen_turn = tried, way, price
        lowest, highest = min(lowest, value), max(highest, value)
    if chosen_way != last_way:  # its rows of the log were written over
        chosen = along(state, (chosen_way % 2 == 0, chosen_turn), ask, bar, venue, log)
    return Outcome(turned_at(chosen, NAN), lowest, highest, ways_differ(lowest, highest) or diverges, diverges)
