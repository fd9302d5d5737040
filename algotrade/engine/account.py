"""The account: cash and positions, moved by fills and charges and by nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Final, Self

from algotrade.engine._jit import scalar
from algotrade.engine.events import Charged, OrderFilled
from algotrade.engine.orders import Order

LAST_BITS: Final = 1e-12  # of a fill: 0.3 bought and 0.1 + 0.2 sold in binary fractions leave less than that


@scalar
def cash_after(cash: float, side: int, quantity: float, price: float, fee: float) -> float:
    """Cash after a fill: a buy pays quantity x price, a sell receives it, both pay the fee."""
    return cash - side * (quantity * price) - fee


@scalar
def position_after(position: float, side: int, quantity: float) -> float:
    """Position after a fill, base units, negative when short; flat where only the fractions' last bits are left."""
    after = position + side * quantity
    return after if abs(after) > LAST_BITS * quantity else 0.0


@scalar
def average_after(position: float, average: float, side: int, quantity: float, price: float) -> float:
    """Average entry price after a fill: adding moves it, closing a part does not, crossing zero begins anew.

    Args:
        position: before the fill, base units.
        average: before the fill, quote units.
        side: of the fill.
        quantity: base units.
        price: quote units.
    """
    held = abs(position)
    if position * side >= 0.0:
        return (held * average + quantity * price) / (held + quantity) if held > 0.0 else price
    return average if quantity <= held else price


@scalar
def equity_at(cash: float, position: float, price: float) -> float:
    """Account value with the position marked at `price`, quote units."""
    return cash + position * price


@scalar
def is_worthless(equity: float, cash: float, position: float) -> bool:
    """Whether an account has lost all it had and that is not settled yet: what it owes, or holds, is still there."""
    return equity <= 0.0 and not (cash == 0.0 and position == 0.0)


class Account:
    """Cash in quote units and positions in base units by symbol.

    Marks are the last price seen of each symbol: an open, a close or a trade.

    Args:
        cash: quote units at the start.
        symbols: in the order in which positions are summed; others come behind them as they appear.
    """

    def __init__(self, cash: float, symbols: Iterable[str] = ()) -> None:
        self.cash = float(cash)
        self.fees_paid = 0.0
        self.positions: dict[str, float] = dict.fromkeys(symbols, 0.0)
        self.averages: dict[str, float] = {}
        self.marks: dict[str, float] = {}

    def copy(self) -> Self:
        """The same account on its own."""
        other = type(self)(self.cash)
        other.fees_paid = self.fees_paid
        other.positions, other.averages = dict(self.positions), dict(self.averages)
        other.marks = dict(self.marks)
        return other

    def position(self, symbol: str) -> float:
        """Base units held; negative when short; 0.0 when flat."""
        return self.positions.get(symbol, 0.0)

    def average(self, symbol: str) -> float:
        """Average entry price of what is held, quote units; 0.0 when flat."""
        return self.averages[symbol] if self.positions.get(symbol, 0.0) else 0.0

    def mark(self, symbol: str, price: float) -> None:
        """Note the last price of a symbol."""
        self.marks[symbol] = price

    def apply(self, fill: OrderFilled) -> None:
        """Book a fill, and mark its symbol at the fill's price."""
        symbol, side, quantity, price = fill.symbol, fill.side, fill.quantity, fill.price
        held = self.positions.get(symbol, 0.0)
        received = quantity - fill.fee_quantity
        self.averages[symbol] = average_after(held, self.averages.get(symbol, 0.0), side, received, price)
        self.cash = cash_after(self.cash, side, quantity, price, 0.0 if fill.fee_quantity else fill.fee)
        self.positions[symbol] = position_after(held, side, received)
        self.fees_paid += fill.fee
        self.marks[symbol] = price

    def charge(self, charge: Charged) -> None:
        """Book what holding a position cost."""
        self.cash -= charge.amount

    def equity(self) -> float:
        """Account value, every position marked at its last price."""
        value = self.cash
        for symbol, position in self.positions.items():
            if position:
                value = equity_at(value, position, self.marks[symbol])
        return value

    def exposure(self) -> float:
        """Value of all positions without their signs, at their last prices, quote units."""
        return sum(abs(position) * self.marks[symbol] for symbol, position in self.positions.items() if position)


class View:
    """What a strategy may know of its account: always as it is now, and nothing that it could change.

    Args:
        account: of its book.
        orders: gives its working orders, in the order in which they were sent.
        new_id: gives the id of its next order, from a symbol and a time.

    Attributes:
        position: base units held of a symbol; negative when short.
        new_id: as given.
    """

    def __init__(self, account: Account, orders: Callable[[], list[Order]], new_id: Callable[[str, int], str]) -> None:
        self._account = account
        self._orders = orders
        self.position = account.position  # asked for at every bar: no call in between
        self.new_id = new_id

    @property
    def cash(self) -> float:
        """Quote units not invested."""
        return self._account.cash

    @property
    def equity(self) -> float:
        """Cash and positions at the last prices, quote units."""
        return self._account.equity()

    def entry_price(self, symbol: str) -> float:
        """Average entry price of what is held, quote units; 0.0 when flat."""
        return self._account.average(symbol)

    def mark(self, symbol: str) -> float:
        """Last price seen of a symbol, NaN before the first."""
        return self._account.marks.get(symbol, math.nan)

    def orders(self, symbol: str | None = None) -> list[Order]:
        """Working orders of a symbol or of all, in the order in which they were sent, those of brackets too."""
        return [order for order in self._orders() if symbol in (None, order.symbol)]
