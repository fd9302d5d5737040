"""Our executions, charges and refusals as columns, and the equity that follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from algotrade.engine.account import cash_after, equity_at, position_after
from algotrade.engine.orders import Role
from algotrade.market.candles import Floats, Times, utc_index

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int16]
Flags = npt.NDArray[np.bool_]

ROLES: Final = tuple(Role)  # what the codes of the column `role` stand for
REASONS_TO_CHARGE: Final = ("borrow", "funding", "no_equity_left")  # the same for the column `reason` of charges
OWN: Final = "signal"  # what a person reads where the strategy's own order filled
ROUNDING: Final = 1e-9  # of a final equity: two that differ by less are the same


class Fills(NamedTuple):
    """Our executions as columns, in the order in which they happened; every array has shape (fills,)."""

    bar: Integers  # row of the result's times in which it happened
    side: Integers  # +1 buy, -1 sell
    quantity: Floats  # base units, positive
    price: Floats  # quote units, slippage included
    fee: Floats  # quote units; where `fee_quantity` is not 0, what that is worth
    after_ms: Integers  # milliseconds from the bar's open; known inside a bar with finer candles or trades
    role: Codes  # why the order was there, see ROLES
    maker: Flags  # it rested in the book and paid the maker's fee
    fee_quantity: Floats  # base units kept back from what was bought, instead of cash
    part: Codes  # which part of a portfolio; 0 where there is only one

    @property
    def received(self) -> Floats:
        """Base units by which the position moved, positive."""
        return self.quantity - self.fee_quantity

    def only(self, chosen: Flags | Integers | slice) -> Fills:
        """Some of the fills."""
        return Fills._make(column[chosen] for column in self)

    def table(self, times: Times) -> pd.DataFrame:
        """As a DataFrame.

        Args:
            times: open times of the bars, milliseconds, shape (bars,).

        Returns:
            Columns time (UTC), side ("buy" or "sell"), quantity (base units), price, fee (quote units), fee_quantity
            (base units), maker, reason ("signal", or the part of a bracket that filled).
        """
        return pd.DataFrame(
            {
                "time": utc_index(times[self.bar] + self.after_ms),
                "side": np.where(self.side > 0, "buy", "sell"),
                "quantity": self.quantity,
                "price": self.price,
                "fee": self.fee,
                "fee_quantity": self.fee_quantity,
                "maker": self.maker,
                "reason": reasons_of(self.role),
            }
        )


def fills_of(
    bar: Integers, side: Integers, quantity: Floats, price: Floats, fee: Floats, **columns: npt.NDArray[Any]
) -> Fills:
    """Fills of the first five columns; the others are zero unless they are given by name."""
    count = len(bar)
    given: dict[str, Any] = {
        "after_ms": np.zeros(count, np.int64),
        "role": np.zeros(count, np.int16),
        "maker": np.zeros(count, np.bool_),
        "fee_quantity": np.zeros(count),
        "part": np.zeros(count, np.int16),
        **columns,
    }
    return Fills(bar, side, quantity, price, fee, **given)


def reasons_of(roles: Codes) -> npt.NDArray[np.object_]:
    """Role codes as words."""
    return np.array([role.value or OWN for role in ROLES], object)[roles]


class Charges(NamedTuple):
    """What holding cost, as columns in the order in which it was charged; every array has shape (charges,)."""

    bar: Integers  # row of the result's times in which it was charged
    reason: Codes  # see REASONS_TO_CHARGE
    amount: Floats  # quote units, negative where it was received
    fills_before: Integers  # how many fills had happened
    part: Codes  # which part of a portfolio; 0 where there is only one

    def paid_for(self, reason: str) -> float:
        """Sum of the charges of one kind, quote units."""
        return float(self.amount[self.reason == REASONS_TO_CHARGE.index(reason)].sum())

    def only(self, chosen: Flags | Integers | slice) -> Charges:
        """Some of the charges."""
        return Charges._make(column[chosen] for column in self)


class AmbiguousBars(NamedTuple):
    """Bars on which it mattered which way the price went, as columns; every array has shape (ambiguous bars,)."""

    bar: Integers  # row of the result's times
    worst: Floats  # account value at its close by the way that was worse for us, quote units
    best: Floats  # by the way that was better
    diverges: Flags  # the two leave different positions, so that later bars decide which was the better one

    def only(self, chosen: Flags | Integers | slice) -> AmbiguousBars:
        """Some of the bars."""
        return AmbiguousBars._make(column[chosen] for column in self)


def no_charges() -> Charges:
    """Nothing was charged."""
    return Charges._make(np.zeros(0, kind) for kind in (np.int64, np.int16, np.float64, np.int64, np.int16))


def no_ambiguous_bars() -> AmbiguousBars:
    """No bar could have gone either way."""
    return AmbiguousBars._make(np.zeros(0, kind) for kind in (np.int64, np.float64, np.float64, np.bool_))


class PathBounds(NamedTuple):
    """Final equity by the way through each bar that was worse for us, and by the better one, quote units.

    Limits of what can have happened where no ambiguous bar diverges; else two possible outcomes.
    """

    worst: float
    best: float


def bounds_between(one: float, other: float) -> PathBounds | None:
    """The bounds of two final equities; None where they differ by rounding only."""
    if abs(one - other) <= ROUNDING * max(abs(one), abs(other)):
        return None
    return PathBounds(min(one, other), max(one, other))


class RanOn(NamedTuple):
    """Which machine made a result, "kernel" or "event loop", and why that one; "" where it needs no reason."""

    machine: str = "kernel"
    reason: str = ""


class Rejection(NamedTuple):
    """An order that was refused, the reason code, and by how much, since when or until when.

    `time`: of the bar on which it would have filled; where our own limits kept it back, of the bar that asked for it.
    """

    time: int
    reason: str
    detail: str = ""


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what a float cannot hold is infinite or NaN
def equity_of_fills(filled: Fills, cash: float, close: Floats, charges: Charges | None = None) -> Floats:
    """Account value at each close, shape (bars,), from fills and charges alone: bit for bit what the engine saw.

    Args:
        filled: of one symbol.
        cash: quote units at the start.
        close: shape (bars,).
        charges: of the same symbol; None: there were none.
    """
    return equity_of_account(filled._replace(part=np.zeros_like(filled.part)), charges or no_charges(), cash, [close])


def equity_of_account(filled: Fills, charges: Charges, cash: float, marks: Sequence[Floats]) -> Floats:
    """Account value at each bar where one account holds several parts, shape (bars,).

    Args:
        filled: of all parts, in the order in which they happened.
        charges: of all parts.
        cash: quote units at the start.
        marks: last price of each part by its code, each of shape (bars,); NaN before its first bar.
    """
    order, bars = _in_order(filled, charges)
    done = np.searchsorted(bars, np.arange(len(marks[0])), side="right")  # changes up to and including each bar
    equity = _cash_states(filled, charges, order, cash)[done]
    for part, mark in enumerate(marks):
        own = filled.only(filled.part == part)
        held = _position_states(own)[np.searchsorted(own.bar, np.arange(len(mark)), side="right")]
        equity = np.where(held == 0.0, equity, equity_at(equity, held, mark))  # type: ignore[arg-type]  # elementwise
    return np.asarray(equity, np.float64)


def _in_order(filled: Fills, charges: Charges) -> tuple[Integers, Integers]:
    """Fills and charges in the order in which they happened, a charge as its row behind all fills; and their bars."""
    fills = len(filled.bar)
    order = np.insert(np.arange(fills), charges.fills_before, fills + np.arange(len(charges.bar)))
    return order, np.concatenate([filled.bar, charges.bar])[order]


def _cash_states(filled: Fills, charges: Charges, order: Integers, cash: float) -> Floats:
    """Cash before the first change and after each one, quote units, shape (changes + 1,)."""
    nothing = np.zeros(len(charges.bar))
    in_cash = np.where(filled.fee_quantity == 0.0, filled.fee, 0.0)
    columns = [
        np.concatenate(pair)[order].tolist()
        for pair in (
            (filled.side, nothing.astype(np.int64)),
            (filled.quantity, nothing),
            (filled.price, nothing),
            (in_cash, charges.amount),
        )
    ]
    states = [cash]
    for side, quantity, price, cost in zip(*columns, strict=True):
        cash = cash_after(cash, side, quantity, price, cost)
        states.append(cash)
    return np.array(states)


def _position_states(filled: Fills) -> Floats:
    """Position before the first fill of a part and after each one, base units, shape (fills + 1,)."""
    states = [0.0]
    for side, quantity in zip(filled.side.tolist(), filled.received.tolist(), strict=True):
        states.append(position_after(states[-1], side, quantity))
    return np.array(states)
