"""Kept trades, counted and hashed again, and their candles made again: does the store still hold what arrived?"""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

import numpy as np

from algotrade.ingest.trades.chain import DAY_MS, chained_digest, chains_from_json
from algotrade.ingest.trades.proof import days_of
from algotrade.market.candles import COLUMNS, SeriesKey, iso, times_ms
from algotrade.market.trades import NS_PER_MS, Bars, CandleBuilder
from algotrade.store.candles import read_candles
from algotrade.store.database import Database
from algotrade.store.trades import TradeDay, read_state, read_trades


class Recheck(NamedTuple):
    """What was looked at again, and what is wrong with it, in sentences."""

    days: int
    trades: int
    bars: int
    problems: tuple[str, ...]


def recheck_trades(database: Database, key: SeriesKey) -> Recheck:
    """Compare the kept trades of a series with its proof, and the candles they make with those that are stored.

    Days without kept trades are passed over. Memory does not grow with the number of days.
    """
    state = read_state(database, key)
    total = Recheck(0, 0, 0, ())
    for chain in chains_from_json(state) if state is not None else []:
        days = days_of(database, key, chain)
        for whole, run in groupby(days, key=lambda day: day.kept == day.trades):
            part = list(run)
            checked = _recheck_run(database, key, part, chain.whole_ms) if whole else _count(database, key, part)
            total = Recheck(
                total.days + checked.days,
                total.trades + checked.trades,
                total.bars + checked.bars,
                total.problems + checked.problems,
            )
    return total


class _Run:
    """The check of days that follow on each other, all of whose trades are kept."""

    def __init__(self, database: Database, key: SeriesKey, start_ms: int) -> None:
        self.database = database
        self.key = key
        self.builder = CandleBuilder(key.timeframe, start_ms=start_ms)
        self.checked_until = start_ms  # bars that open before are compared
        self.bars = 0
        self.trades = 0
        self.problems: list[str] = []

    def check_day(self, day: TradeDay) -> None:
        """Count, hash and make candles of a day's trades."""
        count, digest = 0, ""
        for block in read_trades(self.database, self.key, **_bounds(day)):
            count += len(block.times_ns)
            digest = chained_digest(digest, block)
            self._compare(self.builder.add(block.times_ns, block.prices, block.quantities))
        self.trades += count
        if count != day.kept:
            self.problems.append(_miscounted(day, count))
        elif digest != day.digest:
            self.problems.append(f"{_name(day)}: its trades are not those that arrived (the digest differs)")

    def _compare(self, bars: Bars) -> None:
        if not len(bars.times):
            return
        last = int(bars.times[-1])
        stored = read_candles(self.database, self.key, start=self.checked_until, end=last)
        self.checked_until = last + 1
        self.bars += len(bars.times)
        made = dict(zip(bars.times.tolist(), bars.columns.T.tolist(), strict=True))
        found = dict(zip(times_ms(stored).tolist(), stored[list(COLUMNS)].to_numpy(np.float64).tolist(), strict=True))
        wrong = sorted(time for time in made.keys() | found.keys() if made.get(time) != found.get(time))
        if wrong:
            self.problems.append(f"{len(wrong):,} candle(s) are not what their trades make, the first: {iso(wrong[0])}")


def _recheck_run(database: Database, key: SeriesKey, days: list[TradeDay], whole_ms: int) -> Recheck:
    run = _Run(database, key, max(days[0].day, whole_ms))
    for day in days:
        run.check_day(day)
    return Recheck(len(days), run.trades, run.bars, tuple(run.problems))


def _count(database: Database, key: SeriesKey, days: list[TradeDay]) -> Recheck:
    """Days of which only some trades are kept: those can only be counted; days of which none are are passed over."""
    checked, trades, problems = 0, 0, list[str]()
    for day in days:
        if not day.kept:
            continue
        count = sum(len(block.times_ns) for block in read_trades(database, key, **_bounds(day)))
        checked += 1
        trades += count
        if count != day.kept:
            problems.append(_miscounted(day, count))
    return Recheck(checked, trades, 0, tuple(problems))


def _bounds(day: TradeDay) -> dict[str, int]:
    return {"start_ns": day.day * NS_PER_MS, "end_ns": (day.day + DAY_MS) * NS_PER_MS}


def _miscounted(day: TradeDay, count: int) -> str:
    return f"{_name(day)}: {count:,} trades are stored, {day.kept:,} were"


def _name(day: TradeDay) -> str:
    return iso(day.day)[:10]
