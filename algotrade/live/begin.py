"""Beginning a session: warm-up candles, checks, and the header that makes the journal stand on its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from algotrade.backtest.execution import prepare
from algotrade.backtest.setup import Setup, fees_of
from algotrade.errors import FixCommand, FixData, NotAllowed
from algotrade.exchange.base import Exchange
from algotrade.live.feed import closed_candles
from algotrade.live.header import HEADER_VERSION, setup_of
from algotrade.live.plan import CANDLES, TRADES, SessionPlan
from algotrade.market.candles import COLUMNS, candle_table, iso, times_ms
from algotrade.market.timeframe import bar_start, timeframe_ms
from algotrade.pipeline import check_prepared, describe_strategy
from algotrade.sources import versions
from algotrade.store.database import Database
from algotrade.strategy.base import DEFAULT_HISTORY, Strategy, refuse_unfed
from algotrade.strategy.signals import SignalStrategy
from algotrade.strategy.weights import PortfolioStrategy

CHECKED_BARS: Final = 1_000  # of history that a strategy is checked on before it may trade
MOST_CHECKED_BARS: Final = 50_000  # where a parameter asks for more: it may be a seed


async def session_header(
    plan: SessionPlan, strategies: Sequence[Strategy], exchange: Exchange, database: Database
) -> dict[str, Any]:
    """Everything that replaying the session needs beside its rows.

    Args:
        plan: what was asked for.
        strategies: with their parameters, in the plan's order.
        exchange: gives the warm-up candles and the markets' steps.
        database: keeps the checks' verdicts.

    Raises:
        NotAllowed: a strategy fails a check.
        FixStrategy: a strategy waits for what the session does not give.
        FixCommand: the beginning lies in the future, or the end before the first bar closes; or trades are asked for
            where the exchange does not keep them.
        FixData: the exchange has no candles to begin with.
    """
    for strategy in strategies:
        refuse_unfed(strategy, fed_by(plan))
    if plan.source == TRADES and not exchange.keeps_trades:
        raise FixCommand(
            f"{plan.exchange} gives its newest trades alone, so a session could miss some; take candles",
            hint=f"algotrade live --exchange {plan.exchange} --source candles",
        )
    first_bar = await _first_bar(plan, exchange)
    instruments = [await exchange.instrument(symbol) for symbol in plan.symbols]
    taker, maker = fees_of(instruments, plan.fee_rate, plan.maker_fee_rate)
    header: dict[str, Any] = {
        "version": HEADER_VERSION,
        "plan": plan.document(),
        "origin": exchange.origin if plan.source == CANDLES else plan.source,
        "simulated": exchange.simulated,
        "costs": plan.costs._replace(fee_rate=taker, maker_fee_rate=maker)._asdict(),
        "instruments": [each._asdict() for each in instruments],
        "first_bar": first_bar,
        "versions": versions(),
    }
    count = max(map(_bars_to_check, strategies))
    tables = {symbol: await _history(plan, symbol, exchange, first_bar, count) for symbol in plan.symbols}
    described = [_described(strategy, tables, setup_of(header), database) for strategy in strategies]
    warmups = [each["warmup"] for each in described]
    longest = None if "all" in warmups else max(warmups)
    rows = [rows_of_candles(table if longest is None else table.iloc[-longest:]) for table in tables.values()]
    return {**header, "strategies": described, "warm_up_candles": rows}


def fed_by(plan: SessionPlan) -> set[str]:
    """The kinds of events that a session gives its strategies."""
    given = {"candles": True, "timer": True, "trades": plan.source == TRADES, "emitted": len(plan.strategies) > 1}
    return {kind for kind, applies in given.items() if applies}


async def _first_bar(plan: SessionPlan, exchange: Exchange) -> int:
    """Open time of the bar that the session begins with, milliseconds."""
    now = await exchange.now_ms()
    moment = now if plan.start is None else plan.start
    if moment > now:
        raise FixCommand(f"--start {iso(moment)} has not come yet: {plan.exchange} says it is {iso(now)}")
    first_bar = bar_start(moment, plan.timeframe)
    closes = first_bar + timeframe_ms(plan.timeframe)
    if plan.until is not None and plan.until + 1 < closes:
        raise FixCommand(f"--until {iso(plan.until)} lies before the first bar closes at {iso(closes)}")
    return first_bar


async def _history(plan: SessionPlan, symbol: str, exchange: Exchange, first_bar: int, count: int) -> pd.DataFrame:
    rows = await closed_candles(exchange, symbol, plan.timeframe, before=first_bar, count=count)
    if not len(rows):
        raise FixData(
            f"{plan.exchange} has no closed {plan.timeframe} candle of {symbol} to begin with",
            hint=f"algotrade list timeframes --exchange {plan.exchange}",
        )
    return candle_table(rows[:, 0].astype(np.int64), rows[:, 1:].T)


def _bars_to_check(strategy: Strategy) -> int:
    """How much history to ask for: twice what the strategy looks back on, so that the warm-up check can run."""
    longest = max((value for value in strategy.values.values() if type(value) is int), default=0)
    declared = strategy.warmup if isinstance(strategy.warmup, int) else 0
    return max(CHECKED_BARS, min(2 * longest, MOST_CHECKED_BARS), 2 * declared)


def _described(
    strategy: Strategy, tables: Mapping[str, pd.DataFrame], setup: Setup, database: Database
) -> dict[str, Any]:
    """A strategy, its warm-up and the verdicts on the newest history; one that fails may not trade."""
    checks = check_prepared(prepare(strategy, tables, setup), tables, "budget", database)
    if checks is not None and checks.failed:
        name, check = next(iter(checks.failed.items()))
        raise NotAllowed(
            f"{strategy.name()} fails the {name.replace('_', '-')} check: {check.detail}",
            hint=f"algotrade backtest --strategy {strategy.name()} --check full",
        )
    return {
        **describe_strategy(strategy),
        "warmup": checks.warmup if checks else strategy.warmup or DEFAULT_HISTORY,
        "checks": {name: check._asdict() for name, check in checks.named.items()} if checks else {},
    }


def rows_of_candles(table: pd.DataFrame) -> list[list[float]]:
    """Candles as the header keeps them: [time, open, high, low, close, volume]."""
    columns = [table[name].to_list() for name in COLUMNS]
    return [list(row) for row in zip(times_ms(table).tolist(), *columns, strict=True)]


def describe_unproven(strategies: Sequence[Strategy], header: Mapping[str, Any]) -> list[str]:
    """A sentence for each check that a strategy of signals or weights should have passed but that could not run."""
    return [
        f"{strategy.name()} trades although its {name.replace('_', '-')} check has no verdict: {check['detail']}"
        for strategy, described in zip(strategies, header["strategies"], strict=True)
        if isinstance(strategy, SignalStrategy | PortfolioStrategy)
        for name, check in described["checks"].items()
        if name in ("look_ahead", "warm_up") and check["passed"] is None
    ]


def describe_beginning(header: Mapping[str, Any]) -> str:
    """A sentence about where a session begins."""
    bars = max(map(len, header["warm_up_candles"]))
    return f"begins with the bar of {iso(header['first_bar'])} after {bars} bars of warm-up"
