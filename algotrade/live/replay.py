"""Feeding a journal's events through a fresh engine: every decision and order must come out byte for byte."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from algotrade.engine.records import EVENT_NAMES, MARKET_NAMES, decode, encode, name_of, time_of
from algotrade.engine.session import Record, SimulatedSession
from algotrade.errors import FixData
from algotrade.store.canonical import canonical_json
from algotrade.store.journal import CANONICAL, Journal, JournalRow


class Difference(NamedTuple):
    """The first place where a replay and its journal part; one side is None where it has nothing more.

    Attributes:
        seq: number of the journal's row.
        recorded: what the journal says.
        replayed: what came out now.
    """

    seq: int
    recorded: JournalRow | None
    replayed: JournalRow | None


def rows_of(records: Iterable[Record]) -> list[JournalRow]:
    """Records as the journal's canonical rows."""
    return [
        JournalRow(
            "event" if name_of(record) in EVENT_NAMES else "effect",
            name_of(record),
            time_of(record),
            canonical_json(encode(record)),
        )
        for record in records
    ]


def record_of(row: JournalRow) -> Record:
    """The record that a canonical row holds.

    Raises:
        FixData: the row is damaged.
    """
    try:
        fields = json.loads(row.body)
    except (TypeError, ValueError) as error:
        raise FixData(f"row {row.seq} of the journal, a {row.name}, cannot be read: {error}") from None
    return decode(row.name, fields)


def canonical_rows(journal: Journal) -> Iterator[JournalRow]:
    """The journal's rows that a replay compares."""
    return (row for row in journal.rows() if row.kind in CANONICAL)


def replay(
    rows: Iterable[JournalRow], session: SimulatedSession, on_record: Callable[[Record], None] | None = None
) -> Difference | None:
    """Process every market event again and compare what follows from it with what was recorded.

    Args:
        rows: canonical rows, in order.
        session: a fresh engine and simulated exchange; afterwards in the state that the journal ends in.
        on_record: called with every record that agreed.

    Returns:
        The first difference; None if there is none.
    """
    expected: deque[tuple[JournalRow, Record]] = deque()
    seq = 0
    for row in rows:
        seq = row.seq
        if not expected:
            if row.name not in MARKET_NAMES:
                return Difference(seq, row, None)
            records = session.process(record_of(row))  # type: ignore[arg-type]  # MARKET_NAMES are market events
            expected.extend(zip(rows_of(records), records, strict=True))
        replayed, record = expected.popleft()
        if replayed[:4] != row[:4]:
            return Difference(seq, row, replayed)
        if on_record is not None:
            on_record(record)
    return Difference(seq, None, expected[0][0]) if expected else None
