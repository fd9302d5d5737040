"""Every indicator with settings and the rows, counted from 1, at which its lines have their first values."""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from algotrade import indicators

Floats = npt.NDArray[np.float64]
COLUMNS = ("values", "high", "low", "close", "volume")


class Case(NamedTuple):
    name: str
    settings: Mapping[str, Any]
    begins: tuple[int, ...]

    @property
    def indicator(self) -> Any:
        return getattr(indicators, self.name)

    @property
    def columns(self) -> list[str]:
        return [name for name in inspect.signature(self.indicator).parameters if name in COLUMNS]

    @property
    def recursive(self) -> bool:
        return self.name in RECURSIVE

    def of(self, table: Mapping[str, Any]) -> Any:
        return self.indicator(*(table[name] for name in self.columns), **self.settings)


def label(case: Case) -> str:
    return f"{case.name}-{'-'.join(map(str, case.settings.values()))}"


def lines(answer: Any) -> Floats:
    """What an indicator answers, shape (lines, rows)."""
    return np.array(answer if isinstance(answer, tuple) else [answer], float)


def bits(answer: Floats) -> bytes:
    """Equal only where every number is, signs of zeros included; one NaN is like another."""
    return np.where(np.isnan(answer), np.nan, answer).tobytes()


def market(rows: int, seed: str = "", *, start: float = 100.0) -> dict[str, Floats]:
    """A random walk with gaps, as columns."""
    generator = np.random.default_rng(zlib.crc32(seed.encode()))
    close = start * np.exp(np.cumsum(generator.normal(0, 0.02, rows)))
    opens = np.roll(close, 1) * np.exp(generator.normal(0, 0.005, rows))
    high = np.maximum(opens, close) * (1 + abs(generator.normal(0, 0.004, rows)))
    low = np.minimum(opens, close) * (1 - abs(generator.normal(0, 0.004, rows)))
    return {"values": close, "high": high, "low": low, "close": close, "volume": generator.lognormal(3, 1, rows)}


def constant(rows: int, price: float) -> dict[str, Floats]:
    return {name: np.full(rows, price) for name in COLUMNS}


def cases(name: str, *given: tuple[dict[str, Any], Sequence[int]]) -> list[Case]:
    return [Case(name, settings, tuple(begins)) for settings, begins in given]


CASES = [
    *cases("sma", ({"window": 12}, [12]), ({"window": 1}, [1])),
    *cases("wma", ({"window": 12}, [12]), ({"window": 1}, [1])),
    *cases("hull", ({"window": 12}, [14]), ({"window": 2}, [2]), ({"window": 25}, [29])),
    *cases("rolling_std", ({"window": 12}, [12]), ({"window": 5, "ddof": 0}, [5])),
    *cases("zscore", ({"window": 12}, [12]), ({"window": 3}, [3])),
    *cases("highest", ({"window": 12}, [12]), ({"window": 1}, [1])),
    *cases("lowest", ({"window": 12}, [12]), ({"window": 1}, [1])),
    *cases("bollinger", ({}, [20, 20, 20]), ({"window": 5, "width": 1}, [5, 5, 5])),
    *cases("momentum", ({}, [11]), ({"window": 1}, [2])),
    *cases("roc", ({}, [11]), ({"window": 1}, [2])),
    *cases("regression_slope", ({}, [14]), ({"window": 2}, [2])),
    *cases("donchian", ({}, [20, 20, 20]), ({"window": 1}, [1, 1, 1])),
    *cases("stochastic", ({}, [16, 18]), ({"window": 5, "smooth_k": 1, "smooth_d": 2}, [5, 6])),
    *cases("williams_r", ({}, [14]), ({"window": 1}, [1])),
    *cases("cci", ({}, [20]), ({"window": 2}, [2])),
    *cases("mfi", ({}, [15]), ({"window": 1}, [2])),
    *cases("aroon", ({}, [15, 15]), ({"window": 1}, [2, 2])),
    *cases("vwap", ({}, [20]), ({"window": 1}, [1])),
    *cases("ichimoku", ({}, [9, 26, 26, 52]), ({"conversion": 4, "base": 3, "span": 2}, [4, 3, 4, 2])),
    *cases("ema", ({"window": 12}, [12]), ({"window": 1}, [1])),
    *cases("dema", ({"window": 12}, [23]), ({"window": 1}, [1])),
    *cases("tema", ({"window": 12}, [34]), ({"window": 2}, [4])),
    *cases("kama", ({}, [11]), ({"window": 2}, [3])),
    *cases("rsi", ({}, [15]), ({"window": 2}, [3])),
    *cases(
        "stochastic_rsi",
        ({}, [30, 30]),
        ({"window": 2, "stochastic_window": 1, "smooth": 1}, [3, 3]),
        ({"window": 5, "stochastic_window": 3, "smooth": 2}, [9, 9]),
    ),
    *cases("macd", ({}, [34, 34, 34]), ({"fast": 2, "slow": 3, "signal": 1}, [3, 3, 3])),
    *cases("ppo", ({}, [26]), ({"fast": 2, "slow": 3}, [3])),
    *cases("atr", ({}, [15]), ({"window": 1}, [2])),
    *cases("natr", ({}, [15]), ({"window": 2}, [3])),
    *cases("keltner", ({}, [20, 20, 20]), ({"window": 2, "width": 0.5, "atr_window": 7}, [8, 8, 8])),
    *cases("plus_di", ({}, [15]), ({"window": 2}, [3])),
    *cases("minus_di", ({}, [15]), ({"window": 2}, [3])),
    *cases("adx", ({}, [28]), ({"window": 2}, [4])),
    *cases("parabolic_sar", ({}, [2]), ({"acceleration": 0.1, "maximum": 0.5}, [2])),
    *cases("supertrend", ({}, [11, 11]), ({"window": 2, "width": 1}, [3, 3])),
    *cases("obv", ({}, [1])),
]
RECURSIVE = frozenset(
    {"ema", "dema", "tema", "kama", "rsi", "stochastic_rsi", "macd", "ppo", "atr", "natr", "keltner"}
    | {"plus_di", "minus_di", "adx", "parabolic_sar", "supertrend", "obv"}
)
