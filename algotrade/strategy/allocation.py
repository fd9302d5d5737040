"""The usual ways to come from prices to weights, for `generate_weights`.

Every row depends on the rows up to it alone, and on a bounded number of them, so that the checks hold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from algotrade.errors import FixStrategy
from algotrade.market.candles import times_ms, utc_index
from algotrade.market.moments import moments_of
from algotrade.market.timeframe import bar_offset, timeframe_ms

MISSED: Final = 24  # bars in a row that a symbol may miss before it counts as gone
MONTH: Final = "1M"


def closes(candles: Mapping[str, pd.DataFrame], *, missed: int = MISSED) -> pd.DataFrame:
    """Closes of all symbols side by side: index all their times, a column for each, float64.

    Where a symbol misses bars its last close stays, NaN before its first. Nobody knows at the time whether more are to
    come: after `missed` bars in a row without a candle it counts as gone, NaN until its next one.

    Args:
        candles: by symbol.
        missed: bars that a symbol may miss, 0 for none.
    """
    index = utc_index(moments_of(candles))
    columns = {
        symbol: pd.Series(table["close"].to_numpy(), utc_index(times_ms(table))) for symbol, table in candles.items()
    }
    wide = pd.DataFrame({symbol: column.reindex(index) for symbol, column in columns.items()}, index=index)
    return wide.ffill(limit=missed) if missed else wide


def rebalance_on(index: pd.DatetimeIndex, every: str) -> pd.Series[bool]:
    """True on the first bar of each new period; False on the others and on the first of all, which may be in its midst.

    Args:
        index: times of the bars.
        every: a timeframe, "1d", "1w" (from Monday, UTC), or "1M" for calendar months.
    """
    times = times_ms(pd.Series(0.0, index))
    if every == MONTH:
        period = utc_index(times).year.to_numpy() * 12 + utc_index(times).month.to_numpy()
    else:
        period = (times - bar_offset(every)) // timeframe_ms(every)
    begins = np.diff(period, prepend=period[:1]) != 0
    return pd.Series(begins, index, name="rebalance")


def hold(weights: pd.DataFrame, rows: pd.Series[bool]) -> pd.DataFrame:
    """The weights of the last True row, until the next one; NaN before the first.

    Args:
        weights: one row a bar, a column for each symbol.
        rows: of `rebalance_on`, with the same index.
    """
    if not weights.index.equals(rows.index):
        raise FixStrategy("hold: the weights and the rows need the same index")
    chosen = rows.to_numpy(np.bool_)
    last = np.maximum.accumulate(np.where(chosen, np.arange(len(chosen)), -1))
    held = weights.to_numpy(np.float64)[last]
    held[last < 0] = math.nan
    return pd.DataFrame(held, weights.index, weights.columns)


def top(scores: pd.DataFrame, most: int) -> pd.DataFrame:
    """Equal weights 1 / most for the symbols with the `most` highest scores of each row, 0.0 for the others.

    NaN is never chosen, so `scores.where(scores > 0)` takes positive ones alone; what they leave stays cash. Equal
    scores: the symbol that was given first.

    Args:
        scores: one row a bar, a column for each symbol.
        most: positions to hold at most, at least 1.
    """
    if isinstance(most, bool) or most < 1:
        raise FixStrategy(f"top: the number of positions is at least 1, given {most}")
    values = scores.to_numpy(np.float64)
    places = np.argsort(-values, axis=1, kind="stable")[:, :most]  # NaN sorts behind everything
    chosen = np.zeros(values.shape, np.bool_)
    np.put_along_axis(chosen, places, values=True, axis=1)
    return pd.DataFrame(np.where(chosen & ~np.isnan(values), 1.0 / most, 0.0), scores.index, scores.columns)


def inverse_volatility(prices: pd.DataFrame, window: int) -> pd.DataFrame:
    """Weights w = (1 / s) / sum(1 / s), s the standard deviation of the last `window` simple returns of a symbol.

    They add up to 1. Symbols with fewer returns, or without any movement, have 0.0. Source: R. Leote de Carvalho,
    X. Lu, P. Moulin, "Demystifying Equity Risk-Based Strategies", Journal of Portfolio Management 38(3), 2012.

    Args:
        prices: one row a bar, a column for each symbol; see `closes`.
        window: returns, at least 2.
    """
    from algotrade.strategy.indicators.windowed import rolling_std  # which not every strategy needs

    if isinstance(window, bool) or window < 2:
        raise FixStrategy(f"inverse_volatility: the window is at least 2 returns, given {window}")
    spread: dict[Any, Any] = {
        name: rolling_std((prices[name] / prices[name].shift() - 1.0).to_numpy(), window) for name in prices.columns
    }
    deviation = np.column_stack(list(spread.values()))
    with np.errstate(divide="ignore"):
        calm = np.where(deviation > 0.0, 1.0 / deviation, 0.0)  # NaN is not above 0
    total = calm.sum(axis=1, keepdims=True)
    weights = np.divide(calm, total, out=np.zeros_like(calm), where=total > 0.0)
    return pd.DataFrame(weights, prices.index, prices.columns)
