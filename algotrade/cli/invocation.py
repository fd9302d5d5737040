"""The options that every command has, before or after its name, and what follows from them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from algotrade.cli.output import Output

if TYPE_CHECKING:
    from algotrade.config import Settings

PANEL: Final = "Options of every command"


@dataclass
class Invocation:
    """One run of the command line; filled while the arguments are parsed."""

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    debug: bool = False
    database: str | None = None
    config: str | None = None

    @cached_property
    def output(self) -> Output:
        """The streams, log included; first used by a command, when all arguments are parsed."""
        output = Output(json=self.json, quiet=self.quiet, verbose=self.verbose)
        sys.stdout = sys.stderr  # from here on stdout is the result's alone: what a strategy prints is none of it
        output.start_log()
        return output

    def settings(self, flags: Mapping[str, object] | None = None) -> Settings:
        """Settings under the command's own flags: dotted key -> value, None where not given."""
        from algotrade.config import load_settings

        config = Path(self.config) if self.config else None
        return load_settings({"store.database": self.database, **(flags or {})}, config)


def invocation_of(context: typer.Context) -> Invocation:
    """The run that a command belongs to."""
    found = context.find_object(Invocation)
    if found is None:
        raise LookupError("the command was not started by algotrade.cli.main")
    return found


def _remember(context: typer.Context, parameter: typer.CallbackParam, value: Any) -> None:
    if value and parameter.name:
        setattr(invocation_of(context), parameter.name, value)


def _common(flag: str, help_text: str, *more: str) -> Any:
    return typer.Option(flag, *more, help=help_text, callback=_remember, expose_value=False, rich_help_panel=PANEL)


def _carrier(
    json: Annotated[bool, _common("--json", "Print the result as one JSON object.")] = False,
    quiet: Annotated[bool, _common("--quiet", "Print the result and errors only.", "-q")] = False,
    verbose: Annotated[bool, _common("--verbose", "Log details on stderr.", "-v")] = False,
    debug: Annotated[bool, _common("--debug", "Print tracebacks.")] = False,
    database: Annotated[str | None, _common("--database", "Path or URL of the database.")] = None,
    config: Annotated[str | None, _common("--config", "Read this instead of the project's algotrade.toml.")] = None,
) -> None:
    """Carries the declarations to Typer, which makes options from a signature only."""


def add_common_options(command: Any) -> None:
    """Give the options to a command, and to all commands of a group."""
    carrier = typer.Typer(add_completion=False)
    carrier.command()(_carrier)
    command.params.extend(typer.main.get_command(carrier).params)
    for below in getattr(command, "commands", {}).values():
        add_common_options(below)
