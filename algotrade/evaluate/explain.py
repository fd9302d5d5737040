"""Why a strategy did what it did at one bar: what it saw, what it wanted, what was done about it."""

from __future__ import annotations

from typing import Any

import numpy as np

from algotrade.engine.orders import NOTHING_TO_TRADE
from algotrade.evaluate.reasons import LIMITS, words_of
from algotrade.evaluate.result import Result
from algotrade.market.candles import COLUMNS, iso
from algotrade.strategy.signals import targets_of


def explain_bar(result: Result, bar: int) -> dict[str, Any]:
    """What happened at the close of a bar and what came of it at the next open.

    Args:
        result: with its signals, if the strategy has any.
        bar: row of the candle table.

    Returns:
        `simulated`, whether the market is; `title` and `answer`, sentences; `saw`, `wanted` and `did`, names and plain
        values; `fills` at the next open, each {time, side, quantity, price, fee}.
    """
    time = iso(int(result.times[bar]))
    wanted = _wanted(result, bar)
    did = _did(result, bar)
    fills = _fills(result, bar + 1)
    return {
        "bar": time,
        "simulated": result.simulated,
        "title": f"{time} {result.timeframe}, bar {bar + 1:,} of {len(result.times):,}",
        "answer": _answer(result, bar, wanted, fills, did.get("refused")),
        "saw": _saw(result, bar),
        "wanted": wanted,
        "did": did,
        "fills": fills,
    }


def _saw(result: Result, bar: int) -> dict[str, Any]:
    seen: dict[str, Any] = {name: float(result.candles[name].iloc[bar]) for name in COLUMNS}
    own = (
        [] if result.signals is None else [name for name in result.signals.columns if name not in (*COLUMNS, "signal")]
    )
    for name in own:
        assert result.signals is not None
        value = result.signals[name].iloc[bar]
        seen[str(name)] = float(value) if np.isreal(value) else str(value)
    return seen


def _wanted(result: Result, bar: int) -> dict[str, Any]:
    if result.signals is None:
        return {}
    targets = targets_of(result.signals)
    return {"exposure": float(targets[bar]), "exposure_before": float(targets[bar - 1]) if bar else 0.0}


def _did(result: Result, bar: int) -> dict[str, Any]:
    """What was refused, by us at this close or by the exchange at the next open, and the account at this close."""
    now = int(result.times[bar])
    following = int(result.times[bar + 1]) if bar + 1 < len(result.times) else None
    refused = [reason for time, reason in result.rejections if time == (now if reason in LIMITS else following)]
    told = {"refused": refused[0]} if refused else {}
    return {**told, "equity_at_close": float(result.equity_values[bar])}


def _fills(result: Result, bar: int) -> list[dict[str, Any]]:
    filled = result.filled
    return [
        {
            "time": iso(int(result.times[bar])),
            "side": "buy" if filled.side[row] > 0 else "sell",
            "quantity": float(filled.quantity[row]),
            "price": float(filled.price[row]),
            "fee": float(filled.fee[row]),
        }
        for row in np.flatnonzero(filled.bar == bar)
    ]


def _answer(result: Result, bar: int, wanted: dict[str, Any], fills: list[dict[str, Any]], refused: str | None) -> str:
    changed = wanted and wanted["exposure"] != wanted["exposure_before"]
    what = f"the target went from {wanted['exposure_before']:g} to {wanted['exposure']:g}" if changed else ""
    if fills:
        done = f"a {fills[0]['side']}" if len(fills) == 1 else f"{len(fills)} orders"
        return f"{what or 'it sent an order'}, and {done} filled at the next open"
    if refused:
        return f"{what or 'it sent an order'}, but {words_of(refused)}"
    if changed:
        last = bar + 1 == len(result.times)
        return f"{what}; there is no next bar to fill at" if last else f"{what}, and nothing was traded"
    if wanted:
        why = _refused_before(result, bar) or ", and drift alone never trades"
        return f"nothing was done: the target stayed at {wanted['exposure']:g}{why}"
    return "nothing was done: the strategy sent no order at this bar"


def _refused_before(result: Result, bar: int) -> str:
    """What is held instead of the target since an order for it was refused; empty where the last order was filled."""
    earlier = [rejection for rejection in result.rejections if rejection.time <= result.times[bar]]
    done = result.filled.bar <= bar
    if not earlier or earlier[-1].reason == NOTHING_TO_TRADE:
        return ""
    time, reason = earlier[-1]
    decided = int(np.searchsorted(result.times, time)) - (0 if reason in LIMITS else 1)
    if done.any() and result.filled.bar[done][-1] > decided:
        return ""
    position = (result.filled.side * result.filled.quantity)[done].sum()
    held = "the position is as before" if position else "nothing is held"
    return f", but {held}: the order of {iso(int(result.times[decided]))} was refused ({words_of(reason)})"
