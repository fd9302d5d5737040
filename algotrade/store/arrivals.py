"""What arrives: candles, those refused, those revised, and the span that was answered, all in one transaction.

Rows go through the driver's own cursor under SQLAlchemy's connection, in blocks: fast, and flat in memory.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from sqlalchemy import Connection, func, select

from algotrade.errors import FixData
from algotrade.market.candles import COLUMNS, Floats, RefusedCandle, SeriesKey, Times, iso
from algotrade.store.coverage import cover
from algotrade.store.database import Database
from algotrade.store.rows import BLOCK_ROWS, Rows, add_series, joined, put_rows, row_blocks, rows_between, series_id_of
from algotrade.store.snapshots import invalidate_snapshots
from algotrade.store.tables import candles, quarantine, revisions


class WriteReport(NamedTuple):
    """What a write did, in rows: new ones, ones that were there with the same values, ones whose values changed."""

    added: int
    unchanged: int
    revised: int


class Evidence(NamedTuple):
    """What is known besides the candles themselves.

    Attributes:
        seen_ms: when they were received, wall clock; None for now.
        refused: what came with them and is kept apart.
        covered: spans that the source has answered for: bar open times from the first up to, not including, the second.
    """

    seen_ms: int | None = None
    refused: Sequence[RefusedCandle] = ()
    covered: Sequence[tuple[int, int]] = ()


NO_EVIDENCE: Final = Evidence()


def write_candles(
    database: Database, key: SeriesKey, times: Times, columns: Floats, evidence: Evidence = NO_EVIDENCE
) -> WriteReport:
    """Store candles in one transaction; repeating it changes nothing.

    A candle that differs from the stored one takes its place, and both are kept as a revision.

    Args:
        database: the store.
        key: the series; it is created with its first candle or refused row.
        times: int64, shape (n,), bar open times in milliseconds, strictly rising.
        columns: float64, shape (5, n) in the order of COLUMNS, finite.
        evidence: what else came with them.

    Raises:
        FixData: times do not rise, or a value is not finite; nothing is stored.
    """
    with database.writing() as connection:
        return put_candles(connection, key, times, columns, evidence)


def put_candles(
    connection: Connection, key: SeriesKey, times: Times, columns: Floats, evidence: Evidence = NO_EVIDENCE
) -> WriteReport:
    """The same inside a transaction that writes more than candles; see `write_candles`."""
    _check(times, columns)
    series_id = series_id_of(connection, key)
    if series_id is None:
        if not len(times) and not evidence.refused:
            return WriteReport(0, 0, 0)
        series_id = add_series(connection, key)
    seen_ms = time.time_ns() // 1_000_000 if evidence.seen_ms is None else evidence.seen_ms
    report = WriteReport(0, 0, 0)
    for block in _blocks(len(times)):
        done = _put_block(connection, series_id, times[block], columns[:, block], seen_ms)
        report = WriteReport(*(sum(pair) for pair in zip(report, done, strict=True)))
    _quarantine(connection, series_id, evidence.refused, seen_ms)
    for start, end in evidence.covered:
        cover(connection, series_id, start, end)
    return report


def changed_candles(connection: Connection, key: SeriesKey, times: Times, columns: Floats) -> Rows:
    """The stored candles whose values are not those given for their times, as they are stored; see `write_candles`."""
    series_id = series_id_of(connection, key)
    if series_id is None or not len(times):
        return joined([])
    stored = _stored_at(connection, series_id, times)
    differs = (columns[:, np.searchsorted(times, stored.times)] != stored.columns).any(axis=0)
    return Rows(stored.times[differs], stored.columns[:, differs])


def _put_block(connection: Connection, series_id: int, times: Times, columns: Floats, seen_ms: int) -> WriteReport:
    stored = _stored_at(connection, series_id, times)
    given_at = np.searchsorted(times, stored.times)
    differs = (columns[:, given_at] != stored.columns).any(axis=0)
    same = np.zeros(len(times), np.bool_)
    same[given_at[~differs]] = True
    revised_at = given_at[differs]
    values = np.vstack([stored.columns[:, differs], columns[:, revised_at]])
    _keep_revisions(connection, series_id, seen_ms, times[revised_at], values)
    _upsert_rows(connection, series_id, times[~same], columns[:, ~same])
    return WriteReport(len(times) - len(given_at), int(same.sum()), int(differs.sum()))


def _stored_at(connection: Connection, series_id: int, times: Times) -> Rows:
    """The stored candles that open at these times. Millions of others may lie between two of them."""
    found = []
    for block in row_blocks(connection, rows_between(series_id, int(times[0]), int(times[-1]))):
        given = np.isin(block.times, times, assume_unique=True)
        found.append(Rows(block.times[given], block.columns[:, given]))
    return joined(found)


def _upsert_rows(connection: Connection, series_id: int, times: Times, columns: Floats) -> None:
    """Write rows over what is there; a snapshot that holds any of their times is not valid any more."""
    if not len(times):
        return
    put_rows(connection, candles, (series_id, times, *columns))
    invalidate_snapshots(connection, series_id, int(times[0]))


def _keep_revisions(connection: Connection, series_id: int, seen_ms: int, times: Times, values: Floats) -> None:
    """Keep both values of changed candles: `values` has shape (10, n), the old five and the new five.

    One comes after those of the same candle that are kept, also by a clock that stands still or was set back.
    """
    if not len(times):
        return
    near = (revisions.c.series_id == series_id) & revisions.c.time.between(int(times[0]), int(times[-1]))
    newest = select(revisions.c.time, func.max(revisions.c.seen_ms)).where(near).group_by(revisions.c.time)
    seen_before = {row[0]: row[1] for row in connection.execute(newest)}
    seen = np.array([max(seen_ms, seen_before.get(time, -1) + 1) for time in times.tolist()], np.int64)
    put_rows(connection, revisions, (series_id, times, seen, *values))


def _quarantine(connection: Connection, series_id: int, refused: Sequence[RefusedCandle], seen_ms: int) -> None:
    """Keep refused rows once each, however often they come; the first time they were seen stays."""
    if not refused:
        return
    rows = {_fingerprint(row): row for row in refused}
    known = quarantine.c.series_id == series_id
    for fingerprints in _chunks(list(rows)):
        found = connection.execute(
            quarantine.select()
            .with_only_columns(quarantine.c.fingerprint)
            .where(known, quarantine.c.fingerprint.in_(fingerprints))
        )
        for fingerprint in found.scalars().all():
            del rows[fingerprint]
    if rows:
        connection.execute(
            quarantine.insert(),
            [
                {
                    "series_id": series_id,
                    "fingerprint": fingerprint,
                    "time": row.time,
                    **dict(zip(COLUMNS, row.values, strict=True)),
                    "reason": row.reason,
                    "seen_ms": seen_ms,
                }
                for fingerprint, row in rows.items()
            ],
        )


def _fingerprint(row: RefusedCandle) -> str:
    return hashlib.sha256(repr(tuple(row)).encode()).hexdigest()


def _blocks(rows: int) -> Iterator[slice]:
    return (slice(begin, begin + BLOCK_ROWS) for begin in range(0, rows, BLOCK_ROWS))


def _chunks(names: list[str], size: int = 500) -> Iterator[list[str]]:
    return (names[begin : begin + size] for begin in range(0, len(names), size))


def _check(times: Times, columns: Floats) -> None:
    if columns.shape != (len(COLUMNS), len(times)):
        raise ValueError(f"{len(times)} times need columns of shape (5, {len(times)}), given {columns.shape}")
    falls = np.flatnonzero(np.diff(times) <= 0)
    if len(falls):
        raise FixData(f"candle times must rise; {iso(int(times[falls[0] + 1]))} does not come after the bar before it")
    odd = np.flatnonzero(~np.isfinite(columns).all(axis=0))
    if len(odd):
        raise FixData(f"candle {iso(int(times[odd[0]]))}: a value is not a finite number")
