"""What may be traded: the steps, minima and fees of one market."""

from __future__ import annotations

from typing import NamedTuple


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
