"""Results of several symbols or strategies in one account: each part on its own, and all of them together.

A part is judged as if its trades had been the only ones of its account: its equity is the account's cash at the start
and what this part earned. So the profits of the parts add up to the profit of the whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from algotrade.engine.fills import Costs
from algotrade.evaluate.executions import (
    AmbiguousBars,
    Charges,
    Fills,
    Integers,
    PathBounds,
    RanOn,
    Rejection,
    equity_of_account,
    equity_of_fills,
    no_ambiguous_bars,
    no_charges,
)
from algotrade.evaluate.result import Result, ruin_time
from algotrade.evaluate.summary import buy_and_hold, summarize
from algotrade.market.candles import Floats, Times, times_ms, utc_index
from algotrade.market.moments import last_bars, union_of


class Part(NamedTuple):
    """One symbol, traded by one strategy.

    Attributes:
        symbol: what was traded.
        strategy: the name of its book; "" where there is one strategy.
        result: over the symbol's own candles; its cash is all of its book's.
    """

    symbol: str
    strategy: str
    result: Result

    @property
    def profit(self) -> float:
        """What the part earned, an open position marked at the last close, quote units."""
        return float(self.result.equity_values[-1]) - self.result.cash if len(self.result.equity_values) else 0.0


@dataclass(frozen=True)
class PortfolioResult:
    """What strategies did over several symbols; where a name is also one of `Result`, it means the same.

    Attributes:
        parts: by strategy, then by symbol.
        times: open times of all bars of all symbols, int64 milliseconds, shape (bars,).
        equity_values: value of all accounts at each close, quote units, shape (bars,).
        filled: the executions of all parts in order, `bar` is a row of `times`.
        charges: what holding cost, likewise.
        cash: quote units at the start, of all books together.
        costs: what trading and holding cost.
        timeframe: of the candles.
        calendar: "24/7" or "stocks"; decides the bars per year.
        fingerprint: all that made this result.
        simulated: the candles come from the demo exchange.
        bounds: final equity the worse and the better way; None where no bar was ambiguous, or nobody ran both.
        ran_on: the machine that made it, and why that one.
    """

    parts: tuple[Part, ...]
    times: Times
    equity_values: Floats
    filled: Fills
    charges: Charges
    cash: float
    costs: Costs
    timeframe: str
    calendar: str = "24/7"
    fingerprint: Mapping[str, Any] = field(default_factory=dict)
    simulated: bool = False
    bounds: PathBounds | None = None
    ran_on: RanOn = field(default_factory=RanOn)

    @property
    def results(self) -> tuple[Result, ...]:
        """The parts that it is made of."""
        return tuple(part.result for part in self.parts)

    @property
    def ambiguous_count(self) -> int:
        """How many bars were ambiguous, each symbol's counted for itself."""
        return len(self.ambiguous.bar)

    @property
    def markets(self) -> tuple[Result, ...]:
        """One result for each symbol, whatever strategies traded it."""
        return tuple({part.symbol: part.result for part in reversed(self.parts)}.values())[::-1]

    @cached_property
    def held(self) -> PortfolioResult:
        """What the same cash would have become, shared equally among the symbols, each bought once and held."""
        return _held(self)

    @cached_property
    def equity(self) -> pd.Series[float]:
        """Value of all accounts at each close, indexed by the bar's open time."""
        return pd.Series(self.equity_values, index=utc_index(self.times).rename("time"), name="equity")

    @cached_property
    def fills(self) -> pd.DataFrame:
        """Executions of all parts, with columns symbol and strategy before those of `Result.fills`."""
        table = self.filled.table(self.times)
        for place, name in enumerate(("symbol", "strategy")):
            of_part = np.array([getattr(part, name) for part in self.parts], object)
            table.insert(place + 1, name, of_part[self.filled.part])
        return table

    @cached_property
    def round_trips(self) -> pd.DataFrame:
        """Closed round trips of all parts by exit time, with columns symbol and strategy before `Result`'s."""
        tables = [
            part.result.round_trips.assign(symbol=part.symbol, strategy=part.strategy)[
                ["symbol", "strategy", *part.result.round_trips.columns]
            ]
            for part in self.parts
        ]
        filled = [table for table in tables if len(table)] or tables[:1]
        return pd.concat(filled, ignore_index=True).sort_values("exit_time", kind="stable", ignore_index=True)

    @cached_property
    def ambiguous(self) -> AmbiguousBars:
        """Bars on which it mattered which way a price went; one for each symbol, whatever strategies traded it."""
        symbols = list(dict.fromkeys(part.symbol for part in self.parts))
        columns, markets = [no_ambiguous_bars()], [np.zeros(0, np.int64)]
        for part in self.parts:
            own = part.result.ambiguous
            columns.append(own._replace(bar=np.searchsorted(self.times, part.result.times[own.bar])))
            markets.append(np.full(len(own.bar), symbols.index(part.symbol)))
        together = AmbiguousBars._make(map(np.concatenate, zip(*columns, strict=True)))
        _, first = np.unique(np.stack([together.bar, np.concatenate(markets)]), axis=1, return_index=True)
        return together.only(first)

    @cached_property
    def rejections(self) -> tuple[Rejection, ...]:
        """Orders of all parts that were refused, by time."""
        return tuple(sorted((each for part in self.parts for each in part.result.rejections), key=lambda one: one.time))

    @cached_property
    def ruined_at(self) -> int | None:
        """Open time of the first bar at whose close nothing was left, milliseconds; None if there was always some."""
        return ruin_time(self.equity_values, self.times)

    @cached_property
    def held_beyond_the_end(self) -> dict[str, int]:
        """Symbols of which something is held when their candles end before the others', and their last bar's time.

        Nobody can sell them any more: such a position counts at its last close to the end.
        """
        ends = {part.symbol: int(part.result.times[-1]) for part in self.parts if len(part.result.times)}
        return {
            part.symbol: ends[part.symbol]
            for part in self.parts
            if part.symbol in ends and ends[part.symbol] < self.times[-1] and _held_at_last(part.result.filled) != 0.0
        }

    @cached_property
    def summary(self) -> dict[str, float]:
        """The figures of evaluate/summary.py of the whole, by name."""
        return summarize(self)


Outcome = Result | PortfolioResult


class Traded(NamedTuple):
    """A part before its fills are sorted out of the whole.

    Attributes:
        symbol: what was traded.
        strategy: the name of its book.
        candles: of the symbol.
        cash: quote units at the start, of all of its book.
        signals: its targets, as `Result.signals`.
        ambiguous: `bar` is a row of its own candles.
        rejections: of its orders.
    """

    symbol: str
    strategy: str
    candles: pd.DataFrame
    cash: float
    signals: pd.DataFrame | None
    ambiguous: AmbiguousBars
    rejections: tuple[Rejection, ...]


def assemble(
    traded: Sequence[Traded],
    filled: Fills,
    charges: Charges,
    conditions: Mapping[str, Any],
    equity: Floats | None = None,
) -> PortfolioResult:
    """The result of a portfolio from what happened in all.

    Args:
        traded: the parts; the column `part` of fills and charges counts them.
        filled: of all parts in order; `bar` is a row of the union of the times of all candles.
        charges: of all parts in order, likewise.
        conditions: costs, timeframe, calendar, and any other field that `Result` and `PortfolioResult` share.
        equity: of the whole at each bar, if it is known; else it is computed.
    """
    own_times = [times_ms(part.candles) for part in traded]
    times = union_of(own_times)
    rows = [last_bars(own, times) for own in own_times]
    if equity is None:
        equity = _total_equity(traded, rows, filled, charges)
    parts = []
    for number, part in enumerate(traded):
        own_fills, own_charges = _of_part(number, filled, charges)
        shift = times[own_fills.bar] - own_times[number][rows[number][own_fills.bar]]
        own_fills = own_fills._replace(bar=rows[number][own_fills.bar], after_ms=own_fills.after_ms + shift)
        own_charges = own_charges._replace(bar=rows[number][own_charges.bar])
        parts.append(Part(part.symbol, part.strategy, _judged(part, own_fills, own_charges, conditions)))
    cash = sum({part.strategy: part.cash for part in traded}.values())
    return PortfolioResult(tuple(parts), times, equity, filled, charges, cash, **conditions)


def _held_at_last(filled: Fills) -> float:
    """Base units after the last fill, added up one by one, as the account does."""
    return float(np.cumsum(filled.side * filled.received)[-1]) if len(filled.bar) else 0.0


def _held(portfolio: PortfolioResult) -> PortfolioResult:
    symbols = list(dict.fromkeys(part.symbol for part in portfolio.parts))
    share = portfolio.cash / len(symbols)
    results = [buy_and_hold(replace(result, cash=share)) for result in portfolio.markets]
    traded = [
        Traded(symbol, symbol, result.candles, share, None, result.ambiguous, ())
        for symbol, result in zip(symbols, results, strict=True)
    ]
    columns = [
        result.filled._replace(
            bar=np.searchsorted(portfolio.times, result.times[result.filled.bar]),
            part=np.full(len(result.filled.bar), number, np.int16),
        )
        for number, result in enumerate(results)
    ]
    filled = Fills._make(map(np.concatenate, zip(*columns, strict=True)))
    conditions = {name: getattr(portfolio, name) for name in ("costs", "timeframe", "calendar", "simulated")}
    return assemble(traded, filled.only(np.argsort(filled.bar, kind="stable")), no_charges(), conditions)


def _of_part(number: int, filled: Fills, charges: Charges) -> tuple[Fills, Charges]:
    """Fills and charges of one part; the charges count its fills alone."""
    ours = filled.part == number
    earlier = np.concatenate([[0], np.cumsum(ours)])
    own = charges.only(charges.part == number)
    return filled.only(ours), own._replace(fills_before=earlier[own.fills_before])


def _judged(part: Traded, filled: Fills, charges: Charges, conditions: Mapping[str, Any]) -> Result:
    return Result(
        candles=part.candles,
        signals=part.signals,
        equity_values=equity_of_fills(filled, part.cash, part.candles["close"].to_numpy(np.float64), charges),
        filled=filled,
        rejections=part.rejections,
        cash=part.cash,
        charges=charges,
        ambiguous=part.ambiguous,
        **conditions,
    )


def _total_equity(traded: Sequence[Traded], rows: Sequence[Integers], filled: Fills, charges: Charges) -> Floats:
    """Value of all accounts at each bar of all symbols, in the order in which the engine adds it up."""
    total = np.zeros(len(rows[0]))
    for strategy in dict.fromkeys(part.strategy for part in traded):
        numbers = [number for number, part in enumerate(traded) if part.strategy == strategy]
        own_fills, own_charges = _of_book(numbers, filled, charges)
        marks = [_marks(traded[number].candles, rows[number]) for number in numbers]
        total = total + equity_of_account(own_fills, own_charges, traded[numbers[0]].cash, marks)
    return total


def _of_book(numbers: list[int], filled: Fills, charges: Charges) -> tuple[Fills, Charges]:
    """Fills and charges of the parts of one book, which are counted from 0."""
    ours = np.isin(filled.part, numbers)
    earlier = np.concatenate([[0], np.cumsum(ours)])
    own_fills, own_charges = filled.only(ours), charges.only(np.isin(charges.part, numbers))
    return (
        own_fills._replace(part=np.searchsorted(numbers, own_fills.part).astype(np.int16)),
        own_charges._replace(fills_before=earlier[own_charges.fills_before]),
    )


def _marks(candles: pd.DataFrame, rows: Integers) -> Floats:
    """The last close of a symbol at each bar of all symbols; NaN before its first."""
    closes = candles["close"].to_numpy(np.float64)
    return np.where(rows >= 0, closes[rows], np.nan) if len(closes) else np.full(len(rows), np.nan)
