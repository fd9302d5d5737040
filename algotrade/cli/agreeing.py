"""Ask before something is removed."""

from __future__ import annotations

import sys

import typer

from algotrade.cli.invocation import Invocation
from algotrade.errors import NotAllowed


def agree(invocation: Invocation, what: str, again: str) -> None:
    """Return if a person agrees.

    Args:
        invocation: of the command.
        what: would be removed.
        again: the command that does not ask.

    Raises:
        NotAllowed: there is nobody to ask.
        typer.Exit: the person does not want it.
    """
    if not (invocation.output.interactive and sys.stdin.isatty()):
        raise NotAllowed(f"this would remove {what}; say --yes to do it", hint=again)
    try:
        agreed = typer.confirm(f"Remove {what}?", err=True)
    except typer.Abort:  # Ctrl-C or the end of the input
        raise KeyboardInterrupt from None
    if not agreed:
        invocation.output.note("nothing was removed")
        raise typer.Exit
