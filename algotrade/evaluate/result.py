"""The value that every mode ends in: a backtest, a paper session and a live one give the same type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from algotrade.engine.fills import Costs
from algotrade.evaluate.executions import (
    AmbiguousBars,
    Charges,
    Fills,
    PathBounds,
    RanOn,
    Rejection,
    no_ambiguous_bars,
    no_charges,
)
from algotrade.evaluate.round_trips import round_trip_table
from algotrade.evaluate.summary import buy_and_hold, summarize
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
        costs: what trading and holding cost.
        timeframe: of the candles.
        calendar: "24/7" or "stocks"; decides the bars per year.
        fingerprint: all that made this result: hashes, parameters, costs, versions.
        simulated: the candles come from the demo exchange.
        charges: what holding cost: borrowing, funding.
        ambiguous: bars on which it mattered which way the price went.
        bounds: final equity the worse and the better way; None where no bar was ambiguous, or nobody ran both.
        ran_on: the machine that made it, and why that one.
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
    charges: Charges = field(default_factory=no_charges)
    ambiguous: AmbiguousBars = field(default_factory=no_ambiguous_bars)
    bounds: PathBounds | None = None
    ran_on: RanOn = field(default_factory=RanOn)

    @cached_property
    def times(self) -> Times:
        """Open times of the bars, int64 milliseconds."""
        return times_ms(self.candles)

    @cached_property
    def equity(self) -> pd.Series[float]:
        """Account value at each close, indexed by the bar's open time."""
        return pd.Series(self.equity_values, index=self.candles.index, name="equity")

    @property
    def results(self) -> tuple[Result, ...]:
        """The parts that it is made of: itself."""
        return (self,)

    @property
    def ambiguous_count(self) -> int:
        """How many bars were ambiguous; one that was walked along finer candles counts once."""
        return len(np.unique(self.ambiguous.bar))

    @property
    def markets(self) -> tuple[Result, ...]:
        """One result for each symbol: itself."""
        return (self,)

    @cached_property
    def held(self) -> Result:
        """What the same cash would have become, bought once and held."""
        return buy_and_hold(self)

    @cached_property
    def ruined_at(self) -> int | None:
        """Open time of the first bar at whose close nothing was left, milliseconds; None if there was always some."""
        return ruin_time(self.equity_values, self.times)

    @cached_property
    def fills(self) -> pd.DataFrame:
        """Executions, see evaluate/executions.py for the columns."""
        return self.filled.table(self.times)

    @cached_property
    def round_trips(self) -> pd.DataFrame:
        """Closed round trips, see evaluate/round_trips.py for the columns."""
        return round_trip_table(self.filled, self.times, charges=self.charges, ambiguous=self.ambiguous)

    @cached_property
    def summary(self) -> dict[str, float]:
        """The figures of evaluate/summary.py, by name."""
        return summarize(self)


def ruin_time(equity: Floats, times: Times) -> int | None:
    """Open time of the first bar at whose close nothing was left, milliseconds; None if there was always some.

    Args:
        equity: at each close, quote units, shape (bars,).
        times: open times, milliseconds, shape (bars,).
    """
    ruined = np.flatnonzero(equity <= 0.0)
    return int(times[ruined[0]]) if len(ruined) else None
