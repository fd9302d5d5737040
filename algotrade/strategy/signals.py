"""The vectorised kind of strategy: signals for all bars at once.

A signal is a target exposure: the fraction of equity to hold, 1 long, 0 flat, -1 short, known at the close of its bar
and filled from the open of the next. It is a level, not an edge: a missed bar or a restart repairs itself. Columns
beside it say how an entry is made and what protects it, see strategy/protection.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypeGuard

import numpy as np
import pandas as pd

from algotrade.engine.events import CandleClosed
from algotrade.engine.requests import TargetRequest
from algotrade.errors import FixCommand, FixStrategy
from algotrade.market.candles import Floats, Times, iso, times_ms
from algotrade.strategy.base import Bounds, Strategy, on, own_errors
from algotrade.strategy.protection import Protection, Steps, Wanted, check_protection, parsed_steps, protection_of
from algotrade.strategy.sizes import unit_of

__all__ = [
    "Bounds",
    "Protection",
    "SignalStrategy",
    "Wanted",
    "check_signals",
    "decides_by_signals",
    "protection_of",
    "targets_of",
    "wanted_of",
]

FROM_CANDLE_TO_TARGET: Final = ("handle", "candles", "follow_signal", "scales")


class SignalStrategy(Strategy):
    """A strategy that computes its signals from a table of candles.

    Write `generate_signals`. It is called once over all candles in a backtest, and over the last `warmup` candles at
    every closed bar in live trading; the checks prove that both give the same signal.

    Attributes:
        take_profit_after: durations since the entry, and the fraction of profit that is taken from then on:
            {"20m": 0.04, "1h": 0.01}.
    """

    take_profit_after: ClassVar[Mapping[str, float]] = MappingProxyType({})
    take_profit_steps: ClassVar[Steps] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.take_profit_steps = parsed_steps(cls.__name__, cls.take_profit_after)

    def __init__(self, **parameters: Any) -> None:
        self._aims: dict[str, TargetRequest] = {}  # by symbol, as it was decided where the signal changed
        super().__init__(**parameters)

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        """Signals for every candle.

        Args:
            candles: index `time` (UTC, bar open), float64 columns open, high, low, close, volume; closed bars only.

        Returns:
            A DataFrame with the same index and a column `signal`; optional columns stop_loss, take_profit,
            trailing_stop, trailing_activation (fractions of the entry price), limit (price) and max_bars, read where
            the signal changes; further columns are kept as indicators for charts.
        """
        raise FixStrategy(f"{type(self).__name__} must define generate_signals(self, candles)")

    @on("candles")
    def follow_signal(self, candle: CandleClosed) -> None:
        """Aim at the newest bar's signal, computed from the candles in the history.

        Of several symbols each has the same share of the equity. As long as the signal stays, what was asked for when
        it changed stands.
        """
        candles = self.candles()
        signals = self.signals(candles)
        wanted = wanted_of(self, candles, signals).shared(len(self.symbols))
        request = wanted.request(self.symbol, len(signals) - 1)
        if self.symbol not in self._aims or self._aims[self.symbol].exposure != request.exposure:
            self._aims[self.symbol] = request
        self._ask(self._aims[self.symbol])

    def begin(self, symbols: str | Sequence[str], warmup: int | str | None, *, timeframe: str = "") -> None:
        """As `Strategy.begin`."""
        super().begin(symbols, warmup, timeframe=timeframe)
        self._aims = {}

    def signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        """`generate_signals`, with its answer checked.

        Raises:
            FixStrategy: it raised, or its answer is not a table of signals; with the bar's time.
            FixCommand: a short signal where shorts are not allowed.
        """
        with own_errors(self), self.given({self.symbol: candles}):
            signals = self.generate_signals(candles.copy(deep=False))  # what it writes stays its own
        check_signals(self, signals, candles)
        return signals


def decides_by_signals(strategy: Strategy) -> TypeGuard[SignalStrategy]:
    """Whether a strategy answers closed candles by their signal and nothing else.

    Then its targets can be computed for all bars at once. A method of its own that is marked with `@on`, or that
    stands in for one of ours on the way from a candle to a target, makes it a strategy that answers events.
    """
    cls = type(strategy)
    return (
        isinstance(strategy, SignalStrategy)
        and cls.handlers == SignalStrategy.handlers
        and all(getattr(cls, name) is getattr(SignalStrategy, name) for name in FROM_CANDLE_TO_TARGET)
    )


def check_signals(strategy: SignalStrategy, signals: pd.DataFrame, candles: pd.DataFrame) -> None:
    """Say what is wrong with a table of signals, and at which bar."""
    name = strategy.name()
    if not isinstance(signals, pd.DataFrame) or "signal" not in signals.columns:
        given = ", ".join(map(str, signals.columns)) if isinstance(signals, pd.DataFrame) else type(signals).__name__
        raise FixStrategy(f"{name}: generate_signals must return a table with a column 'signal', given {given}")
    if not signals.index.equals(candles.index):
        raise FixStrategy(
            f"{name}: the signals need the index of the candles ({len(candles)} bars), given {len(signals)} rows"
        )
    try:
        values = signals["signal"].to_numpy(np.float64)
    except (TypeError, ValueError):
        raise FixStrategy(f"{name}: signals are numbers, given {signals['signal'].dtype}") from None
    times = times_ms(candles)
    valid = np.flatnonzero(~np.isnan(values))
    first = int(valid[0]) if len(valid) else len(values)
    bad = np.flatnonzero(~np.isfinite(values[first:])) + first
    if len(bad):
        raise FixStrategy(f"{name}: the signal at {iso(int(times[bad[0]]))} is {values[bad[0]]}; NaN only comes first")
    _check_bounds(strategy, values, times)
    check_protection(name, signals, values, times)


def _check_bounds(strategy: SignalStrategy, values: Floats, times: Times) -> None:
    """Say at which bar a signal is more than the leverage, or a short that is not allowed."""
    name, bounds = strategy.name(), strategy.bounds
    over = np.flatnonzero(np.abs(values) > bounds.leverage)
    if len(over):
        raise FixStrategy(
            f"{name}: the signal at {iso(int(times[over[0]]))} is {values[over[0]]}, outside the leverage of"
            f" {bounds.leverage}"
        )
    short = np.flatnonzero(values < 0)
    if len(short) and not bounds.allow_short:
        raise FixCommand(
            f"{name} wants to be short at {iso(int(times[short[0]]))}, which a spot market cannot do; to simulate it"
            " all the same add --allow-short",
            hint=f"algotrade backtest --strategy {name} --allow-short",
        )


def targets_of(signals: pd.DataFrame) -> Floats:
    """Target exposure per bar, float64, shape (bars,): the signal column, flat before its first value."""
    values = signals["signal"].to_numpy(np.float64)
    return np.where(np.isnan(values), 0.0, values)


def wanted_of(strategy: SignalStrategy, candles: pd.DataFrame, signals: pd.DataFrame) -> Wanted:
    """All that checked signals ask for: targets, what protects them, and how much they mean; shape (bars,)."""
    protection = protection_of(signals, strategy.take_profit_steps)
    return Wanted(targets_of(signals), protection, strategy.scales(candles, signals), unit_of(strategy.sizing))
