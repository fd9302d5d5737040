"""The account: cash and positions, moved by fills and by nothing else."""

from __future__ import annotations

from typing import NamedTuple

from algotrade.engine._jit import scalar
from algotrade.engine.events import OrderFilled


@scalar
def cash_after(cash: float, side: int, quantity: float, price: float, fee: float) -> float:
    """Cash after a fill: a buy pays quantity x price, a sell receives it, both pay the fee."""
    return cash - side * (quantity * price) - fee


@scalar
def position_after(position: float, side: int, quantity: float) -> float:
    """Position after a fill, base units, negative when short."""
    return position + side * quantity


@scalar
def equity_at(cash: float, position: float, price: float) -> float:
    """Account value with the position marked at `price`, quote units."""
    return cash + position * price


class View(NamedTuple):
    """What a strategy may know of its account, for one symbol."""

    cash: float
    position: float
    equity: float


class Account:
    """Cash in quote units and positions in base units by symbol; every change is a fill.

    Marks are the last price seen of each symbol: an open or a close.
    """

    def __init__(self, cash: float) -> None:
        self.cash = float(cash)
        self.fees_paid = 0.0
        self.positions: dict[str, float] = {}
        self.marks: dict[str, float] = {}

    def position(self, symbol: str) -> float:
        """Base units held; negative when short; 0.0 when flat."""
        return self.positions.get(symbol, 0.0)

    def mark(self, symbol: str, price: float) -> None:
        """Note the last price of a symbol."""
        self.marks[symbol] = price

    def apply(self, fill: OrderFilled) -> None:
        """Book a fill, and mark its symbol at the fill's price."""
        self.cash = cash_after(self.cash, fill.side, fill.quantity, fill.price, fill.fee)
        self.positions[fill.symbol] = position_after(self.position(fill.symbol), fill.side, fill.quantity)
        self.fees_paid += fill.fee
        self.marks[fill.symbol] = fill.price

    def equity(self) -> float:
        """Account value, every position marked at its last price."""
        value = self.cash
        for symbol, position in self.positions.items():
            value = equity_at(value, position, self.marks[symbol])
        return value

    def view(self, symbol: str) -> View:
        """The account as a strategy that trades `symbol` sees it."""
        return View(self.cash, self.position(symbol), self.equity())
