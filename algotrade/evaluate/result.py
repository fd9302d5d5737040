"""The value that every mode ends in: a backtest, a paper session and a live one give the same type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from algotrade.engine.account import cash_after, equity_at, position_after
from algotrade.engine.fills import Costs
from algotrade.evaluate.round_trips import round_trip_table
from algotrade.evaluate.summary import summarize
from algotrade.market.candles import Floats, Times, times_ms, utc_index


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
    """An order that was refused: the bar on which it would have filled, and the reason code."""

    time: int
    reason: str


@dataclass(frozen=True)
class Result:
    """What a strategy did over a span of candles.

    Attributes:
        candles: the closed candles it ran over.
        signals: the signals table (same index), with the strategy's indicators; None for event strategies.
        equity_values: account value marked at each close, quote units, shape (bars,).
        filled: the executions.
        rejections: orders refused, in order.
        cash: quote units at the start.
        costs: fee and slippage rates of the run.
        timeframe: of the candles.
        calendar: "24/7" or "stocks"; decides the bars per year.
        fingerprint: all that made this result: hashes, parameters, costs, versions.
        ambiguous_bars: bars whose fills depend on the path inside the bar.
        simulated: the candles come from the demo exchange.
    """

    candles: pd.DataFrame
    signals: pd.DataFrame | None
    equity_values: Floats
    filled: Fills
    rejections: tuple[Rejection, ...]
    cash: float
    costs: Costs
    timeframe: str
    calendar: str = "24/7"
    fingerprint: Mapping[str, Any] = field(default_factory=dict)
    ambiguous_bars: int = 0
    simulated: bool = False

    @cached_property
    def times(self) -> Times:
        """Open times of the bars, int64 milliseconds."""
        return times_ms(self.candles)

    @cached_property
    def equity(self) -> pd.Series[float]:
        """Account value at each close, indexed by the bar's open time."""
        return pd.Series(self.equity_values, index=self.candles.index, name="equity")

    @cached_property
    def fills(self) -> pd.DataFrame:
        """Executions: time, side, quantity, price, fee."""
        return self.filled.table(self.times)

    @cached_property
    def round_trips(self) -> pd.DataFrame:
        """Closed round trips, see evaluate/round_trips.py for the columns."""
        return round_trip_table(self.filled, self.times)

    @cached_property
    def summary(self) -> dict[str, float]:
        """The figures of evaluate/summary.py, by name."""
        return summarize(self)
