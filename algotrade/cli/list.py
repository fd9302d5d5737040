"""`algotrade list`: what there is to name in other commands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from algotrade.cli.commands import Commands
from algotrade.cli.invocation import Invocation, invocation_of
from algotrade.errors import FixCommand

if TYPE_CHECKING:
    from algotrade.cli.wanted import Wanted
    from algotrade.market.instrument import Instrument
    from algotrade.strategy.parameters import Parameter

app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    help="List exchanges, markets, timeframes, strategies, data, runs, sessions, schemas.",
)
ExchangeOption = Annotated[str | None, typer.Option("--exchange", help="The exchange; `demo` needs no network.")]
Rows = Sequence[Mapping[str, Any]]
Format = Callable[[float | None], str]


@app.callback()
def list_() -> None:
    """Groups the lists."""


@app.command()
def exchanges(context: typer.Context) -> None:
    """Exchanges that candles can be fetched from; `demo` is a simulated market that needs no network."""
    from algotrade.exchange.opening import exchange_names

    rows = [{"exchange": name, "simulated": name == "demo"} for name in exchange_names()]
    _print(invocation_of(context), "exchanges", rows)


@app.command()
def markets(context: typer.Context, exchange: ExchangeOption = None) -> None:
    """Markets of an exchange, with their steps, minima and fees. Asks the exchange.

    [bold]Examples[/bold]
      algotrade list markets --exchange kraken
    """
    invocation = invocation_of(context)
    instruments = asyncio.run(_instruments(invocation, exchange))
    _print(invocation, "markets", [instrument._asdict() for instrument in instruments])


@app.command()
def timeframes(context: typer.Context, exchange: ExchangeOption = None) -> None:
    """Bar lengths: the common ones, or with --exchange those that it has."""
    from algotrade.market.timeframe import COMMON

    invocation = invocation_of(context)
    known = asyncio.run(_timeframes(invocation, exchange)) if exchange else COMMON
    _print(invocation, "timeframes", [{"timeframe": timeframe} for timeframe in known])


@app.command()
def strategies(context: typer.Context) -> None:
    """Strategies that --strategy can name: yours in ./strategies, those that came with the program, installed ones."""
    from algotrade.discover import list_strategies, strategy_sources
    from algotrade.show.strategies import strategy_list

    invocation = invocation_of(context)
    rows = [
        {
            "strategy": info.name,
            "parameters": {name: _parameter_document(parameter) for name, parameter in info.parameters.items()},
            "idea": info.error or info.idea,
            "origin": info.origin,
            "path": info.path,
            "usable": not info.error,
        }
        for info in list_strategies(strategy_sources(invocation.settings()))
    ]
    invocation.output.show(strategy_list(rows))
    invocation.output.document("algotrade.list_strategies/1", {"strategies": rows})


@app.command()
def data(
    context: typer.Context,
    gaps: Annotated[bool, typer.Option("--gaps", help="Missing bars instead: where, of what kind, how known.")] = False,
    revisions: Annotated[
        bool, typer.Option("--revisions", help="Stored candles instead that came again with other values.")
    ] = False,
    quarantine: Annotated[bool, typer.Option("--quarantine", help="Refused candles instead, and why.")] = False,
    proof: Annotated[
        bool, typer.Option("--proof", help="Instead, what proves that downloaded trades are complete.")
    ] = False,
    symbol: Annotated[str | None, typer.Option("--symbol", help="Of this market only.")] = None,
    exchange: Annotated[str | None, typer.Option("--exchange", help="Of this exchange only.")] = None,
    timeframe: Annotated[str | None, typer.Option("--timeframe", help="Of this bar length only.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Lines at most; of --gaps, of each series.")] = 20,
) -> None:
    """Candles in the store: which series, from when to when; or what is wrong with them, or what proves them.

    [bold]Examples[/bold]
      algotrade list data
      algotrade list data --gaps --symbol BTC/USD --timeframe 1m
      algotrade list data --quarantine
      algotrade list data --proof
    """
    from algotrade.cli import proofs, stored_faults
    from algotrade.cli.wanted import Wanted

    invocation = invocation_of(context)
    wanted = Wanted(exchange, symbol, timeframe, most=most)
    chosen = {
        "--gaps": (gaps, stored_faults.list_gaps),
        "--revisions": (revisions, stored_faults.list_revisions),
        "--quarantine": (quarantine, stored_faults.list_quarantine),
        "--proof": (proof, proofs.list_proofs),
    }
    given = [name for name, (is_given, _) in chosen.items() if is_given]
    if len(given) > 1:
        raise FixCommand(f"one of {', '.join(given)} at a time", hint="algotrade list data -h")
    if given:
        chosen[given[0]][1](invocation, wanted)
    else:
        _list_series(invocation, wanted)


def _list_series(invocation: Invocation, wanted: Wanted) -> None:
    from algotrade.cli.stored_funding import funding_rows
    from algotrade.market.candles import iso
    from algotrade.store.candles import list_series
    from algotrade.store.database import open_database

    with open_database(invocation.settings().database) as database:
        stored = list_series(database)
        funding = funding_rows(database, wanted)
    rows = [
        {**info.key._asdict(), "first": iso(info.first), "last": iso(info.last), "candles": info.rows}
        for info in stored
        if wanted.holds(info.key)
    ]
    nothing = "nothing is stored yet: algotrade fetch --symbol BTC/USD"
    missing = wanted.missing(info.key for info in stored) if wanted.given else nothing
    _print(invocation, "data", rows, empty="" if funding else missing, beside={"funding": funding})


@app.command()
def runs(context: typer.Context) -> None:
    """Kept runs, the newest first; `algotrade evaluate ID` judges one."""
    from algotrade.market.candles import iso
    from algotrade.show.format import money
    from algotrade.store.database import open_database
    from algotrade.store.past import revised_runs
    from algotrade.store.runs import list_runs, simulated_runs

    invocation = invocation_of(context)
    with open_database(invocation.settings().database) as database:
        simulated, revised = simulated_runs(database), revised_runs(database)
        rows = [
            {"run": info.id, "created": iso(info.created_ms)}
            | _without(info._asdict(), "id", "created_ms")
            | {"simulated": info.id in simulated, "revised": revised.get(info.id, 0)}
            for info in list_runs(database)
        ]
    if revised:
        invocation.output.note("revised: so many bars of the run have changed since it was made")
    _print(
        invocation,
        "runs",
        rows,
        [name for name in (rows[0] if rows else {}) if revised or name != "revised"],
        formats={"final_equity": money},
        empty="no run is kept yet: algotrade backtest --symbol BTC/USD",
    )


@app.command()
def sessions(context: typer.Context) -> None:
    """Live sessions; `algotrade evaluate ID` judges one, `algotrade replay ID` proves it."""
    from algotrade.live.sessions import planned, status_of
    from algotrade.market.candles import iso
    from algotrade.store.journal import list_sessions

    invocation = invocation_of(context)
    found = [(info, planned(info)) for info in list_sessions(invocation.settings().sessions_folder)]
    rows = [
        {
            "session": info.id,
            "status": status_of(info),
            "simulated": info.header.get("simulated"),
            "exchange": plan.exchange if plan else None,
            "symbols": list(plan.symbols) if plan else None,
            "timeframe": plan.timeframe if plan else None,
            "strategies": [each.name for each in plan.strategies] if plan else None,
            "last": None if info.last_time is None else iso(info.last_time),
            "rows": info.rows,
            "path": str(info.path),
        }
        for info, plan in found
    ]
    columns = ("session", "status", "exchange", "symbols", "timeframe", "strategies", "last", "rows")
    _print(invocation, "sessions", rows, columns, empty="there is no session yet: algotrade live --cash 10000")


@app.command()
def schemas(context: typer.Context) -> None:
    """JSON Schemas of what --json prints, a file for each name that `"schema"` can have in it."""
    from algotrade.schemas import schema_files

    invocation = invocation_of(context)
    rows = [{"schema": name, "path": str(path)} for name, path in schema_files().items()]
    _print(invocation, "schemas", rows)


async def _instruments(invocation: Invocation, exchange: str | None) -> list[Instrument]:
    from algotrade.exchange.base import DEFAULT_EXCHANGE
    from algotrade.exchange.opening import open_exchange

    settings = invocation.settings({"defaults.exchange": exchange})
    name = settings.defaults.exchange or DEFAULT_EXCHANGE
    async with open_exchange(name, options=settings.ccxt_options(name)) as opened:
        return await opened.instruments()


async def _timeframes(invocation: Invocation, exchange: str) -> list[str]:
    from algotrade.exchange.opening import open_exchange

    async with open_exchange(exchange, options=invocation.settings().ccxt_options(exchange)) as opened:
        return opened.timeframes()


def _print(
    invocation: Invocation,
    name: str,
    rows: Rows,
    columns: Sequence[str] = (),
    *,
    formats: Mapping[str, Format] = MappingProxyType({}),
    empty: str = "",
    beside: Mapping[str, Rows] = MappingProxyType({}),
) -> None:
    """A list, and other lists that stand below it where there is something in them."""
    from algotrade.show.tables import listing

    if not rows and empty:
        invocation.output.note(empty)
    shown = [{key: " ".join(value) if isinstance(value, list) else value for key, value in row.items()} for row in rows]
    parts = [listing(shown, columns or list(rows[0]), formats=formats)] if rows else []
    parts += [listing(others, list(others[0]), title=title.capitalize()) for title, others in beside.items() if others]
    invocation.output.show(*parts)
    invocation.output.document(f"algotrade.list_{name}/1", {name: rows, **beside})


def _parameter_document(parameter: Parameter) -> dict[str, Any]:
    return {**parameter._asdict(), "kind": parameter.kind.__name__}


def _without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}
