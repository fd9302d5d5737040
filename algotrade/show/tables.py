"""The parts that every screen is made of: tables whose figures are never cut, and the rule for where text comes from.

Text from outside (symbols, strategy names, messages) is made plain and never read as markup.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from algotrade.show import format as fmt

UNLIMITED: Final = 10_000  # columns; asked for when measuring how wide something would like to be
LONGEST_WORD: Final = 30  # characters; a longer one, such as a path, may be broken
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
    """Renders the first of its layouts that the screen is wide enough for, else the last.

    Args:
        layouts: best first.
        wrapped: a layout fits if it does with its words wrapped; else it must fit in one piece.
    """

    def __init__(self, *layouts: RenderableType, wrapped: bool = False) -> None:
        self.layouts = layouts
        self.wrapped = wrapped

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._choose(console, options))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from console.render(self._choose(console, options), options)

    def _choose(self, console: Console, options: ConsoleOptions) -> RenderableType:
        unlimited = options.update(width=UNLIMITED)
        for layout in self.layouts:
            wanted = Measurement.get(console, unlimited, layout)
            if (wanted.minimum if self.wrapped else wanted.maximum) <= options.max_width:
                return layout
        return self.layouts[-1]


def left(title: str) -> Column:
    """A column of words; they wrap when the screen is narrow."""
    return Column(Text(title), overflow="fold")


def right(title: str) -> Column:
    """A column of figures: never wrapped."""
    width = max(map(len, title.splitlines()), default=0)
    return Column(Text(title), justify="right", no_wrap=True, overflow="fold", min_width=width)


def table(
    title: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, note: str = "", gap: int = 2
) -> Group:
    """A titled table; says "nothing" where there are no rows.

    On a narrow screen words wrap, then headers do, and where figures would still be cut each row becomes a record.

    Args:
        title: above the table, may be empty.
        columns: made by `left` and `right`.
        rows: cells in the order of the columns.
        note: beneath, may be empty.
        gap: blanks between columns, at least one.
    """
    cells = [[as_text(cell) for cell in row] for row in rows]
    layouts = (_grid(columns, cells, gap), _grid([*map(_stacked, columns)], cells, 1), _records(columns, cells))
    content = FirstThatFits(*layouts, wrapped=True) if cells else Text("nothing", style="dim")
    return Group(*([heading(title)] if title else []), content, *([Text(note, style="dim")] if note else []))


def pairs(rows: Iterable[tuple[Cell, Cell]]) -> Table:
    """Names and what they stand for, in two columns without lines."""
    grid = Table.grid(Column(style="dim", no_wrap=True), Column(overflow="fold"), padding=(0, 2, 0, 0))
    for name, value in rows:
        grid.add_row(as_text(name), as_text(value))
    return grid


def _grid(columns: Sequence[Column], rows: Sequence[Sequence[Text]], gap: int) -> Table:
    space = (0, gap - 1, 0, 0)
    heads = [_firm(column, [row[number].plain for row in rows]) for number, column in enumerate(columns)]
    grid = Table(*heads, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=space, header_style="dim")
    for row in rows:
        grid.add_row(*row)
    return grid


def _firm(column: Column, cells: Sequence[str]) -> Column:
    """The column, kept from being broken inside a word (a name, an id) that someone will copy."""
    firm = column.copy()
    if not any(" " in cell or "\n" in cell or len(cell) > LONGEST_WORD for cell in cells):
        firm.no_wrap = True
    return firm


def _stacked(column: Column) -> Column:
    """The column with each word of its header on a line of its own."""
    title = as_text(column.header).plain.replace(" ", "\n")
    return right(title) if column.justify == "right" else left(title)


def _records(columns: Sequence[Column], rows: Iterable[Sequence[Text]]) -> Group:
    """Each row as a block of lines, "header  value"."""
    heads = [as_text(column.header).plain.replace("\n", ", ") for column in columns]
    return Group(*(Group(pairs(zip(heads, row, strict=True)), Text("")) for row in rows))


def heading(text: str) -> Text:
    """The title of a part, with an empty line above."""
    return Text(f"\n{text}", style="bold")


def as_text(cell: object) -> Text:
    """A cell as text that is never read as markup."""
    return cell if isinstance(cell, Text) else Text(str(cell))


def tinted(text: str, value: float | None) -> Text:
    """Green above zero, red below, plain at zero and where nothing is defined."""
    if value is None or math.isnan(value) or value == 0:
        return Text(text)
    return Text(text, style="green" if value > 0 else "red")


def listing(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    *,
    formats: Mapping[str, Callable[[float | None], str]] = MappingProxyType({}),
    title: str = "",
    note: str = "",
) -> RenderableType:
    """Any list of things, as `algotrade list` prints them.

    Args:
        rows: one mapping a line; a missing key leaves its cell empty; ISO 8601 texts are times.
        columns: keys in order; they are also the headers, "_" shown as a space.
        formats: how the figures of a column read, by its key; else as quantities.
        title: above the table.
        note: a line beneath.
    """
    heads: list[Column] = []
    cells: list[list[str]] = []
    for name in columns:
        values = [row.get(name) for row in rows]
        heads.append((right if any(map(_is_figure, values)) else left)(name.replace("_", " ")))
        cells.append([*map(formats[name], values)] if name in formats else _texts(values))
    return table(title, heads, zip(*cells, strict=True), note=note)


def _texts(values: Sequence[Any]) -> list[str]:
    """A column as text."""
    given = [value for value in values if value is not None]
    if given and all(isinstance(value, str) and fmt.is_time(value) for value in given):
        return ["" if value is None else text for value, text in zip(values, fmt.times(values), strict=True)]
    return [_cell(value) for value in values]


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
