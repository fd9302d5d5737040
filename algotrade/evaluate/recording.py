"""From the record of a session to a Result: what a backtest's event loop and a live journal have in common."""

from __future__ import annotations

from array import array
from typing import Any, Protocol

import numpy as np
import pandas as pd

from algotrade.engine.events import CandleClosed, Decided, Denied, OrderFilled, OrderRejected
from algotrade.engine.fills import Costs
from algotrade.engine.session import Record
from algotrade.evaluate.executions import Fills, Rejection
from algotrade.evaluate.result import Result
from algotrade.market.candles import candle_table


class Conditions(Protocol):
    """What a result must know of how it came about; `backtest.setup.Setup` has it."""

    @property
    def cash(self) -> float:
        """Quote units at the start."""
        ...

    @property
    def costs(self) -> Costs:
        """Fee and slippage rates."""
        ...

    @property
    def timeframe(self) -> str:
        """Of the candles."""
        ...

    @property
    def calendar(self) -> str:
        """Decides the bars per year."""
        ...


class Recording:
    """Collects the records of one symbol, in order, and makes a Result of them."""

    def __init__(self) -> None:
        self._candles: tuple[array[float], ...] = tuple(array("d") for _ in range(6))
        self._equity = array("d")
        self._exposure = array("d")
        self._fills: tuple[array[Any], ...] = tuple(array(code) for code in "qqddd")
        self._rejections: list[Rejection] = []

    def add(self, record: Record) -> None:
        """Take the next record; kinds that do not matter here are passed over."""
        match record:
            case CandleClosed():
                for column, value in zip(self._candles, record[1:7], strict=True):
                    column.append(value)
            case Decided(equity=equity, exposure=exposure):
                self._equity.append(equity)
                self._exposure.append(exposure)
            case OrderFilled(side=side, quantity=quantity, price=price, fee=fee):
                row = (self._bar(record.time), side, quantity, price, fee)
                for kept, value in zip(self._fills, row, strict=True):
                    kept.append(value)
            case OrderRejected(time=time, reason=reason):
                self._rejections.append(Rejection(time, reason))
            case Denied(order=order, reason=reason):
                self._rejections.append(Rejection(order.time, reason))

    def _bar(self, time: int) -> int:
        """Row of the bar in which a fill happened: the one that is still open, or the last closed one."""
        closed = self._candles[0]
        return len(closed) - 1 if len(closed) and closed[-1] >= time else len(closed)

    def result(self, conditions: Conditions) -> Result:
        """What was recorded so far; fills in a bar that has not closed yet are left out."""
        bars = len(self._equity)
        time, *prices = (np.array(column)[:bars] for column in self._candles)
        columns = [np.array(column) for column in self._fills]
        inside = columns[0] < bars
        candles = candle_table(time.astype(np.int64), prices)
        return Result(
            candles=candles,
            signals=self._targets(candles),
            equity_values=np.array(self._equity, np.float64),
            filled=Fills(*(column[inside] for column in columns)),
            rejections=tuple(self._rejections),
            cash=conditions.cash,
            costs=conditions.costs,
            timeframe=conditions.timeframe,
            calendar=conditions.calendar,
        )

    def _targets(self, candles: pd.DataFrame) -> pd.DataFrame | None:
        """The targets in force as signals; None where the strategy sent orders of its own size."""
        targets = np.array(self._exposure)
        if np.isnan(targets).all():
            return None
        return pd.DataFrame({"close": candles["close"], "signal": targets}, index=candles.index)
