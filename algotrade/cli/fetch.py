"""`algotrade fetch`: bring candles into the store, from an exchange or a file."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from algotrade.cli import options
from algotrade.cli.invocation import Invocation, invocation_of
from algotrade.errors import AlgotradeError, FixCommand, FixData

if TYPE_CHECKING:
    from algotrade.config import Settings
    from algotrade.ingest.fetch import FetchProgress, FetchReport, FetchRequest
    from algotrade.ingest.files import ImportOptions, ImportReport
    from algotrade.market.candles import SeriesKey

DEFAULT_TIMEFRAME: Final = "1d"
COLUMNS: Final = ("exchange", "symbol", "timeframe", "added", "revised", "first", "last", "gaps", "note")
RARE: Final = ("revised", "note")  # shown where there is something to see
SHOWN_BAD_ROWS: Final = 20
FILE_PANEL: Final = "From a file"

app = typer.Typer(add_completion=False)
log = logging.getLogger(__name__)


@app.command()
def fetch(
    context: typer.Context,
    symbol: Annotated[list[str] | None, typer.Option("--symbol", help='What to fetch, "BTC/USD"; repeat it.')] = None,
    exchange: options.ExchangeOption = None,
    timeframe: options.TimeframeOption = None,
    start: options.StartOption = None,
    end: options.EndOption = None,
    file: Annotated[
        Path | None, typer.Option("--from", help="A CSV (gzip too) or Parquet file.", rich_help_panel=FILE_PANEL)
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns", metavar="FIELD=NAME,...", help="Columns not recognised by name.", rich_help_panel=FILE_PANEL
        ),
    ] = None,
    time_format: Annotated[
        str | None, typer.Option("--time-format", help='As for strptime: "%d.%m.%Y".', rich_help_panel=FILE_PANEL)
    ] = None,
    close_only: Annotated[
        bool, typer.Option("--close-only", help="It has closing prices alone.", rich_help_panel=FILE_PANEL)
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Store the good rows, list the bad.", rich_help_panel=FILE_PANEL)
    ] = False,
) -> None:
    """Bring candles into the store: closed ones only, and only what is missing. Running it twice changes nothing.

    [bold]Examples[/bold]
      algotrade fetch --symbol BTC/USD --symbol ETH/USD --timeframe 1h --start 2024-01-01
      algotrade fetch --exchange demo --symbol BTC/USD --timeframe 1m --start 2024-01-01 --end 2024-01-31
      algotrade fetch --symbol BTC/USD --from prices.csv.gz --columns "time=Trade Day,close=Last"
    """
    from algotrade.ingest.files import ImportOptions
    from algotrade.ingest.source import DEFAULT_EXCHANGE
    from algotrade.market.candles import SeriesKey

    invocation = invocation_of(context)
    settings = invocation.settings({"defaults.exchange": exchange, "defaults.timeframe": timeframe})
    symbols = tuple(dict.fromkeys(symbol or [settings.defaults.symbol]))
    reading = ImportOptions(_parse_columns(columns), time_format, close_only, skip_bad)
    if file is None:
        if reading != ImportOptions():
            raise FixCommand(
                "--columns, --time-format, --close-only and --skip-bad are about a file: give --from FILE",
                hint="algotrade fetch --symbol BTC/USD --from prices.csv",
            )
        _fetch_from_exchange(invocation, settings, symbols, start, end)
    else:
        if len(symbols) > 1 or start or end:
            raise FixCommand("a file is read whole, for one symbol", hint="algotrade fetch -h")
        key = SeriesKey(settings.defaults.exchange or DEFAULT_EXCHANGE, symbols[0], timeframe or "", "import")
        if symbol is None:
            invocation.output.note(
                f"the file is taken for {key.exchange} {key.symbol}; --symbol and --exchange say otherwise"
            )
        _fetch_from_file(invocation, settings, file, key, reading)


def _fetch_from_exchange(
    invocation: Invocation, settings: Settings, symbols: tuple[str, ...], start: str | None, end: str | None
) -> None:
    from algotrade.ingest.fetch import FetchRequest
    from algotrade.market.span import parse_span

    span = parse_span(start, end)
    request = FetchRequest(symbols, settings.defaults.timeframe or DEFAULT_TIMEFRAME, span.start, span.end)
    reports = asyncio.run(_reports(invocation, settings, request))
    errors = [report.error for report in reports if report.error is not None]
    if len(errors) == len(reports):
        raise errors[0]
    _print(invocation, reports)
    short = [FixData(report.note, hint="algotrade list exchanges") for report in reports if not report.complete]
    for error in [*errors, *short]:
        raise typer.Exit(error.exit_code) if invocation.json else error  # the one object that --json prints is out


async def _reports(invocation: Invocation, settings: Settings, request: FetchRequest) -> list[FetchReport]:
    from algotrade.exchange.opening import open_exchange
    from algotrade.ingest.fetch import fetch_candles
    from algotrade.ingest.source import DEFAULT_EXCHANGE
    from algotrade.store.database import open_database

    name = settings.defaults.exchange or DEFAULT_EXCHANGE
    async with open_exchange(name, options=settings.ccxt_options(name)) as exchange:
        if exchange.simulated:
            invocation.output.note("SIMULATED: the demo exchange makes its prices up")
        with open_database(settings.database) as database, invocation.output.progress() as bars:
            tasks = {
                symbol: bars.add_task(f"{name} {symbol} {request.timeframe}", total=None) for symbol in request.symbols
            }

            def show(step: FetchProgress) -> None:
                bars.update(tasks[step.symbol], total=step.end - step.start, completed=step.reached - step.start)

            reports = await fetch_candles(exchange, database, request, show)
    for report in reports:
        if report.error is None:
            log.info("%s +%d candles", " ".join(report.key[:3]), report.added)
    return reports


def _fetch_from_file(
    invocation: Invocation, settings: Settings, file: Path, key: SeriesKey, reading: ImportOptions
) -> None:
    from algotrade.exchange.base import system_ms
    from algotrade.ingest.files import import_file
    from algotrade.store.database import open_database

    with open_database(settings.database) as database:
        try:
            report = import_file(database, file, key, reading, now_ms=system_ms())
        except AlgotradeError as error:
            error.hint = error.hint or "algotrade fetch -h"  # how else a file can be read
            raise
    log.info("%s +%d candles from %s", " ".join(report.key[:3]), report.added, file)
    _print(invocation, [report], [row._asdict() for row in report.skipped])


def _print(
    invocation: Invocation,
    reports: Sequence[FetchReport | ImportReport],
    skipped: Sequence[Mapping[str, Any]] = (),
) -> None:
    from algotrade.show.tables import listing

    rows = [_row(report) for report in reports]
    invocation.output.show(
        listing(rows, [name for name in COLUMNS if name not in RARE or any(row[name] for row in rows)])
    )
    if skipped:
        more = f"{len(skipped) - SHOWN_BAD_ROWS} more" if len(skipped) > SHOWN_BAD_ROWS else ""
        invocation.output.show(listing(skipped[:SHOWN_BAD_ROWS], ["line", "reason"], title="Bad rows", note=more))
    invocation.output.document("algotrade.fetch/1", {"series": rows, "skipped": skipped})


def _row(report: FetchReport | ImportReport) -> dict[str, Any]:
    """A report as plain values; the error of a symbol that failed among them."""
    from algotrade.market.candles import iso

    values = report._asdict()
    error = values.get("error")
    return {
        **report.key._asdict(),
        **{name: values[name] for name in ("added", "unchanged", "revised", "gaps")},
        **{name: None if values[name] is None else iso(values[name]) for name in ("first", "last")},
        "note": error.message if error else report.note,
        "error": error.kind if error else None,
    }


def _parse_columns(text: str | None) -> dict[str, str]:
    """ "time=Trade Day,close=Last" as field to column name."""
    pairs = [part.partition("=") for part in (text or "").split(",") if part]
    if any(not (field.strip() and name.strip()) for field, _, name in pairs):
        raise FixCommand(
            f"columns are given as FIELD=NAME,..., given '{text}'",
            hint='algotrade fetch --from prices.csv --columns "time=Date,close=Last"',
        )
    return {field.strip(): name.strip() for field, _, name in pairs}
