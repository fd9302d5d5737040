"""The candles of an earlier run, as they were then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from algotrade.errors import FixData
from algotrade.ingest.resampled import Resampling
from algotrade.ingest.source import DataRequest, reload_candles
from algotrade.market.blocks import Block, Blocks
from algotrade.market.candles import SeriesKey, content_hash
from algotrade.market.revisions import Restored, restore
from algotrade.market.span import parse_span, parse_time
from algotrade.store.database import Database
from algotrade.store.past import read_revisions


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
    candles = reload_candles(request, key, database, _resampling(data))
    if not len(candles):
        raise FixData(
            f"no candles of {key.exchange} {key.symbol} {key.timeframe} ({key.origin}) are stored from {data['start']}"
            f" to {data['end']}",
            hint=_bring_back(key, data["start"], data["end"]),
        )
    if content_hash(candles) == data["hash"] or "blocks" not in data:  # which early versions did not keep
        return Restored(candles, (), ())
    recorded = Blocks(data["blocks"]["length_ms"], tuple(Block(*block) for block in data["blocks"]["blocks"]))
    return restore(candles, span.start, recorded, read_revisions(database, key, span.start, span.end))


def _resampling(data: Mapping[str, Any]) -> Resampling | None:
    """How the candles were made of finer ones; None where they were not, as in all early versions."""
    if data.get("resampled_from") is None:
        return None
    return Resampling(
        data["resampled_from"], tuple((parse_time(start), parse_time(end)) for start, end in data["left_out"])
    )


def _bring_back(key: SeriesKey, start: str, end: str) -> str:
    series = f"--exchange {key.exchange} --symbol {key.symbol} --timeframe {key.timeframe}"
    if key.origin == "import":
        return f"algotrade fetch {series} --from FILE"
    return f"algotrade fetch {series} --start {start[:10]} --end {end[:10]}"
