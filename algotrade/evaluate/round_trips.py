"""From fills to round trips: an entry from flat, and everything until flat again.

A fill that takes the position through zero is two legs: one that closes, and one that opens the next round trip; its
fee is shared by quantity. Adding to a position or closing a part of it belongs to the same round trip, and so does what
holding it cost. A position still open at the end is no closed round trip: see `open_position`.

Positions are summed exactly as the engine does, and a close sells exactly what is held: flat is 0.0, no tolerance.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from algotrade.evaluate.executions import (
    AmbiguousBars,
    Charges,
    Codes,
    Fills,
    Flags,
    Integers,
    no_ambiguous_bars,
    no_charges,
    reasons_of,
)
from algotrade.market.candles import Floats, Times, utc_index


class RoundTrips(NamedTuple):
    """Closed round trips as columns, in order of exit; every array has shape (round trips,)."""

    entry_bar: Integers  # row of the candle table
    exit_bar: Integers
    side: Integers  # +1 long, -1 short
    entry_price: Floats  # quote units, average of all entries by quantity
    exit_price: Floats  # quote units, average of all exits by quantity
    quantity: Floats  # base units entered in all; never less than was held at once
    profit: Floats  # quote units, after the fees of all its fills and its charges
    profit_rate: Floats  # profit over what the entries cost, their fees included
    fees: Floats  # quote units, those taken in base units at what they were worth
    charges: Floats  # quote units, what holding cost; negative where it was received
    exit_role: Codes  # of the fill that closed it, see executions.ROLES
    path_dependent: Flags  # a bar from entry to exit could have gone either way, and it mattered


class OpenPosition(NamedTuple):
    """What is still held after the last fill."""

    side: Literal["long", "short"]
    quantity: float  # base units, positive
    entry_price: float  # quote units, average cost of what is held, without fees
    entry_bar: int  # row of the candle table on which it was opened from flat


class _Legs(NamedTuple):
    """Fills, those that cross zero split in two; every array has shape (legs,)."""

    bar: Integers
    side: Integers
    quantity: Floats
    price: Floats
    fee: Floats
    role: Codes
    fill: Integers  # which fill it is of
    position: Floats  # after the leg; 0.0 is flat


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what a float cannot hold is infinite or NaN
def closed_round_trips(
    fills: Fills, charges: Charges | None = None, ambiguous: AmbiguousBars | None = None
) -> RoundTrips:
    """Pair entries with exits.

    Args:
        fills: executions of one symbol in order of time, quantities above zero.
        charges: of the same symbol; None: there were none.
        ambiguous: bars of the same symbol; None: there were none.

    Returns:
        One row per closed round trip; profits and equity agree: starting cash plus all profits is the cash at the end
        of the last round trip.
    """
    charges, ambiguous = charges or no_charges(), ambiguous or no_ambiguous_bars()
    legs = _split_at_zero(fills)
    ends = np.flatnonzero(legs.position == 0.0)
    starts = np.append(0, ends[:-1] + 1)[: len(ends)]
    closed = _Legs._make(column[: ends[-1] + 1 if len(ends) else 0] for column in legs)
    side = closed.side[starts]
    entering = closed.side == np.repeat(side, ends - starts + 1)
    notional = closed.quantity * closed.price

    def total(values: Floats) -> Floats:
        return np.add.reduceat(values, starts)

    quantity, exit_quantity = total(closed.quantity * entering), total(closed.quantity * ~entering)
    paid, received = total(notional * entering), total(notional * ~entering)
    fees, held = total(closed.fee), _charged(charges, legs, ends)
    profit = side * (received - paid) - fees - held
    entry_bar, exit_bar = closed.bar[starts], closed.bar[ends]
    return RoundTrips(
        entry_bar=entry_bar,
        exit_bar=exit_bar,
        side=side,
        entry_price=paid / quantity,
        exit_price=received / exit_quantity,
        quantity=quantity,
        profit=profit,
        profit_rate=profit / (paid + total(closed.fee * entering)),
        fees=fees,
        charges=held,
        exit_role=closed.role[ends],
        path_dependent=_any_between(ambiguous.bar, entry_bar, exit_bar),
    )


def round_trip_table(
    fills: Fills, times: Times, *, charges: Charges | None = None, ambiguous: AmbiguousBars | None = None
) -> pd.DataFrame:
    """Closed round trips as a table, one row each.

    Args:
        fills: executions of one symbol in order of time.
        times: open times of the bars, milliseconds, shape (bars,).
        charges: of the same symbol.
        ambiguous: bars of the same symbol.

    Returns:
        Columns entry_time, entry_price, exit_time, exit_price, side ("long" or "short"), quantity (base units), profit
        (quote units, after fees and charges), return (profit over entry cost, a fraction), bars (from entry to exit),
        fees and charges (quote units), exit_reason ("signal", or the part of a bracket), path_dependent. Prices are
        averages by quantity; times are open times of bars, UTC.
    """
    trips = closed_round_trips(fills, charges, ambiguous)
    return pd.DataFrame(
        {
            "entry_time": utc_index(times[trips.entry_bar]),
            "entry_price": trips.entry_price,
            "exit_time": utc_index(times[trips.exit_bar]),
            "exit_price": trips.exit_price,
            "side": np.where(trips.side > 0, "long", "short"),
            "quantity": trips.quantity,
            "profit": trips.profit,
            "return": trips.profit_rate,
            "bars": trips.exit_bar - trips.entry_bar,
            "fees": trips.fees,
            "charges": trips.charges,
            "exit_reason": reasons_of(trips.exit_role),
            "path_dependent": trips.path_dependent,
        }
    )


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what a float cannot hold is infinite or NaN
def open_position(fills: Fills) -> OpenPosition | None:
    """The position held after the last fill, None when flat.

    Its entry price is the average cost: adding moves it, closing a part does not; so position x (price - entry price)
    is the profit not yet taken, before fees. (Of a closed round trip the entry price averages all entries instead.)
    """
    legs = _split_at_zero(fills)
    flat = np.flatnonzero(legs.position == 0.0)
    start = int(flat[-1]) + 1 if len(flat) else 0
    if start == len(legs.bar):
        return None
    side = int(legs.side[start])
    held, average = 0.0, 0.0
    for leg in range(start, len(legs.bar)):
        after = abs(float(legs.position[leg]))
        if legs.side[leg] == side:
            average += (float(legs.price[leg]) - average) * float(legs.quantity[leg]) / after
        held = after
    return OpenPosition("long" if side > 0 else "short", held, average, int(legs.bar[start]))


def _split_at_zero(fills: Fills) -> _Legs:
    """Fills as legs: every leg either moves the position away from zero or towards it, never through it.

    A fee in base units is the difference between what was paid for and what was received; a leg has what was received.
    """
    received = fills.received
    position = np.cumsum(fills.side * received)
    before = np.append(0.0, position[:-1])[: len(position)]
    crossing = np.sign(before) * np.sign(position) < 0.0
    fill = np.repeat(np.arange(len(position)), 1 + crossing)
    second = np.append(False, fill[1:] == fill[:-1])[: len(fill)]
    first = np.append(second[1:], False)[: len(fill)]
    quantity = received[fill]
    quantity[first] = np.abs(before[fill[first]])
    quantity[second] = np.abs(position[fill[second]])
    return _Legs(
        bar=fills.bar[fill],
        side=fills.side[fill],
        quantity=quantity,
        price=fills.price[fill],
        fee=fills.fee[fill] * (quantity / received[fill]),
        role=fills.role[fill],
        fill=fill,
        position=np.where(first, 0.0, position[fill]),
    )


def _charged(charges: Charges, legs: _Legs, ends: Integers) -> Floats:
    """Charges of each closed round trip, shape (round trips,): a charge belongs to the last leg before it."""
    leg = np.searchsorted(legs.fill, charges.fills_before - 1, side="right") - 1
    trip = np.searchsorted(ends, leg)
    amounts = np.zeros(len(ends) + 1)  # the last one is of what is still open
    np.add.at(amounts, trip[leg >= 0], charges.amount[leg >= 0])
    return amounts[:-1]


def _any_between(bars: Integers, first: Integers, last: Integers) -> Flags:
    """Whether one of `bars`, which rise, lies from first to last, both inclusive."""
    return np.asarray(np.searchsorted(bars, last, side="right") > np.searchsorted(bars, first, side="left"))
