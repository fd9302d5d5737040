"""The header of a session's journal: everything that replaying it needs beside its rows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from algotrade.backtest.execution import begin
from algotrade.backtest.setup import Setup
from algotrade.discover import strategy_from_source
from algotrade.engine.records import candle_of
from algotrade.errors import FixData
from algotrade.live.plan import costs_from, plan_of
from algotrade.market.instrument import Instrument
from algotrade.strategy.base import Bounds, Strategy

HEADER_VERSION: Final = 2
FIRST_VERSION: Final = 1  # one symbol, one strategy
HEADER_KINDS: Final[Mapping[str, type]] = MappingProxyType(
    {
        "plan": dict,
        "origin": str,
        "simulated": bool,
        "costs": dict,
        "instruments": list,
        "strategies": list,
        "warm_up_candles": list,
        "first_bar": int,
        "versions": dict,
    }
)
STRATEGY_KEYS: Final = ("name", "class", "file", "parameters", "hash", "source", "warmup", "checks")


def setup_of(header: Mapping[str, Any]) -> Setup:
    """The conditions under which a journal's session trades."""
    plan = plan_of(header["plan"])
    instruments = tuple(Instrument(**each) for each in header["instruments"])
    can_short = plan.bounds.allow_short or all(each.can_short for each in instruments)
    return Setup(
        instruments=instruments,
        timeframe=plan.timeframe,
        cash=plan.cash,
        costs=costs_from(header["costs"]),
        bounds=Bounds(plan.bounds.leverage, can_short),
        limits=plan.limits,
        path=plan.path,
        touch=plan.touch,
        rebalance_band=plan.rebalance_band,
        sizing=plan.sizing,
        books=plan.books,
    )


def strategies_of(header: Mapping[str, Any]) -> dict[str, Strategy]:
    """The strategies by their books as they were when the session began, from the sources kept in the journal."""
    setup = setup_of(header)
    described = dict(zip(setup.deposits, header["strategies"], strict=True))
    return {book: begin(strategy_from_source(each), setup, each["warmup"]) for book, each in described.items()}


def warmed_up(header: Mapping[str, Any]) -> dict[str, Strategy]:
    """The strategies at the beginning of a session, after their warm-up candles."""
    strategies, symbols = strategies_of(header), header["plan"]["symbols"]
    for symbol, rows in zip(symbols, header["warm_up_candles"], strict=True):
        candles = [candle_of(row, symbol) for row in rows]
        for strategy, described in zip(strategies.values(), header["strategies"], strict=True):
            bars = described["warmup"]
            for candle in candles if bars == "all" else candles[-int(bars) :]:
                strategy.warm_up(candle)
    return strategies


def check_header(header: Mapping[str, Any], session: str) -> None:
    """Refuse the header of a journal that does not say all that a session is.

    Raises:
        FixData: something is missing, or is not what it should be.
    """
    wrong = [name for name, kind in HEADER_KINDS.items() if not isinstance(header.get(name), kind)]
    try:
        if not wrong:
            described = header["strategies"]
            wrong = [f"strategy.{name}" for each in described for name in STRATEGY_KEYS if name not in each]
        if not wrong:
            setup = setup_of(header)
            sizes = {len(setup.symbols), len(header["warm_up_candles"]), len(header["plan"]["symbols"])}
            wrong = ["symbols"] if len(sizes) > 1 or len(setup.deposits) != len(described) else []
            for row in (row for rows in header["warm_up_candles"] for row in rows):
                candle_of(row, "")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        wrong = [str(error)]
    if wrong:
        raise FixData(
            f"the journal of session {session} is damaged, its header cannot be read: {', '.join(wrong)}",
            hint="algotrade list sessions",
        )


def up_to_date(header: dict[str, Any]) -> dict[str, Any]:
    """A header as it is written now: the first version knew one symbol and one strategy.

    One that is damaged comes out as one that `check_header` refuses.
    """
    if header.get("version") != FIRST_VERSION:
        return header
    kept = {name: value for name, value in header.items() if name not in ("instrument", "strategy", "warmup", "checks")}
    plan, described = header.get("plan"), header.get("strategy")
    if isinstance(described, dict):
        of_strategy = {name: header[name] for name in ("warmup", "checks") if name in header}
        kept["strategies"] = [{**described, **of_strategy}]
    if isinstance(plan, dict):
        kept["plan"] = _plan_up_to_date(plan)
    if "instrument" in header:
        kept["instruments"] = [header["instrument"]]
    if "warm_up_candles" in header:
        kept["warm_up_candles"] = [header["warm_up_candles"]]
    return {**kept, "version": HEADER_VERSION}


def _plan_up_to_date(plan: Mapping[str, Any]) -> dict[str, Any]:
    kept = dict(plan)
    if {"symbol", "strategy", "parameters", "slippage_rate"} <= kept.keys():
        kept["symbols"] = [kept.pop("symbol")]
        kept["strategies"] = [{"name": kept.pop("strategy"), "parameters": kept.pop("parameters")}]
        kept["costs"] = {"slippage_rate": kept.pop("slippage_rate")}
    return kept
