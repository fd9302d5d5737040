"""The candles of an earlier run, as they were then."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from algotrade.errors import FixData
from algotrade.ingest.resampled import Resampling, finer_of, join_again
from algotrade.ingest.source import DataRequest, reload_candles
from algotrade.market.blocks import Block, Blocks
from algotrade.market.candles import SeriesKey, content_hash
from algotrade.market.revisions import Restored, earlier, restore
from algotrade.market.span import Span, parse_span, parse_time
from algotrade.store.candles import read_candles
from algotrade.store.database import Database
from algotrade.store.past import read_revisions

MOST_CHANGES: Final = 100  # moments at which finer candles changed; each costs making the coarser ones again


def past_candles(document: Mapping[str, Any], database: Database) -> Restored:
    """The candles of an earlier run, revisions taken back that came since, and where they are others all the same.

    Raises:
        FixData: none of them is stored.
    """
    data = document["data"]
    key = SeriesKey(data["exchange"], data["symbol"], data["timeframe"], data["origin"])
    span = parse_span(data["start"], data["end"])
    assert span.start is not None
    assert span.end is not None
    request = DataRequest(key.symbol, key.timeframe, key.exchange, span)
    resampling = _resampling(data)
    candles = reload_candles(request, key, database, resampling)
    if not len(candles):
        raise FixData(
            f"no candles of {key.exchange} {key.symbol} {key.timeframe} ({key.origin}) are stored from {data['start']}"
            f" to {data['end']}",
            hint=_bring_back(key._replace(timeframe=data.get("resampled_from") or key.timeframe), data),
        )
    if content_hash(candles) == data["hash"] or "blocks" not in data:  # which early versions did not keep
        return Restored(candles, (), ())
    recorded = Blocks(data["blocks"]["length_ms"], tuple(Block(*block) for block in data["blocks"]["blocks"]))
    if resampling is None:
        return restore(candles, span.start, recorded, read_revisions(database, key, span.start, span.end))
    then = _of_finer_then(database, key, span, resampling, data["hash"])
    return then or restore(candles, span.start, recorded, ())


def _of_finer_then(
    database: Database, key: SeriesKey, span: Span, resampling: Resampling, wanted: str
) -> Restored | None:
    """The bars made of finer candles as those were then; None where taking back their newest changes does not do it."""
    finer, fine = finer_of(key, span, resampling)
    assert fine.start is not None
    assert fine.end is not None
    revisions = read_revisions(database, finer, fine.start, fine.end)
    candles = read_candles(database, finer, start=fine.start, end=fine.end)
    for tried, undone in islice(earlier(candles, revisions), MOST_CHANGES):
        bars = join_again(tried, key, span, resampling)
        if content_hash(bars) == wanted:
            return Restored(bars, undone, ())
    return None


def _resampling(data: Mapping[str, Any]) -> Resampling | None:
    """How the candles were made of finer ones; None where they were not, as in all early versions."""
    if data.get("resampled_from") is None:
        return None
    return Resampling(
        data["resampled_from"], tuple((parse_time(start), parse_time(end)) for start, end in data["left_out"])
    )


def _bring_back(key: SeriesKey, data: Mapping[str, Any]) -> str:
    series = f"--exchange {key.exchange} --symbol {key.symbol} --timeframe {key.timeframe}"
    if key.origin == "import":
        return f"algotrade fetch {series} --from FILE"
    via = " --via trades" if key.origin == "trades" else ""
    return f"algotrade fetch {series}{via} --start {data['start'][:10]} --end {data['end'][:10]}"
