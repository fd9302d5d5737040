"""The fast path for several symbols in one account: weights known for every moment, market orders at the next open.

The loop knows no rule of its own: it calls the scalar functions of the engine, in the order in which the engine does.
Rows and symbols lie in one flat column (cell = moment x symbols + symbol), NaN where a symbol has no bar. It runs plain
over Python lists for small work and as machine code for large work, with the same bits.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np

from algotrade.engine._jit import compiled, scalar
from algotrade.engine.account import cash_after, equity_at, position_after
from algotrade.engine.fills import fee_of
from algotrade.engine.sizing import (
    Terms,
    affordable,
    has_drifted,
    market_fill,
    refusal_of,
    side_of_target,
    target_changed,
)
from algotrade.market.candles import Floats

WAITS, SELLS, BUYS = range(3)  # what an order does at an open: it has no bar, it reduces a position, it does not
LOG_KINDS: Final = (np.int64, np.int64, np.int64, np.float64, np.float64, np.float64, np.int64)


class Markets(NamedTuple):
    """The symbols' prices and rules; arrays, or lists for the plain form.

    Attributes:
        open: shape (moments x symbols,), NaN where there is no bar.
        close: likewise.
        fee_rate, slippage_rate, quantity_step, min_quantity, min_notional: as in `Terms`, shape (symbols,).
    """

    open: Any
    close: Any
    fee_rate: Any
    slippage_rate: Any
    quantity_step: Any
    min_quantity: Any
    min_notional: Any


class Aims(NamedTuple):
    """What to hold: weights, shape (moments x symbols,); rows to rebalance, shape (moments,); the band of a drift."""

    weights: Any
    rebalance: Any
    band: float


class Holdings(NamedTuple):
    """What changes on the way, a value for each symbol; arrays, or lists for the plain form.

    Attributes:
        position: base units.
        mark: last price.
        target: weight that was asked for last.
        queue: symbols whose order waits, in the order in which they were sent.
        turn: what these orders do at this open: WAITS, SELLS or BUYS.
    """

    position: Any
    mark: Any
    target: Any
    queue: Any
    turn: Any


class WeightsLog(NamedTuple):
    """What became of each order, one row each; arrays, or lists for the plain form."""

    bar: Any
    symbol: Any
    side: Any
    quantity: Any
    price: Any
    fee: Any
    refusal: Any


class Purse(NamedTuple):
    """Cash in quote units, and how many rows of the log are written."""

    cash: float
    rows: int


@scalar
def terms_at(markets: Markets, symbol: int) -> Terms:
    """Costs and legal sizes of one symbol."""
    return Terms(
        markets.fee_rate[symbol],
        markets.slippage_rate[symbol],
        markets.quantity_step[symbol],
        markets.min_quantity[symbol],
        markets.min_notional[symbol],
        markets.fee_rate[symbol],
        0.0,
        1.0,
        0.0,
    )


@scalar
def value_without(cash: float, held: Holdings, symbol: int) -> float:
    """Value of the account without one symbol's position, quote units; -1: all of it."""
    value = cash
    for other in range(len(held.position)):
        if held.position[other] != 0.0 and other != symbol:
            value = equity_at(value, held.position[other], held.mark[other])
    return value


@scalar
def enqueued(held: Holdings, waiting: int, symbol: int) -> int:
    """An order is sent: it comes behind all others, in the place of one of its symbol; how many wait now."""
    place = 0
    for each in range(waiting):
        if held.queue[each] != symbol:
            held.queue[place] = held.queue[each]
            place += 1
    held.queue[place] = symbol
    return place + 1


@scalar
def is_waiting(held: Holdings, waiting: int, symbol: int) -> bool:
    """Whether an order of the symbol waits."""
    found = False
    for place in range(waiting):
        found = found or held.queue[place] == symbol
    return found


@scalar
def filled(purse: Purse, bar: int, symbol: int, markets: Markets, held: Holdings, log: WeightsLog) -> Purse:
    """A symbol's order is filled at the open, or refused."""
    cash, row = purse.cash, purse.rows
    terms, position = terms_at(markets, symbol), held.position[symbol]
    price = markets.open[bar * len(held.position) + symbol]
    rest = value_without(cash, held, symbol)
    side, quantity, price = market_fill(held.target[symbol], rest, position, price, terms)
    if len(held.position) > 1:
        quantity = affordable(side, quantity, cash, position, price, terms)
    refusal = refusal_of(quantity, price, equity_at(rest, position, price), terms)
    fee = fee_of(quantity, price, terms.fee_rate)
    if refusal == 0:
        cash = cash_after(cash, side, quantity, price, fee)
        held.position[symbol] = position_after(position, side, quantity)
        held.mark[symbol] = price
    log.bar[row] = bar
    log.symbol[row] = symbol
    log.side[row] = side
    log.quantity[row] = quantity
    log.price[row] = price
    log.fee[row] = fee
    log.refusal[row] = refusal
    return Purse(cash, row + 1)


@scalar
def find_turns(cash: float, bar: int, waiting: int, markets: Markets, held: Holdings) -> None:
    """Mark all opens, and note what each order that waits does at them."""
    symbols = len(held.position)
    for symbol in range(symbols):
        price = markets.open[bar * symbols + symbol]
        if not math.isnan(price):
            held.mark[symbol] = price
    for place in range(waiting):
        symbol = held.queue[place]
        if math.isnan(markets.open[bar * symbols + symbol]):
            held.turn[place] = WAITS
            continue
        rest = value_without(cash, held, symbol)
        side = side_of_target(held.target[symbol], rest, held.position[symbol], held.mark[symbol])
        held.turn[place] = SELLS if held.position[symbol] * side < 0.0 else BUYS


@scalar
def waiting_still(held: Holdings, waiting: int) -> int:
    """Take the orders that had a bar out of the queue; how many are left."""
    left = 0
    for place in range(waiting):
        if held.turn[place] == WAITS:
            held.queue[left] = held.queue[place]
            left += 1
    return left


@scalar
def asked(waiting: int, bar: int, equity: float, markets: Markets, aims: Aims, held: Holdings) -> int:
    """Send the orders that the weights of a moment ask for, then those that a drift does; how many wait now."""
    symbols, again = len(held.position), aims.rebalance[bar]
    for symbol in range(symbols):
        weight = aims.weights[bar * symbols + symbol]
        changed = target_changed(held.target[symbol], weight)
        if changed or (again and (weight != 0.0 or held.position[symbol] != 0.0)):
            held.target[symbol] = weight
            waiting = enqueued(held, waiting, symbol)
    if aims.band > 0.0 and equity > 0.0:
        for symbol in range(symbols):
            position, weight = held.position[symbol], held.target[symbol]
            if position * weight <= 0.0 or math.isnan(markets.close[bar * symbols + symbol]):
                continue
            drifted = has_drifted(position, held.mark[symbol], equity, weight, aims.band)
            if drifted and not is_waiting(held, waiting, symbol):
                waiting = enqueued(held, waiting, symbol)
    return waiting


def follow_weights(markets: Markets, aims: Aims, cash: float, held: Holdings, equity: Any, log: WeightsLog) -> int:
    """Trade what the weights ask for; fill `equity` and `log`, return the number of orders.

    Args:
        markets: prices and rules.
        aims: what to hold.
        cash: quote units at the start.
        held: working memory: nothing is held.
        equity: receives the account value at each moment, shape (moments,).
        log: receives the orders.
    """
    purse, waiting, symbols = Purse(cash, 0), 0, len(held.position)
    for bar in range(len(equity)):
        if waiting > 0:
            find_turns(purse.cash, bar, waiting, markets, held)
            for turn in (SELLS, BUYS):
                for place in range(waiting):
                    if held.turn[place] == turn:
                        purse = filled(purse, bar, held.queue[place], markets, held, log)
            waiting = waiting_still(held, waiting)
        value = purse.cash
        for symbol in range(symbols):
            close = markets.close[bar * symbols + symbol]
            if not math.isnan(close):
                held.mark[symbol] = close
            if held.position[symbol] != 0.0:
                value = equity_at(value, held.position[symbol], held.mark[symbol])
        equity[bar] = value
        waiting = asked(waiting, bar, value, markets, aims, held)
    return purse.rows


class Traces(NamedTuple):
    """What a run left behind: account value at each moment, shape (moments,), and the orders."""

    equity: Floats
    log: WeightsLog


def run_compiled(markets: Markets, aims: Aims, cash: float) -> Traces:
    """By machine code."""
    symbols, moments = len(markets.fee_rate), len(aims.rebalance)
    numbers, places = (np.zeros(symbols) for _ in range(3)), (np.zeros(symbols, np.int64) for _ in range(2))
    equity, room = np.empty(moments), _room(aims, symbols)
    log = WeightsLog(*(np.empty(room, kind) for kind in LOG_KINDS))
    rows = compiled(follow_weights)(markets, aims, cash, Holdings(*numbers, *places), equity, log)
    return Traces(equity, WeightsLog(*(column[:rows].copy() for column in log)))  # no view of room for all


def run_plain(markets: Markets, aims: Aims, cash: float) -> Traces:
    """The same over lists; the same bits."""
    symbols, moments = len(markets.fee_rate), len(aims.rebalance)
    numbers, places = ([0.0] * symbols for _ in range(3)), ([0] * symbols for _ in range(2))
    equity, room = [0.0] * moments, _room(aims, symbols)
    log = WeightsLog(*([0] * room for _ in LOG_KINDS))
    listed = Aims(aims.weights.tolist(), aims.rebalance.tolist(), aims.band)
    prices = Markets(*(column.tolist() for column in markets))
    rows = follow_weights(prices, listed, cash, Holdings(*numbers, *places), equity, log)
    columns = (np.array(column[:rows], kind) for column, kind in zip(log, LOG_KINDS, strict=True))
    return Traces(np.array(equity, np.float64), WeightsLog(*columns))


def _room(aims: Aims, symbols: int) -> int:
    """Rows of the log that there can be: an order for each change, each symbol that is rebalanced, each that drifts."""
    if aims.band > 0.0:
        return len(aims.weights)
    wide = aims.weights.reshape(-1, symbols)
    changes = np.count_nonzero(wide[1:] != wide[:-1]) + symbols
    return int(changes + np.count_nonzero(aims.rebalance) * symbols)
