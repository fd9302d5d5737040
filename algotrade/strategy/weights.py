"""The kind of strategy for several symbols in one account: target weights for all bars at once.

A weight is a target exposure of one symbol: the fraction of the account's equity to hold of it, known at the close of
its moment and filled from the open of the symbol's next bar. It trades where it changes. What the prices alone do to a
position's share trades nothing, except on the rows that say so in the column `rebalance`, or where a run was given a
rebalance band. What comes between prices and weights is in strategy/allocation.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeGuard

import numpy as np
import numpy.typing as npt
import pandas as pd

from algotrade.engine.account import View
from algotrade.engine.events import CandleClosed
from algotrade.engine.requests import TargetRequest
from algotrade.errors import FixCommand, FixStrategy, did_you_mean
from algotrade.market.candles import Floats, Times, iso, times_ms
from algotrade.market.moments import moments_of
from algotrade.strategy.base import DEFAULT_HISTORY, Strategy, on, own_errors

REBALANCE: Final = "rebalance"
ROUNDING: Final = 1e-9  # by which weights that add up to the leverage on paper may miss it
FROM_CANDLE_TO_WEIGHTS: Final = ("handle", "candles", "follow_weights", "weights")

Flags = npt.NDArray[np.bool_]


class Plan(NamedTuple):
    """What to hold, as columns.

    Attributes:
        times: moments at which any symbol has a candle, int64 milliseconds, shape (moments,).
        weights: fraction of equity to hold from then on, shape (moments, symbols); finite.
        rebalance: whether positions are brought to their weights even where these have not changed, shape (moments,).
    """

    times: Times
    weights: Floats
    rebalance: Flags


class PortfolioStrategy(Strategy):
    """A strategy that computes weights for several symbols from their tables of candles.

    Write `generate_weights`. It is called once over all candles in a backtest, and over those of the last `warmup`
    moments at every close in live trading; the checks prove that both give the same weights.
    """

    _moments: int | None = DEFAULT_HISTORY  # that a decision is made from; None: all

    def generate_weights(self, candles: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """Weights for every moment at which one of the symbols has a candle.

        Args:
            candles: by symbol, in the order in which they were given; index `time` (UTC, bar open), float64 columns
                open, high, low, close, volume; closed bars only. A symbol may begin later, end earlier and miss bars.

        Returns:
            A DataFrame with all these times as its index (`closes(candles)` has it) and a column for each symbol: the
            fraction of equity to hold. NaN before the first value is 0. On True rows of an optional column
            `rebalance`, positions are brought to the weights even where these have not changed.
        """
        raise FixStrategy(f"{type(self).__name__} must define generate_weights(self, candles)")

    @on("candles")
    def follow_weights(self, candle: CandleClosed) -> None:
        """Aim at the newest weights once the last candle of a moment is known."""
        if candle.more:
            return
        tables = {symbol: self.candles(symbol=symbol) for symbol in self.symbols}
        moments = moments_of(tables)
        since = None if self._moments is None else int(moments[-self._moments :][0])
        plan = plan_of(self.weights(tables, since=since), self.symbols)
        for request in requests_for(self.symbols, plan.weights[-1].tolist(), self._view, rebalance=plan.rebalance[-1]):
            self._ask(request)

    def weights(self, candles: Mapping[str, pd.DataFrame], *, since: int | None = None) -> pd.DataFrame:
        """`generate_weights`, with its answer checked.

        Args:
            candles: closed candles by symbol.
            since: give it the candles from this time on alone, milliseconds; None: all.

        Raises:
            FixStrategy: it raised, or its answer is not a table of weights; with the bar's time.
            FixCommand: a short position where shorts are not allowed.
        """
        given = {symbol: _since(table, since) for symbol, table in candles.items()}
        with own_errors(self), self.given(given):
            weights = self.generate_weights({symbol: table.copy(deep=False) for symbol, table in given.items()})
        check_weights(self, weights, given)
        _refuse_unlisted(self.name(), weights, candles)
        return weights

    def begin(self, symbols: str | Sequence[str], warmup: int | str | None, *, timeframe: str = "") -> None:
        """As `Strategy.begin`; a warm-up is counted in moments, at each of which some symbol has a candle."""
        super().begin(symbols, warmup, timeframe=timeframe)
        size = DEFAULT_HISTORY if warmup is None else warmup
        self._moments = None if size == "all" else max(1, int(size))


def decides_by_weights(strategy: Strategy) -> TypeGuard[PortfolioStrategy]:
    """Whether a strategy answers closed candles by its weights and nothing else: then all can be computed at once."""
    cls = type(strategy)
    return (
        isinstance(strategy, PortfolioStrategy)
        and cls.handlers == PortfolioStrategy.handlers
        and all(getattr(cls, name) is getattr(PortfolioStrategy, name) for name in FROM_CANDLE_TO_WEIGHTS)
    )


def requests_for(
    symbols: Iterable[str], weights: Iterable[float], view: View, *, rebalance: bool
) -> list[TargetRequest]:
    """What a row of weights asks for, one target for each symbol; what is flat and shall be is not rebalanced."""
    return [
        TargetRequest(symbol, weight, rebalance=bool(rebalance and (weight != 0.0 or view.position(symbol) != 0.0)))
        for symbol, weight in zip(symbols, weights, strict=True)
    ]


def plan_of(weights: pd.DataFrame, symbols: Sequence[str]) -> Plan:
    """Checked weights as columns, in the order of the symbols; 0 before the first value."""
    values = np.nan_to_num(weights[list(symbols)].to_numpy(np.float64))
    rows = weights[REBALANCE].to_numpy(np.bool_) if REBALANCE in weights else np.zeros(len(weights), np.bool_)
    return Plan(times_ms(weights), values, rows)


# ---- what may be wrong with weights ---------------------------------------------------------------------------------
def check_weights(strategy: PortfolioStrategy, weights: Any, candles: Mapping[str, pd.DataFrame]) -> None:
    """Say what is wrong with a table of weights, at which bar, and what to do.

    Raises:
        FixStrategy: another index or other columns than asked for; no numbers, NaN after the first value, infinity;
            more than the leverage.
        FixCommand: a short position where shorts are not allowed.
    """
    name = strategy.name()
    _check_shape(name, weights, candles)
    symbols = list(candles)
    try:
        values = weights[symbols].to_numpy(np.float64)
    except (TypeError, ValueError):
        kinds = ", ".join(sorted({str(kind) for kind in weights[symbols].dtypes}))
        raise FixStrategy(f"{name}: weights are numbers, given {kinds}") from None
    times = times_ms(weights)
    _refuse_holes(name, values, times, symbols)
    _check_bounds(strategy, values, times, symbols)


def _check_shape(name: str, weights: Any, candles: Mapping[str, pd.DataFrame]) -> None:
    """Refuse what is no table, has other columns than the symbols, or another index than their times."""
    if not isinstance(weights, pd.DataFrame):
        raise FixStrategy(
            f"{name}: generate_weights must return a table with a column for each symbol,"
            f" given {type(weights).__name__}"
        )
    columns = [str(column) for column in weights.columns]
    missing = [symbol for symbol in candles if symbol not in columns]
    unknown = [column for column in columns if column not in (*candles, REBALANCE)]
    if unknown:
        near = did_you_mean(unknown[0], candles)
        raise FixStrategy(
            f"{name}: weights for '{unknown[0]}', which is not traded here (there are: {', '.join(candles)}).{near}"
        )
    if missing:
        raise FixStrategy(f"{name}: the weights have no column '{missing[0]}'; give 0.0 where it is not to be held")
    if len(set(columns)) < len(columns):
        raise FixStrategy(f"{name}: the weights have a column twice: {', '.join(columns)}")
    if REBALANCE in columns and weights[REBALANCE].dtype != np.bool_:
        raise FixStrategy(
            f"{name}: the column '{REBALANCE}' is True or False, given {weights[REBALANCE].dtype};"
            " make it with rebalance_on(index, '1w')"
        )
    moments = moments_of(candles)
    dated = isinstance(weights.index, pd.DatetimeIndex)
    if not dated or not np.array_equal(times_ms(weights), moments):
        raise FixStrategy(
            f"{name}: the weights need the times of all candles as their index ({len(moments)} moments), given"
            f" {len(weights)} rows; closes(candles).index has them"
        )


def _refuse_holes(name: str, values: Floats, times: Times, symbols: list[str]) -> None:
    """Refuse infinity, and NaN after a symbol's first weight."""
    known = ~np.isnan(values)
    begun = np.logical_or.accumulate(known, axis=0)
    bad = np.argwhere(np.isinf(values) | (begun & ~known))
    if len(bad):
        row, column = bad[0]
        raise FixStrategy(
            f"{name}: the weight of {symbols[column]} at {iso(int(times[row]))} is {values[row, column]}; NaN only"
            " comes before a symbol's first weight, give 0.0 where it is not to be held: weights.fillna(0.0)"
        )


def _check_bounds(strategy: PortfolioStrategy, values: Floats, times: Times, symbols: list[str]) -> None:
    """Say at which bar weights are more than the leverage, or negative where that is not allowed."""
    name, bounds = strategy.name(), strategy.bounds
    total = np.nansum(np.abs(values), axis=1)
    over = np.flatnonzero(total > bounds.leverage * (1.0 + ROUNDING))
    if len(over):
        held = {
            symbol: round(value, 6) for symbol, value in zip(symbols, values[over[0]].tolist(), strict=True) if value
        }
        raise FixStrategy(
            f"{name}: the weights at {iso(int(times[over[0]]))} add up to {total[over[0]]:g}, above the leverage of"
            f" {bounds.leverage:g} ({held}); divide them by their sum"
        )
    short = np.argwhere(values < 0.0)
    if len(short) and not bounds.allow_short:
        row, column = short[0]
        raise FixCommand(
            f"{name} wants to be short in {symbols[column]} at {iso(int(times[row]))}, which a spot market cannot do;"
            " to simulate it all the same add --allow-short",
            hint=f"algotrade backtest --strategy {name} --allow-short",
        )


def _refuse_unlisted(name: str, weights: pd.DataFrame, candles: Mapping[str, pd.DataFrame]) -> None:
    """Refuse a weight of a symbol that has had no candle yet: nobody could trade it."""
    times = times_ms(weights)
    for symbol, table in candles.items():
        first = int(times_ms(table)[0]) if len(table) else math.inf
        before = np.nan_to_num(weights[symbol].to_numpy(np.float64)[: np.searchsorted(times, first)])
        wanted = np.flatnonzero(before)
        if len(wanted):
            begins = f"its first candle is at {iso(int(first))}" if len(table) else "it has no candles"
            raise FixStrategy(
                f"{name}: the weight of {symbol} at {iso(int(times[wanted[0]]))} is {before[wanted[0]]:g}, but"
                f" {begins}; leave it 0.0 or NaN until then: weights.where(closes(candles).notna(), 0.0)"
            )


def _since(table: pd.DataFrame, time: int | None) -> pd.DataFrame:
    """The candles from a time on."""
    return table if time is None else table.iloc[np.searchsorted(times_ms(table), time) :]
