"""Why a strategy did what it did at one bar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from algotrade.show import format as fmt
from algotrade.show.conditions import SIMULATED
from algotrade.show.tables import heading, listing, pairs


def why_panel(document: Mapping[str, Any]) -> RenderableType:
    """What the strategy saw, wanted and did at one bar.

    Args:
        document: `simulated`; `title` and `answer`, sentences; then any sections, each a mapping of names to plain
            values or a list of such, in the order in which they are to be read ("saw", "wanted", "did", "fills"); empty
            ones are left out.
    """
    sections = [
        _section(_name(name).capitalize(), body)
        for name, body in document.items()
        if body and isinstance(body, Mapping | list)
    ]
    title = fmt.plain(document["title"]) + (SIMULATED if document["simulated"] else "")
    return Group(Text(title, style="bold"), Text(fmt.plain(document["answer"])), *sections)


def _section(title: str, body: Mapping[str, Any] | list[Mapping[str, Any]]) -> RenderableType:
    if isinstance(body, list):
        return listing(body, list(body[0]), title=title)
    return Group(heading(title), pairs((_name(key), _value(value)) for key, value in body.items()))


def _name(key: str) -> str:
    return fmt.plain(key).replace("_", " ")


def _value(value: Any) -> str:
    if isinstance(value, float):
        return fmt.quantity(value)
    text = fmt.plain(fmt.NOT_AVAILABLE if value is None else value)
    return fmt.time(text) if fmt.is_time(text) else text
