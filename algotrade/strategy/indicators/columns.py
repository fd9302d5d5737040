"""What goes into an indicator and what comes out: columns of numbers, windows, and the lines of those with several."""

from __future__ import annotations

import math
import operator
from typing import Any, Final, NamedTuple, TypeVar, cast

import numpy as np
import pandas as pd

from algotrade.errors import FixStrategy
from algotrade.market.candles import Floats

LONGEST: Final = 100_000  # TA-Lib takes no more
Values = TypeVar("Values", "pd.Series[Any]", Floats)


class Bands(NamedTuple):
    """A line with one above and one below it, each of the input's kind and length."""

    middle: Any
    upper: Any
    lower: Any


class Macd(NamedTuple):
    """The difference of two averages, its own average, and the difference of those; of the input's kind and length."""

    line: Any
    signal: Any
    histogram: Any


class Stochastic(NamedTuple):
    """%K and its average %D, each of the input's kind and length."""

    k: Any
    d: Any


class Aroon(NamedTuple):
    """How fresh the highest high and the lowest low are, each of the input's kind and length."""

    up: Any
    down: Any


class Supertrend(NamedTuple):
    """The stop line, and 1 where prices are above it, -1 where below; each of the input's kind and length."""

    line: Any
    direction: Any


class Ichimoku(NamedTuple):
    """Four middles of ranges, each at the row that it is known at, of the input's kind and length."""

    conversion: Any
    base: Any
    span_a: Any
    span_b: Any


def rows(name: str, values: object) -> Floats:
    """The values as a float64 array of shape (rows,)."""
    if not isinstance(values, (pd.Series, np.ndarray)) or values.ndim != 1:
        raise FixStrategy(f"{name} takes one column, a Series or an array, given {_described(values)}")
    try:
        return np.ascontiguousarray(values, np.float64)
    except (TypeError, ValueError):
        raise FixStrategy(f"{name} takes numbers, given a column of {values.dtype}") from None


def together(name: str, **columns: object) -> list[Floats]:
    """Columns as arrays, in the order given; refused if they differ in length."""
    arrays = [rows(name, column) for column in columns.values()]
    if len({len(array) for array in arrays}) > 1:
        *first, last = columns
        lengths = ", ".join(str(len(array)) for array in arrays)
        raise FixStrategy(f"{name}: {', '.join(first)} and {last} differ in length: {lengths}")
    return arrays


def like(values: Values, answer: Floats) -> Values:
    """The answer as the kind that `values` is; a Series keeps index and name."""
    if isinstance(values, pd.Series):
        return cast("Values", pd.Series(answer, index=values.index, name=values.name))
    return answer


def whole(name: str, argument: str, given: object, *, least: int = 1) -> int:
    """A window as a whole number from `least` on."""
    refused = f"{name}: {argument} must be a whole number of at least {least}, given {given!r}"
    if isinstance(given, bool | np.bool_):
        raise FixStrategy(refused)
    try:
        window = operator.index(cast("int", given))
    except TypeError:
        raise FixStrategy(refused) from None
    if not least <= window <= LONGEST:
        raise FixStrategy(refused if window < least else f"{name}: {argument} may be {LONGEST} at most, given {window}")
    return window


def positive(name: str, argument: str, given: object) -> float:
    """A factor as a finite number above 0."""
    number = math.nan
    if isinstance(given, int | float | np.number) and not isinstance(given, bool):
        number = float(given)
    if not 0 < number < math.inf:
        raise FixStrategy(f"{name}: {argument} must be a number above 0, given {given!r}")
    return number


def ordered(name: str, fast: object, slow: object) -> tuple[int, int]:
    """Two windows for TA-Lib, the first one shorter."""
    quick, long = whole(name, "fast", fast, least=2), whole(name, "slow", slow, least=2)
    if quick >= long:
        raise FixStrategy(f"{name}: fast must be shorter than slow, given fast={quick}, slow={long}")
    return quick, long


def _described(values: object) -> str:
    if isinstance(values, pd.DataFrame):
        return f"a table of {', '.join(map(str, values.columns))}"
    if isinstance(values, np.ndarray):
        return f"an array of shape {values.shape}"
    return f"a {type(values).__name__}"
