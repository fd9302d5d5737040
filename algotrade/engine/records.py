"""Records as plain values and back: what a journal keeps of events and effects.

A record is written as its class's name and a dict of its fields, without those that hold their default: a field that
is added later does not change what was written before. NaN becomes null. Reading gives an equal record, so
that a replay can compare what was written with what comes out now.
"""

from __future__ import annotations

import math
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, get_args, get_origin, get_type_hints

from algotrade.engine.events import BracketPlaced, CandleClosed, Denied, Event, MarketEvent, Protect, Submit
from algotrade.engine.orders import Bracket, Order, OrderType, Role, TimeInForce
from algotrade.engine.session import Record
from algotrade.errors import FixData

KINDS: Final[dict[str, type[Any]]] = {kind.__name__: kind for kind in get_args(Record)}
EVENT_NAMES: Final = frozenset(kind.__name__ for kind in get_args(Event))
MARKET_NAMES: Final = frozenset(kind.__name__ for kind in get_args(MarketEvent))
ACCEPTED: Final = MappingProxyType({float: (float, int)})  # for a field of that kind; any other accepts its own
MAY_BE_NAN: Final = frozenset({"exposure"})


def _kinds_of(record: type[Any]) -> tuple[tuple[str, tuple[type[Any], ...]], ...]:
    """The fields of a kind of record, in order, and what each may hold."""
    hints = get_type_hints(record).items()
    return tuple(
        (field, tuple(kind for part in _parts(hint) for kind in ACCEPTED.get(part, (part,)))) for field, hint in hints
    )


def _parts(hint: Any) -> tuple[type[Any], ...]:
    """The classes that a type hint allows: of a union its members, of tuple[...] the tuple."""
    origin = get_origin(hint)
    return (origin,) if origin is tuple else tuple(get_origin(part) or part for part in get_args(hint)) or (hint,)


FIELDS: Final = MappingProxyType({kind: _kinds_of(kind) for kind in (*KINDS.values(), Order, Bracket)})


def name_of(record: Record) -> str:
    """The record's kind, as it is written."""
    return type(record).__name__


def time_of(record: Record) -> int:
    """Exchange time of a record, milliseconds."""
    return record.order.time if isinstance(record, Submit | Denied | Protect | BracketPlaced) else record.time


def encode(record: Record) -> dict[str, Any]:
    """The record's fields as plain values; a nested order as a dict of its own. Defaults are left out."""
    return _fields(record)


def decode(name: str, fields: dict[str, Any]) -> Record:
    """The record that `encode` was given.

    Raises:
        FixData: no such record, or its fields are not those of that kind.
    """
    if name not in KINDS:
        raise FixData(f"the journal holds a record of an unknown kind: '{name}'")
    try:
        values = dict(fields)
        for field in MAY_BE_NAN & values.keys():
            values[field] = math.nan if values[field] is None else values[field]
        if "order" in values:
            values["order"] = _order(values["order"])
        if "role" in values:
            values["role"] = Role(values["role"])
        record: Record = _checked(KINDS[name](**values))
    except (TypeError, KeyError, ValueError) as error:
        raise FixData(f"the journal's record {name} cannot be read: {error}") from None
    return record


def candle_of(row: Any, symbol: str) -> CandleClosed:
    """A closed candle from a row [time, open, high, low, close, volume]."""
    time, *values = row
    opened, high, low, close, volume = (float(value) for value in values)
    return CandleClosed(symbol, int(time), opened, high, low, close, volume)


def _order(fields: dict[str, Any]) -> Order:
    values = dict(fields)
    for name, kind in (("order_type", OrderType), ("role", Role), ("time_in_force", TimeInForce)):
        if name in values:
            values[name] = kind(values[name])
    if "steps" in values:
        values["steps"] = _pairs(values["steps"])
    if values.get("bracket") is not None:
        bracket = dict(values["bracket"])
        if "take_profit_after" in bracket:
            bracket["take_profit_after"] = _pairs(bracket["take_profit_after"])
        values["bracket"] = _checked(Bracket(**bracket))
    order: Order = _checked(Order(**values))
    return order


def _pairs(rows: Any) -> tuple[tuple[int, float], ...]:
    return tuple((int(after), float(value)) for after, value in rows)


def _checked(record: Any) -> Any:
    """The record, if every field is of the kind that its class says.

    Raises:
        TypeError: a field is not.
    """
    for value, (field, kinds) in zip(record, FIELDS[type(record)], strict=True):
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise TypeError(f"{field} is {value!r}")
    return record


def _fields(record: Any) -> dict[str, Any]:
    defaults = record._field_defaults
    return {
        name: _plain(value)
        for name, value in record._asdict().items()
        if name not in defaults or value != defaults[name]
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Order | Bracket):
        return _fields(value)
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value
