"""The ways through a bar, in a form that can be compiled: engine/path.py for one symbol.

Of the orders that it takes along there are few: that of the target, and the bracket around the position. Where they are
set off, the scalar functions of the engine say.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

from algotrade.backtest.bar_fills import fill_ask, fill_bracket, liquidated
from algotrade.backtest.bar_state import (
    LIMIT,
    LIQUIDATION,
    NAN,
    NOTHING,
    OWN,
    STOP_LOSS,
    TAKE_PROFIT,
    TRAILING_STOP,
    Ask,
    Bar,
    Guard,
    Spot,
    State,
    Venue,
    turned_at,
    value_at,
)
from algotrade.engine._jit import scalar
from algotrade.engine.fills import (
    comes_first,
    followed,
    followed_from,
    leads_to,
    limit_on_leg,
    limit_on_tick,
    liquidation_on_leg,
    stop_on_leg,
    stop_on_tick,
    trailing_level,
)
from algotrade.engine.path import turn_behind, turns_inside, ways_differ

PLAIN_WAYS: Final = 6  # two, and two more for each price at which one of them opened a position
MOST_WAYS: Final = 2 * PLAIN_WAYS  # the same, turning back at the first extreme for a trailing stop


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
def turn_before(state: State, extreme: float, bar: Bar, tick: float) -> float:
    """Price inside the bar from which the trailing stop is set off right at the extreme; NaN: none."""
    held, guard = state.purse.position, state.guard
    if held == 0.0 or math.isnan(guard.trail):
        return NAN
    side = -1 if held > 0.0 else 1
    best = followed_from(side, limit_on_tick(side, extreme, tick), guard.trail, NAN)
    turn = leads_to(side, guard.best, guard.begins, best)
    return turn if turns_inside(turn, bar.low, bar.high) else NAN


class Way(NamedTuple):
    """A way through a bar: whether the high comes first, a price at which it turns before (NaN: none), and whether it
    turns back at the first extreme for the trailing stop."""

    high_first: bool
    before: float
    turns_back: bool


@scalar
def along(state: State, way: Way, ask: Ask, bar: Bar, venue: Venue, log: Any) -> State:
    """Take the orders along one way through a bar."""
    first, last = (bar.high, bar.low) if way.high_first else (bar.low, bar.high)
    start, fresh = bar.open, ask.row + 1 == bar.row
    state = go(state, (start, start, fresh), ask, bar, venue, log)
    if not math.isnan(way.before):
        state = go(state, (start, way.before, False), ask, bar, venue, log)
        start = way.before
    state = go(state, (start, first, False), ask, bar, venue, log)
    turn = turn_before(state, first, bar, venue.taker.price_tick) if way.turns_back else NAN
    while not math.isnan(turn):
        state = go(state, (first, turn, False), ask, bar, venue, log)
        state = go(state, (turn, first, False), ask, bar, venue, log)
        turn = turn_before(state, first, bar, venue.taker.price_tick)
    state = go(state, (first, last, False), ask, bar, venue, log)
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
def through(state: State, ask: Ask, bar: Bar, venue: Venue, log: Any) -> Outcome:
    """Take the orders through a bar by every way, and keep the one that the rules choose."""
    close, diverges = bar.close, False
    chosen_way = last_way = Way(True, NAN, False)
    chosen = along(state, chosen_way, ask, bar, venue, log)
    held, lowest, highest = chosen.purse.position, value_at(chosen, close), value_at(chosen, close)
    turn, other_turn = chosen.turned, NAN
    trails = not (math.isnan(state.guard.trail) and math.isnan(ask.trailing_stop))
    chosen_number = last_number = 0
    for number in range(1, MOST_WAYS if trails else PLAIN_WAYS):
        pair = number // 2 % 3
        before = NAN if pair == 0 else turn_behind(turn if pair == 1 else other_turn, bar.open)
        if pair > 0 and math.isnan(before):
            continue
        last_way, last_number = Way(number % 2 == 0, before, number >= PLAIN_WAYS), number
        tried = along(state, last_way, ask, bar, venue, log)
        if number == 1 and math.isnan(turn):
            turn = tried.turned
        elif number == 1 and tried.turned != turn:
            other_turn = tried.turned
        value = value_at(tried, close)
        diverges = diverges or tried.purse.position != held
        if (venue.worst and value < lowest) or (not venue.worst and value > highest):
            chosen, chosen_way, chosen_number = tried, last_way, number
        lowest, highest = min(lowest, value), max(highest, value)
    if chosen_number != last_number:  # its rows of the log were written over
        chosen = along(state, chosen_way, ask, bar, venue, log)
    return Outcome(turned_at(chosen, NAN), lowest, highest, ways_differ(lowest, highest) or diverges, diverges)
