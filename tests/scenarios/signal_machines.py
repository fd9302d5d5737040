"""Stories that a table of signals can tell: one target at a time, with protection as fractions of the entry price."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from algotrade.backtest.event_loop import run_event_loop
from algotrade.backtest.kernel import run_kernel
from algotrade.backtest.known_signals import KnownSignals
from algotrade.backtest.setup import Setup
from algotrade.engine.events import CandleClosed
from algotrade.engine.fills import Costs
from algotrade.engine.orders import Bracket, Role
from algotrade.engine.requests import TargetRequest
from algotrade.evaluate.executions import REASONS_TO_CHARGE, ROLES
from algotrade.evaluate.result import Result
from algotrade.market.candles import candle_table
from algotrade.strategy.protection import Wanted, no_protection
from algotrade.strategy.signals import SignalStrategy
from tests.scenarios.story import Ending, Story, Told

COLUMNS = ("stop_loss", "take_profit", "trailing_stop", "trailing_activation", "max_bars")
TOLD_BY_RESULTS = ("buy", "sell", "refused", "charged", "ambiguous")  # a Result keeps no cancellations

Machine = Callable[["Signals", Setup], Result]


class Signals(NamedTuple):
    """A story's candles, and what its signals want."""

    symbol: str
    candles: pd.DataFrame
    wanted: Wanted


def signals_of(story: Story) -> Signals | None:
    """The story as signals; None where they cannot tell it."""
    bars = [event for event in story.events if isinstance(event, CandleClosed)]
    asks = [story.asks.get(("", bar.time, bar.symbol), []) for bar in bars]
    changes = [ask for asked in asks for ask in asked]
    if len(story.setup.symbols) > 1 or len(story.events) != 2 * len(bars) or max(map(len, asks)) > 1:
        return None
    if len(changes) != sum(map(len, story.asks.values())) or not all(map(_is_signal, changes)):
        return None
    opening = [ask for ask in changes if isinstance(ask, TargetRequest) and ask.exposure]
    units = {ask.unit for ask in opening}
    protected = [ask.bracket is not None for ask in opening]
    if len(units) != 1 or (any(protected) and not all(protected)) or any(not _has_columns(ask) for ask in opening):
        return None
    columns = [np.array(column) for column in zip(*(bar[1:7] for bar in bars), strict=True)]
    candles = candle_table(columns[0].astype(np.int64), columns[1:])
    return Signals(story.setup.instrument.symbol, candles, _wanted([asked[0] if asked else None for asked in asks]))


def _is_signal(ask: object) -> bool:
    return isinstance(ask, TargetRequest) and not ask.rebalance


def _has_columns(ask: TargetRequest) -> bool:
    """Whether its bracket is of the kind that columns give, with the same steps for all."""
    bracket = ask.bracket or Bracket()
    return bracket._replace(**dict.fromkeys(COLUMNS), take_profit_after=()) == Bracket()


def _wanted(asks: list[object]) -> Wanted:
    targets, scales = np.zeros(len(asks)), np.ones(len(asks))
    columns = {name: np.full(len(asks), math.nan) for name in (*COLUMNS, "limit")}
    unit, steps = "exposure", ()
    for row, ask in enumerate(asks):
        targets[row], scales[row] = targets[row - 1], scales[row - 1]
        if not isinstance(ask, TargetRequest):
            continue
        targets[row], scales[row] = ask.exposure, ask.size
        unit = ask.unit if ask.exposure else unit
        bracket = ask.bracket or Bracket()
        steps = bracket.take_profit_after or steps
        for name in COLUMNS:
            columns[name][row] = math.nan if getattr(bracket, name) is None else getattr(bracket, name)
        columns["limit"][row] = math.nan if ask.limit is None else ask.limit
    protection = no_protection(len(asks))._replace(**columns, steps=steps)
    sized = None if unit == "exposure" and (scales == 1.0).all() else scales
    return Wanted(targets, protection if protection.any() else None, sized, unit)


def plain_kernel(signals: Signals, setup: Setup) -> Result:
    return run_kernel(signals.candles, signals.wanted, setup, compile_from=10**9)


def compiled_kernel(signals: Signals, setup: Setup) -> Result:
    return run_kernel(signals.candles, signals.wanted, setup, compile_from=0)


def event_loop_with_known_signals(signals: Signals, setup: Setup) -> Result:
    return run_event_loop(signals.candles, KnownSignals({signals.symbol: signals.wanted}), setup)


def event_loop_with_signal_strategy(signals: Signals, setup: Setup) -> Result:
    """The strategy is asked at every bar, and knows no more than the bars before it."""
    wanted = signals.wanted
    table = pd.DataFrame({"signal": wanted.targets}, index=signals.candles.index)
    if wanted.protection is not None:
        table = table.assign(**{name: getattr(wanted.protection, name) for name in (*COLUMNS, "limit")})

    class FromTable(SignalStrategy):
        def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
            return table.loc[candles.index]

    strategy = FromTable()
    strategy.bounds = setup.bounds
    strategy.take_profit_steps = () if wanted.protection is None else wanted.protection.steps
    strategy.begin(setup.symbols, "all")
    return run_event_loop(signals.candles, strategy, setup)


MACHINES: tuple[Machine, ...] = (
    plain_kernel,
    compiled_kernel,
    event_loop_with_known_signals,
    event_loop_with_signal_strategy,
)


def can_run(machine: Machine, signals: Signals, setup: Setup) -> bool:
    """Whether a machine knows all that the story needs."""
    if machine is event_loop_with_signal_strategy:
        return signals.wanted.scales is None
    if machine is event_loop_with_known_signals:
        return True
    costs = setup.costs
    known = Costs(costs.fee_rate, costs.slippage_rate, costs.maker_fee_rate, costs.spread_rate)
    return known._replace(maintenance_rate=costs.maintenance_rate) == costs and not setup.limits.any()


def told_by_result(result: Result) -> list[Told]:
    """What a table tells, of what a Result keeps; by the kind of what happened, each in its order."""
    times = result.times.tolist()
    told = []
    for fill in zip(*(column.tolist() for column in result.filled), strict=True):
        told.append(Told(times[fill[0]], "", "", *_of_fill(result, fill)))
    told += [Told(refused.time, "", "", ("refused", refused.reason), ()) for refused in result.rejections]
    for bar, reason, amount, _, _ in zip(*(column.tolist() for column in result.charges), strict=True):
        told.append(Told(times[bar], "", "", ("charged", REASONS_TO_CHARGE[reason]), (amount,)))
    for bar, worst, best, diverges in zip(*(column.tolist() for column in result.ambiguous), strict=True):
        words = ("ambiguous", "diverges") if diverges else ("ambiguous",)
        told.append(Told(times[bar], "", "", words, (worst, best)))
    return told


def _of_fill(result: Result, fill: tuple[float, ...]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    _, side, quantity, price, fee, _, role, maker, in_base, _ = fill
    name = ROLES[int(role)]
    words, numbers = ["buy" if side > 0 else "sell", "@"], [quantity, price]
    for word, number in (("fee", 0.0 if in_base else fee), ("fee_base", in_base)):
        if number:
            words.append(word)
            numbers.append(number)
    words += [*(["maker"] if maker else []), *([str(name)] if name is not Role.OWN else [])]
    return tuple(words), tuple(numbers)


def by_kind(ending: Ending) -> list[Told]:
    """What a table tells of what a Result keeps, in the order of `told_by_result`."""
    kept = [told._replace(book="", symbol="") for told in ending.told if told.words[0] in TOLD_BY_RESULTS]
    order = {"buy": 0, "sell": 0, "refused": 1, "charged": 2, "ambiguous": 3}
    return sorted(kept, key=lambda told: order[told.words[0]])


def final_equity(story: Story, path: str) -> float:
    """The account's value at the last close, by the table."""
    end = story.endings[path].ends[0]
    last = story.events[-1]
    assert isinstance(last, CandleClosed)
    return end.cash + sum(end.positions.values()) * last.close
