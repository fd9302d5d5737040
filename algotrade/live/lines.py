"""What happened as lines of text, for a log."""

from __future__ import annotations

import math
from collections.abc import Iterable

from algotrade.engine.events import CandleClosed, Decided, Denied, OrderFilled, OrderRejected
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
    return f"{mode} {plan.exchange} {plan.symbol} {plan.timeframe}"


def lines_of(records: Iterable[Record]) -> list[str]:
    """One line for every decision, fill and refusal."""
    close = math.nan
    lines: list[str] = []
    for record in records:
        match record:
            case CandleClosed():
                close = record.close
            case Decided():
                target = "" if math.isnan(record.exposure) else f" target {plain_number(record.exposure)}"
                lines.append(
                    f"{iso(record.time)} close {plain_number(close)}{target} {record.action} equity {record.equity:.2f}"
                )
            case OrderFilled():
                side = "bought" if record.side > 0 else "sold"
                quantity, price = plain_number(record.quantity), plain_number(record.price)
                lines.append(f"{iso(record.time)} {side} {quantity} at {price} fee {record.fee:.4f}")
            case OrderRejected() | Denied():
                lines.append(f"order refused: {record.reason}")
    return lines
