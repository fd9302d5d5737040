"""Which column of a file is which: known names, whatever their case and dress, or the names that a person gave."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from algotrade.errors import FixCommand, FixData, did_you_mean

FIELDS: Final = ("time", "open", "high", "low", "close", "volume")

# Folded names, see _fold. Of several columns that could be the time, the first in this order is taken: a file that
# has both holds the same time twice. For prices and volume there is no such order, and two candidates are refused.
TIME_NAMES: Final = (
    "timestamp", "ts", "t", "unix", "unixtime", "unixtimestamp", "epoch", "opentime", "timeopen", "datetime", "time",
    "date", "gmttime", "indexlevel0", "index", "",
)  # fmt: skip
VALUE_NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("o", "open", "openprice", "priceopen"), "open"),
    **dict.fromkeys(("h", "high", "highprice", "pricehigh", "max"), "high"),
    **dict.fromkeys(("l", "low", "lowprice", "pricelow", "min"), "low"),
    **dict.fromkeys(("c", "close", "closeprice", "priceclose", "last", "closelast"), "close"),
    **dict.fromkeys(("v", "vol", "volume", "basevolume", "volumebase", "tickvolume"), "volume"),
}

FUNDING_FIELDS: Final = ("time", "rate")
SETTLEMENT_NAMES: Final = ("fundingtime", "fundingtimestamp", "fundingratetimestamp", "calctime")
RATE_NAMES: Final = dict.fromkeys(("fundingrate", "lastfundingrate", "realizedrate", "rate", "funding"), "rate")
QUANTITY_NAMES: Final = frozenset({"amount", "size", "quantity", "qty", "volume", "vol"})
SYMBOL_NAMES: Final = frozenset({"symbol", "pair", "ticker", "instrument", "market"})


class Columns(NamedTuple):
    """Positions of the six fields in a row. With close-only files open, high and low are that of the close.

    Attributes:
        values: open, high, low and close.
        volume: None where the file has none; it is stored as 0 then.
    """

    time: int
    values: tuple[int, int, int, int]
    volume: int | None

    @property
    def numbers(self) -> tuple[int, ...]:
        """Positions of all columns that hold numbers, in the order of the candle table."""
        return self.values if self.volume is None else (*self.values, self.volume)


def find_columns(names: Sequence[str], given: Mapping[str, str], *, close_only: bool) -> Columns:
    """Find the six fields among a file's column names.

    Args:
        names: as the file has them.
        given: field to column name, for those that are not recognised: {"time": "Trade Day"}.
        close_only: take open, high and low from the close.

    Raises:
        FixData: a name appears twice, a needed column is missing, or several could be meant; the hint holds the flag
            that settles it.
        FixCommand: `given` names a field that there is not.
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise FixData(f"the column name {twice[0][:40]!r} appears twice")
    chosen = _look_up(names, given, FIELDS, "a candle")
    found = {**_recognise(names, chosen, TIME_NAMES, VALUE_NAMES), **chosen}
    needed = ("time", "close") if close_only else FIELDS[:5]
    missing = [field for field in needed if field not in found]
    if missing:
        raise FixData(
            f"no column for {', '.join(missing)}; the columns are {_listed(names)}",
            hint="--close-only" if missing == ["open", "high", "low"] else f"--columns {missing[0]}=NAME",
        )
    prices = ("close",) * 4 if close_only else FIELDS[1:5]
    opening, high, low, close = (found[field] for field in prices)
    return Columns(found["time"], (opening, high, low, close), found.get("volume"))


def find_funding_columns(names: Sequence[str], given: Mapping[str, str]) -> tuple[int, int]:
    """Positions of the time and the rate of a file of funding rates.

    Args:
        names: as the file has them.
        given: field to column name, for those that are not recognised: {"rate": "Paid"}.

    Raises:
        FixData: a column is missing, or several could be meant; the hint holds the flag that settles it.
        FixCommand: `given` names a field that there is not.
    """
    chosen = _look_up(names, given, FUNDING_FIELDS, "a funding rate")
    found = {**_recognise(names, chosen, (*SETTLEMENT_NAMES, *TIME_NAMES), RATE_NAMES), **chosen}
    for field in FUNDING_FIELDS:
        if field not in found:
            raise FixData(
                f"no column for the {field}; the columns are {_listed(names)}", hint=f"--columns {field}=NAME"
            )
    return found["time"], found["rate"]


def trade_columns(names: Sequence[str]) -> tuple[int, int, int] | None:
    """Positions of time, price and quantity where a row is a trade; None where it has prices of a candle, or not all.

    A file that has two columns for the quantity is none of trades: which one is in the base currency is not known.
    """
    folded = [_fold(name) for name in names]
    times = [folded.index(name) for name in TIME_NAMES if name in folded]
    quantities = [position for position, name in enumerate(folded) if name in QUANTITY_NAMES]
    candle = any(VALUE_NAMES.get(name, "volume") != "volume" for name in folded)
    if candle or not times or len(quantities) != 1 or folded.count("price") != 1:
        return None
    return times[0], folded.index("price"), quantities[0]


def symbol_column(names: Sequence[str]) -> int | None:
    """Position of a column that says which market a row belongs to; None where there is none."""
    return next((position for position, name in enumerate(names) if _fold(name) in SYMBOL_NAMES), None)


def refuse_several_symbols(symbols: Sequence[str]) -> None:
    """A file of several markets is no series.

    Raises:
        FixData: more than one symbol.
    """
    if len(symbols) > 1:
        listed = ", ".join(symbol[:20] for symbol in symbols[:3])
        raise FixData(f"it holds several markets ({listed}, ...); split it into a file for each")


def _look_up(names: Sequence[str], given: Mapping[str, str], fields: Sequence[str], of: str) -> dict[str, int]:
    for field, name in given.items():
        if field not in fields:
            raise FixCommand(
                f"{field[:40]!r} is no field of {of} ({', '.join(fields)}).{did_you_mean(field, fields)}",
                hint=f"--columns {fields[0]}=NAME",
            )
        if name not in names:
            raise FixData(f"no column {name[:40]!r}; the columns are {_listed(names)}.{did_you_mean(name, names)}")
    return {field: list(names).index(name) for field, name in given.items()}


def _recognise(
    names: Sequence[str], chosen: Mapping[str, int], time_names: Sequence[str], value_names: Mapping[str, str]
) -> dict[str, int]:
    """The fields that the file's own names tell, beside those that a person has chosen."""
    folded = [_fold(name) for name in names]
    times = [folded.index(name) for name in time_names if name in folded]
    found = {"time": times[0]} if times else {}
    for position, name in enumerate(folded):
        field = value_names.get(name)
        if field is None or field in chosen or position in chosen.values():
            continue
        if field in found:
            both = f"{names[found[field]][:40]!r} and {names[position][:40]!r}"
            raise FixData(f"{both} could both be the {field}", hint=f"--columns {field}=NAME")
        found[field] = position
    return found


def _fold(name: str) -> str:
    """A name without its dress: "<Close Price>", "close_price" and "4. Close price" are all "closeprice"."""
    return re.sub(r"[\W_]+", "", re.sub(r"^\s*\d+\.", "", name)).casefold()


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:40]) for name in names[:12])
    return f"{shown} and {len(names) - 12} more" if len(names) > 12 else shown
