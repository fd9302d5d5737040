"""What happened as lines of text, for a log."""

from __future__ import annotations

import math
from collections.abc import Iterable

from algotrade.engine.events import (
    BracketPlaced,
    CandleClosed,
    Charged,
    Decided,
    Denied,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    Submit,
)
from algotrade.engine.session import Record
from algotrade.live.plan import SessionPlan
from algotrade.market.candles import iso


def plain_number(value: float) -> str:
    """All its digits up to the tenth decimal place, without an exponent: "43251.12", "0.00001234"."""
    text = f"{value:.10f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def prefix_of(plan: SessionPlan, *, simulated: bool) -> str:
    """What every line of a session begins with: neither real money nor, if simulated, a real market.

    Args:
        plan: of the session.
        simulated: whether the market is.
    """
    mode = "PAPER SIMULATED" if simulated else "PAPER"
    return f"{mode} {plan.exchange} {' '.join(plan.symbols)} {plan.timeframe}"


class Lines:
    """Tells records as lines, one for every decision, fill, refusal, charge and stop.

    Args:
        plan: of the session; of several symbols or strategies a line names its own.
    """

    def __init__(self, plan: SessionPlan) -> None:
        self._several = len(plan.symbols) > 1
        self._closes: dict[str, float] = {}
        self._symbols: dict[str, str] = {}  # by order, as long as it works

    def of(self, records: Iterable[Record]) -> list[str]:
        """The lines of records, which are given in order."""
        return [line for record in records if (line := self._line(record))]

    def _line(self, record: Record) -> str:
        match record:
            case CandleClosed(symbol=symbol, close=close):
                self._closes[symbol] = close
            case Submit(order=order) | BracketPlaced(order=order):
                self._symbols[order.order_id] = order.symbol
            case Decided():
                return self._decided(record)
            case OrderCancelled(order_id=order_id):
                self._symbols.pop(order_id, None)
            case OrderFilled(symbol=symbol, book=book, role=role):
                if not record.remaining:
                    self._symbols.pop(record.order_id, None)
                side = "bought" if record.side > 0 else "sold"
                quantity, price = plain_number(record.quantity), plain_number(record.price)
                why = f" ({role})" if role else ""
                filled = f"{side} {quantity} at {price} fee {record.fee:.4f}{why}"
                return f"{iso(record.time)} {self._whose(symbol, book)}{filled}"
            case OrderRejected(order_id=order_id):
                return f"{self._whose(self._symbols.pop(order_id, ''), '')}order refused: {record.reason}"
            case Denied(order=order):
                return f"{self._whose(order.symbol, order.book)}order refused: {record.reason}"
            case Charged(symbol=symbol, book=book):
                charged = f"charged {plain_number(record.amount)} for {record.reason}"
                return f"{iso(record.time)} {self._whose(symbol, book)}{charged}"
        return ""

    def _decided(self, decided: Decided) -> str:
        close = plain_number(self._closes.get(decided.symbol, math.nan))
        target = "" if math.isnan(decided.exposure) else f" target {plain_number(decided.exposure)}"
        whose = self._whose(decided.symbol, decided.book)
        return f"{iso(decided.time)} {whose}close {close}{target} {decided.action} equity {decided.equity:.2f}"

    def _whose(self, symbol: str, book: str) -> str:
        """Which symbol and strategy a line is about, where there are several."""
        return "".join(f"{each} " for each in (symbol if self._several else "", book) if each)
