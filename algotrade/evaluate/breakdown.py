"""A result taken apart: by month and year, by drawdown, by round trip, by fee; and two results side by side.

Tables are DataFrames of plain columns, fractions and quote units; showing them is the screen's part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from algotrade.evaluate.metrics import ROUNDING, drawdowns, max_drawdown, profit_factor, total_return, win_rate
from algotrade.market.candles import Floats, Times, utc_index

FEE_TOLERANCE: Final = 1e-6
NO_TIME: Final = np.iinfo(np.int64).min  # NaT, once it is a datetime


def by_month(equity: Floats, times: Times, *, cash: float) -> pd.DataFrame:
    """Equity month by month, see `by_year`; periods are named "2024-01"."""
    return _by_period(equity, times, cash, "M")


def by_year(equity: Floats, times: Times, *, cash: float) -> pd.DataFrame:
    """Equity year by year (UTC); a bar belongs to the period in which it opens, a period without bars has no row.

    Args:
        equity: at each close, quote units, shape (bars,).
        times: open times of the bars, milliseconds, shape (bars,).
        cash: quote units at the start: what the first period's return is relative to.

    Returns:
        Index `period` ("2024"); columns return (from the end of the period before), max_drawdown (within the period,
        the end of the one before included), end_equity (quote units), bars.
    """
    return _by_period(equity, times, cash, "Y")


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what a float cannot hold is infinite or NaN
def drawdown_table(equity: Floats, times: Times, *, worst: int = 5) -> pd.DataFrame:
    """The deepest drawdowns, deepest first.

    A drawdown starts at the bar of the highest equity so far and ends with the first bar that reaches it again.

    Args:
        equity: at each close, quote units, shape (bars,).
        times: open times of the bars, milliseconds, shape (bars,).
        worst: rows at most.

    Returns:
        Columns start, trough, recovery (times in UTC; NaT if it has not recovered), depth (fraction, negative), bars
        (from start to recovery, or to the last bar).
    """
    depths = drawdowns(equity)
    below = np.concatenate([[False], depths < -ROUNDING, [False]])
    firsts = np.flatnonzero(below[1:] & ~below[:-1])
    ends = np.flatnonzero(~below[1:] & below[:-1])  # one past the last bar below
    deepest = np.minimum.reduceat(depths, firsts) if len(firsts) else depths[:0]
    order = np.argsort(deepest, kind="stable")[:worst]
    firsts, ends = firsts[order], ends[order]
    spans = zip(firsts, ends, strict=True)
    troughs = np.array([first + np.argmin(depths[first:end]) for first, end in spans], np.int64)
    recovered = ends < len(equity)
    last = np.where(recovered, ends, len(equity) - 1)
    return pd.DataFrame(
        {
            "start": utc_index(times[firsts - 1]),
            "trough": utc_index(times[troughs]),
            "recovery": utc_index(np.where(recovered, times[last], NO_TIME)),
            "depth": deepest[order],
            "bars": last - (firsts - 1),
        }
    )


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what a float cannot hold is infinite or NaN
def round_trip_distribution(round_trips: pd.DataFrame) -> dict[str, float]:
    """What a typical, a good and a bad round trip looks like.

    Args:
        round_trips: the table of evaluate/round_trips.py.

    Returns:
        Counts (count, wins, losses, longest_winning_streak, longest_losing_streak), fractions (win_rate, mean_return,
        median_return, best_return, worst_return), profit_factor, and mean_bars; NaN where undefined.
    """
    profits, returns = (round_trips[name].to_numpy(np.float64) for name in ("profit", "return"))
    some = len(profits) > 0
    return {
        "count": len(profits),
        "wins": int(np.count_nonzero(profits > 0.0)),
        "losses": int(np.count_nonzero(profits < 0.0)),
        "win_rate": win_rate(profits),
        "mean_return": float(returns.mean()) if some else math.nan,
        "median_return": float(np.median(returns)) if some else math.nan,
        "best_return": float(returns.max()) if some else math.nan,
        "worst_return": float(returns.min()) if some else math.nan,
        "profit_factor": profit_factor(profits),
        "longest_winning_streak": _longest_run(profits > 0.0),
        "longest_losing_streak": _longest_run(profits < 0.0),
        "mean_bars": float(round_trips["bars"].mean()) if some else math.nan,
    }


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what a float cannot hold is infinite or NaN
def by_holding_time(round_trips: pd.DataFrame) -> pd.DataFrame:
    """Round trips by how long they lasted, in classes that double: 0, 1, 2-3, 4-7, 8-15, ... bars.

    Args:
        round_trips: the table of evaluate/round_trips.py.

    Returns:
        Columns from_bars, to_bars (both inclusive), count, win_rate, mean_return, profit (sum, quote units); classes
        without a round trip are left out.
    """
    profits, returns = (round_trips[name].to_numpy(np.float64) for name in ("profit", "return"))
    classes = np.frexp(round_trips["bars"].to_numpy(np.float64))[1]  # number of binary digits
    rows = []
    for digits in np.unique(classes):
        chosen = classes == digits
        rows.append(
            {
                "from_bars": 2 ** int(digits) // 2,
                "to_bars": 2 ** int(digits) - 1,
                "count": int(chosen.sum()),
                "win_rate": win_rate(profits[chosen]),
                "mean_return": float(returns[chosen].mean()),
                "profit": float(profits[chosen].sum()),
            }
        )
    return pd.DataFrame(rows, columns=["from_bars", "to_bars", "count", "win_rate", "mean_return", "profit"])


def break_even_fee(run: Callable[[float], float], cash: float) -> float:
    """The fee rate at which the profit is gone, by bisection between 0 and 1, to 1e-6.

    Args:
        run: final equity (quote units) of the same decisions at a given fee rate; called about twenty times.
        cash: quote units at the start.

    Returns:
        A fraction of the notional; NaN if there is no profit even without a fee, 1.0 if profit outlives every fee.
    """
    if not run(0.0) > cash:
        return math.nan
    if run(1.0) > cash:
        return 1.0
    profitable, ruinous = 0.0, 1.0
    while ruinous - profitable > FEE_TOLERANCE:
        middle = (profitable + ruinous) / 2.0
        if run(middle) > cash:
            profitable = middle
        else:
            ruinous = middle
    return (profitable + ruinous) / 2.0


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what a float cannot hold is infinite or NaN
def compare(first: Mapping[str, float], second: Mapping[str, float]) -> pd.DataFrame:
    """Two summaries side by side.

    Returns:
        One row per metric in the order of the first, those that only the second has after them; columns metric, a, b,
        difference (b - a); NaN where one lacks it.
    """
    names = [*first, *(name for name in second if name not in first)]
    table = pd.DataFrame(
        {
            "metric": names,
            "a": np.array([first.get(name, math.nan) for name in names], np.float64),
            "b": np.array([second.get(name, math.nan) for name in names], np.float64),
        }
    )
    return table.assign(difference=table["b"] - table["a"])


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what a float cannot hold is infinite or NaN
def _by_period(equity: Floats, times: Times, cash: float, unit: Literal["M", "Y"]) -> pd.DataFrame:
    periods = times.view("datetime64[ms]").astype(f"datetime64[{unit}]")
    starts = np.flatnonzero(np.append(True, periods[1:] != periods[:-1])[: len(periods)])
    ends = np.append(starts[1:], len(periods))[: len(starts)]
    rows = []
    before = cash
    for start, end in zip(starts, ends, strict=True):
        path = np.append(before, equity[start:end])
        before = float(path[-1])
        rows.append((total_return(path), max_drawdown(path), before, end - start))
    index = pd.Index(np.datetime_as_string(periods[starts]), dtype="str", name="period")
    columns = {"return": "float64", "max_drawdown": "float64", "end_equity": "float64", "bars": "int64"}
    return pd.DataFrame(rows, index=index, columns=list(columns)).astype(columns)


def _longest_run(flags: npt.NDArray[np.bool_]) -> int:
    """Length of the longest run of True; 0 if there is none."""
    breaks = np.flatnonzero(np.concatenate([[True], ~flags, [True]]))
    return int(np.diff(breaks).max()) - 1
