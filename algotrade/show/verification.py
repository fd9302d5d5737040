"""What came of running a result again, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from algotrade.market.candles import iso
from algotrade.show import format as fmt

if TYPE_CHECKING:
    from algotrade.market.revisions import Restored, Revision

SHOWN: Final = 5  # of many changes of one kind


def revised_sentence(revised: Sequence[Revision], exchange: str) -> str:
    """Which bars, and how: "1 bar was revised by kraken after this run: 2024-03-01T00:00:00Z close 1.0 -> 2.0"."""
    several = f"{len(revised):,} bars were" if len(revised) > 1 else "1 bar was"
    changes = "; ".join(_change(one) for one in revised[:SHOWN])
    return f"{several} revised by {fmt.plain(exchange)} after this run: {changes}{_more(revised)}"


def data_sentences(data: Restored, exchange: str) -> Iterator[str]:
    """How the bars are not those of the run."""
    if data.undone:
        yield revised_sentence(data.undone, exchange)
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
