"""The simulated exchange: working orders, and the rules by which they fill.

It keeps its own ledger, as a real exchange does: a target is resolved into a quantity here, where the price is known.
Market orders fill at the open of the bar after the one they were decided on.
"""

from __future__ import annotations

from algotrade.engine.account import Account, equity_at
from algotrade.engine.events import (
    BarOpened,
    MarketEvent,
    OrderAccepted,
    OrderCancelled,
    OrderEvent,
    OrderFilled,
    OrderRejected,
)
from algotrade.engine.fills import fee_of, slipped_price
from algotrade.engine.orders import INSUFFICIENT_FUNDS, NOTHING_TO_SELL, Order
from algotrade.engine.sizing import REFUSALS, STEP_TOLERANCE, Terms, market_fill, refusal_of, round_down


class SimulatedVenue:
    """An exchange that fills market orders at the next open, with slippage, fee and legal sizes.

    Args:
        cash: quote units deposited.
        terms: costs and legal sizes.
        can_short: whether a position may go below zero.
    """

    def __init__(self, cash: float, terms: Terms, *, can_short: bool = False) -> None:
        self.account = Account(cash)
        self._terms = terms
        self._can_short = can_short
        self._working: dict[str, Order] = {}

    def submit(self, order: Order) -> list[OrderEvent]:
        """Take an order; it works from now on."""
        self._working[order.order_id] = order
        return [OrderAccepted(order.order_id, order.time)]

    def cancel(self, order_id: str, time: int) -> list[OrderEvent]:
        """Drop a working order; nothing happens if it is no longer there."""
        if self._working.pop(order_id, None) is None:
            return []
        return [OrderCancelled(order_id, time)]

    def on_market(self, event: MarketEvent) -> list[OrderEvent]:
        """What the market event does to the working orders, in the order in which they came."""
        if not isinstance(event, BarOpened):
            return []
        due = [order for order in self._working.values() if order.symbol == event.symbol]
        return [self._fill_at_open(order, event) for order in due]

    def _fill_at_open(self, order: Order, bar: BarOpened) -> OrderEvent:
        del self._working[order.order_id]
        side, quantity, price = self._resolve(order, bar.open)
        equity = equity_at(self.account.cash, self.account.position(order.symbol), price)
        refusal = refusal_of(quantity, price, equity, self._terms)
        reason = REFUSALS[refusal] or self._unaffordable(order, side, quantity, price)
        if reason:
            return OrderRejected(order.order_id, bar.time, reason)
        fee = fee_of(quantity, price, self._terms.fee_rate)
        fill = OrderFilled(order.order_id, order.symbol, bar.time, side, quantity, price, fee)
        self.account.apply(fill)
        return fill

    def _resolve(self, order: Order, open_: float) -> tuple[int, float, float]:
        """Side, quantity and price of the order if it fills at `open_`."""
        terms = self._terms
        if order.exposure is not None:
            held = self.account.position(order.symbol)
            return market_fill(order.exposure, self.account.cash, held, open_, terms)
        price = slipped_price(open_, order.side, terms.slippage_rate)
        quantity = order.quantity if order.quantity is not None else (order.notional or 0.0) / price
        quantity = round_down(quantity, terms.quantity_step)
        held = -order.side * self.account.position(order.symbol)
        if abs(quantity - held) <= STEP_TOLERANCE * max(terms.quantity_step, held):
            quantity = held  # all of it: a multiple of the step can miss a sum of such multiples by the last bit
        return order.side, quantity, price

    def _unaffordable(self, order: Order, side: int, quantity: float, price: float) -> str:
        """Reason code if an order of fixed size asks for more than there is; targets are sized to fit."""
        if order.exposure is not None:
            return ""
        room = 1.0 + STEP_TOLERANCE
        if side > 0 and quantity * price * (1.0 + self._terms.fee_rate) > self.account.cash * room:
            return INSUFFICIENT_FUNDS
        if side < 0 and not self._can_short and quantity > self.account.position(order.symbol) * room:
            return NOTHING_TO_SELL
        return ""
