"""`algotrade backtest`: run a strategy over candles, check it, print and keep the run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from algotrade.cli import backtest_conditions as conditions
from algotrade.cli import backtest_options as given
from algotrade.cli.invocation import Invocation, invocation_of

if TYPE_CHECKING:
    from algotrade.config import Settings
    from algotrade.ingest.inside import Markets
    from algotrade.pipeline import Run

app = typer.Typer(add_completion=False, rich_help_panel="Test")


@app.command()
def backtest(
    context: typer.Context,
    strategy: given.Strategies = None,
    param: given.Parameters = None,
    symbol: given.Symbols = None,
    timeframe: given.Timeframe = None,
    exchange: given.Exchange = None,
    start: given.Start = None,
    end: given.End = None,
    origin: given.Origin = None,
    detail: given.Detail = None,
    trades: given.Trades = False,
    cash: given.Cash = None,
    size: given.Size = None,
    rebalance_band: given.RebalanceBand = 0.0,
    allow_short: given.AllowShort = False,
    leverage: given.Leverage = 1.0,
    fee: given.Fee = None,
    maker_fee: given.MakerFee = None,
    slippage: given.Slippage = None,
    spread: given.Spread = None,
    impact: given.Impact = None,
    borrow_rate: given.BorrowRate = None,
    fee_in_base: given.FeeInBase = None,
    funding: given.Funding = True,
    path: given.FillPath = "worst",
    touch: given.Touch = False,
    max_volume_share: given.VolumeShare = None,
    latency_bars: given.LatencyBars = None,
    latency_ms: given.LatencyMs = None,
    maintenance_rate: given.MaintenanceRate = None,
    check: given.Check = "budget",
    strict: given.Strict = False,
    all_round_trips: given.AllRoundTrips = False,
    html: given.Html = None,
    export_csv: given.ExportCsv = None,
    save: given.Save = None,
) -> None:
    """Run a strategy over candles: stored ones, else fetched, else simulated.

    [bold]Examples[/bold]
      algotrade backtest --symbol BTC/USD
      algotrade backtest --strategy sma_cross -p fast=50 -p slow=100
      algotrade backtest --symbol ETH/USD --start 2015-01-01 --end 2023-12-31
      algotrade backtest --timeframe 1h --fee 0.0026 --html report.html
      algotrade backtest --symbol BTC/USD --symbol ETH/USD --rebalance-band 0.05
      algotrade backtest --timeframe 1d --detail 1h --size risk=0.01
      algotrade backtest --symbol BTC/USD --save result.json
    """
    wish = conditions.wish_of(detail, trades=trades, funding=funding)
    wanted = conditions.Wanted(path, touch, size, rebalance_band, leverage, allow_short, wish)
    flags = conditions.setting_flags(
        exchange=exchange,
        timeframe=timeframe,
        cash=cash,
        fee=fee,
        slippage=slippage,
        maker_fee=maker_fee,
        spread=spread,
        impact=impact,
        max_volume_share=max_volume_share,
        latency_bars=latency_bars,
        latency_ms=latency_ms,
        borrow_rate=borrow_rate,
        maintenance_rate=maintenance_rate,
        fee_in_base=fee_in_base,
    )
    invocation = invocation_of(context)
    settings = invocation.settings(flags)
    asked = conditions.Asked(symbol, strategy, param, start, end, origin)
    run, created_ms = _run(asked, wanted, settings, check, invocation)
    _write_files(run, html, export_csv, invocation)
    if save is not None:
        _save(run, created_ms, save, invocation)
    _show(run, invocation, all_round_trips=all_round_trips)
    _judge(run, invocation, strict=strict)


def _run(
    asked: conditions.Asked, wanted: conditions.Wanted, settings: Settings, check: str, invocation: Invocation
) -> tuple[Run, int]:
    """The run, kept, and when its data was read, milliseconds."""
    from algotrade.pipeline import refuse_unknown_mode, run_backtest
    from algotrade.store.database import open_database

    refuse_unknown_mode(check)
    conditions.check_wanted(wanted, settings.defaults.timeframe or "1d", asked.origin)
    symbols = conditions.chosen_symbols(asked.symbols, settings)
    strategies = conditions.chosen_strategies(asked.strategies, asked.parameters, settings)
    request = conditions.data_request(asked, symbols, settings)
    with open_database(settings.database) as database:
        markets = conditions.read_markets(request, symbols, wanted.wish, database, settings)
        created_ms = time.time_ns() // 1_000_000  # what is revised from now on, the run has not seen
        _announce(markets, invocation)
        setup = conditions.run_setup(wanted, markets, strategies, settings)
        chosen = strategies if setup.books else next(iter(strategies.values()))
        run = run_backtest(chosen, markets, setup, check=check, database=database)
        return _kept(run, database, created_ms), created_ms


def _announce(markets: Markets, invocation: Invocation) -> None:
    for note in [note for market in markets.series for note in market.notes] + list(markets.notes):
        invocation.output.note(note)
    first = markets.series[0]
    if first.simulated and not first.notes:
        invocation.output.note("running on SIMULATED candles of the demo exchange")


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

    part = document["parts"][0] if document["parts"] else None
    changes = (document if part is None else part)["targets"] or []
    bar = iso(changes[-1][0]) if changes else document["data"]["end"]
    which = "" if part is None else f" --symbol {part['symbol']}"
    which += f" --strategy {part['strategy']}" if part is not None and part["strategy"] else ""
    return [
        ("in more depth", f"algotrade evaluate {document['run']}"),
        ("with charts", f"algotrade evaluate {document['run']} --html report.html"),
        ("why it did so", f"algotrade why {bar.removesuffix('T00:00:00Z')}{which}"),
    ]


def _judge(run: Run, invocation: Invocation, *, strict: bool) -> None:
    if not strict or run.checks is None or not run.checks.failed:
        return
    from algotrade.errors import ExitCode, ReviewResult

    if invocation.output.json:  # the one object is printed, and says which checks failed
        raise typer.Exit(ExitCode.GATE_FAILED)
    failed = ", ".join(name.replace("_", "-") for name in run.checks.failed)
    raise ReviewResult(f"checks failed: {failed}", hint="algotrade backtest --check full")
