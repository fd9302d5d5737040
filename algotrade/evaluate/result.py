"""The value that every mode ends in: a backtest, a paper session and a live one give the same type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from algotrade.engine.fills import Costs
from algotrade.evaluate.executions import Fills, Rejection
from algotrade.evaluate.round_trips import round_trip_table
from algotrade.evaluate.summary import summarize
from algotrade.market.candles import Floats, Times, times_ms


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
