"""What is wrong with the stored candles: holes by kind, revisions, refused candles. Part of `algotrade list data`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from algotrade.cli.invocation import Invocation
from algotrade.cli.wanted import Wanted

if TYPE_CHECKING:
    from algotrade.market.candles import SeriesKey
    from algotrade.market.gap_pieces import Gaps
    from algotrade.market.revisions import Revision
    from algotrade.store.candles import SeriesSpan
    from algotrade.store.database import Database


def list_gaps(invocation: Invocation, wanted: Wanted) -> None:
    """Print the holes of each series: how many bars are missing of which kind, and the foremost holes themselves."""
    from algotrade.ingest.stored_gaps import stored_gaps
    from algotrade.market.candles import iso

    with open_store(invocation) as database:
        found = [(info, stored_gaps(database, info.key)) for info in chosen_series(database, wanted)]
    documents = [
        {
            **info.key._asdict(),
            "missing": sum(gaps.counts.values()),
            "kinds": gaps.counts,
            "holes": len(gaps.bars),
            "gaps": [
                {**gap._asdict(), "start": iso(gap.start), "end": iso(gap.end)}
                for gap in gaps.foremost(wanted.most).rows()
            ],
        }
        for info, gaps in found
    ]
    invocation.output.document("algotrade.list_gaps/1", {"series": documents})
    if invocation.output.json:
        return
    for (info, gaps), document in zip(found, documents, strict=True):
        _show_gaps(invocation, info.key, gaps, document["gaps"])


def _show_gaps(invocation: Invocation, key: SeriesKey, gaps: Gaps, rows: Sequence[dict[str, Any]]) -> None:
    from rich.text import Text

    from algotrade.show.format import count, kinds, plain
    from algotrade.show.tables import heading, listing

    name = plain(" ".join(key))
    if not len(gaps.bars):
        invocation.output.show(heading(name), Text("no bar is missing"))
        return
    total = f"{count(sum(gaps.counts.values()))} bars missing: {kinds(gaps.counts)}"
    more = f"; the {count(len(rows))} foremost of {count(len(gaps.bars))} holes" if len(rows) < len(gaps.bars) else ""
    invocation.output.show(listing(rows, ["start", "end", "bars", "kind", "evidence"], title=name, note=total + more))


def list_revisions(invocation: Invocation, wanted: Wanted) -> None:
    """Print the stored candles that came again with other values, the newest changes first."""
    from algotrade.market.candles import iso
    from algotrade.store.past import read_revisions

    with open_store(invocation) as database:
        found = [
            (info.key, one)
            for info in chosen_series(database, wanted)
            for one in read_revisions(database, info.key, info.first, info.last)
        ]
    newest = sorted(found, key=lambda each: each[1].seen_ms, reverse=True)
    rows = [
        {**key._asdict(), "time": iso(one.time), "seen": iso(one.seen_ms), "old": one.old, "new": one.new}
        for key, one in newest
    ]
    shown = [
        (key, {"time": one.time, "seen": one.seen_ms, "changed": _changes(one)}) for key, one in newest[: wanted.most]
    ]
    _show_by_series(invocation, shown, len(rows), "no candle was revised")
    invocation.output.document("algotrade.list_revisions/1", {"revisions": rows})


def _changes(revision: Revision) -> str:
    from algotrade.show.format import change

    return ", ".join(f"{name} {change(*pair)}" for name, pair in revision.changed.items())


def list_quarantine(invocation: Invocation, wanted: Wanted) -> None:
    """Print the candles that were refused, with the reason, and whether a good one has come since."""
    from algotrade.market.candles import iso
    from algotrade.store.corrections import read_quarantine

    with open_store(invocation) as database:
        found = [
            (info.key, row) for info in chosen_series(database, wanted) for row in read_quarantine(database, info.key)
        ]
    rows = [
        {
            **key._asdict(),
            "time": None if row.time is None else iso(row.time),
            "reason": row.reason,
            "seen": iso(row.seen_ms),
            "open": row.open,
            "values": row.values,
        }
        for key, row in found
    ]
    shown = [
        (key, {"time": row.time, "seen": row.seen_ms, "reason": row.reason, "open": row.open})
        for key, row in found[: wanted.most]
    ]
    _show_by_series(invocation, shown, len(rows), "no candle was refused")
    invocation.output.document("algotrade.list_quarantine/1", {"quarantine": rows})


def _show_by_series(
    invocation: Invocation, rows: Sequence[tuple[SeriesKey, dict[str, Any]]], total: int, nothing: str
) -> None:
    """A table a series, in the order in which they come first; `time` and `seen` in one form."""
    from algotrade.show.format import minute, plain
    from algotrade.show.tables import listing

    if not rows:
        return invocation.output.note(nothing)
    tables: dict[SeriesKey, list[dict[str, Any]]] = {}
    for key, row in rows:
        tables.setdefault(key, []).append(row | {name: minute(row[name]) for name in ("time", "seen")})
    parts = [listing(own, list(own[0]), title=plain(" ".join(key))) for key, own in tables.items()]
    more = [f"{len(rows):,} of {total:,}; --most shows more"] if len(rows) < total else []
    return invocation.output.show(*parts, *more)


def open_store(invocation: Invocation) -> Database:
    """The store that the settings name."""
    from algotrade.store.database import open_database

    return open_database(invocation.settings().database)


def chosen_series(database: Database, wanted: Wanted) -> list[SeriesSpan]:
    """The stored series that are meant and hold candles.

    Raises:
        FixData: nothing of that name is stored, or nothing at all.
    """
    from algotrade.errors import FixData
    from algotrade.store.candles import list_spans

    stored = {info.key: info for info in list_spans(database)}
    if not stored and not wanted.given:
        raise FixData("no candles are stored", hint="algotrade fetch --symbol BTC/USD")
    return [stored[key] for key in wanted.choose(stored)]
