"""What came of running a result again, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from algotrade.market.candles import iso
from algotrade.show import format as fmt

if TYPE_CHECKING:
    from algotrade.market.revisions import Restored, Revision

SHOWN: Final = 5  # of many changes of one kind


def revised_sentence(revised: Sequence[Revision]) -> str:
    """Which bars, and how; not by whom, for a revision may be an exchange's or a person's import.

    "1 bar has changed since this run (revision of 2024-05-01T09:00:00Z): 2024-03-01T00:00:00Z close 1.0 -> 2.0".
    """
    several = f"{len(revised):,} bars have" if len(revised) > 1 else "1 bar has"
    seen = sorted({one.seen_ms for one in revised})
    when = f"revision of {iso(seen[0])}" if len(seen) == 1 else f"revisions from {iso(seen[0])} to {iso(seen[-1])}"
    changes = "; ".join(_change(one) for one in revised[:SHOWN])
    return f"{several} changed since this run ({when}): {changes}{_more(revised)}"


def data_sentences(data: Restored) -> Iterator[str]:
    """How the bars are not those of the run."""
    if data.undone:
        yield revised_sentence(data.undone)
    if data.differing:
        places = "; ".join(change.sentence() for change in data.differing[:SHOWN])
        yield f"bars are others than then, {places}{_more(data.differing)}"


def figure_sentences(figures: Sequence[tuple[str, Any, Any]]) -> Iterator[str]:
    """Of places, recorded and computed values: a line for each figure that differs."""
    for place, recorded, computed in figures[:SHOWN]:
        yield f"{fmt.plain(place)}: {_value(recorded)} recorded, {_value(computed)} now"
    if len(figures) > SHOWN:
        yield _more(figures).removeprefix("; ")


def _change(revision: Revision) -> str:
    values = ", ".join(f"{name} {before!r} -> {after!r}" for name, (before, after) in revision.changed.items())
    return f"{iso(revision.time)} {values}"


def _more(things: Sequence[Any]) -> str:
    return f"; and {len(things) - SHOWN:,} more" if len(things) > SHOWN else ""


def _value(value: Any) -> str:
    text = fmt.plain(repr(value) if isinstance(value, float) else value)
    return text if len(text) <= 80 else f"{text[:80]}..."
