"""The commands by name, each in its own module, imported when it is needed."""

from __future__ import annotations

import importlib
from typing import Annotated, Any, Final, NamedTuple

import typer
from typer.core import TyperGroup

import algotrade
from algotrade.cli.invocation import add_common_options
from algotrade.cli.overview import HELP_OPTIONS, option_panels, print_overview, tidy_help
from algotrade.errors import FixCommand, did_you_mean

WORK: Final = "From data to orders"
LOOK: Final = "Look into it"
SET_UP: Final = "Set it up"


class Entry(NamedTuple):
    """A command in the help: the panel that it stands in, and what it does in a few words."""

    panel: str
    summary: str


COMMANDS: Final = {  # the code of each is in the module of its name beside this one
    "fetch": Entry(WORK, "Bring candles into the store, from an exchange or a file."),
    "backtest": Entry(WORK, "Run a strategy over candles, check it, print and keep the run."),
    "evaluate": Entry(WORK, "Judge a kept run or a live session, or compare two."),
    "verify": Entry(WORK, "Run a result again: every figure the same, or what changed."),
    "live": Entry(WORK, "Trade on paper: real prices, simulated fills."),
    "list": Entry(LOOK, "Exchanges, markets, timeframes, strategies, data, runs, sessions, schemas."),
    "data": Entry(LOOK, "Export, import, check and drop what is stored."),
    "why": Entry(LOOK, "What the strategy saw, wanted and did at one bar."),
    "replay": Entry(LOOK, "Reproduce a live session, byte for byte."),
    "new": Entry(SET_UP, "Start a project, or a strategy of your own with its test."),
    "schedule": Entry(SET_UP, "The cron line and the systemd timer for a fetch."),
    "config": Entry(SET_UP, "Show settings and where each came from."),
}

HELP: Final = """
Fetch market data, backtest a trading strategy, judge it honestly, trade it live.

[bold]Start here:[/bold]  algotrade backtest --symbol BTC/USD

[bold]Examples[/bold]
  algotrade fetch --symbol BTC/USD --timeframe 1h --start 2024-01-01
  algotrade backtest --strategy sma_cross -p fast=10 -p slow=20
  algotrade evaluate latest
  algotrade live --cash 10000"""


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
            command: Any = typer.main.get_command(importlib.import_module(f"algotrade.cli.{cmd_name}").app)
            command.name = cmd_name
            command.short_help = COMMANDS[cmd_name].summary
            add_common_options(command)
            tidy_help(command)
            self.commands[cmd_name] = command
        return self.commands[cmd_name]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the overview; unlike Typer's own it loads no command."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name, entry in COMMANDS.items():
            panels.setdefault(entry.panel, []).append((name, entry.summary))
        print_overview(self.get_usage(ctx), HELP, panels | option_panels(self.get_params(ctx)))


app = typer.Typer(
    cls=RootCommands,
    no_args_is_help=True,
    context_settings={"help_option_names": HELP_OPTIONS},
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
