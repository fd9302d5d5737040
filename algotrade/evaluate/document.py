"""A result as plain values: what `backtest --json` prints, the store keeps and `evaluate` reads."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from algotrade.engine.fills import Costs
from algotrade.engine.risk import Limits
from algotrade.errors import FixData
from algotrade.evaluate.executions import Fills, Rejection, equity_of_fills, fills_of
from algotrade.evaluate.result import Result
from algotrade.evaluate.round_trips import open_position
from algotrade.evaluate.summary import buy_and_hold, summarize
from algotrade.market.blocks import block_hashes
from algotrade.market.candles import Floats, SeriesKey, Times, content_hash, iso, times_ms
from algotrade.market.instrument import Instrument
from algotrade.market.silence import holes_of
from algotrade.market.timeframe import timeframe_ms
from algotrade.strategy.signals import Bounds, targets_of

SCHEMA: Final = "algotrade.backtest/1"


class Provenance(NamedTuple):
    """Where a result comes from.

    Attributes:
        key: the series of candles.
        instrument: what was traded.
        bounds: leverage, and whether shorts were simulated.
        simulated: the market is the demo exchange.
        strategy: name, parameters, hash and source, as the document has them.
        warmup: bars that live trading will give the strategy.
        checks: verdicts by name, each {passed, covered, total, detail}.
        versions: of Python and the libraries that can change a result.
        warnings: sentences.
        limits: risk limits of the run.
        gap_kinds: how many bars are missing by kind; None where nobody knows why.
        resampled_from: the timeframe of the stored candles that these were made of; None where they are stored.
        left_out: spans of bars that could not be made whole, milliseconds.
    """

    key: SeriesKey
    instrument: Instrument
    bounds: Bounds
    simulated: bool
    strategy: Mapping[str, Any]
    warmup: int | str | None
    checks: Mapping[str, Any]
    versions: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    limits: Limits = Limits()
    gap_kinds: Mapping[str, int] | None = None
    resampled_from: str | None = None
    left_out: tuple[tuple[int, int], ...] = ()


def run_document(result: Result, provenance: Provenance) -> dict[str, Any]:
    """The document of a result; NaN and infinity are None, times are ISO 8601 in UTC, fractions stay fractions."""
    times = result.times
    gaps = int(holes_of(times, timeframe_ms(result.timeframe)).bars.sum())
    document = {
        "schema": SCHEMA,
        "run": None,
        "data": {
            **provenance.key._asdict(),
            "start": iso(int(times[0])),
            "end": iso(int(times[-1])),
            "bars": len(times),
            "gaps": gaps,
            "gap_kinds": None if provenance.gap_kinds is None else dict(provenance.gap_kinds),
            "resampled_from": provenance.resampled_from,
            "left_out": [[iso(start), iso(end)] for start, end in provenance.left_out],
            "simulated": provenance.simulated,
            "hash": content_hash(result.candles),
            "blocks": block_hashes(result.candles, result.timeframe)._asdict(),
        },
        "strategy": {**provenance.strategy, "warmup": provenance.warmup},
        "costs": {**result.costs._asdict(), "cash": result.cash, **provenance.bounds._asdict()},
        "limits": provenance.limits._asdict(),
        "instrument": provenance.instrument._asdict(),
        "calendar": result.calendar,
        "summary": result.summary,
        "buy_and_hold": summarize(buy_and_hold(result)),
        "checks": dict(provenance.checks),
        "round_trips": plain_rows(result.round_trips),
        "open_position": open_position_of(result),
        "fills": fill_rows(result),
        "targets": target_rows(result),
        "equity_hash": equity_hash(result),
        "rejections": [{"time": iso(time), "reason": reason} for time, reason in result.rejections],
        "versions": dict(provenance.versions),
        "warnings": [*provenance.warnings, *ruin_of(result)],
    }
    plain: dict[str, Any] = without_nan(document)
    return plain


def public_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """What `--json` prints of it: without the strategy's source and the hashes of single blocks of bars."""
    data = {name: value for name, value in document["data"].items() if name != "blocks"}
    strategy = {name: value for name, value in document["strategy"].items() if name != "source"}
    return {**document, "data": data, "strategy": strategy}


def equity_hash(result: Result) -> str:
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


def ruin_of(result: Result) -> list[str]:
    """A sentence if there was a close at which nothing was left: no broker lets an account go on from there."""
    ruined = np.flatnonzero(result.equity_values <= 0.0)
    if not len(ruined):
        return []
    when = iso(int(result.times[ruined[0]]))
    return [f"equity fell to zero or below on {when[:10]}: a real account would have been closed"]


def plain_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as dicts, times as ISO 8601, None where there is no time."""
    rows: list[dict[str, Any]] = table.to_dict("records")  # type: ignore[assignment]  # our names are strings
    return [{name: _plain_time(value) for name, value in row.items()} for row in rows]


def fill_rows(result: Result) -> list[list[Any]]:
    """Fills as [bar's open time in ms, side, quantity, price, fee]."""
    filled = result.filled
    columns = (result.times[filled.bar], *filled[1:5])
    return [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def target_rows(result: Result) -> list[list[Any]] | None:
    """Changes of target as [bar's open time in ms, exposure]; None where a strategy sent orders itself."""
    if result.signals is None:
        return None
    targets = targets_of(result.signals)
    changes = np.flatnonzero(np.diff(targets, prepend=0.0))
    return [[int(result.times[bar]), float(targets[bar])] for bar in changes]


def targets_of_rows(rows: list[list[Any]], times: Times) -> Floats:
    """Target exposure per bar, shape (bars,), from its changes."""
    changed = np.array([time for time, _ in rows], np.int64)
    exposures = np.array([0.0, *(exposure for _, exposure in rows)])
    return exposures[np.searchsorted(changed, times, side="right")]


def result_of_document(document: Mapping[str, Any], candles: pd.DataFrame) -> Result:
    """The result of a kept run, from its fills and the candles it ran over.

    Args:
        document: as `run_document` made it.
        candles: the same candles, read again.

    Raises:
        FixData: the candles are not those of the run.
    """
    data = document["data"]
    if content_hash(candles) != data["hash"]:
        raise FixData(
            f"the stored candles of {data['exchange']} {data['symbol']} {data['timeframe']} are no longer those of the"
            f" run ({len(candles)} bars now, {data['bars']} then, other values)",
            hint=f"algotrade backtest --symbol {data['symbol']} --timeframe {data['timeframe']}",
        )
    filled = _fills(document["fills"], times_ms(candles))
    cash = document["costs"]["cash"]
    return Result(
        candles=candles,
        signals=None,
        equity_values=equity_of_fills(filled, cash, candles["close"].to_numpy(np.float64)),
        filled=filled,
        rejections=tuple(Rejection(_milliseconds(row["time"]), row["reason"]) for row in document["rejections"]),
        cash=cash,
        costs=Costs(document["costs"]["fee_rate"], document["costs"]["slippage_rate"]),
        timeframe=data["timeframe"],
        calendar=document["calendar"],
        simulated=data["simulated"],
    )


def without_nan(value: Any) -> Any:
    """The value with NaN and infinity, which JSON has not, as None and numpy's numbers as Python's, however deep."""
    if isinstance(value, Mapping):
        return {name: without_nan(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(inner) for inner in value]
    if isinstance(value, np.generic):
        return without_nan(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _fills(rows: list[list[Any]], times: Times) -> Fills:
    time, side, quantity, price, fee = np.array(rows, np.float64).reshape(-1, 5).T
    return fills_of(np.searchsorted(times, time.astype(np.int64)), side.astype(np.int64), quantity, price, fee)


def _plain_time(value: Any) -> Any:
    if value is pd.NaT:
        return None
    return iso(value.value // 1_000_000) if isinstance(value, pd.Timestamp) else value


def _milliseconds(text: str) -> int:
    return int(np.datetime64(text.removesuffix("Z"), "ms").astype(np.int64))
