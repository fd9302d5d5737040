"""What a table of signals says beside the signal: how an entry is made, and what protects it.

Optional columns, all of them read at the bar at which the signal changes; NaN: none for that entry.

* `stop_loss`, `take_profit`, `trailing_stop`: fractions of the entry price, 0.05 for 5 %.
* `trailing_activation`: fraction of profit from which on the trailing stop follows; without, it does at once.
* `limit`: price of a limit order that enters; without, it is a market order.
* `max_bars`: whole number of bars after which the position is closed at the open.

A target that changes with the time since the entry is an attribute of the strategy: `take_profit_after`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from algotrade.engine.orders import Bracket
from algotrade.engine.requests import TargetRequest
from algotrade.errors import FixStrategy
from algotrade.market.candles import Floats, Times, iso
from algotrade.strategy.asking import steps_of

FRACTIONS: Final = ("stop_loss", "take_profit", "trailing_stop", "trailing_activation")
PROTECTIVE: Final = (*FRACTIONS, "limit", "max_bars")
STOPS: Final = ("stop_loss", "trailing_stop")

Steps = tuple[tuple[int, float], ...]  # (milliseconds since the entry, fraction), rising in time


class Protection(NamedTuple):
    """The columns as arrays, float64, shape (bars,), NaN for none; and the strategy's `take_profit_after`."""

    stop_loss: Floats
    take_profit: Floats
    trailing_stop: Floats
    trailing_activation: Floats
    limit: Floats
    max_bars: Floats
    steps: Steps = ()

    def any(self) -> bool:
        """Whether there is anything in it."""
        return bool(self.steps) or any(not np.isnan(column).all() for column in self[:-1])

    def rows(self, chosen: Any) -> Protection:
        """Of some bars only: a slice, or an array of rows."""
        return Protection(*(column[chosen] for column in self[:-1]), steps=self.steps)  # type: ignore[misc]

    def bracket(self, row: int) -> Bracket:
        """What protects a position that was decided at a bar."""
        trailing, bars = _value(self.trailing_stop, row), _value(self.max_bars, row)
        return Bracket(
            stop_loss=_value(self.stop_loss, row),
            take_profit=_value(self.take_profit, row),
            trailing_stop=trailing,
            trailing_activation=None if trailing is None else _value(self.trailing_activation, row),
            take_profit_after=self.steps,
            max_bars=None if bars is None else int(bars),
        )

    def limit_price(self, row: int) -> float | None:
        """Price of the limit order that was decided at a bar; None for a market order."""
        return _value(self.limit, row)


class Wanted(NamedTuple):
    """All that signals ask for, bar by bar.

    Attributes:
        targets: float64, shape (bars,), finite.
        protection: of the same bars; None: no bracket and no limit.
        scales: what a target of 1 means, in `unit`, shape (bars,); None: 1.
        unit: "exposure" (fraction of equity), "quantity" (base units) or "notional" (quote units).
    """

    targets: Floats
    protection: Protection | None = None
    scales: Floats | None = None
    unit: str = "exposure"

    def request(self, symbol: str, row: int) -> TargetRequest:
        """What is asked for at the close of a bar; only where the target changes does it lead to an order."""
        protection = self.protection
        return TargetRequest(
            symbol,
            float(self.targets[row]),
            1.0 if self.scales is None else float(self.scales[row]),
            self.unit,
            None if protection is None else protection.limit_price(row),
            Bracket() if protection is None else protection.bracket(row),
        )

    def shared(self, symbols: int) -> Wanted:
        """The same where several symbols have equal shares of the equity; sizes in units are what they are."""
        if symbols <= 1 or self.unit != "exposure":
            return self
        scales = np.ones(len(self.targets)) if self.scales is None else self.scales
        return self._replace(scales=1.0 / symbols * scales)


def no_protection(bars: int) -> Protection:
    """Columns without anything in them, shape (bars,)."""
    none = np.full(bars, np.nan)
    return Protection(none, none, none, none, none, none)


def protection_of(signals: pd.DataFrame, steps: Steps = ()) -> Protection:
    """The protective columns of a checked table of signals.

    Args:
        signals: with any of the columns PROTECTIVE, shape (bars,).
        steps: of the strategy's `take_profit_after`.
    """
    return Protection(**{name: _column(signals, name) for name in PROTECTIVE}, steps=steps)


def _column(signals: pd.DataFrame, name: str) -> Floats:
    if name not in signals.columns:
        return np.full(len(signals), np.nan)
    return np.ascontiguousarray(signals[name].to_numpy(np.float64, na_value=np.nan))


def _value(column: Floats, row: int) -> float | None:
    value = float(column[row])
    return None if math.isnan(value) else value


# ---- checks ---------------------------------------------------------------------------------------------------------
def check_protection(name: str, signals: pd.DataFrame, targets: Floats, times: Times) -> None:
    """Say what is wrong with protective columns, and at which bar.

    Args:
        name: of the strategy.
        signals: the table.
        targets: exposures wanted, shape (bars,); NaN where there is none yet.
        times: of the bars, milliseconds, shape (bars,).

    Raises:
        FixStrategy: with the bar's time, what is there, and what belongs there.
    """
    for column in (column for column in PROTECTIVE if column in signals.columns):
        try:
            values = _column(signals, column)
        except (TypeError, ValueError):
            raise FixStrategy(f"{name}: {column} is a column of numbers, given {signals[column].dtype}") from None
        for wrong, belongs in _rules(column, values, targets):
            bad = np.flatnonzero(wrong & ~np.isnan(values))
            if len(bad):
                time = iso(int(times[bad[0]]))
                raise FixStrategy(f"{name}: {column} at {time} is {values[bad[0]]:g}; {belongs}, NaN for none")
    if "trailing_activation" in signals.columns and "trailing_stop" not in signals.columns:
        raise FixStrategy(f"{name}: trailing_activation says when a trailing stop begins; add a column trailing_stop")


def _rules(column: str, values: Floats, targets: Floats) -> list[tuple[Any, str]]:
    """Where the values of a column are wrong, and what belongs there instead."""
    if column == "limit":
        return [(~(np.isfinite(values) & (values > 0.0)), "a limit is a price above 0")]
    if column == "max_bars":
        with np.errstate(invalid="ignore"):
            whole = np.isfinite(values) & (values >= 1.0) & (values % 1.0 == 0.0)
        return [(~whole, "it is a whole number of bars, 1 or more")]
    rules = [(~(np.isfinite(values) & (values > 0.0)), "it is a fraction of the entry price above 0 (0.05 for 5 %)")]
    if column in STOPS:
        rules.append(((values >= 1.0) & (targets > 0.0), "of a long position it is a fraction below 1 (0.05 for 5 %)"))
    if column == "take_profit":
        rules.append(((values >= 1.0) & (targets < 0.0), "of a short position it is a fraction below 1 (0.05 for 5 %)"))
    return rules


def parsed_steps(owner: str, table: Mapping[str, float]) -> Steps:
    """`take_profit_after` of a strategy: {"20m": 0.04, "1h": 0.01} in milliseconds, in order.

    Args:
        owner: the class, for messages.
        table: a duration (a number and a unit of s, m, h, d, w) and the fraction of profit that is taken from then on.

    Raises:
        FixStrategy: not a mapping, a duration that is none or is there twice, a fraction that is none.
    """
    try:
        return steps_of(table)
    except ValueError as error:
        raise FixStrategy(f"{owner}.{error}") from None
