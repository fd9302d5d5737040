"""What proves that a series' trades are all there: their count, their chain of answers, the exchange's own candles.

The chain and the days stand in the store and grow with every page. The comparison with the exchange's own candles is
made anew each time, because more of them may have come since.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from algotrade.exchange.base import DEMO
from algotrade.ingest.trades.chain import DAY_MS, Chain, chains_from_json, newest_day
from algotrade.market.candles import COLUMNS, SeriesKey, iso, times_ms
from algotrade.market.timeframe import timeframe_ms
from algotrade.store.candles import read_candles
from algotrade.store.coverage import read_coverage
from algotrade.store.database import Database
from algotrade.store.trades import TradeDay, read_days, read_state

_BLOCK_BARS: Final = 50_000


class ProvenChain(NamedTuple):
    """A stretch of trades that was downloaded answer by answer.

    Attributes:
        start_ms: it was asked for from here on.
        last_ms: time of its newest trade.
        trades: how many it holds.
        kept: how many of them are stored themselves.
        pages: the answers that brought them.
        first_cursor: what its first answer was asked with.
        last_cursor: what asks for the next.
        broken_at: the day whose answers do not follow on those before it, milliseconds; None where all do.
    """

    start_ms: int
    last_ms: int
    trades: int
    kept: int
    pages: int
    first_cursor: str
    last_cursor: str
    broken_at: int | None


class Difference(NamedTuple):
    """A bar that is not as the exchange's own: open time and both values, in the order of COLUMNS."""

    time: int
    made: tuple[float, ...]
    official: tuple[float, ...]


class Comparison(NamedTuple):
    """The candles made from trades beside the exchange's own, where both are known.

    Attributes:
        equal: bars that are the same to the last bit.
        different: bars that are not.
        only_made: bars that the exchange's own candles lack.
        only_official: bars that the candles made from trades lack.
        first_difference: the first bar that differs; None where none does.
    """

    equal: int = 0
    different: int = 0
    only_made: int = 0
    only_official: int = 0
    first_difference: Difference | None = None

    @property
    def compared(self) -> int:
        """Bars that are on both sides."""
        return self.equal + self.different


class Proof(NamedTuple):
    """All that can be said for the completeness of a series' trades.

    Attributes:
        key: the series of candles made from them.
        chains: in order; more than one where something between has not been fetched.
        comparison: with the exchange's own candles.
    """

    key: SeriesKey
    chains: tuple[ProvenChain, ...]
    comparison: Comparison

    @property
    def unbroken(self) -> bool:
        """Whether the answers of every chain follow on each other."""
        return all(chain.broken_at is None for chain in self.chains)

    def sentences(self) -> list[str]:
        """The proof as a person reads it."""
        return [*map(_chain_sentence, self.chains), *_comparison_sentences(self.comparison)]

    def in_a_line(self) -> str:
        """Its gist: the first chain, or the first that is broken, and how the candles compare."""
        told = min(self.chains, key=lambda chain: chain.broken_at is None)
        others = f", and {_counted(len(self.chains) - 1, 'other chain')}" if len(self.chains) > 1 else ""
        return f"{_chain_sentence(told)}{others}; {_comparison_sentences(self.comparison)[0]}"


def proof_of(database: Database, key: SeriesKey) -> Proof | None:
    """The proof of a series of origin "trades"; None where none has been downloaded."""
    state = read_state(database, key)
    if state is None:
        return None
    chains = tuple(_prove(chain, days_of(database, key, chain)) for chain in chains_from_json(state))
    comparison = Comparison()
    for start, end in _known_to_both(database, key):
        comparison = _added(comparison, _compare(database, key, start, end))
    return Proof(key, chains, comparison)


def days_of(database: Database, key: SeriesKey, chain: Chain) -> list[TradeDay]:
    """The days of a chain that has trades."""
    newest = newest_day(chain)
    return [] if newest is None else read_days(database, key, start=chain.start_ms, end=newest + DAY_MS)


def official_key(key: SeriesKey) -> SeriesKey:
    """The series of the exchange's own candles beside one made from trades."""
    return key._replace(origin=DEMO if key.exchange == DEMO else "official")


def _prove(chain: Chain, days: list[TradeDay]) -> ProvenChain:
    links = [*(day.first_cursor for day in days[1:]), chain.cursor]
    breaks = [day.day for day, link in zip(days, links, strict=False) if day.last_cursor != link]
    return ProvenChain(
        start_ms=chain.start_ms,
        last_ms=chain.reached_ms,
        trades=sum(day.trades for day in days),
        kept=sum(day.kept for day in days),
        pages=sum(day.pages for day in days),
        first_cursor=days[0].first_cursor if days else "",
        last_cursor=chain.cursor or "",
        broken_at=breaks[0] if breaks else None if days else chain.start_ms,
    )


def _known_to_both(database: Database, key: SeriesKey) -> Iterator[tuple[int, int]]:
    """Spans of bar open times, the end not included, that both series have answers for; none is long."""
    block = _BLOCK_BARS * timeframe_ms(key.timeframe)
    for start, end in read_coverage(database, key):
        for other_start, other_end in read_coverage(database, official_key(key)):
            first, last = max(start, other_start), min(end, other_end)
            yield from ((begin, min(begin + block, last)) for begin in range(first, last, block))


def _compare(database: Database, key: SeriesKey, start: int, end: int) -> Comparison:
    made = read_candles(database, key, start=start, end=end - 1)
    official = read_candles(database, official_key(key), start=start, end=end - 1)
    times, made_at, official_at = np.intersect1d(
        times_ms(made), times_ms(official), assume_unique=True, return_indices=True
    )
    ours = made[list(COLUMNS)].to_numpy()[made_at]
    theirs = official[list(COLUMNS)].to_numpy()[official_at]
    differs = np.flatnonzero((ours != theirs).any(axis=1))
    first = None
    if len(differs):
        at = int(differs[0])
        first = Difference(int(times[at]), tuple(ours[at].tolist()), tuple(theirs[at].tolist()))
    alone = (len(made) - len(times), len(official) - len(times))
    return Comparison(len(times) - len(differs), len(differs), *alone, first)


def _added(one: Comparison, later: Comparison) -> Comparison:
    return Comparison(
        one.equal + later.equal,
        one.different + later.different,
        one.only_made + later.only_made,
        one.only_official + later.only_official,
        one.first_difference or later.first_difference,
    )


def _chain_sentence(chain: ProvenChain) -> str:
    what = f"{_counted(chain.trades, 'trade')} in {_counted(chain.pages, 'page')}"
    kept = f" ({chain.kept:,} kept)" if chain.kept else ""
    span = f"from {iso(chain.start_ms)} to {iso(chain.last_ms)}"
    if chain.broken_at is None:
        return f"{what}{kept}, the chain of cursors is unbroken {span}"
    return f"{what}{kept} {span}; the chain of cursors is broken after {iso(chain.broken_at)[:10]}"


def _comparison_sentences(comparison: Comparison) -> list[str]:
    if not comparison.compared and not comparison.only_made and not comparison.only_official:
        return ["no official bars are stored to compare with"]
    sentences = [f"{comparison.equal:,} of {comparison.compared:,} official bars are equal"]
    if comparison.first_difference is not None:
        time, made, official = comparison.first_difference
        name, ours, theirs = next(row for row in zip(COLUMNS, made, official, strict=True) if row[1] != row[2])
        sentences.append(f"the first that differs is that of {iso(time)}: {name} {ours!r}, official {theirs!r}")
    if comparison.only_made:
        sentences.append(f"{_counted(comparison.only_made, 'bar')} not among the official ones")
    if comparison.only_official:
        sentences.append(f"{_counted(comparison.only_official, 'official bar')} without trades here")
    return sentences


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
