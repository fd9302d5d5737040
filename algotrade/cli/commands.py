"""The commands by name, each in its own module, imported when it is needed."""

from __future__ import annotations

import importlib
from typing import Annotated, Any, Final, NamedTuple

import typer
from typer.core import TyperGroup

import algotrade
from algotrade.cli.invocation import add_common_options
from algotrade.errors import FixCommand, did_you_mean


class Place(NamedTuple):
    """Where a command's code is, and the panel of the help that it stands in."""

    module: str
    panel: str


COMMANDS: Final = {
    "fetch": Place("algotrade.cli.fetch", "Trade a strategy, from data to orders"),
    "backtest": Place("algotrade.cli.backtest", "Trade a strategy, from data to orders"),
    "evaluate": Place("algotrade.cli.evaluate", "Trade a strategy, from data to orders"),
    "live": Place("algotrade.cli.live", "Trade a strategy, from data to orders"),
    "list": Place("algotrade.cli.list", "Look into it"),
    "why": Place("algotrade.cli.why", "Look into it"),
    "replay": Place("algotrade.cli.replay", "Look into it"),
    "new": Place("algotrade.cli.new", "Set it up"),
    "config": Place("algotrade.cli.config", "Set it up"),
}

HELP: Final = """
Fetch market data, backtest a trading strategy, judge it honestly, trade it live.

Start here:  algotrade backtest --symbol BTC/USD

[bold]Examples[/bold]
  algotrade fetch --symbol BTC/USD --timeframe 1h --start 2024-01-01
  algotrade backtest --strategy sma_cross -p fast=10 -p slow=20
  algotrade evaluate latest
  algotrade live --cash 10000
"""


class Commands(TyperGroup):
    """A group that answers an unknown name with the nearest known one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments name.

        Raises:
            FixCommand: there is none.
        """
        given = args[0]
        if not ctx.resilient_parsing and not given.startswith("-") and self.get_command(ctx, given) is None:
            near = did_you_mean(given, self.list_commands(ctx))
            raise FixCommand(f"there is no command '{ctx.command_path} {given}'.{near}", hint=f"{ctx.command_path} -h")
        return super().resolve_command(ctx, args)


class RootCommands(Commands):
    """`algotrade` itself: loads a command's module when the command is asked for."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        add_common_options(self)

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        if cmd_name not in self.commands:
            command: Any = typer.main.get_command(importlib.import_module(COMMANDS[cmd_name].module).app)
            command.name = cmd_name
            command.rich_help_panel = COMMANDS[cmd_name].panel
            add_common_options(command)
            self.commands[cmd_name] = command
        return self.commands[cmd_name]


app = typer.Typer(
    cls=RootCommands,
    no_args_is_help=True,
    help=HELP,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"algotrade {algotrade.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Only its options count; the work is in the commands."""
