"""Any indicator bar by bar: bit for bit what its function gives over whole columns."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from algotrade.errors import FixStrategy, did_you_mean
from algotrade.strategy.indicators import calls, recursive, windowed, windowed_candles

COLUMNS: Final = ("values", "high", "low", "close", "volume")  # every other argument of an indicator is a setting
Settings = Mapping[str, Any]


class Stream:
    """One indicator, given a row at a time.

    ```python
    average = Stream(sma, window=20)
    ranges = Stream(atr)
    average.update(close)              # a number, NaN until there are enough rows
    ranges.update(high, low, close)    # the columns that the function takes, in its order
    ```
    What `update` returns is, to the last bit, the last row of the function over all rows given so far; where the
    function returns several lines, so does `update`. Missing numbers do what they do there: NaN spoils the windows that
    hold it, and a recursive indicator from there on. A recursive one takes a microsecond or two a row, a windowed one
    recomputes its window, which takes tens.

    A stream cannot be sent to another process: make a new one there and give it the rows again.

    Args:
        indicator: a function of `algotrade.indicators`.
        **settings: its settings by name, such as `window`.

    Attributes:
        warm_up: rows until every line has a value.

    Raises:
        FixStrategy: for an unknown indicator or setting, and for settings that the function refuses.
    """

    def __init__(self, indicator: Callable[..., Any], **settings: Any) -> None:
        name = _name(indicator)
        self._columns, given = _arguments(indicator, settings)
        self._takes = f"a stream of {name} takes {', '.join(self._columns)}"
        self._steps: _Window | _Handle
        if name in WINDOWS:
            indicator(*(np.empty(0) for _ in self._columns), **given)  # refuses bad settings before they are counted
            self.warm_up = WINDOWS[name](given)
            self._steps = _Window(indicator, given, len(self._columns), self.warm_up)
        else:
            call = getattr(calls, name)(**given)
            self.warm_up = call.warm_up
            self._steps = _Handle(call)

    def update(self, *row: float) -> Any:
        """The indicator at this row: a float, or the lines of the indicator as floats.

        Raises:
            FixStrategy: for too few or too many numbers, or what is no number.
        """
        if len(row) != len(self._columns):
            raise FixStrategy(f"{self._takes}: {len(self._columns)} at a time, given {len(row)}")
        try:
            numbers = tuple(map(float, row))
        except (TypeError, ValueError):
            raise FixStrategy(f"{self._takes} as numbers, given {row!r}") from None
        return self._steps.update(numbers)


class _Window:
    """The last rows, as many as a value depends on, and the indicator over those."""

    def __init__(self, indicator: Callable[..., Any], settings: Settings, columns: int, rows: int) -> None:
        self._indicator = indicator
        self._settings = settings
        self._rows = np.empty((columns, rows))
        self._count = 0

    def update(self, row: tuple[float, ...]) -> Any:
        self._rows[:, :-1] = self._rows[:, 1:]
        self._rows[:, -1] = row
        self._count = min(self._count + 1, self._rows.shape[1])
        answer = self._indicator(*self._rows[:, -self._count :], **self._settings)
        if isinstance(answer, np.ndarray):
            return float(answer[-1])
        return type(answer)(*(float(line[-1]) for line in answer))


class _Handle:
    """TA-Lib's own stream, opened once there are enough rows."""

    def __init__(self, call: calls.Call) -> None:
        self._call = call
        self._waiting: list[tuple[float, ...]] = []
        self._handle: Any = None
        self._spoilt = False
        self._nothing = call.answer((math.nan,) * len(call.fields) if call.fields else math.nan)

    def update(self, row: tuple[float, ...]) -> Any:
        if not all(map(math.isfinite, row)):
            self._spoilt = self._spoilt or bool(self._waiting) or self._handle is not None
            return self._nothing
        if self._spoilt:
            return self._nothing
        if self._handle is not None:
            return self._answer(self._handle.update(*row))
        self._waiting.append(row)
        if len(self._waiting) < self._call.warm_up:
            return self._nothing
        return self._open()

    def _open(self) -> Any:
        from talib import stream

        columns = (np.array(column) for column in zip(*self._waiting, strict=True))
        self._handle = getattr(stream, self._call.function)(*columns, **self._call.settings)
        self._waiting.clear()
        return self._answer(self._handle.value)

    def _answer(self, outputs: Any) -> Any:
        return self._call.answer(tuple(map(float, outputs)) if self._call.fields else outputs)


def _name(indicator: object) -> str:
    """The name of an indicator of ours."""
    name = getattr(indicator, "__name__", "")
    for module in (windowed, windowed_candles, recursive):
        if (name in WINDOWS or hasattr(calls, name)) and getattr(module, name, None) is indicator:
            return str(name)
    raise FixStrategy(f"Stream takes a function of algotrade.indicators, given {name or repr(indicator)}")


def _arguments(indicator: Callable[..., Any], settings: Settings) -> tuple[list[str], dict[str, Any]]:
    """The names of the columns that an indicator takes, and its settings with the defaults filled in."""
    parameters = inspect.signature(indicator).parameters
    defaults = {name: parameter.default for name, parameter in parameters.items() if name not in COLUMNS}
    for name in settings:
        if name not in defaults:
            raise FixStrategy(f"{indicator.__name__} has no setting '{name}'.{did_you_mean(name, defaults)}")
    given = {**defaults, **settings}
    for name, value in given.items():
        if value is inspect.Parameter.empty:
            raise FixStrategy(f"{indicator.__name__} needs {name}=, as in Stream({indicator.__name__}, {name}=20)")
    return [name for name in parameters if name in COLUMNS], given


def _window(settings: Settings) -> int:
    return int(settings["window"])


def _window_and_one(settings: Settings) -> int:
    return _window(settings) + 1


def _hull(settings: Settings) -> int:
    return _window(settings) + math.isqrt(_window(settings)) - 1


def _stochastic(settings: Settings) -> int:
    return _window(settings) + int(settings["smooth_k"]) + int(settings["smooth_d"]) - 2


def _ichimoku(settings: Settings) -> int:
    return int(max(settings.values()))


# Of a windowed indicator: the rows that a value depends on, which are those until every line has a value.
WINDOWS: Final[Mapping[str, Callable[[Settings], int]]] = MappingProxyType(
    {
        "sma": _window,
        "wma": _window,
        "hull": _hull,
        "rolling_std": _window,
        "zscore": _window,
        "highest": _window,
        "lowest": _window,
        "bollinger": _window,
        "momentum": _window_and_one,
        "roc": _window_and_one,
        "regression_slope": _window,
        "donchian": _window,
        "stochastic": _stochastic,
        "williams_r": _window,
        "cci": _window,
        "mfi": _window_and_one,
        "aroon": _window_and_one,
        "vwap": _window,
        "ichimoku": _ichimoku,
    }
)
