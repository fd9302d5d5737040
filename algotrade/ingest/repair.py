"""Ask again for what is missing from a stored series and can still be had."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from algotrade.errors import FixCommand
from algotrade.exchange.base import Exchange
from algotrade.ingest.fetch import Again, fetch_again
from algotrade.ingest.pages import SPIKE
from algotrade.ingest.plan import Interval
from algotrade.ingest.report import FetchProgress, FetchReport, unwatched
from algotrade.ingest.stored_gaps import stored_gaps
from algotrade.market.candles import RefusedCandle, SeriesKey
from algotrade.market.gap_pieces import EXCHANGE_DOWN, KINDS, NOT_DOWNLOADED, QUARANTINED
from algotrade.market.timeframe import timeframe_ms
from algotrade.store.corrections import read_quarantine
from algotrade.store.database import Database

CAN_BE_HAD: Final = (NOT_DOWNLOADED, QUARANTINED, EXCHANGE_DOWN)


class _Missing(NamedTuple):
    """What a series lacks: bars of each kind, and what of it to ask for again."""

    counts: Mapping[str, int]
    again: Again


async def repair_candles(
    exchange: Exchange, db: Database, key: SeriesKey, on_progress: Callable[[FetchProgress], None] = unwatched
) -> FetchReport:
    """Ask again for bars of a series that nobody asked for, that came as nonsense, or that fell into an outage.

    What the exchange has answered for is not "not downloaded" any more, whether it has the bar or not. A price that was
    refused as out of all proportion is believed if it comes again unchanged. Repeating it changes nothing that the
    exchange does not answer differently.

    Args:
        exchange: where from.
        db: the store.
        key: a series of the exchange's own candles.
        on_progress: told after every page.

    Returns:
        The report of a fetch; its note says how many of the missing bars came.

    Raises:
        FixCommand: the series does not consist of the exchange's own candles.
    """
    if (key.exchange, key.origin) != (exchange.name, exchange.origin):
        raise FixCommand(
            f"{key.symbol} {key.timeframe} of origin {key.origin} is not what {exchange.name} gives as its own candles:"
            " only those can be asked for again",
            hint="algotrade list data --gaps",
        )
    before = await asyncio.to_thread(_missing, db, key)
    report = await fetch_again(exchange, db, key, before.again, on_progress)
    after = await asyncio.to_thread(_missing, db, key)
    left = after.counts.get(NOT_DOWNLOADED, 0) + after.counts.get(QUARANTINED, 0)
    return report._replace(
        complete=report.complete and not left,
        note="; ".join(filter(None, [_summary(before.counts, after.counts), report.note])),
    )


def _missing(db: Database, key: SeriesKey) -> _Missing:
    step = timeframe_ms(key.timeframe)
    gaps = stored_gaps(db, key)
    wanted = [Interval(gap.start, gap.end + step) for gap in gaps.of_kinds(CAN_BE_HAD).rows()]
    refused = (row for row in read_quarantine(db, key) if row.open and row.reason == SPIKE)
    believed = [RefusedCandle(row.time, row.reason, row.values) for row in refused]
    return _Missing(gaps.counts, Again(wanted, believed))


def _summary(before: Mapping[str, int], after: Mapping[str, int]) -> str:
    missing, left = sum(before.values()), sum(after.values())
    if not missing:
        return "nothing is missing"
    kinds = ", ".join(f"{after[kind]:,} {kind}" for kind in KINDS if kind in after)
    return f"{missing - left:,} of {missing:,} missing bars came" + (f"; left are {kinds}" if left else "")
