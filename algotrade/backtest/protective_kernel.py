"""The fast path for signals that are protected: brackets, limit entries, shorts, leverage, and sizes of any unit.

Most bars reach no order. For those one comparison is enough: whether the low or the high is beyond the nearest price at
which something could happen. All others are walked through, see backtest/bar_walk.py.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from algotrade.backtest.bar_fills import fill_ask, fill_bracket, liquidated, refused
from algotrade.backtest.bar_state import (
    LIMIT,
    LOG_COLUMNS,
    MARKET,
    MAX_BARS,
    NAN,
    NOTHING,
    OWN,
    Ask,
    Bar,
    Guard,
    Pending,
    Purse,
    Spot,
    State,
    Venue,
    no_guard,
    no_order,
    turned_at,
    value_at,
)
from algotrade.backtest.bar_walk import through, trailing_price
from algotrade.backtest.setup import Setup
from algotrade.engine._jit import compiled, scalar
from algotrade.engine.account import is_worthless
from algotrade.engine.fills import followed, level_from, limit_on_tick, liquidation_price, step_holds
from algotrade.engine.rules import WORST
from algotrade.engine.sizing import REFUSALS, side_for, target_changed
from algotrade.market.candles import Floats, times_ms
from algotrade.strategy.protection import Wanted, no_protection

NOTHING_TO_TRADE: Final = REFUSALS.index("nothing_to_trade")
ROWS_PER_ASK: Final = 6  # its own order, the four of its bracket, and a liquidation
DOUBT_COLUMNS: Final = 4  # bar, worst, best, whether positions differ


class Bars(NamedTuple):
    """Candles as columns, shape (bars,); arrays, or lists for the plain form. Times are milliseconds."""

    time: Any
    open: Any
    high: Any
    low: Any
    close: Any


class Asks(NamedTuple):
    """The columns of `Ask`, shape (changes,), and of `take_profit_after`, shape (steps,)."""

    row: Any
    amount: Any
    limit: Any
    stop_loss: Any
    take_profit: Any
    trailing_stop: Any
    trailing_activation: Any
    max_bars: Any
    step_after: Any  # milliseconds since the entry
    step_fraction: Any  # that holds from then on


class Reach(NamedTuple):
    """Nothing happens in a bar whose low is above `below` and whose high is below `above`."""

    below: float
    above: float


class Totals(NamedTuple):
    """Rows written to the log and to the ambiguous bars; the bar at which the account was ruined (NOTHING: never), the
    rows of the log before that, and the cash that was written off."""

    rows: int
    ambiguous: int
    ruined_at: int
    rows_before: int
    written_off: float


@scalar
def reach_of(state: State, venue: Venue) -> Reach:
    """Where the nearest prices are at which something could happen; a trailing stop aside, which moves."""
    below, above = -math.inf, math.inf
    held, guard, pending, terms = state.purse.position, state.guard, state.pending, venue.taker
    side = 1 if held > 0.0 else -1
    if held != 0.0:
        taken_at = liquidation_price(side, state.purse.average, terms.leverage, terms.maintenance_rate)
        for price, is_below in ((guard.stop, side > 0), (taken_at, side > 0), (guard.target, side < 0)):
            if is_below and price > below:
                below = price
            if not is_below and price < above:
                above = price
    if pending.side > 0:
        below = max(below, pending.limit)
    if pending.side < 0:
        above = min(above, pending.limit)
    return Reach(below, above)


@scalar
def stepped(state: State, bar: Bar, asks: Asks, tick: float) -> State:
    """The same with the price of the take-profit that holds in this bar."""
    old = state.guard
    if math.isnan(old.entry):
        return state
    side, target = 1 if state.purse.position > 0.0 else -1, old.target
    for step in range(len(asks.step_after)):
        if step_holds(bar.time, old.since, asks.step_after[step]):
            target = limit_on_tick(-side, level_from(old.entry, side, asks.step_fraction[step]), tick)
    guard = Guard(old.stop, old.trail, old.begins, old.best, target, old.entry, old.since, old.out_at)
    return State(state.purse, state.pending, guard, state.rows, state.turned)


@scalar
def best_within(state: State, bar: Bar) -> float:
    """Best price that the trailing stop has seen once the bar is over; NaN while it does not follow."""
    guard = state.guard
    if math.isnan(guard.trail):
        return guard.best
    if state.purse.position > 0.0:
        return followed(-1, guard.best, guard.begins, bar.high)
    return followed(1, guard.best, guard.begins, bar.low)


@scalar
def is_reached(state: State, bar: Bar, reach: Reach, best: float, tick: float) -> bool:
    """Whether anything could happen in the bar."""
    if bar.low <= reach.below or bar.high >= reach.above:
        return True
    if math.isnan(state.guard.trail):
        return False
    if state.purse.position > 0.0:
        return bar.low <= trailing_price(state.guard, -1, best, tick)
    return bar.high >= trailing_price(state.guard, 1, best, tick)


@scalar
def with_best(state: State, best: float) -> State:
    """The same, with what the trailing stop has seen."""
    old = state.guard
    guard = Guard(old.stop, old.trail, old.begins, best, old.target, old.entry, old.since, old.out_at)
    return State(state.purse, state.pending, guard, state.rows, state.turned)


@scalar
def asked(state: State, ask: Ask, price: float, venue: Venue, log: Any) -> State:
    """The target changed at a close: its order takes the place of the one before."""
    purse = state.purse
    if math.isnan(ask.limit):
        return State(purse, Pending(MARKET, 0, NAN), state.guard, state.rows, state.turned)
    side = side_for(venue.unit, ask.amount, purse.cash, purse.position, price)
    if side == 0:
        return refused(state, ask.row, OWN, NOTHING_TO_TRADE, log)
    pending = Pending(LIMIT, side, limit_on_tick(side, ask.limit, venue.taker.price_tick))
    return State(purse, pending, state.guard, state.rows, state.turned)


@scalar
def at_open(state: State, ask: Ask, bar: Bar, venue: Venue, log: Any) -> State:
    """Fill what fills at the open: first a close after so many bars, then the target's market order."""
    spot = Spot(bar.row, bar.open, -math.inf, math.inf, False)
    if state.guard.out_at == bar.row:
        state = fill_bracket(state, spot, MAX_BARS, venue, log)
    if state.pending.kind == MARKET:
        state = turned_at(fill_ask(state, spot, ask, bar, venue, log), NAN)
    return state


@scalar
def ask_in(asks: Asks, number: int) -> Ask:
    """One row of the asks; behind the last one, an ask that never comes."""
    if number >= len(asks.row):
        return Ask(NOTHING, 0.0, NAN, NAN, NAN, NAN, NAN, NAN, False)
    return Ask(
        asks.row[number],
        asks.amount[number],
        asks.limit[number],
        asks.stop_loss[number],
        asks.take_profit[number],
        asks.trailing_stop[number],
        asks.trailing_activation[number],
        asks.max_bars[number],
        len(asks.step_after) > 0,
    )


def follow_protected(bars: Bars, asks: Asks, cash: float, venue: Venue, equity: Any, log: Any, doubts: Any) -> Totals:
    """Trade every ask from the next open on; fill `equity`, `log` and `doubts`, return how much of them is written.

    Args:
        bars: candles.
        asks: one row per change of target.
        cash: quote units at the start.
        venue: rules of the exchange.
        equity: receives the account value at each close, shape (bars,).
        log: receives fills and refusals, shape (ROWS_PER_ASK x changes, LOG_COLUMNS).
        doubts: receives the ambiguous bars, shape (bars, DOUBT_COLUMNS).
    """
    state = State(Purse(cash, 0.0, 0.0), no_order(), no_guard(), 0, NAN)
    reach, tick, can_owe = reach_of(state, venue), venue.taker.price_tick, venue.can_short or venue.taker.leverage > 1.0
    ask, coming, number, found = ask_in(asks, len(asks.row)), ask_in(asks, 0), 0, 0
    ruined_at, rows_before, written_off = NOTHING, 0, 0.0
    for row in range(len(bars.close)):
        bar = Bar(row, bars.time[row], bars.open[row], bars.high[row], bars.low[row], bars.close[row])
        if state.pending.kind == MARKET or state.guard.out_at == row:
            state = at_open(state, ask, bar, venue, log)
            reach = reach_of(state, venue)
        if ask.has_steps:
            state = stepped(state, bar, asks, tick)
            reach = reach_of(state, venue)
        best = best_within(state, bar)
        if is_reached(state, bar, reach, best, tick):
            outcome = through(state, ask, bar, venue, log)
            state = outcome.state
            reach = reach_of(state, venue)
            if outcome.ambiguous:
                doubts[found, 0] = row
                doubts[found, 1] = outcome.worst
                doubts[found, 2] = outcome.best
                doubts[found, 3] = outcome.diverges
                found += 1
        elif best != state.guard.best and not math.isnan(best):
            state = with_best(state, best)
        value = value_at(state, bar.close)
        if can_owe and is_worthless(value, state.purse.cash, state.purse.position):
            if state.purse.position != 0.0:
                state = liquidated(state, row, venue.taker.leverage, log)
            ruined_at, rows_before, written_off = row, state.rows, state.purse.cash
            state = State(Purse(0.0, 0.0, 0.0), state.pending, state.guard, state.rows, NAN)
            value = 0.0
            reach = reach_of(state, venue)
        equity[row] = value
        if row == coming.row:
            state = asked(state, coming, bar.close, venue, log)
            reach = reach_of(state, venue)
            number += 1
            ask, coming = coming, ask_in(asks, number)
    return Totals(state.rows, found, ruined_at, rows_before, written_off)


# ---- from tables to columns and back --------------------------------------------------------------------------------
class Traces(NamedTuple):
    """What a run left behind: account value at each close, shape (bars,); log, shape (orders, LOG_COLUMNS); ambiguous
    bars, shape (ambiguous bars, DOUBT_COLUMNS)."""

    equity: Floats
    log: Floats
    doubts: Floats
    totals: Totals


class Prepared(NamedTuple):
    """A run that can be made by machine code, or by the plain form of the same functions: the same bits."""

    bars: Bars
    asks: Asks
    cash: float
    venue: Venue

    def by_machine_code(self) -> Traces:
        """For many bars.

        Raises:
            ImportError, OSError: numba is absent, or cannot write its files.
        """
        equity, log, doubts = np.empty(len(self.bars.close)), self._new_log(), self._new_doubts()
        totals = Totals(*compiled(follow_protected)(*self, equity, log, doubts))
        return _cut(equity, log, doubts, totals)

    def plainly(self) -> Traces:
        """For few bars: over lists."""
        equity, log, doubts = [0.0] * len(self.bars.close), self._new_log(), self._new_doubts()
        bars, asks = Bars(*(column.tolist() for column in self.bars)), Asks(*(column.tolist() for column in self.asks))
        totals = follow_protected(bars, asks, self.cash, self.venue, equity, log, doubts)
        return _cut(np.array(equity, np.float64), log, doubts, totals)

    def _new_log(self) -> Floats:
        return np.zeros((ROWS_PER_ASK * len(self.asks.row), LOG_COLUMNS))

    def _new_doubts(self) -> Floats:
        return np.empty((len(self.bars.close), DOUBT_COLUMNS))  # memory is taken where it is written to only


def prepared(candles: pd.DataFrame, wanted: Wanted, setup: Setup, unit: int) -> Prepared:
    """A run of signals over candles; `unit` is that of their scales: EXPOSURE, QUANTITY or NOTIONAL."""
    prices = (np.ascontiguousarray(candles[name], np.float64) for name in ("open", "high", "low", "close"))
    bars = Bars(np.ascontiguousarray(times_ms(candles)), *prices)
    terms = setup.terms
    venue = Venue(terms, terms.resting(), unit, bool(setup.can_short), setup.path == WORST, bool(setup.touch))
    return Prepared(bars, asks_of(wanted), float(setup.cash), venue)


def asks_of(wanted: Wanted) -> Asks:
    """One row for each change of target."""
    targets, protection = wanted.targets, wanted.protection
    before = np.concatenate([[0.0], targets])[: len(targets)]
    rows = np.flatnonzero(target_changed(before, targets))  # type: ignore[arg-type]  # elementwise
    chosen = no_protection(len(rows)) if protection is None else protection.rows(rows)
    return Asks(
        row=rows,
        amount=targets[rows] if wanted.scales is None else targets[rows] * wanted.scales[rows],
        limit=chosen.limit,
        stop_loss=chosen.stop_loss,
        take_profit=chosen.take_profit,
        trailing_stop=chosen.trailing_stop,
        trailing_activation=chosen.trailing_activation,
        max_bars=chosen.max_bars,
        step_after=np.array([after for after, _ in chosen.steps], np.int64),
        step_fraction=np.array([fraction for _, fraction in chosen.steps], np.float64),
    )


def _cut(equity: Floats, log: Floats, doubts: Floats, totals: Totals) -> Traces:
    """Only what was written, and not as a view of the room for more."""
    return Traces(equity, log[: totals.rows].copy(), doubts[: totals.ambiguous].copy(), totals)
