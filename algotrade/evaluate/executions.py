"""Our executions and refusals as columns, and the equity that follows from them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from algotrade.engine.account import cash_after, equity_at, position_after
from algotrade.market.candles import Floats, Times, utc_index


class Fills(NamedTuple):
    """Our executions as columns, in order of time; every array has shape (fills,)."""

    bar: npt.NDArray[np.int64]  # row of the candle table on which it happened
    side: npt.NDArray[np.int64]  # +1 buy, -1 sell
    quantity: Floats  # base units, positive
    price: Floats  # quote units, slippage included
    fee: Floats  # quote units

    def table(self, times: Times) -> pd.DataFrame:
        """As a DataFrame: time (UTC), side ("buy" or "sell"), quantity, price, fee."""
        return pd.DataFrame(
            {
                "time": utc_index(times[self.bar]),
                "side": np.where(self.side > 0, "buy", "sell"),
                "quantity": self.quantity,
                "price": self.price,
                "fee": self.fee,
            }
        )


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what a float cannot hold is infinite or NaN
def equity_of_fills(filled: Fills, cash: float, close: Floats) -> Floats:
    """Account value at each close, shape (bars,), from the fills alone: bit for bit what the engine saw."""
    position = 0.0
    states = [(cash, position)]
    for _, side, quantity, price, fee in zip(*(column.tolist() for column in filled), strict=True):
        cash, position = cash_after(cash, side, quantity, price, fee), position_after(position, side, quantity)
        states.append((cash, position))
    done = np.searchsorted(filled.bar, np.arange(len(close)), side="right")  # fills up to and including each bar
    cash_then, position_then = np.array(states).T
    return np.asarray(equity_at(cash_then[done], position_then[done], close))  # type: ignore[arg-type]  # elementwise


class Rejection(NamedTuple):
    """An order that was refused, and the reason code.

    `time`: of the bar on which it would have filled; where our own limits kept it back, of the bar that asked for it.
    """

    time: int
    reason: str
