"""Beginning a session: warm-up candles, checks, and the header that makes the journal stand on its own."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from algotrade.engine.fills import Costs
from algotrade.errors import FixCommand, FixData, NotAllowed
from algotrade.exchange.base import Exchange
from algotrade.honesty import check_honesty
from algotrade.live.feed import closed_candles
from algotrade.live.plan import HEADER_VERSION, TICKER, SessionPlan
from algotrade.market.candles import Floats, candle_table, iso
from algotrade.market.timeframe import bar_start, timeframe_ms
from algotrade.pipeline import describe_strategy, fee_rate_of, generate_signals
from algotrade.sources import versions
from algotrade.store.database import Database
from algotrade.strategy.base import DEFAULT_HISTORY, Strategy
from algotrade.strategy.checks import Checks
from algotrade.strategy.signals import SignalStrategy

CHECKED_BARS: Final = 1_000  # of history that a strategy is checked on before it may trade
MOST_CHECKED_BARS: Final = 50_000  # where a parameter asks for more: it may be a seed


async def session_header(
    plan: SessionPlan, strategy: Strategy, exchange: Exchange, database: Database
) -> dict[str, Any]:
    """Everything that replaying the session needs beside its rows.

    Args:
        plan: what was asked for.
        strategy: with its parameters.
        exchange: gives the warm-up candles and the market's steps.
        database: keeps the checks' verdicts.

    Raises:
        NotAllowed: the strategy fails a check.
        FixCommand: the beginning lies in the future, or the end before the first bar closes.
        FixData: the exchange has no candles to begin with.
    """
    instrument = await exchange.instrument(plan.symbol)
    now = await exchange.now_ms()
    moment = now if plan.start is None else plan.start
    if moment > now:
        raise FixCommand(f"--start {iso(moment)} has not come yet: {plan.exchange} says it is {iso(now)}")
    first_bar = bar_start(moment, plan.timeframe)
    closes = first_bar + timeframe_ms(plan.timeframe)
    if plan.until is not None and plan.until + 1 < closes:
        raise FixCommand(f"--until {iso(plan.until)} lies before the first bar closes at {iso(closes)}")
    count = _bars_to_check(strategy)
    history = await closed_candles(exchange, plan.symbol, plan.timeframe, before=first_bar, count=count)
    checks = _checked(strategy, _table(history), plan, database)
    warmup: int | str = checks.warmup if checks else strategy.warmup or DEFAULT_HISTORY
    kept = history if warmup == "all" else history[-int(warmup) :]
    return {
        "version": HEADER_VERSION,
        "plan": plan.document(),
        "plan_key": plan.key(),
        "origin": TICKER if plan.source == TICKER else exchange.origin,
        "simulated": exchange.simulated,
        "costs": Costs(fee_rate_of(plan.fee_rate, instrument), plan.slippage_rate)._asdict(),
        "instrument": instrument._asdict(),
        "strategy": describe_strategy(strategy),
        "warmup": warmup,
        "warm_up_candles": [[int(row[0]), *row[1:].tolist()] for row in kept],
        "first_bar": first_bar,
        "checks": {name: check._asdict() for name, check in checks.named.items()} if checks else {},
        "versions": versions(),
    }


def _bars_to_check(strategy: Strategy) -> int:
    """How much history to ask for: twice what the strategy looks back on, so that the warm-up check can run."""
    longest = max((value for value in strategy.values.values() if type(value) is int), default=0)
    declared = strategy.warmup if isinstance(strategy.warmup, int) else 0
    return max(CHECKED_BARS, min(2 * longest, MOST_CHECKED_BARS), 2 * declared)


def _checked(strategy: Strategy, history: pd.DataFrame, plan: SessionPlan, database: Database) -> Checks | None:
    """The verdicts on the newest history; a strategy that fails one may not trade."""
    if not len(history):
        raise FixData(
            f"{plan.exchange} has no closed {plan.timeframe} candle of {plan.symbol} to begin with",
            hint=f"algotrade list timeframes --exchange {plan.exchange}",
        )
    strategy.bounds = plan.bounds
    strategy.begin(plan.symbol, strategy.warmup, timeframe=plan.timeframe)
    checks = check_honesty(strategy, history, generate_signals(strategy, history), "budget", database)
    if checks is not None and checks.failed:
        name, check = next(iter(checks.failed.items()))
        raise NotAllowed(
            f"{strategy.name()} fails the {name.replace('_', '-')} check: {check.detail}",
            hint=f"algotrade backtest --strategy {strategy.name()} --check full",
        )
    return checks


def _table(rows: Floats) -> pd.DataFrame:
    return candle_table(rows[:, 0].astype(np.int64), rows[:, 1:].T)


def describe_unproven(strategy: Strategy, header: dict[str, Any]) -> list[str]:
    """A sentence for each check that a strategy of signals should have passed but that could not run."""
    if not isinstance(strategy, SignalStrategy):
        return []
    checks = {name: header["checks"].get(name) for name in ("look_ahead", "warm_up")}
    return [
        f"{strategy.name()} trades although its {name.replace('_', '-')} check has no verdict: {check['detail']}"
        for name, check in checks.items()
        if check is not None and check["passed"] is None
    ]


def describe_beginning(header: dict[str, Any]) -> str:
    """A sentence about where a session begins."""
    bars = len(header["warm_up_candles"])
    return f"begins with the bar of {iso(header['first_bar'])} after {bars} bars of warm-up"
