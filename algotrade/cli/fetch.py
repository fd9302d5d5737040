"""`algotrade fetch`: bring candles into the store, from exchanges or a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from algotrade.cli.fetch_asked import Asked, choose_jobs, refuse_for_file
from algotrade.cli.fetch_file import Reading, fetch_file
from algotrade.cli.fetch_funding import fetch_funding_rates, import_funding_file
from algotrade.cli.fetch_jobs import fetch_jobs
from algotrade.cli.fetch_stream import stream_jobs
from algotrade.cli.invocation import invocation_of
from algotrade.errors import FixCommand

SERIES_PANEL: Final = "Which series"
HOW_PANEL: Final = "How"
FILE_PANEL: Final = "From a file"

app = typer.Typer(add_completion=False)


def _series(flag: str, help_text: str) -> Any:
    return typer.Option(flag, help=help_text, rich_help_panel=SERIES_PANEL)


def _how(flag: str, help_text: str) -> Any:
    return typer.Option(flag, help=help_text, rich_help_panel=HOW_PANEL)


def _file(flag: str, help_text: str, metavar: str | None = None) -> Any:
    return typer.Option(flag, help=help_text, metavar=metavar, rich_help_panel=FILE_PANEL)


@app.command()
def fetch(
    context: typer.Context,
    symbol: Annotated[list[str] | None, _series("--symbol", 'What to fetch, "BTC/USD"; repeat it.')] = None,
    exchange: Annotated[
        list[str] | None, _series("--exchange", "Whose candles; `demo` needs no network; repeat it.")
    ] = None,
    timeframe: Annotated[list[str] | None, _series("--timeframe", 'Length of a bar: "1m", "1d"; repeat it.')] = None,
    all_stored: Annotated[bool, _series("--all-stored", "Every stored series, from its last bar on.")] = False,
    start: Annotated[str | None, _series("--start", "First day or moment, UTC, inclusive.")] = None,
    end: Annotated[str | None, _series("--end", "Last day or moment, UTC, inclusive.")] = None,
    via: Annotated[str, _how("--via", "`candles`, or `trades`: make them from the public trades.")] = "candles",
    keep_trades: Annotated[bool, _how("--keep-trades", "With --via trades: store the trades too.")] = False,
    repair: Annotated[bool, _how("--repair", "Ask again for the holes of what is stored.")] = False,
    stream: Annotated[bool, _how("--stream", "Keep them current until Ctrl-C, by what the exchange sends.")] = False,
    funding: Annotated[bool, _how("--funding", "Funding rates of perpetual contracts, instead of candles.")] = False,
    file: Annotated[Path | None, _file("--from", "CSV, JSON, Parquet, Feather; a folder or zip.")] = None,
    columns: Annotated[
        str | None, _file("--columns", "Columns not recognised by name.", metavar="FIELD=NAME,...")
    ] = None,
    time_format: Annotated[str | None, _file("--time-format", 'As for strptime: "%d.%m.%Y".')] = None,
    close_only: Annotated[bool, _file("--close-only", "It has closing prices alone.")] = False,
    skip_bad: Annotated[bool, _file("--skip-bad", "Store the good rows, list the bad.")] = False,
    replace: Annotated[bool, _file("--replace", "Where it differs, over what is stored.")] = False,
) -> None:
    """Bring candles into the store: closed ones, and only what is missing.

    Without arguments it fetches what the `fetch` entries of algotrade.toml say.

    [bold]Examples[/bold]
      algotrade fetch --symbol BTC/USD --symbol ETH/USD --timeframe 1h
      algotrade fetch --symbol BTC/USD --timeframe 1m --via trades
      algotrade fetch --symbol BTC/USD --timeframe 1m --stream
      algotrade fetch --all-stored
      algotrade fetch --all-stored --repair
      algotrade fetch --symbol BTC/USD --from prices.csv.gz
      algotrade fetch --funding --exchange binance --symbol BTC/USDT:USDT

    [bold]Exit codes[/bold]
      0 if every series is complete, else the most urgent of:
      77 refused, 3 configuration, 2 no such symbol or timeframe, 4 data
      missing or bad; 69 exchange not reached, 75 another run has it or the
      exchange asks for patience: these two the next run may mend.
      130 and 143: stopped by a signal; what came is stored.
    """
    invocation = invocation_of(context)
    settings = invocation.settings()
    asked = Asked.of(context.params)
    if file is not None:
        refuse_for_file(asked)
        reading = Reading(file, columns, time_format, close_only, skip_bad, replace)
        (import_funding_file if funding else fetch_file)(invocation, settings, asked, reading)
    elif columns or time_format or close_only or skip_bad or replace:
        raise FixCommand(
            "--columns, --time-format, --close-only, --skip-bad and --replace are about a file: give --from FILE",
            hint="algotrade fetch --symbol BTC/USD --from prices.csv",
        )
    elif funding:
        fetch_funding_rates(invocation, settings, asked)
    elif stream:
        stream_jobs(invocation, settings, choose_jobs(settings, asked))
    else:
        fetch_jobs(invocation, settings, choose_jobs(settings, asked))
