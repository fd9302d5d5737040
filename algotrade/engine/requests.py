"""What a strategy may ask for: the answers to an event. The engine makes effects of them."""

from __future__ import annotations

from typing import NamedTuple

from algotrade.engine.events import Plain
from algotrade.engine.orders import Bracket, TimeInForce


class OrderRequest(NamedTuple):
    """Buy (+1) or sell (-1): exactly one of `quantity` (base units) and `notional` (quote units).

    Where `limit` and `stop` are None it is a market order; see `Order` for the rest. `order_id` is the strategy's.
    """

    symbol: str
    side: int
    quantity: float | None = None
    notional: float | None = None
    order_id: str = ""
    limit: float | None = None
    stop: float | None = None
    bracket: Bracket | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    expires_after: int | None = None
    post_only: bool = False
    reduce_only: bool = False


class TargetRequest(NamedTuple):
    """Hold this much: 1 long, 0 flat, -1 short, times `size`.

    Attributes:
        symbol: of what.
        exposure: the target; an order goes out when it differs from the one before.
        size: what a target of 1 means, in `unit`.
        unit: "exposure" (fraction of equity), "quantity" (base units) or "notional" (quote units).
        limit: price of a limit order; None for a market order.
        bracket: protects the position; None leaves it as it is.
        rebalance: trade although the target is the one before.
    """

    symbol: str
    exposure: float
    size: float = 1.0
    unit: str = "exposure"
    limit: float | None = None
    bracket: Bracket | None = None
    rebalance: bool = False

    def means_other(self, than: TargetRequest) -> bool:
        """Whether the same number says something else: another unit, or another size of one that does not drift."""
        resized = self.unit != "exposure" and self.size != than.size
        return self.exposure != 0.0 and (self.unit != than.unit or resized)


class ProtectRequest(NamedTuple):
    """Protect the whole position of a symbol with this bracket, in the place of any before; None: with nothing."""

    symbol: str
    bracket: Bracket | None


class CancelRequest(NamedTuple):
    """Cancel a working order."""

    order_id: str


class ReplaceRequest(NamedTuple):
    """Cancel a working order and send it again with other prices or another quantity; None: as it was."""

    order_id: str
    new_order_id: str
    quantity: float | None = None
    limit: float | None = None
    stop: float | None = None


class EmitRequest(NamedTuple):
    """Tell every strategy of the session: methods marked @on(name) are called with it."""

    name: str
    value: Plain


Request = OrderRequest | TargetRequest | ProtectRequest | CancelRequest | ReplaceRequest | EmitRequest
