"""`algotrade new`: start a strategy, with a test, that both run as they are."""

from __future__ import annotations

from typing import Annotated

import typer

from algotrade.cli.commands import Commands
from algotrade.cli.invocation import invocation_of

app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    help="Start a strategy of your own.",
)


@app.callback()
def new() -> None:
    """Groups what can be started."""


@app.command()
def strategy(context: typer.Context, name: Annotated[str, typer.Argument(help="Like my_idea or MyIdea.")]) -> None:
    """Write strategies/NAME.py and tests/test_NAME.py; nothing is ever overwritten.

    [bold]Examples[/bold]
      algotrade new strategy my_idea
    """
    from algotrade.cli.scaffold import write_strategy

    invocation = invocation_of(context)
    files = write_strategy(name, invocation.settings().project_folder)
    command = f"algotrade backtest --strategy {files.name}"
    invocation.output.show(f"created {files.strategy}", f"created {files.test}", f"next    {command}")
    invocation.output.document(
        "algotrade.new_strategy/1",
        {"strategy": files.name, "files": [str(files.strategy), str(files.test)], "next": command},
    )
