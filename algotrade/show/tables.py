"""The parts that every screen is made of: tables whose figures are never cut, and the rule for where text comes from.

Text from outside (symbols, strategy names, messages) is made plain and never read as markup.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.rule import Rule
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from algotrade.show import format as fmt

UNLIMITED: Final = 10_000  # columns; asked for when measuring how wide something would like to be
Cell = str | Text


def print_result(console: Console, *parts: RenderableType) -> None:
    """Print to a terminal within its width; to a pipe or a file as wide as the parts need, nothing wrapped or cut."""
    for part in parts:
        console.print(Uncut(part), crop=False)


class Uncut:
    """Renders its content at full width, without trailing blanks, where there is no edge of a terminal to keep to."""

    def __init__(self, content: RenderableType) -> None:
        self.content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if console.is_terminal:
            yield from console.render(self.content, options)
            return
        needed = Measurement.get(console, options.update(width=UNLIMITED), self.content).maximum
        wide = options.update(width=max(options.max_width, needed))
        for line in console.render_lines(self.content, wide, pad=False):
            yield Segment("".join(segment.text for segment in line).rstrip() + "\n")


class FirstThatFits:
    """Renders the first of its layouts that is no wider than the screen, else the last."""

    def __init__(self, *layouts: RenderableType) -> None:
        self.layouts = layouts

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._choose(console, options))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from console.render(self._choose(console, options), options)

    def _choose(self, console: Console, options: ConsoleOptions) -> RenderableType:
        unlimited = options.update(width=UNLIMITED)
        for layout in self.layouts:
            if Measurement.get(console, unlimited, layout).maximum <= options.max_width:
                return layout
        return self.layouts[-1]


def left(title: str) -> Column:
    """A column of words; they wrap when the screen is narrow."""
    return Column(Text(title), overflow="fold")


def right(title: str) -> Column:
    """A column of figures: never wrapped."""
    return Column(Text(title), justify="right", no_wrap=True, overflow="fold")


def table(title: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, note: str = "") -> Group:
    """A titled table; says "nothing" where there are no rows.

    Args:
        title: above the table, may be empty.
        columns: made by `left` and `right`.
        rows: cells in the order of the columns.
        note: a line beneath, may be empty.
    """
    grid = Table(
        *columns, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim"
    )
    for row in rows:
        grid.add_row(*map(as_text, row))
    parts: list[RenderableType] = [heading(title)] if title else []
    parts.append(grid if grid.row_count else Text("nothing", style="dim"))
    if note:
        parts.append(Text(note, style="dim"))
    return Group(*parts)


def pairs(rows: Iterable[tuple[Cell, Cell]]) -> Table:
    """Names and what they stand for, in two columns without lines."""
    grid = Table.grid(Column(style="dim", no_wrap=True), Column(overflow="fold"), padding=(0, 2, 0, 0))
    for name, value in rows:
        grid.add_row(as_text(name), as_text(value))
    return grid


def heading(text: str) -> Text:
    """The title of a part, with an empty line above."""
    return Text(f"\n{text}", style="bold")


def section(title: str) -> Rule:
    """A line across the screen that carries a title."""
    return Rule(Text(title, style="bold"), align="left", style="dim")


def as_text(cell: Cell) -> Text:
    """A cell as text that is never read as markup."""
    return cell if isinstance(cell, Text) else Text(cell)


def tinted(text: str, value: float | None) -> Text:
    """Green above zero, red below, plain at zero and where nothing is defined."""
    if value is None or math.isnan(value) or value == 0:
        return Text(text)
    return Text(text, style="green" if value > 0 else "red")


def listing(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, title: str = "", note: str = ""
) -> RenderableType:
    """Any list of things, as `algotrade list` prints them.

    Args:
        rows: one mapping a line; a missing key leaves its cell empty.
        columns: keys in order; they are also the headers, "_" shown as a space.
        title: above the table.
        note: a line beneath.
    """
    figures = {name for name in columns if any(_is_figure(row.get(name)) for row in rows)}
    heads = [(right if name in figures else left)(name.replace("_", " ")) for name in columns]
    return table(title, heads, [[_cell(row.get(name)) for name in columns] for row in rows], note=note)


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return fmt.count(value)
        case float():
            return fmt.quantity(value)
        case _:
            return fmt.plain(value)


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
