"""`algotrade live`: trade on paper."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from algotrade.cli import backtest_options as given
from algotrade.cli import live_conditions as conditions
from algotrade.cli.backtest_conditions import setting_flags
from algotrade.cli.invocation import invocation_of

app = typer.Typer(add_completion=False, rich_help_panel="Trade")

SESSION = "Session"


def _option(flag: str, help_text: str, **named: Any) -> Any:
    return typer.Option(flag, help=help_text, rich_help_panel=SESSION, **named)


@app.command()
def live(
    context: typer.Context,
    strategy: given.Strategies = None,
    param: given.Parameters = None,
    symbol: given.Symbols = None,
    timeframe: given.Timeframe = None,
    exchange: given.Exchange = None,
    start: Annotated[str | None, _option("--start", "Begin with the bar of this moment, UTC.")] = None,
    until: Annotated[str | None, _option("--until", "End with the last bar closed by then, UTC.")] = None,
    bars: Annotated[int | None, _option("--bars", "End after so many bars.", min=1)] = None,
    speed: Annotated[float, _option("--speed", "Market seconds in a second; demo exchange only.")] = 1.0,
    source: Annotated[
        str | None,
        _option(
            "--source",
            "What bars are made of; trades where a strategy asks for them.",
            metavar="candles|trades|ticker",
        ),
    ] = None,
    every: Annotated[str | None, _option("--every", 'How often to ask, "1s"; else by the timeframe.')] = None,
    fresh: Annotated[bool, _option("--fresh", "Begin anew instead of resuming.")] = False,
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
    path: given.FillPath = "worst",
    touch: given.Touch = False,
    max_volume_share: given.VolumeShare = None,
    latency_bars: given.LatencyBars = None,
    latency_ms: given.LatencyMs = None,
    maintenance_rate: given.MaintenanceRate = None,
) -> None:
    """Trade on paper: real prices, simulated fills, no order leaves this machine.

    The same command resumes the session where it stopped, however it stopped. Ctrl-C once stops cleanly.

    [bold]Examples[/bold]
      algotrade live --cash 10000
      algotrade live --exchange demo --speed 60
      algotrade live --symbol ETH/USD --timeframe 5m --strategy donchian_breakout
      algotrade live --exchange demo --symbol BTC/USD --symbol ETH/USD --speed 600
      algotrade live --exchange demo --speed 600 --start 2024-01-01 --bars 200
    """
    from algotrade.cli.live_session import EndedAtOnce, SessionRun
    from algotrade.live.clock import system_clock
    from algotrade.live.launch import Place
    from algotrade.store.database import open_database

    flags = setting_flags(
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
    asked = conditions.Asked(symbol, strategy, param, start, until, bars, speed, source, fresh)
    wanted = conditions.wanted_of(path, size, touch=touch, rebalance_band=rebalance_band)
    wanted = wanted._replace(leverage=leverage, allow_short=allow_short)
    plan, strategies = conditions.plan_of(asked, wanted, invocation, settings)
    pause = conditions.pause_s(plan, every, settings)
    with open_database(settings.database) as database:
        session = SessionRun(plan, strategies, Place(settings, database, system_clock), invocation)
        try:
            asyncio.run(session.run(pause, fresh=fresh))
        except EndedAtOnce:
            invocation.output.note("ended at once by a second signal")
    if session.code:
        raise typer.Exit(session.code)
