"""`algotrade backtest`: run a strategy over candles, check it, print and keep the run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from algotrade.cli import options
from algotrade.cli.invocation import Invocation, invocation_of

if TYPE_CHECKING:
    from algotrade.backtest.setup import Setup
    from algotrade.config import Settings
    from algotrade.ingest.source import MarketData
    from algotrade.pipeline import Run

app = typer.Typer(add_completion=False, rich_help_panel="Test")


@app.command()
def backtest(
    context: typer.Context,
    symbol: options.SymbolOption = None,
    strategy: options.StrategyOption = None,
    param: options.ParamOption = None,
    timeframe: options.TimeframeOption = None,
    exchange: options.ExchangeOption = None,
    start: options.StartOption = None,
    end: options.EndOption = None,
    cash: options.CashOption = None,
    fee: options.FeeOption = None,
    slippage: options.SlippageOption = None,
    origin: Annotated[
        str | None, typer.Option("--origin", help="Whose candles: official, import, trades, ticker, demo.")
    ] = None,
    allow_short: options.ShortOption = False,
    leverage: options.LeverageOption = 1.0,
    check: Annotated[
        str, typer.Option("--check", help="Honesty checks: budget (1 s), full (every bar), none.")
    ] = "budget",
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 5 when a check fails.")] = False,
    all_round_trips: Annotated[bool, typer.Option("--all-round-trips", help="Show every round trip.")] = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write one page with charts; it opens offline.")] = None,
    export_csv: Annotated[
        Path | None, typer.Option("--export-csv", help="Write fills, round trips and equity into this folder.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", help="Write the result to a file that `algotrade verify` proves.")
    ] = None,
) -> None:
    """Run a strategy over candles: stored ones, else fetched, else simulated.

    [bold]Examples[/bold]
      algotrade backtest --symbol BTC/USD
      algotrade backtest --strategy sma_cross -p fast=50 -p slow=100
      algotrade backtest --symbol ETH/USD --start 2015-01-01 --end 2023-12-31
      algotrade backtest --timeframe 1h --fee 0.0026 --html report.html
      algotrade backtest --symbol BTC/USD --save result.json
    """
    from algotrade.engine.fills import Costs
    from algotrade.ingest.source import DataRequest
    from algotrade.pipeline import fee_rate_of, fetch_data, run_backtest
    from algotrade.store.database import open_database
    from algotrade.strategy.signals import Bounds

    invocation = invocation_of(context)
    options.check_leverage(leverage)
    settings = invocation.settings(_flags(exchange, symbol, timeframe, strategy, cash, fee, slippage))
    chosen = options.named_strategy(settings.defaults.strategy, param, settings)
    request = DataRequest(
        settings.defaults.symbol,
        settings.defaults.timeframe or "1d",
        settings.defaults.exchange,
        options.typed_span(start, end, "algotrade backtest --start 2020-01-01 --end 2024-12-31"),
        origin,
    )
    with open_database(settings.database) as database:
        market = fetch_data(request, database, settings)
        created_ms = time.time_ns() // 1_000_000  # what is revised from now on, the run has not seen
        _announce(market, invocation)
        costs = Costs(fee_rate_of(settings.defaults.fee, market.instrument), settings.defaults.slippage)
        setup = _setup(market, settings, costs, Bounds(leverage, allow_short))
        run = run_backtest(chosen, market, setup, check=check, database=database)
        run = _kept(run, database, created_ms)
    _write_files(run, html, export_csv, invocation)
    if save is not None:
        _save(run, created_ms, save, invocation)
    _show(run, invocation, all_round_trips=all_round_trips)
    _judge(run, invocation, strict=strict)


def _flags(*values: Any) -> dict[str, Any]:
    names = ("exchange", "symbol", "timeframe", "strategy", "cash", "fee", "slippage")
    return {f"defaults.{name}": value for name, value in zip(names, values, strict=True)}


def _announce(market: MarketData, invocation: Invocation) -> None:
    for note in market.notes:
        invocation.output.note(note)
    if market.simulated and not market.notes:
        invocation.output.note("running on SIMULATED candles of the demo exchange")


def _setup(market: MarketData, settings: Settings, costs: Any, bounds: Any) -> Setup:
    from algotrade.backtest.setup import Setup

    return Setup(
        instruments=(market.instrument,),
        timeframe=market.key.timeframe,
        cash=settings.defaults.cash,
        costs=costs,
        bounds=bounds,
        limits=options.risk_limits(settings),
    )


def _kept(run: Run, database: Any, created_ms: int) -> Run:
    from algotrade.store.runs import keep_run

    run_id = keep_run(database, run.document, created_ms=created_ms)
    return run._replace(document={**run.document, "run": run_id})


def _write_files(run: Run, html: Path | None, export_csv: Path | None, invocation: Invocation) -> None:
    if html is not None:
        from algotrade.show.report import write_report

        write_report(run.result, run.document, html)
        invocation.output.note(f"wrote {html}")
    if export_csv is not None:
        from algotrade.show.export import write_tables

        for path in write_tables(run.result, export_csv):
            invocation.output.note(f"wrote {path}")


def _save(run: Run, created_ms: int, path: Path, invocation: Invocation) -> None:
    from algotrade.verification.result_file import result_of_run, write_result

    write_result(result_of_run(run.document, created_ms), path)
    invocation.output.note(f"wrote {path}")


def _show(run: Run, invocation: Invocation, *, all_round_trips: bool) -> None:
    from algotrade.evaluate.document import public_document

    invocation.output.document("algotrade.backtest/1", public_document(run.document))
    if invocation.output.json:
        return
    from algotrade.show.chart import Curve
    from algotrade.show.run import run_page

    curve = Curve(run.result.times, run.result.equity_values)
    pages = run_page(run.document, curve, all_round_trips=all_round_trips, see_more=_see_more(run.document))
    invocation.output.show(*pages)


def _see_more(document: dict[str, Any]) -> list[tuple[str, str]]:
    """What to type next, short enough to stay in one line of a terminal of 80 columns."""
    from algotrade.market.candles import iso

    changes = document["targets"]
    bar = iso(changes[-1][0]) if changes else document["data"]["end"]
    return [
        ("in more depth", f"algotrade evaluate {document['run']}"),
        ("with charts", f"algotrade evaluate {document['run']} --html report.html"),
        ("why it did so", f"algotrade why {bar.removesuffix('T00:00:00Z')}"),
    ]


def _judge(run: Run, invocation: Invocation, *, strict: bool) -> None:
    if not strict or run.checks is None or not run.checks.failed:
        return
    from algotrade.errors import ExitCode, ReviewResult

    if invocation.output.json:  # the one object is printed, and says which checks failed
        raise typer.Exit(ExitCode.GATE_FAILED)
    failed = ", ".join(name.replace("_", "-") for name in run.checks.failed)
    raise ReviewResult(f"checks failed: {failed}", hint="algotrade backtest --check full")
