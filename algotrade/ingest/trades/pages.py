"""One answer of public trades, judged: which of them are new, and whether it leads on from the one before.

An exchange repeats the trade at the edge of two pages, or does not; nothing else may come twice, go back or be left
out. What does is an error, because a download that went on would be wrong without a sign. Nothing here talks to one.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from algotrade.errors import CheckConnection
from algotrade.exchange.base import TradePage
from algotrade.market.candles import iso
from algotrade.market.trades import NS_PER_MS
from algotrade.store.trades import TradeBlock

AHEAD_MS: Final = 10_000  # an exchange tells its time in whole seconds, and its machines differ a little


class Print(NamedTuple):
    """What tells a trade from another of the same nanosecond."""

    id: str | None
    price: float
    quantity: float
    side: int


class Edge(NamedTuple):
    """Where a download stands: the newest time, nanoseconds, and every trade of it so far, in order."""

    time_ns: int
    prints: tuple[Print, ...]


class Asked(NamedTuple):
    """What a page was asked for.

    Attributes:
        cursor: None for the first page.
        since_ns: the first page begins here.
        edge: what came before; None for the first page.
        now_ms: the exchange's clock.
    """

    cursor: str | None
    since_ns: int
    edge: Edge | None
    now_ms: int


def new_trades(page: TradePage, asked: Asked) -> TradeBlock:
    """The trades of a page that were not known.

    Raises:
        CheckConnection: a trade cannot be, the page goes back, or its cursor does not lead on.
    """
    _check_values(page)
    _check_times(page, asked)
    new = _is_new(page, asked.edge)
    if new.any():
        _check_cursor(page.next_cursor, asked.cursor)
    times = page.times_ns[new]
    return TradeBlock(
        times,
        _sequences(times, asked.edge),
        page.prices[new],
        page.quantities[new],
        page.sides[new],
        tuple(page.ids[at] for at in np.flatnonzero(new).tolist()),
    )


def prints_of(block: TradeBlock, part: slice) -> tuple[Print, ...]:
    """Some trades of a block, to be compared."""
    columns = (column[part].tolist() for column in (block.prices, block.quantities, block.sides))
    return tuple(Print(*values) for values in zip(block.ids[part], *columns, strict=True))


def edge_after(edge: Edge | None, block: TradeBlock) -> Edge:
    """Where a download stands after a block of new trades, not empty."""
    newest = int(block.times_ns[-1])
    prints = prints_of(block, slice(int(np.searchsorted(block.times_ns, newest)), None))
    before = edge.prints if edge is not None and edge.time_ns == newest else ()
    return Edge(newest, before + prints)


def part_of(block: TradeBlock, part: slice) -> TradeBlock:
    """Some trades of a block."""
    return TradeBlock(
        block.times_ns[part],
        block.sequences[part],
        block.prices[part],
        block.quantities[part],
        block.sides[part],
        block.ids[part],
    )


def _check_values(page: TradePage) -> None:
    lengths = {len(column) for column in page[:5]}
    if len(lengths) != 1:
        raise CheckConnection(f"an answer has columns of different lengths ({sorted(lengths)})")
    good = np.isfinite(page.prices) & (page.prices > 0) & np.isfinite(page.quantities) & (page.quantities >= 0)
    if not good.all():
        at = int(np.argmin(good))
        given = f"quantity {page.quantities[at]}, price {page.prices[at]}"
        raise CheckConnection(f"an answer holds a trade that cannot be: {_moment(page.times_ns[at])}, {given}")
    named = [each for each in page.ids if each is not None]
    if len(set(named)) < len(named):
        raise CheckConnection("an answer holds a trade twice")


def _check_times(page: TradePage, asked: Asked) -> None:
    times = page.times_ns
    if not len(times):
        return
    falls = np.flatnonzero(np.diff(times) < 0)
    if len(falls):
        raise CheckConnection(f"an answer is not in order: {_moment(times[falls[0] + 1])} comes after a later trade")
    if times[-1] > (asked.now_ms + AHEAD_MS) * NS_PER_MS:
        raise CheckConnection(f"an answer holds a trade of the future: {_moment(times[-1])}")
    start = asked.since_ns if asked.edge is None else asked.edge.time_ns
    if times[0] < start:
        begins = _moment(times[0])
        raise CheckConnection(f"an answer goes back: it begins at {begins}, asked from {_moment(start)}")


def _check_cursor(given: str, asked: str | None) -> None:
    if given == asked:
        raise CheckConnection(f"an answer brings new trades but stays at the cursor {asked}")
    if asked is not None and given.isdecimal() and asked.isdecimal() and int(given) < int(asked):
        raise CheckConnection(f"an answer's cursor goes back, from {asked} to {given}")


def _is_new(page: TradePage, edge: Edge | None) -> npt.NDArray[np.bool_]:
    """Mask of the trades that are not among those of the edge.

    Where the exchange gives no ids, the longest run that ends the edge and begins the page counts as repeated.
    """
    new = np.ones(len(page.times_ns), np.bool_)
    if edge is None:
        return new
    again = int(np.searchsorted(page.times_ns, edge.time_ns, "right"))
    ids = page.ids[:again]
    known = {each.id for each in edge.prints}
    if None not in known and None not in ids:
        new[:again] = [each not in known for each in ids]
        return new
    columns = (column[:again].tolist() for column in (page.prices, page.quantities, page.sides))
    prints = tuple(Print(*values) for values in zip(ids, *columns, strict=True))
    longest = min(again, len(edge.prints))
    repeated = next(
        count for count in range(longest, -1, -1) if edge.prints[len(edge.prints) - count :] == prints[:count]
    )
    new[:repeated] = False
    return new


def _sequences(times: npt.NDArray[np.int64], edge: Edge | None) -> npt.NDArray[np.int64]:
    """The number of each trade within its nanosecond."""
    places = np.arange(len(times), dtype=np.int64)
    numbers = places - np.searchsorted(times, times)
    if edge is not None:
        numbers[times == edge.time_ns] += len(edge.prints)
    return numbers


def _moment(time_ns: int | np.int64) -> str:
    return iso(int(time_ns) // NS_PER_MS)
