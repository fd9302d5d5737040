"""From what was typed after `algotrade live` to the plan of the session."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from algotrade.cli import options
from algotrade.cli.backtest_conditions import Wanted, chosen_strategies, chosen_symbols, wish_of

if TYPE_CHECKING:
    from algotrade.cli.invocation import Invocation
    from algotrade.config import Settings
    from algotrade.live.plan import SessionPlan
    from algotrade.strategy.base import Strategy


class Asked(NamedTuple):
    """Markets, strategies and bounds of a session as they were typed."""

    symbols: Sequence[str] | None
    strategies: Sequence[str] | None
    parameters: Sequence[str] | None
    start: str | None
    until: str | None
    bars: int | None
    speed: float
    source: str | None
    fresh: bool


def wanted_of(path: str, size: str | None, *, touch: bool, rebalance_band: float) -> Wanted:
    """What belongs to one session and is no setting."""
    wish = wish_of(None, trades=False, funding=False)
    return Wanted(path, touch, size, rebalance_band, leverage=1.0, allow_short=False, wish=wish)


def plan_of(
    asked: Asked, wanted: Wanted, invocation: Invocation, settings: Settings
) -> tuple[SessionPlan, list[Strategy]]:
    """The plan, and its strategies. Without an exchange: that of its unfinished session, else one in reach.

    Raises:
        FixCommand: something makes no sense; with what was given.
    """
    from algotrade.exchange.base import DEFAULT_EXCHANGE, DEMO
    from algotrade.live.launch import plan_to_resume

    _check_wanted(wanted)
    symbols = chosen_symbols(asked.symbols, settings)
    strategies = chosen_strategies(asked.strategies, asked.parameters, settings)
    plan = _plan(asked, wanted, symbols, strategies, settings)
    _check(plan, settings)
    if settings.defaults.exchange is None:
        unfinished = None
        if not asked.fresh:
            plans = [plan._replace(exchange=name) for name in (DEFAULT_EXCHANGE, DEMO)]
            unfinished = plan_to_resume(plans, settings)
        plan = unfinished or plan._replace(exchange=_exchange_in_reach(symbols, settings, invocation))
    return plan, list(strategies.values())


def _check_wanted(wanted: Wanted) -> None:
    from algotrade.engine.rules import PATHS
    from algotrade.errors import FixCommand, did_you_mean

    options.check_leverage(wanted.leverage, "live")
    options.check_rebalance_band(wanted.rebalance_band, "live")
    if wanted.path not in PATHS:
        raise FixCommand(
            f"--path is one of {', '.join(PATHS)}, given '{wanted.path}'.{did_you_mean(wanted.path, PATHS)}",
            hint="algotrade live --path best",
        )


def _plan(
    asked: Asked, wanted: Wanted, symbols: tuple[str, ...], strategies: Mapping[str, Strategy], settings: Settings
) -> SessionPlan:
    """What was asked for, on the exchange of the settings, else the usual one."""
    from algotrade.config.costs import costs_of
    from algotrade.engine.fills import Costs
    from algotrade.exchange.base import DEFAULT_EXCHANGE
    from algotrade.live.plan import CANDLES, TRADES, Chosen, SessionPlan
    from algotrade.strategy.signals import Bounds
    from algotrade.strategy.sizes import parse_sizing

    defaults = settings.defaults
    usual = Costs()
    costs = costs_of(settings.costs, fee_rate=usual.fee_rate, slippage_rate=defaults.slippage, instruments=())
    wants_trades = any("trades" in strategy.handlers for strategy in strategies.values())
    return SessionPlan(
        exchange=defaults.exchange or DEFAULT_EXCHANGE,
        symbols=symbols,
        timeframe=defaults.timeframe or "1m",
        strategies=tuple(Chosen(name, dict(strategy.values)) for name, strategy in strategies.items()),
        cash=defaults.cash,
        fee_rate=defaults.fee,
        maker_fee_rate=settings.costs.maker_fee,
        costs=costs._replace(maker_fee_rate=None),
        bounds=Bounds(wanted.leverage, wanted.allow_short),
        limits=options.risk_limits(settings),
        sizing=None if wanted.size is None else parse_sizing(wanted.size),
        path=wanted.path,
        touch=wanted.touch,
        rebalance_band=wanted.rebalance_band,
        source=asked.source or (TRADES if wants_trades else CANDLES),
        start=options.typed_span(asked.start, None, "algotrade live --exchange demo --start 2024-01-01").start,
        until=options.typed_span(None, asked.until, "algotrade live --until 2030-12-31").end,
        bars=asked.bars,
        speed=asked.speed,
    )


def _check(plan: SessionPlan, settings: Settings) -> None:
    from algotrade.errors import FixCommand, did_you_mean
    from algotrade.exchange.base import DEMO
    from algotrade.live.plan import SOURCES, TICKER, TRADES

    if plan.source not in SOURCES:
        raise FixCommand(
            f"--source is candles, trades or ticker, given '{plan.source}'.{did_you_mean(plan.source, SOURCES)}"
        )
    if plan.source == TICKER and len(plan.symbols) > 1:
        raise FixCommand(
            f"--source ticker watches one symbol, given {len(plan.symbols)}",
            hint=f"algotrade live --source ticker --symbol {plan.symbols[0]}",
        )
    if plan.costs.latency_ms and plan.source != TRADES:
        raise FixCommand(
            f"a latency of {plan.costs.latency_ms} ms lies inside a bar, where only trades say what happened",
            hint=f"algotrade live --source trades --latency-ms {plan.costs.latency_ms}",
        )
    if not plan.speed > 0 or plan.speed > 1_000_000:
        raise FixCommand(f"--speed is a positive number of at most a million, given {plan.speed}")
    if plan.speed != 1.0 and settings.defaults.exchange != DEMO:
        raise FixCommand(
            f"only the demo exchange runs faster than the clock, given --speed {plan.speed:g}",
            hint=f"algotrade live --exchange demo --speed {plan.speed:g}",
        )
    if plan.start is not None and plan.until is not None and plan.until < plan.start:
        raise FixCommand("--until lies before --start")


def _exchange_in_reach(symbols: Sequence[str], settings: Settings, invocation: Invocation) -> str:
    """Kraken; the demo exchange, saying so, where no exchange was named and kraken cannot be reached."""
    from algotrade.exchange.base import DEFAULT_EXCHANGE, DEMO
    from algotrade.ingest.on_demand import REACH_S
    from algotrade.live.launch import reachable
    from algotrade.market.simulate import SYMBOLS

    error = asyncio.run(reachable(DEFAULT_EXCHANGE, symbols, settings, within_s=REACH_S))
    if error is None:
        return DEFAULT_EXCHANGE
    if not set(symbols) <= set(SYMBOLS):
        raise error
    invocation.output.note(f"{error.message}: trading on the SIMULATED market of the demo exchange")
    return DEMO


def pause_s(plan: SessionPlan, every: str | None, settings: Settings) -> float:
    """Seconds between two questions to the exchange: as given, else a tenth of a bar, at most [live] poll_seconds."""
    from algotrade.errors import FixCommand
    from algotrade.live.plan import TICKER
    from algotrade.market.timeframe import timeframe_ms

    bar_s = timeframe_ms(plan.timeframe) / 1000 / plan.speed
    pause = max(0.05, min(settings.live.poll_seconds, bar_s / 10))
    if every is not None:
        pause = timeframe_ms(every) / 1000
    if plan.source == TICKER and pause > bar_s / 4:
        raise FixCommand(
            f"a candle of {plan.timeframe} needs four prices at least, one every {pause:g} s is too few",
            hint="algotrade live --source ticker --every 1s",
        )
    return pause
