"""A chain of answers: from where on a series' trades have been downloaded without a break, and how far. Pure.

A chain begins with a day (UTC) and each answer continues it. A series may have several, when a later start was asked
for before an earlier one; a chain that reaches the beginning of the next takes it in. Chains begin where days do, and
days hold whole bars (or bars whole days), so neither a day's digest nor a bar is ever in two chains.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from algotrade.errors import FixCommand, FixConfiguration
from algotrade.exchange.base import TradePage
from algotrade.ingest.trades.pages import Edge, Print, edge_after, part_of, prints_of
from algotrade.market.timeframe import UNIT_MS, bar_start, timeframe_ms
from algotrade.market.trades import NS_PER_MS, Bars, CandleBuilder
from algotrade.store.trades import TradeBlock, TradeDay

VERSION: Final = 1  # of the state as it is stored
DAY_MS: Final = UNIT_MS["d"]
DAY_NS: Final = DAY_MS * NS_PER_MS
FIRST_NUMBERS: Final = ("0", "1")  # of a market's first trade, where trades are numbered market by market
NUMBERED: Final = 1000  # so many trades numbered one by one make a hole in the numbers odd


class Chain(NamedTuple):
    """Where a download stands.

    Attributes:
        start_ms: its trades were asked for from here on; a day's first moment.
        whole_ms: open time of the first bar of which every trade is known; `start_ms`, unless the exchange began late.
        cursor: asks for the next page; None before the first.
        first: the first trade; None before there is one. An earlier chain must lead on to it.
        edge: the newest trades; None before there is one.
        numbered: how many of the newest trades have ids that rise by one.
        builder: the state of the candles; see CandleBuilder.
    """

    start_ms: int
    whole_ms: int
    cursor: str | None
    first: Edge | None
    edge: Edge | None
    numbered: int
    builder: dict[str, Any]

    @property
    def reached_ms(self) -> int:
        """The time of the newest trade; the start where there is none."""
        return self.start_ms if self.edge is None else self.edge.time_ns // NS_PER_MS


class Step(NamedTuple):
    """What an answer makes of a chain: the chain after it, the bars that are over, the days that it changed."""

    chain: Chain
    bars: Bars
    days: list[TradeDay]


def new_chain(timeframe: str, start_ms: int) -> Chain:
    """A chain that holds nothing yet, from the start of the day, or of the bar where that is longer.

    Raises:
        FixCommand: days do not hold a whole number of such bars, nor bars a whole number of days.
    """
    step = timeframe_ms(timeframe)
    if DAY_MS % step and step % DAY_MS:
        raise FixCommand(
            f"{timeframe} candles cannot be made from trades: a day does not hold a whole number of them",
            hint="algotrade list timeframes",
        )
    start = min(bar_start(start_ms, timeframe), bar_start(start_ms, "1d"))
    return Chain(start, start, None, None, None, 0, CandleBuilder(timeframe).state())


def starting_late(chain: Chain, timeframe: str, first_ns: int) -> Chain:
    """A new chain whose first answer may have begun anywhere: the bar in which it did is left out."""
    whole = bar_start(first_ns // NS_PER_MS, timeframe) + timeframe_ms(timeframe)
    return chain._replace(whole_ms=whole, builder=CandleBuilder(timeframe, start_ms=whole).state())


def begins_as_asked(chain: Chain, block: TradeBlock, newest: TradePage) -> bool:
    """Whether a chain's first answer left out no trade between the start of the chain and its first trade.

    An exchange that takes no notice of the start gives its newest trades. So an answer is believed where those begin
    later, where they reach back beyond the start and show the same, or where its trades are numbered from the first.

    Args:
        chain: a new one.
        block: the first answer's trades, at least one.
        newest: what the exchange gives without a start, asked for afterwards.
    """
    first = block.times_ns[0]
    since = int(np.searchsorted(newest.times_ns, chain.start_ms * NS_PER_MS))
    if since > 0:
        return bool((newest.times_ns[since : since + 1] >= first).any())
    if (newest.times_ns[:1] > first).any():
        return True
    return block.ids[0] in FIRST_NUMBERS and _numbered(chain, block) == len(block.ids)


def take(chain: Chain, block: TradeBlock, cursor: str, day: TradeDay | None, *, keep: bool) -> Step:
    """Go on with the new trades of an answer.

    Args:
        chain: the chain so far.
        block: the new trades; may be empty.
        cursor: the answer's, which asks for the next page.
        day: the newest day of the chain, None before there is one.
        keep: whether the trades are stored.
    """
    builder = CandleBuilder.resume(chain.builder)
    bars = builder.add(block.times_ns, block.prices, block.quantities)
    days = _days(chain, block, cursor, day, keep=keep)
    if not len(block.times_ns):
        return Step(chain._replace(cursor=cursor), bars, days)
    after = chain._replace(
        cursor=cursor,
        first=chain.first or Edge(int(block.times_ns[0]), prints_of(block, slice(1))),
        edge=edge_after(chain.edge, block),
        numbered=_numbered(chain, block),
        builder=builder.state(),
    )
    return Step(after, bars, days)


def asked_with(chain: Chain) -> str:
    """What the next page is asked with, as the proof names it."""
    return f"from {chain.start_ms}" if chain.cursor is None else chain.cursor


def covered(chain: Chain) -> tuple[int, int]:
    """The bars that the chain settles: from the first open time up to, not including, the second."""
    until = CandleBuilder.resume(chain.builder).finished_until()
    return chain.whole_ms, chain.whole_ms if until is None else until


def leads_on(block: TradeBlock, later: Chain) -> bool:
    """Whether trades at or after the start of the later chain, at least one, begin as that chain does."""
    return later.first == Edge(int(block.times_ns[0]), prints_of(block, slice(1)))


def joined(earlier: Chain, later: Chain) -> Chain:
    """The chain that two make, of which the earlier one has reached the later one's start."""
    return later._replace(start_ms=earlier.start_ms, whole_ms=earlier.whole_ms, first=earlier.first or later.first)


def skips(chain: Chain, block: TradeBlock) -> bool:
    """Whether trades seem to be missing before a block: their ids have risen one by one, and now do not."""
    if chain.edge is None or chain.numbered < NUMBERED or not len(block.ids):
        return False
    last, first = chain.edge.prints[-1].id, block.ids[0]
    return last is None or first is None or not first.isdecimal() or int(first) != int(last) + 1


def split(block: TradeBlock, at_ns: int) -> tuple[TradeBlock, TradeBlock]:
    """The trades before a time, and those at or after it."""
    place = int(np.searchsorted(block.times_ns, at_ns))
    return part_of(block, slice(place)), part_of(block, slice(place, None))


def chain_for(chains: Sequence[Chain], timeframe: str, start_ms: int) -> tuple[list[Chain], int]:
    """The chains of a series in order, and the place of the one to continue so that a time is reached.

    That is the chain which holds the time, or ends the day before it; else a new one.
    """
    new = new_chain(timeframe, start_ms)
    for place, chain in enumerate(chains):
        if chain.start_ms <= new.start_ms <= chain.reached_ms + max(DAY_MS, timeframe_ms(timeframe)):
            return list(chains), place
    place = sum(chain.start_ms < new.start_ms for chain in chains)
    return [*chains[:place], new, *chains[place:]], place


def newest_day(chain: Chain) -> int | None:
    """The day of the newest trade, milliseconds; None before there is one."""
    return None if chain.edge is None else chain.edge.time_ns // DAY_NS * DAY_MS


def chains_to_json(chains: Sequence[Chain]) -> dict[str, Any]:
    """The chains in JSON's types."""
    return {"version": VERSION, "chains": [chain._asdict() for chain in chains]}


def chains_from_json(text: str) -> list[Chain]:
    """The chains that `chains_to_json` gave, from their text.

    Raises:
        FixConfiguration: a newer version of algotrade wrote them.
    """
    state = json.loads(text)
    if state["version"] != VERSION:
        raise FixConfiguration("the download of trades was begun by a newer version of algotrade; upgrade it")
    return [
        Chain(**{**value, "first": _edge_from_json(value["first"]), "edge": _edge_from_json(value["edge"])})
        for value in state["chains"]
    ]


def chained_digest(digest: str, block: TradeBlock) -> str:
    """A day's digest after some more of its trades: each is hashed together with the digest before it."""
    value = bytes.fromhex(digest)
    columns = (column.tolist() for column in (block.times_ns, block.prices, block.quantities, block.sides))
    for time_ns, price, quantity, side, trade_id in zip(*columns, block.ids, strict=True):
        text = f"{time_ns} {price!r} {quantity!r} {side} {trade_id}"
        value = hashlib.sha256(value + text.encode()).digest()
    return value.hex()


def _days(chain: Chain, block: TradeBlock, cursor: str, day: TradeDay | None, *, keep: bool) -> list[TradeDay]:
    """The days that an answer changes: the newest so far is continued, or closed by the first trade after it."""
    if not len(block.times_ns):
        return [] if day is None else [day._replace(last_cursor=cursor)]
    asked = asked_with(chain)
    numbers = block.times_ns // DAY_NS
    edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
    days: list[TradeDay] = []
    for begin, end in pairwise(edges):
        start = int(numbers[begin]) * DAY_MS
        if day is None or day.day != start:
            if day is not None:
                days.append(day._replace(last_cursor=asked))
            day = TradeDay(start, 0, 0, asked, cursor, "", 0)
        part = part_of(block, slice(begin, end))
        count = end - begin
        day = day._replace(
            trades=day.trades + count,
            pages=day.pages + (begin == 0),
            last_cursor=cursor,
            digest=chained_digest(day.digest, part),
            kept=day.kept + (count if keep else 0),
        )
    return [*days, day] if day is not None else days


def _numbered(chain: Chain, block: TradeBlock) -> int:
    """How many of the newest trades have ids that rise by one; larger numbers than are looked at are not counted."""
    before = chain.edge.prints[-1].id if chain.edge is not None else None
    ids = [before, *block.ids]
    numbers = np.array([int(each) if each is not None and each.isdecimal() else math.nan for each in ids])
    breaks = np.flatnonzero(~(np.diff(numbers) == 1))
    if not len(breaks):
        return min(chain.numbered + len(block.ids), NUMBERED)
    return len(block.ids) - int(breaks[-1])


def _edge_from_json(value: list[Any] | None) -> Edge | None:
    return None if value is None else Edge(value[0], tuple(Print(*each) for each in value[1]))
