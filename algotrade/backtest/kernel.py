"""The fast path: one symbol, target exposures known for every bar, market orders at the next open.

The loop knows no rule of its own: it calls the scalar functions of the engine. It runs plain over Python lists for
small work and as machine code for large work, with the same bits.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from algotrade.backtest.setup import Setup
from algotrade.engine._jit import compiled
from algotrade.engine.account import cash_after, equity_at, position_after
from algotrade.engine.fills import fee_of
from algotrade.engine.sizing import REFUSALS, Terms, market_fill, refusal_of, target_changed
from algotrade.evaluate.executions import Rejection, fills_of
from algotrade.evaluate.result import Result
from algotrade.market.candles import Floats, times_ms

COMPILE_FROM_BARS: Final = 400_000  # below, the plain loop is done before numba is imported


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
    candles: pd.DataFrame, targets: Floats, setup: Setup, *, compile_from: int = COMPILE_FROM_BARS
) -> Result:
    """Backtest target exposures over candles.

    Args:
        candles: closed candles.
        targets: exposure wanted at each close, float64, shape (bars,), finite.
        setup: cash, costs, legal sizes, timeframe.
        compile_from: number of bars from which the compiled form is used.
    """
    open_, close = (np.ascontiguousarray(candles[name], np.float64) for name in ("open", "close"))
    room = 1 + int(np.count_nonzero(targets[1:] != targets[:-1]))  # the first target may itself be a change
    run = _run_compiled if len(close) >= compile_from else _run_plain
    try:
        equity, columns = run(open_, close, targets, setup, room)
    except (ImportError, OSError):  # numba is absent or cannot write its files: the plain form gives the same
        equity, columns = _run_plain(open_, close, targets, setup, room)
    return _result(candles, equity, columns, setup)


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


def _result(candles: pd.DataFrame, equity: Floats, columns: list[Any], setup: Setup) -> Result:
    *executions, refusal = columns
    bar = executions[0]
    refused = np.flatnonzero(refusal)
    done = refusal == 0 if len(refused) else slice(None)
    refused_at = times_ms(candles.iloc[bar[refused]]).tolist()
    return Result(
        candles=candles,
        signals=None,
        equity_values=equity,
        filled=fills_of(*(column[done] for column in executions)),
        rejections=tuple(map(Rejection, refused_at, (REFUSALS[code] for code in refusal[refused]))),
        cash=setup.cash,
        costs=setup.costs,
        timeframe=setup.timeframe,
        calendar=setup.calendar,
    )
