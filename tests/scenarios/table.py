"""Scenarios as a trader writes them: candles in rows, what is asked at each close, what happens at each open.

    day | open high low close | asks     | happens      | equity
    1   | 100  100  100 100   | target 1 |              | 1000
    2   | 100  120  100 120   |          | buy 10 @ 100 | 1200

* day: "1", or "1 06:00" for bars within a day; days may be missing.
* asks, at the close: "target 0.5", "buy 2", "sell 2", "buy for 500", "sell for 500", "cancel 1" (the first order).
* happens: at this bar's open "buy 10 @ 100 fee 2.6", or "refused CODE" by the exchange; at its close "denied CODE" by
  our own limits.
* several asks or happenings are separated by ";".
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from algotrade.backtest.setup import Setup
from algotrade.engine.fills import Costs
from algotrade.engine.risk import Limits
from algotrade.market.candles import candle_table, check_candles
from algotrade.market.instrument import Instrument
from algotrade.market.timeframe import UNIT_MS
from algotrade.strategy.signals import Bounds

SYMBOL = "BTC/USD"
SIDES = {"buy": +1, "sell": -1}


class Ask(NamedTuple):
    """What a strategy asks for: kind "target", "buy", "sell" or "cancel"; `is_notional` for "buy for 500"."""

    kind: str
    amount: float
    is_notional: bool


class Filled(NamedTuple):
    bar: int
    side: int
    quantity: float
    price: float
    fee: float


class Outcome(NamedTuple):
    """What happened: executions, refusals as (bar, code), equity at each close."""

    fills: list[Filled]
    refusals: list[tuple[int, str]]
    equity: list[float]


class Scenario(NamedTuple):
    title: str
    candles: pd.DataFrame
    asks: list[list[Ask]]
    expected: Outcome
    setup: Setup

    def targets(self) -> list[float]:
        """The target in force at each close; NaN before the first."""
        wanted: list[float] = []
        for asked in self.asks:
            before = wanted[-1] if wanted else math.nan
            wanted.append(asked[-1].amount if asked else before)
        return wanted


def scenario(
    title: str,
    table: str,
    *,
    cash: float = 1_000,
    fee: float = 0.0,
    slippage: float = 0.0,
    leverage: float = 1.0,
    allow_short: bool = False,
    limits: Limits | None = None,
    **legal_sizes: float,
) -> Scenario:
    """A scenario from its table; `legal_sizes` are quantity_step, min_quantity and min_notional."""
    rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()[1:]]
    times = np.array([_time(row[0]) for row in rows], np.int64)
    prices = np.array([row[1].split() for row in rows], np.float64).T
    candles = check_candles(candle_table(times, (*prices, np.ones(len(rows)))))
    expected = Outcome([], [], [float(row[4]) for row in rows])
    for bar, row in enumerate(rows):
        for text in _parts(row[3]):
            if text.startswith(("refused", "denied")):
                expected.refusals.append((bar, text.split()[1]))
            else:
                expected.fills.append(_filled(bar, text))
    setup = Setup(
        (Instrument(SYMBOL, **legal_sizes),),
        "1d" if all(":" not in row[0] for row in rows) else "6h",
        cash=cash,
        costs=Costs(fee, slippage),
        bounds=Bounds(leverage, allow_short),
        limits=limits or Limits(),
    )
    return Scenario(title, candles, [[_ask(text) for text in _parts(row[2])] for row in rows], expected, setup)


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def _time(cell: str) -> int:
    day, _, clock = cell.partition(" ")
    hours = int(clock.split(":")[0]) if clock else 0
    return int(pd.Timestamp("2024-01-01").value // 10**6) + (int(day) - 1) * UNIT_MS["d"] + hours * UNIT_MS["h"]


def _ask(text: str) -> Ask:
    match = re.fullmatch(r"(target|buy|sell|cancel) (for )?(-?[\d.]+)", text)
    assert match, f"not something to ask for: {text}"
    return Ask(match[1], float(match[3]), bool(match[2]))


def _filled(bar: int, text: str) -> Filled:
    match = re.fullmatch(r"(buy|sell) ([\d.]+) @ ([\d.]+)(?: fee ([\d.]+))?", text)
    assert match, f"nothing that can happen: {text}"
    return Filled(bar, SIDES[match[1]], float(match[2]), float(match[3]), float(match[4] or 0))
