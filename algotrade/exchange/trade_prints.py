"""One answer's public trades, read and put in order, and the cursor that asks for the next. Pure.

A cursor is text that only this file reads: what the exchange itself gives (`last` of Kraken, nanoseconds), the number
of the next trade, or "milliseconds;id;id...", the time to go on from and the trades of it that are known already.
"""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

import numpy as np

from algotrade.exchange.base import TradePage
from algotrade.exchange.ccxt_answers import believable_ms, holds_empty_list, number
from algotrade.exchange.ccxt_errors import nonsense
from algotrade.exchange.facts import RawTrades, TradeWalk

NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000
SIDES: Final = {"buy": 1, "sell": -1}


class Print(NamedTuple):
    """One public trade; see TradePage."""

    time_ns: int
    price: float
    quantity: float
    side: int
    id: str | None


class Asked(NamedTuple):
    """What ccxt's fetch_trades is given."""

    since_ms: int | None
    parameters: dict[str, str]


def request_from(walk: TradeWalk, since_ns: int | None) -> Asked:
    """The request for a first page; it may begin a little before `since_ns`. A walk by id begins at a known number."""
    if since_ns is None:
        return Asked(None, {})
    if walk.by == "time":
        return Asked(since_ns // NS_PER_MS, {})
    rounded_ns = walk.raw.rounded_ns if walk.raw else 0
    return Asked(None, {walk.parameter: str(since_ns - rounded_ns - 1)})  # a cursor names a trade that is known already


def next_request(walk: TradeWalk, cursor: str) -> Asked:
    """The request for the page at a cursor."""
    if walk.by == "time":
        return Asked(int(cursor.partition(";")[0]), {})
    return Asked(None, {walk.parameter: cursor})


def raw_prints(text: str, raw: RawTrades, market_id: str, where: str) -> tuple[list[Print], str]:
    """The trades of an answer and its cursor, out of the answer's own digits.

    Raises:
        CheckConnection: the answer has another shape.
    """
    try:
        answer = json.loads(text, parse_float=str)  # a float holds 16 digits, a time in nanoseconds has 19
        rows: Any = answer
        for key in (*raw.under, market_id):
            rows = rows[key]
        cursor: Any = answer
        for key in raw.cursor:
            cursor = cursor[key]
        if not isinstance(rows, list) or not str(cursor).isdecimal():
            raise nonsense(where, "no trades in it")
        return [_raw_print(row, raw) for row in rows], str(cursor)
    except (KeyError, IndexError, TypeError, ValueError, OverflowError, InvalidOperation):
        raise nonsense(where, "no trades in it") from None


def parsed_prints(trades: Any, answer: Any, where: str) -> list[Print]:
    """The trades that ccxt parsed; its answer must account for there being none.

    Raises:
        CheckConnection: the answer has another shape.
    """
    if not trades and not holds_empty_list(answer):
        raise nonsense(where, "no trades in it")
    try:
        return [_parsed_print(trade) for trade in trades]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise nonsense(where, "no trades in it") from None


def sorted_prints(prints: list[Print]) -> list[Print]:
    """Oldest first. Of one time, by number where all have one (ccxt sorts numbers as text), else as they came."""
    if all(each.id is not None and each.id.isdecimal() for each in prints):
        return sorted(prints, key=lambda each: (each.time_ns, int(each.id or 0)))
    return sorted(prints, key=lambda each: each.time_ns)


def unknown_prints(prints: list[Print], cursor: str, where: str) -> list[Print]:
    """The trades of a page by time that the page before did not have; what it ended with must be among them.

    Raises:
        CheckConnection: it is not, so trades may be missing between the two.
    """
    time, *known = cursor.split(";")
    again = {each.id for each in prints if each.time_ns // NS_PER_MS == int(time)}
    if known and not again.intersection(known):
        raise nonsense(where, f"the trades at {time} ms, which it gave before, are missing")
    return [each for each in prints if each.time_ns // NS_PER_MS > int(time) or each.id not in known]


def cursor_after(walk: TradeWalk, new: list[Print], cursor: str | None) -> str:
    """Where a page without a cursor of its own leaves off: `cursor` where it brought nothing new.

    Where no trade was ever made the next walk begins with the first, which "0" stands for by number and by time.
    """
    if not new:
        return cursor or "0"
    if walk.by == "id":
        return str(max(int(each.id or 0) for each in new) + 1)  # not the last: times may fall from one to the next
    end = new[-1].time_ns // NS_PER_MS
    ids = [each.id or "" for each in new if each.time_ns // NS_PER_MS == end]
    if cursor and cursor.partition(";")[0] == str(end):
        return ";".join([cursor, *ids])
    return ";".join([str(end), *ids])


def trade_page(prints: list[Print], next_cursor: str) -> TradePage:
    """The page in its columns."""
    return TradePage(
        times_ns=np.array([each.time_ns for each in prints], np.int64),
        prices=np.array([each.price for each in prints], np.float64),
        quantities=np.array([each.quantity for each in prints], np.float64),
        sides=np.array([each.side for each in prints], np.int8),
        ids=tuple(each.id for each in prints),
        next_cursor=next_cursor,
    )


def _raw_print(row: Any, raw: RawTrades) -> Print:
    time_ns = int(Decimal(row[raw.time]) * NS_PER_S)
    if not believable_ms(time_ns // NS_PER_MS):
        raise ValueError(row)
    side = 1 if row[raw.side] == raw.bought else -1
    trade_id = str(row[raw.id]) if len(row) > raw.id else None
    return Print(time_ns, number(row[raw.price]), number(row[raw.quantity]), side, trade_id)


def _parsed_print(trade: Any) -> Print:
    if not believable_ms(trade["timestamp"]):
        raise ValueError(trade)
    trade_id = None if trade["id"] is None else str(trade["id"])
    side = SIDES.get(trade["side"], 0)
    return Print(trade["timestamp"] * NS_PER_MS, number(trade["price"]), number(trade["amount"]), side, trade_id)
