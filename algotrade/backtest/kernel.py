"""The fast path: one symbol, signals known for every bar.

The loops know no rule of their own: they call the scalar functions of the engine. They run plain over Python lists for
small work and as machine code for large work, with the same bits. The shortest of them, here, trades exposures between
flat and all in at the next open; what protects them, and all else, is in backtest/protective_kernel.py.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from algotrade.backtest import protective_kernel as protective
from algotrade.backtest.setup import Setup
from algotrade.engine._jit import compiled
from algotrade.engine.account import cash_after, equity_at, position_after
from algotrade.engine.fills import fee_of
from algotrade.engine.rules import BEST, WORST
from algotrade.engine.sizing import (
    EXPOSURE,
    NOTIONAL,
    QUANTITY,
    REFUSALS,
    Terms,
    market_fill,
    refusal_of,
    target_changed,
)
from algotrade.evaluate.executions import (
    REASONS_TO_CHARGE,
    AmbiguousBars,
    Charges,
    Integers,
    Rejection,
    bounds_between,
    fills_of,
    no_charges,
)
from algotrade.evaluate.result import Result
from algotrade.market.candles import Floats, times_ms
from algotrade.strategy.protection import Wanted

COMPILE_FROM_BARS: Final = 400_000  # below, the plain loop is done before numba is imported
UNITS: Final = {"exposure": EXPOSURE, "quantity": QUANTITY, "notional": NOTIONAL}

Answer = TypeVar("Answer")


class OrderLog(NamedTuple):
    """What became of each order: one row per change of target; arrays, or lists for the plain loop."""

    bar: Any
    side: Any
    quantity: Any
    price: Any
    fee: Any
    refusal: Any


LOG_KINDS: Final = (np.int64, np.int64, np.float64, np.float64, np.float64, np.int64)


def follow_targets(open_: Any, close: Any, target: Any, cash: float, terms: Terms, equity: Any, log: OrderLog) -> int:
    """Trade every change of target at the next open; fill `equity` and `log`, return the number of orders.

    Args:
        open_: open prices, shape (bars,).
        close: close prices, shape (bars,).
        target: exposure wanted at each close, shape (bars,).
        cash: quote units at the start.
        terms: costs and legal sizes.
        equity: receives the account value at each close, shape (bars,).
        log: receives the orders; room for one per change of target.
    """
    position = 0.0
    wanted = 0.0
    due = False
    orders = 0
    for i in range(len(close)):
        if due:
            side, quantity, price = market_fill(wanted, cash, position, open_[i], terms)
            refusal = refusal_of(quantity, price, equity_at(cash, position, price), terms)
            fee = fee_of(quantity, price, terms.fee_rate)
            if refusal == 0:
                cash = cash_after(cash, side, quantity, price, fee)
                position = position_after(position, side, quantity)
            log.bar[orders] = i
            log.side[orders] = side
            log.quantity[orders] = quantity
            log.price[orders] = price
            log.fee[orders] = fee
            log.refusal[orders] = refusal
            orders += 1
            due = False
        equity[i] = equity_at(cash, position, close[i])
        if target_changed(wanted, target[i]):
            wanted = target[i]
            due = True
    return orders


def run_kernel(
    candles: pd.DataFrame, wanted: Floats | Wanted, setup: Setup, *, compile_from: int = COMPILE_FROM_BARS
) -> Result:
    """Backtest signals over candles.

    Args:
        candles: closed candles.
        wanted: at each close; an array is of target exposures, float64, shape (bars,), finite.
        setup: cash, costs, legal sizes, timeframe, path.
        compile_from: number of bars from which the compiled form is used.

    Returns:
        With `bounds` where a bar was ambiguous: the run is then made both ways.
    """
    asked = wanted if isinstance(wanted, Wanted) else Wanted(np.asarray(wanted, np.float64))
    machine_code = len(candles) >= compile_from
    if not is_plain(asked, setup):
        return _run_protective(candles, asked, setup, machine_code)
    open_, close = (np.ascontiguousarray(candles[name], np.float64) for name in ("open", "close"))
    targets = np.ascontiguousarray(asked.targets, np.float64)
    room = 1 + int(np.count_nonzero(targets[1:] != targets[:-1]))  # the first target may itself be a change
    equity, columns = _either(
        machine_code,
        lambda: _run_compiled(open_, close, targets, setup, room),
        lambda: _run_plain(open_, close, targets, setup, room),
    )
    *executions, refusal = columns
    done = refusal == 0
    result = _new_result(candles, equity, setup, _rejections(candles, executions[0], refusal))
    return dataclasses.replace(result, filled=fills_of(*(column[done] for column in executions)))


def is_plain(wanted: Wanted, setup: Setup) -> bool:
    """Whether all that signals ask for is a share of equity between none and all, at the next open."""
    plain = wanted.scales is None and wanted.unit == "exposure" and setup.bounds.leverage <= 1.0
    plain = plain and (wanted.protection is None or not wanted.protection.any())
    return plain and bool(((wanted.targets >= 0.0) & (wanted.targets <= 1.0)).all())


def _either(machine_code: bool, fast: Callable[[], Answer], plain: Callable[[], Answer]) -> Answer:  # noqa: FBT001
    """Machine code where it is wanted and can be had: numba may be absent, or unable to write its files."""
    if not machine_code:
        return plain()
    try:
        return fast()
    except (ImportError, OSError):
        return plain()


# ---- the plain one --------------------------------------------------------------------------------------------------
def _run_compiled(open_: Floats, close: Floats, targets: Floats, setup: Setup, room: int) -> tuple[Floats, list[Any]]:
    equity = np.empty(len(close))
    log = OrderLog(*(np.empty(room, kind) for kind in LOG_KINDS))
    orders = compiled(follow_targets)(open_, close, targets, float(setup.cash), setup.terms, equity, log)
    return equity, [column[:orders] for column in log]


def _run_plain(open_: Floats, close: Floats, targets: Floats, setup: Setup, room: int) -> tuple[Floats, list[Any]]:
    equity = [0.0] * len(close)
    log = OrderLog(*([0] * room for _ in LOG_KINDS))
    orders = follow_targets(
        open_.tolist(), close.tolist(), targets.tolist(), float(setup.cash), setup.terms, equity, log
    )
    columns = [np.array(column[:orders], kind) for column, kind in zip(log, LOG_KINDS, strict=True)]
    return np.array(equity), columns


# ---- the protective one ---------------------------------------------------------------------------------------------
def _run_protective(candles: pd.DataFrame, wanted: Wanted, setup: Setup, machine_code: bool) -> Result:  # noqa: FBT001
    """By one way through each bar; and once more by the other, where it mattered."""
    run = protective.prepared(candles, wanted, setup, UNITS[wanted.unit])
    traces = _either(machine_code, run.by_machine_code, run.plainly)
    result = _protective_result(candles, traces, setup)
    if not len(traces.doubts):
        return result
    other = protective.prepared(
        candles, wanted, setup._replace(path=BEST if setup.path == WORST else WORST), UNITS[wanted.unit]
    )
    another = _either(machine_code, other.by_machine_code, other.plainly)
    return dataclasses.replace(result, bounds=bounds_between(float(traces.equity[-1]), float(another.equity[-1])))


def _protective_result(candles: pd.DataFrame, traces: protective.Traces, setup: Setup) -> Result:
    bar, side, quantity, price, fee, refusal, role, maker = traces.log.T
    bars, refusals = bar.astype(np.int64), refusal.astype(np.int64)
    done = refusals == 0
    result = _new_result(candles, traces.equity, setup, _rejections(candles, bars, refusals))
    doubt_bar, worst, best, diverges = traces.doubts.T
    return dataclasses.replace(
        result,
        filled=fills_of(
            bars[done],
            side[done].astype(np.int64),
            quantity[done],
            price[done],
            fee[done],
            role=role[done].astype(np.int16),
            maker=maker[done].astype(np.bool_),
        ),
        charges=_written_off(traces, done),
        ambiguous=AmbiguousBars(doubt_bar.astype(np.int64), worst.copy(), best.copy(), diverges.astype(np.bool_)),
    )


def _written_off(traces: protective.Traces, done: Any) -> Charges:
    """The charge that ends an account without value; none where there was always some."""
    totals = traces.totals
    if not totals.written_off:
        return no_charges()
    reason = np.array([REASONS_TO_CHARGE.index("no_equity_left")], np.int16)
    before = np.array([np.count_nonzero(done[: totals.rows_before])])
    return Charges(np.array([totals.ruined_at]), reason, np.array([totals.written_off]), before, np.zeros(1, np.int16))


# ---- results --------------------------------------------------------------------------------------------------------
def _rejections(candles: pd.DataFrame, bar: Integers, refusal: Integers) -> tuple[Rejection, ...]:
    rows = np.flatnonzero(refusal)
    times = times_ms(candles.iloc[bar[rows]]).tolist()
    return tuple(map(Rejection, times, (REFUSALS[code] for code in refusal[rows])))


def _new_result(candles: pd.DataFrame, equity: Floats, setup: Setup, rejections: tuple[Rejection, ...]) -> Result:
    """Without fills."""
    nothing = np.empty(0, np.int64)
    return Result(
        candles=candles,
        signals=None,
        equity_values=equity,
        filled=fills_of(nothing, nothing, np.empty(0), np.empty(0), np.empty(0)),
        rejections=rejections,
        cash=setup.cash,
        costs=setup.costs,
        timeframe=setup.timeframe,
        calendar=setup.calendar,
    )
