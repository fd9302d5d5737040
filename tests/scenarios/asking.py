"""What a strategy may ask for, in a trader's words.

buy 2                              at the market; "buy for 500" in quote units
buy 2 limit 95 post_only           a limit order; stop 105: a stop order; both: a stop-limit order
sell 2 limit 110 day reduce_only   or ioc, or "bars 3"
buy 2 limit 95 as dip              it is called dip
buy 2 stop_loss 0.1 take_profit 0.2 trailing_stop 0.05 trailing_activation 0.1 max_bars 5
buy 2 stop_loss_price 90 take_profit_price 120 trailing_amount 4 take_profit_after 2d 0.05
target 0.5                         a share of equity; "target 1 units 2": two; "target 1 worth 500": for 500
target 1 again                     trade although it is the target in force
target 1 unprotected               a bracket without any order
protect stop_loss 0.1              put this around the position; "protect nothing"
cancel dip                         "replace dip with deeper limit 90"
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from algotrade.engine.orders import Bracket, TimeInForce
from algotrade.engine.requests import (
    CancelRequest,
    OrderRequest,
    ProtectRequest,
    ReplaceRequest,
    Request,
    TargetRequest,
)
from algotrade.market.timeframe import timeframe_ms

SIDES = {"buy": +1, "sell": -1}
FLAGS = {"post_only": "post_only", "reduce_only": "reduce_only", "again": "rebalance"}
TIMES_IN_FORCE = {"day": TimeInForce.DAY, "ioc": TimeInForce.IOC}
NUMBERS = ("limit", "stop", "size", "quantity")
UNITS = {"units": "quantity", "worth": "notional"}
PROTECTION = set(Bracket._fields)


def request_of(text: str, symbol: str) -> Request:
    """The request that a line of a table means."""
    words = iter(text.split())
    verb = next(words)
    if verb in SIDES:
        size = next(words)
        kind = "notional" if size == "for" else "quantity"
        amount = float(next(words) if size == "for" else size)
        return OrderRequest(symbol, SIDES[verb], **{kind: amount}, **_options(words))
    match verb:
        case "target":
            return TargetRequest(symbol, float(next(words)), **_options(words))
        case "protect":
            return ProtectRequest(symbol, _options(words).get("bracket"))
        case "cancel":
            return CancelRequest(next(words))
        case "replace":
            old, _, new = next(words), next(words), next(words)
            return ReplaceRequest(old, new, **_options(words))
    raise AssertionError(f"nothing that a strategy can ask for: {text}")


def _options(words: Iterator[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    bracket: dict[str, Any] = {}
    steps: list[tuple[int, float]] = []
    for word in words:
        if word in FLAGS:
            options[FLAGS[word]] = True
        elif word in TIMES_IN_FORCE:
            options["time_in_force"] = TIMES_IN_FORCE[word]
        elif word in NUMBERS:
            options[word] = float(next(words))
        elif word in UNITS:
            options |= {"unit": UNITS[word], "size": float(next(words))}
        elif word == "bars":
            options["expires_after"] = int(next(words))
        elif word == "as":
            options["order_id"] = next(words)
        elif word == "take_profit_after":
            steps.append((timeframe_ms(next(words)), float(next(words))))
        elif word == "max_bars":
            bracket[word] = int(next(words))
        elif word in PROTECTION:
            bracket[word] = float(next(words))
        elif word == "unprotected":
            options["bracket"] = Bracket()
        else:
            assert word == "nothing", f"no option of an order: {word}"
    if bracket or steps:
        options["bracket"] = Bracket(**bracket, take_profit_after=tuple(steps))
    return options
