"""What happened as lines of text, for a log."""

from __future__ import annotations

import math
from collections.abc import Iterable

from algotrade.engine.events import CandleClosed, Decided, Denied, OrderFilled, OrderRejected
from algotrade.engine.session import Record
from algotrade.market.candles import iso


def lines_of(records: Iterable[Record]) -> list[str]:
    """One line for every decision, fill and refusal."""
    close = math.nan
    lines: list[str] = []
    for record in records:
        match record:
            case CandleClosed():
                close = record.close
            case Decided():
                target = "" if math.isnan(record.exposure) else f" target {record.exposure:g}"
                lines.append(f"{iso(record.time)} close {close:g}{target} {record.action} equity {record.equity:.2f}")
            case OrderFilled():
                side = "bought" if record.side > 0 else "sold"
                lines.append(f"{iso(record.time)} {side} {record.quantity:g} at {record.price:g} fee {record.fee:.4f}")
            case OrderRejected() | Denied():
                lines.append(f"order refused: {record.reason}")
    return lines
