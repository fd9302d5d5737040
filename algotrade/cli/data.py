"""`algotrade data`: take stored candles elsewhere and back, check them, drop them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from algotrade.cli import options
from algotrade.cli.agreeing import agree
from algotrade.cli.commands import Commands
from algotrade.cli.invocation import Invocation, invocation_of
from algotrade.cli.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from algotrade.market.candles import SeriesKey
    from algotrade.store.database import Database
    from algotrade.store.removal import Holdings

VERIFY_COLUMNS: Final = ("exchange", "symbol", "timeframe", "origin", "candles", "first", "last", "finding")

OriginOption = Annotated[str | None, typer.Option("--origin", help="Who made them: official, import, trades, ...")]

app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    help="Export, import, check and drop what is stored.",
)


@app.callback()
def data() -> None:
    """Groups the commands on what is stored."""


@app.command()
def export(
    context: typer.Context,
    to: Annotated[Path, typer.Option("--to", help="A file ending in .parquet, .csv or .csv.gz.")],
    symbol: options.SymbolOption = None,
    timeframe: options.TimeframeOption = None,
    exchange: options.ExchangeOption = None,
    origin: OriginOption = None,
    start: options.StartOption = None,
    end: options.EndOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write one stored series into a file that names it; `algotrade data import` puts it back.

    [bold]Examples[/bold]
      algotrade data export --symbol BTC/USD --timeframe 1h --to candles.parquet
      algotrade data export --start 2024-01-01 --end 2024-12-31 --to 2024.csv.gz
    """
    from algotrade.ingest.files.export import check_target, export_candles
    from algotrade.market.candles import iso
    from algotrade.store.database import open_database

    invocation = invocation_of(context)
    span = options.typed_span(start, end, "algotrade data export --start 2024-01-01 --end 2024-12-31 --to 2024.csv")
    check_target(to, force=force)
    with open_database(invocation.settings().database) as database:
        key = _the_one(database, Wanted(exchange, symbol, timeframe, origin), "export --to candles.parquet")
        report = export_candles(database, key, span, to, force=force)
    row = {
        **report.key._asdict(),
        "candles": report.rows,
        "first": iso(report.first),
        "last": iso(report.last),
        "hash": report.hash,
        "file": str(to),
    }
    _show(invocation, [row], [name for name in row if name != "hash"])
    invocation.output.document("algotrade.data_export/1", row)


@app.command(name="import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Written by `algotrade data export`.")],
    replace: Annotated[bool, typer.Option("--replace", help="Where they differ, over the stored candles.")] = False,
) -> None:
    """Put an exported series back, under the name that the file gives it. `algotrade fetch --from` reads other files.

    Nothing is stored if a candle is stored with other values, unless --replace is given; then both are kept noted.

    [bold]Examples[/bold]
      algotrade data import candles.parquet
      algotrade fetch --symbol BTC/USD --from prices.csv
    """
    from algotrade.ingest.files.restore import import_own
    from algotrade.market.candles import iso
    from algotrade.store.database import open_database

    invocation = invocation_of(context)
    with open_database(invocation.settings().database) as database:
        contents, written = import_own(database, file, replace=replace)
    row = {
        **contents.key._asdict(),
        "candles": contents.rows,
        **written._asdict(),
        "first": iso(contents.first),
        "last": iso(contents.last),
    }
    _show(invocation, [row], list(row))
    invocation.output.document("algotrade.data_import/1", row)


@app.command()
def verify(
    context: typer.Context,
    symbol: options.SymbolOption = None,
    timeframe: options.TimeframeOption = None,
    exchange: options.ExchangeOption = None,
    origin: OriginOption = None,
) -> None:
    """Read everything that is stored and check it: the database, every candle, every note, every hash. Changes nothing.

    Exits with 5 if anything is wrong. Options restrict it to some series.

    [bold]Examples[/bold]
      algotrade data verify
      algotrade data verify --symbol BTC/USD
    """
    from algotrade.errors import ReviewResult
    from algotrade.ingest.trades.recheck import recheck_trades
    from algotrade.market.candles import iso
    from algotrade.store.database import open_database
    from algotrade.store.funding import check_funding
    from algotrade.store.integrity import check_database, check_series, stored_keys

    invocation = invocation_of(context)
    with open_database(invocation.settings().database) as database:
        damages = check_database(database) or check_funding(database)
        keys = Wanted(exchange, symbol, timeframe, origin).choose(stored_keys(database))
        checked = [(check_series(database, key), recheck_trades(database, key)) for key in keys]
        mending = {
            health.key: _mending(database, health.key, rows_whole=health.rows_whole and not trades.problems)
            for health, trades in checked
            if health.problems or trades.problems
        }
    rows = [
        {
            **health.key._asdict(),
            "candles": health.rows,
            "first": None if health.first is None else iso(health.first),
            "last": None if health.last is None else iso(health.last),
            "trades": trades.trades,
            "problems": [*health.problems, *trades.problems],
        }
        for health, trades in checked
    ]
    wrong = len(damages) + sum(len(row["problems"]) for row in rows)
    invocation.output.document("algotrade.data_verify/1", {"same": not wrong, "database": damages, "series": rows})
    _show(invocation, [{**row, "finding": _finding(row["problems"])} for row in rows], VERIFY_COLUMNS)
    if not rows:
        invocation.output.note("nothing is stored yet: algotrade fetch --symbol BTC/USD")
    for damage in damages:
        invocation.output.write_line(damage)
    if wrong and invocation.json:
        raise typer.Exit(ReviewResult.exit_code)
    if wrong:
        _recommend(invocation, mending)
        hint = next(iter(mending.values()), "algotrade data export -h")  # into files, for a new database
        raise ReviewResult(f"{wrong} thing(s) are wrong with what is stored", hint=hint)


@app.command()
def drop(
    context: typer.Context,
    symbol: options.SymbolOption = None,
    timeframe: options.TimeframeOption = None,
    exchange: options.ExchangeOption = None,
    origin: OriginOption = None,
    funding: Annotated[bool, typer.Option("--funding", help="A market's funding rates instead.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove one series: candles, trades, and all that is noted of it. Shows what goes and asks; kept runs stay.

    With the last series of a market its funding rates go too; --funding removes them alone.

    [bold]Examples[/bold]
      algotrade data drop --symbol BTC/USD --timeframe 1m
      algotrade data drop --symbol BTC/USD --timeframe 1m --origin import --yes
      algotrade data drop --funding --symbol BTC/USDT:USDT
    """
    from algotrade.cli.stored_funding import drop_funding_rates
    from algotrade.store.database import open_database
    from algotrade.store.removal import drop_series, holdings_of

    invocation, wanted = invocation_of(context), Wanted(exchange, symbol, timeframe, origin)
    if funding:
        drop_funding_rates(invocation, wanted, yes=yes)
        return
    with open_database(invocation.settings().database) as database:
        key = _the_one(database, wanted, "drop")
        holdings = holdings_of(database, key)
        back = _way_back(database, key)
        if not yes:
            agree(invocation, f"{_named(key)}: {_counted(holdings)}", f"algotrade data drop {_flags(key)} --yes")
        drop_series(database, key)
    removed = {} if holdings is None else holdings._asdict()
    _show(invocation, [{**key._asdict(), **removed}], [*key._fields, *removed])
    invocation.output.note("to have it again", command=back)
    invocation.output.document("algotrade.data_drop/1", {**key._asdict(), "removed": removed, "again": back})


# ---- which series ---------------------------------------------------------------------------------------------------
def _the_one(database: Database, wanted: Wanted, command: str) -> SeriesKey:
    """The one stored series that the options mean.

    Raises:
        FixData: none, or several; with what there is.
    """
    from algotrade.errors import FixData
    from algotrade.store.integrity import stored_keys

    found = wanted.choose(stored_keys(database))
    if len(found) == 1:
        return found[0]
    if found:
        some = ", ".join(map(_named, found[:5])) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
        again = f"algotrade data {command} {_flags(found[0])}"
        raise FixData(f"several series are meant, {some}; say which", hint=again)
    raise FixData("nothing is stored yet", hint="algotrade fetch --symbol BTC/USD")


def _named(key: SeriesKey) -> str:
    return f"{key.exchange} {key.symbol} {key.timeframe} ({key.origin})"


def _flags(key: SeriesKey) -> str:
    return " ".join(f"--{name} {value}" for name, value in key._asdict().items())


# ---- what is said ---------------------------------------------------------------------------------------------------
def _counted(holdings: Holdings | None) -> str:
    """ "3,807 candles, 2 revisions"."""
    words = {"quarantine": "refused rows", "funding": "funding rates"}
    counts = {} if holdings is None else holdings._asdict()
    shown = {name: count for name, count in counts.items() if count or name == "candles"}
    return ", ".join(f"{count:,} {words.get(name, name)}" for name, count in shown.items())


def _way_back(database: Database, key: SeriesKey) -> str:
    """The command that brings a series again."""
    from algotrade.market.candles import iso
    from algotrade.store.candles import span

    series = f"--exchange {key.exchange} --symbol {key.symbol} --timeframe {key.timeframe}"
    if key.origin == "import":
        return f"algotrade fetch {series} --from FILE"
    stored = span(database, key)
    via = " --via trades" if key.origin == "trades" else ""
    return f"algotrade fetch {series}{via}" + (f" --start {iso(stored.first)[:10]}" if stored else "")


def _mending(database: Database, key: SeriesKey, *, rows_whole: bool) -> str:
    """The command that mends a series: a fetch makes a snapshot anew; rows go, and `data drop` says how they return."""
    return _way_back(database, key) if rows_whole else f"algotrade data drop {_flags(key)}"


def _recommend(invocation: Invocation, mending: Mapping[SeriesKey, str]) -> None:
    """Say what mends each series, where one hint is too few."""
    if len(mending) > 1:
        for key, command in mending.items():
            invocation.output.note(_named(key), command=command)


def _finding(problems: Sequence[str]) -> str:
    if not problems:
        return "ok"
    return problems[0] + (f"; and {len(problems) - 1} more" if len(problems) > 1 else "")


def _show(invocation: Invocation, rows: Sequence[dict[str, Any]], columns: Iterable[str]) -> None:
    from algotrade.show.tables import listing

    if rows:
        invocation.output.show(listing(rows, list(columns)))
