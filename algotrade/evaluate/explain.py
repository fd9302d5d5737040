"""Why a strategy did what it did at one bar: what it saw, what it wanted, what was done about it."""

from __future__ import annotations

from typing import Any

import numpy as np

from algotrade.engine.orders import NOTHING_TO_TRADE, Role
from algotrade.evaluate.executions import ROLES, Rejection
from algotrade.evaluate.reasons import EXITS, LIMITS, words_of
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
    refused = _refusal(result, bar)
    return {
        "bar": time,
        "simulated": result.simulated,
        "title": f"{time} {result.timeframe}, bar {bar + 1:,} of {len(result.times):,}",
        "answer": _answer(result, bar, wanted, refused),
        "saw": _saw(result, bar),
        "wanted": wanted,
        "did": _did(result, bar, refused),
        "fills": _fills(result, bar + 1),
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


def _did(result: Result, bar: int, refused: Rejection | None) -> dict[str, Any]:
    """What was refused, by us at this close or by the exchange at the next open, and the account at this close."""
    told = {"refused": refused.reason} if refused else {}
    return {**told, "equity_at_close": float(result.equity_values[bar])}


def _refusal(result: Result, bar: int) -> Rejection | None:
    """The first order of a bar that was refused: by us at its close, or by the exchange in the next bar."""
    now = int(result.times[bar])
    following = int(result.times[bar + 1]) if bar + 1 < len(result.times) else None
    found = (each for each in result.rejections if each.time == (now if each.reason in LIMITS else following))
    return next(found, None)


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


def _answer(result: Result, bar: int, wanted: dict[str, Any], refused: Rejection | None) -> str:
    changed = wanted and wanted["exposure"] != wanted["exposure_before"]
    what = f"the target went from {wanted['exposure_before']:g} to {wanted['exposure']:g}" if changed else ""
    filled, exits = _done(result, bar + 1)
    if filled:
        return f"{what or 'it sent an order'}, and {filled} filled at the next open{exits and '; in that bar '}{exits}"
    if refused:
        return f"{what or 'it sent an order'}, but {words_of(refused.reason, refused.detail)}"
    if exits:
        return f"{what or 'no order of its own filled'}; in the next bar {exits}"
    if changed:
        last = bar + 1 == len(result.times)
        return f"{what}; there is no next bar to fill at" if last else f"{what}, and nothing was traded"
    if wanted:
        why = _held_instead(result, bar) or ", and drift alone never trades"
        return f"nothing was done: the target stayed at {wanted['exposure']:g}{why}"
    return "nothing was traded: no order of the strategy filled in the next bar, and none was refused"


def _done(result: Result, bar: int) -> tuple[str, str]:
    """What filled in a bar, in words: orders of the strategy's own, and what closed a position in their place."""
    of_bar = result.filled.only(result.filled.bar == bar)
    roles = [ROLES[code] for code in of_bar.role]
    own = ["buy" if side > 0 else "sell" for side, role in zip(of_bar.side, roles, strict=True) if role is Role.OWN]
    exits = [
        f"{EXITS[role]}, and a {'buy' if side > 0 else 'sell'} filled"
        for side, role in zip(of_bar.side, roles, strict=True)
        if role is not Role.OWN
    ]
    return f"a {own[0]}" if len(own) == 1 else f"{len(own)} orders" if own else "", "; then ".join(exits)


def _held_instead(result: Result, bar: int) -> str:
    """Why the position is not what the target means: the last order was refused, or what protects it closed it."""
    done = result.filled.only(result.filled.bar <= bar)
    position = (done.side * done.received).sum()
    last = int(done.bar[-1]) if len(done.bar) else -1
    earlier = [rejection for rejection in result.rejections if rejection.time <= result.times[bar]]
    if earlier and earlier[-1].reason != NOTHING_TO_TRADE:
        time, reason, detail = earlier[-1]
        decided = int(np.searchsorted(result.times, time)) - (0 if reason in LIMITS else 1)
        if last <= decided:
            held = "the position is as before" if position else "nothing is held"
            said = words_of(reason, detail)
            return f", but {held}: the order of {iso(int(result.times[decided]))} was refused ({said})"
    role = ROLES[done.role[-1]] if last >= 0 else Role.OWN
    if role is Role.OWN or position:
        return ""
    since = iso(int(result.times[last]))
    return f", but nothing is held since {since}: {EXITS[role]}; it stays flat until the target changes"
