"""What becomes of an order that is set off, in a form that can be compiled: engine/ledger.py for one symbol.

It knows no rule of its own: whether it fills, at what price and how much of it, the scalar functions of the engine say.
A log is an array of shape (orders, LOG_COLUMNS), whose rows are written in the order of the columns named there.
"""

from __future__ import annotations

import math
from typing import Any

from algotrade.backtest.bar_state import (
    LIQUIDATION,
    MAX_BARS,
    NAN,
    NOTHING,
    OWN,
    STOP_LOSS,
    TAKE_PROFIT,
    TRAILING_STOP,
    Ask,
    Bar,
    Guard,
    Purse,
    Spot,
    State,
    Trade,
    Venue,
    no_order,
    unprotected,
)
from algotrade.engine._jit import scalar
from algotrade.engine.account import average_after, cash_after, equity_at, position_after
from algotrade.engine.fills import (
    bankruptcy_price,
    fee_of,
    followed,
    level_from,
    limit_on_tick,
    slipped_inside,
    stop_on_tick,
)
from algotrade.engine.path import turns_inside
from algotrade.engine.sizing import (
    EXPOSURE,
    Books,
    fixed_quantity,
    quantity_for,
    refusal_of,
    shortage_of,
    side_for,
    side_unless_turned,
)


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
