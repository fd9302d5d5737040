"""`algotrade schedule`: what has to be told to cron or systemd so that a fetch runs by itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from algotrade.cli.commands import Commands
from algotrade.cli.invocation import Invocation, invocation_of
from algotrade.errors import NotAllowed

if TYPE_CHECKING:
    from algotrade.config import Settings

app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    help="Print the cron line and the systemd timer for a fetch.",
)


@app.callback()
def schedule() -> None:
    """Groups what can be scheduled."""


@app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def fetch(
    context: typer.Context,
    every: Annotated[str, typer.Option("--every", help="1m, 5m, 10m, 15m, 30m, 1h, 2h, 4h, 6h, 12h or 1d.")] = "1h",
) -> None:
    """Print what runs `algotrade fetch` again and again, with the options given: nothing is installed.

    Without options it fetches what the `fetch` entries of algotrade.toml say. Runs that overlap do no harm: a
    series that one of them is fetching is left alone by the other.

    [bold]Examples[/bold]
      algotrade schedule fetch
      algotrade schedule fetch --every 15m --all-stored
    """
    from algotrade.cli.timetable import cron_line, errand, systemd_service, systemd_timer

    invocation = invocation_of(context)
    settings = invocation.settings()
    _check_arguments(context.args, settings)
    folder = settings.project_folder
    work = errand(folder, ("fetch", *context.args, *_carried_on(invocation)), every)
    texts = {"cron": cron_line(work), "service": systemd_service(work), "timer": systemd_timer(work)}
    invocation.output.verbatim(
        "# cron: add this line with `crontab -e`",
        texts["cron"],
        f"\n# systemd: ~/.config/systemd/user/{work.unit}.service",
        texts["service"],
        f"# systemd: ~/.config/systemd/user/{work.unit}.timer",
        texts["timer"],
        f"# then: systemctl --user daemon-reload && systemctl --user enable --now {work.unit}.timer",
    )
    invocation.output.document("algotrade.schedule/1", {"folder": str(folder), "command": work.command, **texts})


def _check_arguments(arguments: list[str], settings: Settings) -> None:
    """Judge them as `algotrade fetch` would, so that a slip is told now and not by a log next week."""
    import importlib

    from algotrade.cli.fetch_asked import Asked, check_asked, refuse_for_file

    command = typer.main.get_command(importlib.import_module("algotrade.cli.fetch").app)
    parsed = command.make_context("algotrade fetch", list(arguments), resilient_parsing=False).params
    if parsed["file"] is None:
        check_asked(settings, Asked.of(parsed))
    else:
        refuse_for_file(Asked.of(parsed))


def _carried_on(invocation: Invocation) -> list[str]:
    """The options of every command that a fetch needs, too: they have been read as this command's own.

    Raises:
        NotAllowed: one is a URL with a password.
    """
    from algotrade.config import masked

    found = ["--quiet"] if invocation.quiet else []
    for flag, value in (("--config", invocation.config), ("--database", invocation.database)):
        if value and masked(value) != value:
            raise NotAllowed(f"{flag} holds a password; set ALGOTRADE_DATABASE_URL where the command is to run")
        if value:
            found += [flag, value if "://" in value else str(Path(value).expanduser().absolute())]
    return found
