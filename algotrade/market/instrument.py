"""What may be traded: the steps, minima and fees of one market."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from algotrade.errors import FixCommand

SYMBOL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(/[A-Za-z0-9][A-Za-z0-9.-]*)?(:[A-Za-z0-9][A-Za-z0-9.-]*)?")
LONGEST_SYMBOL: Final = 40


class Instrument(NamedTuple):
    """One market of one exchange.

    Attributes:
        symbol: ccxt's unified symbol, "BTC/USD".
        quantity_step: quantities are multiples of it, base units; 0 where unknown.
        price_tick: prices are multiples of it, quote units; 0 where unknown.
        min_quantity: smallest order, base units; 0 where unknown.
        min_notional: smallest order, quote units; 0 where unknown.
        taker_fee: fraction of the notional; None where unknown.
        maker_fee: fraction of the notional; None where unknown.
        can_short: False on spot markets.
    """

    symbol: str
    quantity_step: float = 0.0
    price_tick: float = 0.0
    min_quantity: float = 0.0
    min_notional: float = 0.0
    taker_fee: float | None = None
    maker_fee: float | None = None
    can_short: bool = False

    @property
    def base(self) -> str:
        """The currency that is bought, "BTC"."""
        return self.symbol.split("/")[0]

    @property
    def quote(self) -> str:
        """The currency that pays, "USD"."""
        return self.symbol.split("/")[-1].split(":")[0]


def validate_symbol(symbol: str) -> str:
    """The symbol itself, if it is written as one: "BTC/USD", "BTC/USDT:USDT", "BRK.B".

    A symbol from outside goes into messages and names; nothing that could be a path or a terminal code gets past.

    Raises:
        FixCommand: it is not.
    """
    if len(symbol) > LONGEST_SYMBOL or SYMBOL.fullmatch(symbol) is None:
        given = repr(symbol[:LONGEST_SYMBOL]) + ("..." if len(symbol) > LONGEST_SYMBOL else "")
        raise FixCommand(f"{given} is not a symbol like BTC/USD", hint="algotrade list markets")
    return symbol
