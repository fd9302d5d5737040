"""`algotrade new`: start a project, or a strategy with a test; all of it runs as it is."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from algotrade.cli.commands import Commands
from algotrade.cli.invocation import invocation_of

app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    help="Start a project, or a strategy of your own.",
)


@app.callback()
def new() -> None:
    """Groups what can be started."""


@app.command()
def strategy(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Like my_idea or MyIdea.")],
    kind: Annotated[
        str, typer.Option("--kind", help="signals, or portfolio: weights of several symbols in one account.")
    ] = "signals",
) -> None:
    """Write strategies/NAME.py and tests/test_NAME.py; nothing is ever overwritten.

    [bold]Examples[/bold]
      algotrade new strategy my_idea
      algotrade new strategy my_rotation --kind portfolio
    """
    from algotrade.cli.scaffold import write_strategy

    invocation = invocation_of(context)
    files = write_strategy(name, invocation.settings().project_folder, kind)
    several = " --symbol BTC/USD --symbol ETH/USD" if kind == "portfolio" else ""
    command = f"algotrade backtest --strategy {files.name}{several}"
    invocation.output.verbatim(f"created {files.strategy}", f"created {files.test}", f"next    {command}")
    invocation.output.document(
        "algotrade.new_strategy/1",
        {"strategy": files.name, "files": [str(files.strategy), str(files.test)], "next": command},
    )


@app.command()
def project(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where; it is made if need be.", show_default="this folder")] = Path(),
) -> None:
    """Write a project: settings, a strategy and its test, and what makes cron or systemd fetch. Overwrites nothing.

    [bold]Examples[/bold]
      algotrade new project my-bot
    """
    from algotrade.cli.project import write_project

    invocation = invocation_of(context)
    started = write_project(folder)
    shown = [f"created {_shown(path)}" for path in started.written]
    shown += [f"kept    {_shown(path)}" for path in started.kept]
    steps = [] if folder.absolute() == Path.cwd() else [f"cd {shlex.quote(str(folder))}"]
    steps += ["algotrade fetch", "algotrade backtest", "crontab -e   # add the line of crontab.txt"]
    invocation.output.verbatim(
        *shown,
        "\nnext    " + "\n        ".join(steps),
        "or, with systemd instead of cron:\n        " + "\n        ".join(started.installing),
    )
    invocation.output.document(
        "algotrade.new_project/1",
        {
            "folder": str(started.folder),
            "files": [str(path) for path in started.written],
            "kept": [str(path) for path in started.kept],
            "next": steps,
            "systemd": started.installing,
        },
    )


def _shown(path: Path) -> Path:
    """Relative to the current folder where it lies inside."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
