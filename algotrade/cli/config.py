"""`algotrade config`: the settings in force, and where each came from."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from algotrade.cli.commands import Commands
from algotrade.cli.invocation import invocation_of

app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    help="Show settings and where each came from.",
)


@app.callback()
def config() -> None:
    """Groups the commands on settings."""


@app.command()
def show(
    context: typer.Context,
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value came from.")] = False,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Show every key with its default; read no file.")
    ] = False,
) -> None:
    """Print every setting: flags, then ALGOTRADE_* variables, the project's algotrade.toml, the user's, the defaults.

    [bold]Examples[/bold]
      algotrade config show --origin
      algotrade config show --defaults
    """
    from algotrade.config import default_settings, masked
    from algotrade.show.tables import listing

    invocation = invocation_of(context)
    settings = default_settings() if defaults else invocation.settings()
    rows = [
        {"setting": key, "value": value, "origin": settings.origin_of(key)} for key, value in settings.listed().items()
    ]
    places = {
        "project file": settings.project_file,
        "user file": settings.user_file,
        "database": settings.database,
        "sessions": settings.sessions_folder,
    }
    found = {place: masked(str(path)) if path else None for place, path in places.items()}
    columns = ["setting", "value", "origin"] if origin else ["setting", "value"]
    invocation.output.show(
        listing([{**row, "value": _written(row["value"])} for row in rows], columns, title="Settings"),
        listing([{"place": place, "path": path} for place, path in found.items()], ["place", "path"], title="Places"),
    )
    invocation.output.document("algotrade.config/1", {"settings": rows, "places": found})


def _written(value: Any) -> str:
    """The value as algotrade.toml would have it."""
    return "(not set)" if value is None else json.dumps(value, ensure_ascii=False, default=str)
