"""The first page of the help, drawn without Typer's own drawing code, which costs more to load than all else here."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import typer

if TYPE_CHECKING:
    from rich.panel import Panel

PIPED_WIDTH: Final = 100
OWN_OPTIONS: Final = "Options"
HELP_OPTIONS: Final = ["-h", "--help"]


def print_overview(usage: str, text: str, panels: dict[str, list[tuple[str, str]]]) -> None:
    """Print usage, text, and one panel a group of names.

    Args:
        usage: the line that says how commands are written.
        text: in Rich's markup.
        panels: title -> (name, sentence) in order.
    """
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
    console.print()
    console.print(Text(f" {usage}", style="bold"))
    console.print(Text.from_markup("\n".join(f" {line}".rstrip() for line in text.splitlines())))
    console.print()
    width = max(len(name) for rows in panels.values() for name, _ in rows)
    for title, rows in panels.items():
        console.print(_panel(title, rows, width))


def option_panels(parameters: Iterable[Any]) -> dict[str, list[tuple[str, str]]]:
    """The options of a command by the panel that they stand in."""
    panels: dict[str, list[tuple[str, str]]] = {}
    for parameter in parameters:
        if not parameter.hidden:
            value = "" if parameter.is_flag else f" {parameter.name.upper()}"
            row = (", ".join(parameter.opts) + value, parameter.help or "")
            panels.setdefault(parameter.rich_help_panel or OWN_OPTIONS, []).append(row)
    return panels


def _panel(title: str, rows: list[tuple[str, str]], width: int) -> Panel:
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(width=width, no_wrap=True)
    grid.add_column(ratio=1)
    for name, sentence in rows:
        grid.add_row(Text(name, style="bold cyan"), Text(sentence))
    return Panel(grid, title=title, title_align="left", border_style="dim")


def tidy_help(command: Any) -> None:
    """Have the help of a command, and of all commands of a group, fill the screen's width however wide that is.

    The lines of a paragraph are joined; what stands under a heading keeps its lines and its indent. Typer takes away
    the margin that such lines have in common; with an empty mark-up they have none.
    """
    if command.help:
        paragraphs = command.help.split("\n\n")
        joined = (text if text.startswith("[bold]") else text.replace("\n", " ") for text in paragraphs)
        command.help = re.sub(r"^  ", "[bold][/bold]  ", "\n\n".join(joined), flags=re.MULTILINE)
    for parameter in command.get_params(typer.Context(command, help_option_names=HELP_OPTIONS)):
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""  # not "<bool>": nothing follows a switch
    for below in getattr(command, "commands", {}).values():
        tidy_help(below)
