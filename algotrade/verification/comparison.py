"""Where two results differ, value by value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from algotrade.store.canonical import canonical_json

# What the same bars, code and conditions give again, byte for byte. Checks have a time limit, so their coverage is not
# among them; versions and warnings are told, not compared.
REPRODUCED: Final = (
    "summary", "bounds", "buy_and_hold", "round_trips", "open_position", "fills", "charges", "ambiguous_bars",
    "targets", "equity_hash", "rejections", "ruined_at", "parts", "costs", "execution", "limits", "instrument",
    "calendar",
)  # fmt: skip


class Difference(NamedTuple):
    """A value that is another one now: its place ("summary.sharpe"), what was recorded, what came out."""

    place: str
    recorded: Any
    computed: Any


def differences(recorded: Mapping[str, Any], computed: Mapping[str, Any]) -> list[Difference]:
    """Every figure that differs; of a list the first entry, and its length where that differs."""
    return [
        difference
        for name in REPRODUCED
        if name in recorded  # what an early version did not keep cannot differ
        if canonical_json(recorded[name]) != canonical_json(computed[name])
        for difference in _differing(name, recorded[name], computed[name])
    ]


def _differing(place: str, recorded: Any, computed: Any) -> Iterator[Difference]:
    if isinstance(recorded, Mapping) and isinstance(computed, Mapping):
        for name in sorted({*recorded, *computed}):
            yield from _differing(f"{place}.{name}", recorded.get(name), computed.get(name))
    elif isinstance(recorded, list) and isinstance(computed, list):
        if len(recorded) != len(computed):
            yield Difference(f"number of {place}", len(recorded), len(computed))
        pairs = enumerate(zip(recorded, computed, strict=False), 1)
        number = next((number for number, (then, now) in pairs if not _same(then, now)), None)
        if number is not None:
            yield Difference(f"{place} {number}", recorded[number - 1], computed[number - 1])
    elif not _same(recorded, computed):
        yield Difference(place, recorded, computed)


def _same(recorded: Any, computed: Any) -> bool:
    return canonical_json(recorded) == canonical_json(computed)
