"""Short answers: what a fetch brought, and why a strategy did what it did at one bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from algotrade.show import format as fmt
from algotrade.show.tables import Cell, heading, left, pairs, right, table

if TYPE_CHECKING:
    from algotrade.ingest.fetch import FetchReport


def fetch_table(reports: Sequence[FetchReport]) -> RenderableType:
    """What became of each symbol, and beneath what is worth knowing about it."""
    first, last = (fmt.times(times) for times in ([r.first for r in reports], [r.last for r in reports]))
    rows: list[list[Cell]] = [
        [
            fmt.plain(f"{report.key.symbol} {report.key.timeframe}"),
            fmt.plain(report.key.exchange),
            fmt.count(report.added),
            fmt.count(report.revised),
            begin,
            end,
            fmt.count(report.gaps),
            Text("yes", style="green") if report.complete else Text("no", style="yellow"),
        ]
        for report, begin, end in zip(reports, first, last, strict=True)
    ]
    columns = [left("series"), left("exchange"), right("new"), right("revised"), left("from"), left("to")]
    columns += [right("missing"), left("complete")]
    notes = [Text(fmt.plain(f"{report.key.symbol}: {report.note}")) for report in reports if report.note]
    return Group(table("Stored candles", columns, rows), *notes)


def why_panel(document: Mapping[str, Any]) -> RenderableType:
    """What the strategy saw, wanted and did at one bar.

    Args:
        document: `title` and `answer`, sentences; then any sections, each a mapping of names to plain values, in the
            order in which they are to be read ("saw", "wanted", "did").
    """
    sections = [
        Group(heading(name.replace("_", " ").capitalize()), pairs((key, _value(value)) for key, value in body.items()))
        for name, body in document.items()
        if isinstance(body, Mapping)
    ]
    title, answer = fmt.plain(document["title"]), fmt.plain(document["answer"])
    return Group(Text(title, style="bold"), Text(answer), *sections)


def _value(value: Any) -> str:
    if isinstance(value, float):
        return fmt.price(value)
    text = fmt.plain(fmt.NOT_AVAILABLE if value is None else value)
    return fmt.time(text) if fmt.is_time(text) else text
