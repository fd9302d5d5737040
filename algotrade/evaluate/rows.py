"""Columns as rows of plain values, which JSON can hold, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from algotrade.engine.fills import Costs
from algotrade.evaluate.executions import (
    OWN,
    REASONS_TO_CHARGE,
    ROLES,
    AmbiguousBars,
    Charges,
    Fills,
    Rejection,
    fills_of,
    no_ambiguous_bars,
    no_charges,
    reasons_of,
)
from algotrade.evaluate.result import Result
from algotrade.market.candles import Floats, Times, iso
from algotrade.strategy.signals import targets_of

Rows = list[list[Any]]


def without_nan(value: Any) -> Any:
    """The value with NaN and infinity, which JSON has not, as None and numpy's numbers as Python's, however deep."""
    if isinstance(value, Mapping):
        return {name: without_nan(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(inner) for inner in value]
    if isinstance(value, np.generic):
        return without_nan(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def plain_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as dicts, times as ISO 8601, None where there is no time."""
    rows: list[dict[str, Any]] = table.to_dict("records")  # type: ignore[assignment]  # our names are strings
    return [{name: _plain_time(value) for name, value in row.items()} for row in rows]


# ---- writing --------------------------------------------------------------------------------------------------------
def fill_rows(filled: Fills, times: Times) -> Rows:
    """Fills as [bar's open in ms, side, quantity, price, fee, time in ms, reason, maker, fee in base units, part]."""
    opens = times[filled.bar]
    reasons = reasons_of(filled.role)
    return _rows(opens, *filled[1:5], opens + filled.after_ms, reasons, filled.maker, filled.fee_quantity, filled.part)


def charge_rows(charges: Charges, times: Times) -> Rows:
    """Charges as [bar's open in ms, reason, amount, how many fills came before, part]."""
    reasons = np.array(REASONS_TO_CHARGE, object)[charges.reason]
    return _rows(times[charges.bar], reasons, *charges[2:])


def ambiguous_rows(ambiguous: AmbiguousBars, times: Times) -> Rows:
    """Ambiguous bars as [bar's open in ms, worst, best, diverges]."""
    return _rows(times[ambiguous.bar], *ambiguous[1:])


def rejection_rows(rejections: Sequence[Rejection]) -> list[dict[str, str]]:
    """Refused orders as {time, reason, detail}."""
    return [{"time": iso(time), "reason": reason, "detail": detail} for time, reason, detail in rejections]


def target_rows(result: Result) -> Rows | None:
    """Changes of target as [bar's open time in ms, exposure]; None where a strategy sent orders itself."""
    if result.signals is None:
        return None
    targets = targets_of(result.signals)
    changes = np.flatnonzero(np.diff(targets, prepend=0.0))
    return [[int(result.times[bar]), float(targets[bar])] for bar in changes]


# ---- reading --------------------------------------------------------------------------------------------------------
def fills_of_rows(rows: Rows, times: Times) -> Fills:
    """What `fill_rows` was given."""
    if not rows:
        nothing = np.zeros(0)
        return fills_of(nothing.astype(np.int64), nothing.astype(np.int64), nothing, nothing, nothing)
    opens, side, quantity, price, fee, time, reason, maker, fee_quantity, part = zip(*rows, strict=True)
    values = (np.array(column, np.float64) for column in (quantity, price, fee))
    filled = fills_of(np.searchsorted(times, opens), np.array(side, np.int64), *values)
    codes = {role.value or OWN: code for code, role in enumerate(ROLES)}
    return filled._replace(
        after_ms=np.array(time, np.int64) - np.array(opens, np.int64),
        role=np.array([codes[word] for word in reason], np.int16),
        maker=np.array(maker, np.bool_),
        fee_quantity=np.array(fee_quantity, np.float64),
        part=np.array(part, np.int16),
    )


def charges_of_rows(rows: Rows, times: Times) -> Charges:
    """What `charge_rows` was given."""
    if not rows:
        return no_charges()
    opens, reasons, amounts, before, part = zip(*rows, strict=True)
    codes = np.array([REASONS_TO_CHARGE.index(reason) for reason in reasons], np.int16)
    amount, fills_before = np.array(amounts, np.float64), np.array(before, np.int64)
    return Charges(np.searchsorted(times, opens), codes, amount, fills_before, np.array(part, np.int16))


def ambiguous_of_rows(rows: Rows, times: Times) -> AmbiguousBars:
    """What `ambiguous_rows` was given."""
    if not rows:
        return no_ambiguous_bars()
    opens, worst, best, diverges = zip(*rows, strict=True)
    values = np.array(worst, np.float64), np.array(best, np.float64)
    return AmbiguousBars(np.searchsorted(times, opens), *values, np.array(diverges, np.bool_))


def rejections_of_rows(rows: Sequence[Mapping[str, str]]) -> tuple[Rejection, ...]:
    """What `rejection_rows` was given."""
    return tuple(Rejection(_milliseconds(row["time"]), row["reason"], row.get("detail", "")) for row in rows)


def targets_of_rows(rows: Rows, times: Times) -> Floats:
    """Target exposure per bar, shape (bars,), from its changes."""
    changed = np.array([time for time, _ in rows], np.int64)
    exposures = np.array([0.0, *(exposure for _, exposure in rows)])
    return exposures[np.searchsorted(changed, times, side="right")]


def costs_of(values: Mapping[str, Any]) -> Costs:
    """Costs from their plain values; what an early version did not know is as it was then: nothing."""
    known = {name: values[name] for name in Costs._fields if name in values}
    schedule = tuple((float(volume), maker, taker) for volume, maker, taker in known.pop("fee_schedule", ()))
    return Costs(**known, fee_schedule=schedule)


def _rows(*columns: Any) -> Rows:
    return [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _plain_time(value: Any) -> Any:
    if value is pd.NaT:
        return None
    return iso(value.value // 1_000_000) if isinstance(value, pd.Timestamp) else value


def _milliseconds(text: str) -> int:
    return int(np.datetime64(text.removesuffix("Z"), "ms").astype(np.int64))
