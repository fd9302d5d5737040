"""The orders that strategies ask for, made of their requests."""

from __future__ import annotations

from algotrade.engine.book import Book
from algotrade.engine.orders import Order, OrderType
from algotrade.engine.requests import OrderRequest, ReplaceRequest, TargetRequest


def order_of(request: OrderRequest, book: Book, time: int) -> Order:
    """The order of a fixed size that a strategy asks for."""
    return Order(
        request.order_id or book.new_id(request.symbol, time),
        request.symbol,
        time,
        request.side,
        _type_of(request.limit, request.stop),
        quantity=request.quantity,
        notional=request.notional,
        limit=request.limit,
        stop=request.stop,
        bracket=request.bracket,
        time_in_force=request.time_in_force,
        expires_after=request.expires_after,
        post_only=request.post_only,
        reduce_only=request.reduce_only,
        book=book.name,
    )


def target_order(request: TargetRequest, book: Book, time: int) -> Order:
    """The order that leads to a target; its side is decided where it fills."""
    symbol, unit, wanted = request.symbol, request.unit, request.exposure * request.size
    return Order(
        book.new_id(symbol, time),
        symbol,
        time,
        0,
        OrderType.MARKET if request.limit is None else OrderType.LIMIT,
        exposure=wanted if unit == "exposure" else None,
        target_quantity=wanted if unit == "quantity" else None,
        target_notional=wanted if unit == "notional" else None,
        limit=request.limit,
        bracket=request.bracket,
        book=book.name,
    )


def changed_order(order: Order, request: ReplaceRequest, time: int) -> Order:
    """A working order as it is sent again."""
    return order._replace(
        order_id=request.new_order_id,
        time=time,
        quantity=order.quantity if request.quantity is None else request.quantity,
        notional=order.notional if request.quantity is None else None,
        limit=order.limit if request.limit is None else request.limit,
        stop=order.stop if request.stop is None else request.stop,
    )


def _type_of(limit: float | None, stop: float | None) -> OrderType:
    """The kind of order that has these prices."""
    if stop is not None:
        return OrderType.STOP if limit is None else OrderType.STOP_LIMIT
    return OrderType.MARKET if limit is None else OrderType.LIMIT
