"""A result as plain values: what `backtest --json` prints, the store keeps and `evaluate` reads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from algotrade.evaluate.portfolio import Outcome, Part
from algotrade.evaluate.provenance import MarketSource, Provenance
from algotrade.evaluate.result import Result
from algotrade.evaluate.round_trips import open_position
from algotrade.evaluate.rows import (
    ambiguous_rows,
    charge_rows,
    fill_rows,
    plain_rows,
    rejection_rows,
    target_rows,
    without_nan,
)
from algotrade.evaluate.summary import summarize
from algotrade.market.blocks import block_hashes
from algotrade.market.candles import content_hash, iso
from algotrade.market.silence import holes_of
from algotrade.market.timeframe import timeframe_ms

SCHEMA: Final = "algotrade.backtest/1"
AND: Final = " + "  # between the names of several symbols or strategies


def run_document(result: Outcome, provenance: Provenance) -> dict[str, Any]:
    """The document of a result; NaN and infinity are None, times are ISO 8601 in UTC, fractions stay fractions.

    A portfolio's document has the same keys: what belongs to one symbol stands in `markets`, what belongs to a symbol
    and a strategy in `parts`.
    """
    alone = result if isinstance(result, Result) else None
    execution = provenance.execution
    sizing = None if execution.sizing is None else execution.sizing._asdict()
    markets = _markets(result, provenance)
    document = {
        "schema": SCHEMA,
        "run": None,
        "data": _data(alone, _source(provenance), provenance) if alone else _data_together(result, markets),
        "strategy": {**_strategy(provenance), "warmup": provenance.warmup},
        "strategies": [{"book": name, **described} for name, described in provenance.strategies.items()],
        "costs": {**result.costs._asdict(), "cash": result.cash, **provenance.bounds._asdict()},
        "execution": {**execution._asdict(), "sizing": sizing},
        "ran_on": result.ran_on._asdict(),
        "limits": provenance.limits._asdict(),
        "instrument": provenance.instrument._asdict() if alone else None,
        "calendar": result.calendar,
        "summary": result.summary,
        "bounds": None if result.bounds is None else result.bounds._asdict(),
        "ruined_at": None if result.ruined_at is None else iso(result.ruined_at),
        "buy_and_hold": summarize(result.held),
        "checks": dict(provenance.checks),
        "round_trips": plain_rows(result.round_trips),
        "open_position": open_position_of(alone) if alone else None,
        "fills": fill_rows(result.filled, result.times),
        "charges": charge_rows(result.charges, result.times),
        "ambiguous_bars": ambiguous_rows(result.ambiguous, result.times),
        "targets": target_rows(alone) if alone else None,
        "equity_hash": equity_hash(result),
        "rejections": rejection_rows(result.rejections),
        "markets": markets,
        "parts": [] if isinstance(result, Result) else [_part(part) for part in result.parts],
        "versions": dict(provenance.versions),
        "warnings": [*provenance.warnings, *late_and_early(result)],
    }
    plain: dict[str, Any] = without_nan(document)
    return plain


def public_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """What `--json` prints of it: without the strategies' sources and the hashes of single blocks of bars."""
    return {
        **document,
        "data": _without(document["data"], "blocks"),
        "strategy": _without(document["strategy"], "source"),
        "strategies": [_without(each, "source") for each in document["strategies"]],
        "markets": [{**each, "data": _without(each["data"], "blocks")} for each in document["markets"]],
    }


def equity_hash(result: Outcome) -> str:
    """SHA-256, hexadecimal, of the equity at each close, float64, little endian."""
    return hashlib.sha256(result.equity_values.astype("<f8").tobytes()).hexdigest()


def open_position_of(result: Result) -> dict[str, Any] | None:
    """What is held at the end, marked at the last close; None when flat. `profit` is before fees, in quote units."""
    held = open_position(result.filled)
    if held is None:
        return None
    close = float(result.candles["close"].iloc[-1])
    sign = 1 if held.side == "long" else -1
    return {
        "side": held.side,
        "quantity": held.quantity,
        "entry_time": iso(int(result.times[held.entry_bar])),
        "entry_price": held.entry_price,
        "price": close,
        "profit": sign * held.quantity * (close - held.entry_price),
    }


def late_and_early(result: Outcome) -> list[str]:
    """A sentence for each symbol of a portfolio whose history begins later or ends earlier than the others'."""
    if isinstance(result, Result):
        return []
    sentences = []
    for symbol, market in {part.symbol: part.result for part in result.parts}.items():
        if market.times[0] > result.times[0]:
            sentences.append(f"{symbol} begins later than the others, on {_moment(market.times[0])}")
        if market.times[-1] < result.times[-1]:
            sentences.append(
                f"{symbol} ends earlier than the others, on {_moment(market.times[-1])}:"
                " what was held of it then is marked at its last close"
            )
    return sentences


# ---- parts of the document ------------------------------------------------------------------------------------------
def _source(provenance: Provenance) -> MarketSource:
    return MarketSource(*(getattr(provenance, name) for name in MarketSource._fields))


def _strategy(provenance: Provenance) -> Mapping[str, Any]:
    """What decided; of several the first, under the names of all."""
    if not provenance.strategies:
        return provenance.strategy
    return {**provenance.strategy, "name": AND.join(provenance.strategies)}


def _data(result: Result, source: MarketSource, provenance: Provenance) -> dict[str, Any]:
    times = result.times
    return {
        **source.key._asdict(),
        "start": iso(int(times[0])),
        "end": iso(int(times[-1])),
        "bars": len(times),
        "gaps": int(holes_of(times, timeframe_ms(result.timeframe)).bars.sum()),
        "gap_kinds": None if source.gap_kinds is None else dict(source.gap_kinds),
        "resampled_from": source.resampled_from,
        "left_out": [[iso(start), iso(end)] for start, end in source.left_out],
        "simulated": provenance.simulated,
        "hash": content_hash(result.candles),
        "blocks": block_hashes(result.candles, result.timeframe)._asdict(),
    }


def _data_together(result: Outcome, markets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The same of all symbols: their names, the span that they cover, and one hash of all theirs."""
    each = [market["data"] for market in markets]
    return {
        **each[0],
        "symbol": AND.join(data["symbol"] for data in each),
        "start": iso(int(result.times[0])),
        "end": iso(int(result.times[-1])),
        "bars": len(result.times),
        "gaps": sum(data["gaps"] for data in each),
        "gap_kinds": None,
        "left_out": [],
        "hash": hashlib.sha256("".join(data["hash"] for data in each).encode()).hexdigest(),
        "blocks": {"length_ms": each[0]["blocks"]["length_ms"], "blocks": []},
    }


def _markets(result: Outcome, provenance: Provenance) -> list[dict[str, Any]]:
    """Of a portfolio, what is known of each symbol."""
    if isinstance(result, Result):
        return []
    return [
        {
            "data": _data(market, source, provenance),
            "instrument": source.instrument._asdict(),
        }
        for market, source in zip(result.markets, provenance.markets, strict=True)
    ]


def _part(part: Part) -> dict[str, Any]:
    result = part.result
    return {
        "symbol": part.symbol,
        "strategy": part.strategy,
        "cash": result.cash,
        "profit": part.profit,
        "summary": result.summary,
        "open_position": open_position_of(result),
        "targets": target_rows(result),
        "ambiguous_bars": ambiguous_rows(result.ambiguous, result.times),
        "rejections": rejection_rows(result.rejections),
    }


def _without(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}


def _moment(time: int) -> str:
    return iso(int(time)).removesuffix("T00:00:00Z")
