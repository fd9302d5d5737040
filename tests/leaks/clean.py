"""Strategies without a leak, some of which look as if they had one: a check that complains of these is wrong."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from algotrade.strategy.base import Strategy, param
from algotrade.strategy.indicators import ema, rolling_std, sma
from algotrade.strategy.signals import Bounds, SignalStrategy
from algotrade.strategy.sizes import Sizing
from tests.leaks.bank import day_of, long_where

SHIPPED = Path(__file__).parents[2] / "strategies"


def shipped(name: str) -> type[Strategy]:
    """The strategy class in strategies/<name>.py."""
    module_name = f"shipped_{name}"
    if module_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(module_name, SHIPPED / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[module_name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    classes = [value for value in vars(sys.modules[module_name]).values() if isinstance(value, type)]
    return next(value for value in classes if issubclass(value, Strategy) and value.__module__ == module_name)


# ---- all of the past ------------------------------------------------------------------------------------------------
class ExpandingMean(SignalStrategy):
    """The average of all that was."""

    warmup = "all"

    def generate_signals(self, candles):
        return long_where(candles, candles.close < candles.close.expanding().mean())


class Drawdown(SignalStrategy):
    """Below the highest price so far."""

    warmup = "all"

    def generate_signals(self, candles):
        return long_where(candles, candles.close < 0.9 * candles.close.cummax())


class HeldState(SignalStrategy):
    """Enters and leaves at levels, and holds in between for as long as it takes."""

    warmup = "all"

    def generate_signals(self, candles):
        moves = candles.close.pct_change()
        state = pd.Series(np.nan, index=candles.index).mask(moves > 0.02, 1.0).mask(moves < -0.02, 0.0)
        return long_where(candles, state.ffill())


class RunningSum(SignalStrategy):
    """On-balance volume above its own average so far."""

    warmup = "all"

    def generate_signals(self, candles):
        balance = (np.sign(candles.close.diff().fillna(0.0)) * candles.volume).cumsum()
        return long_where(candles, balance > balance.expanding().mean())


# ---- a window of the past -------------------------------------------------------------------------------------------
class RollingMean(SignalStrategy):
    """pandas's own rolling mean."""

    window: int = param(24, low=2, high=100)

    def generate_signals(self, candles):
        return long_where(candles, candles.close > candles.close.rolling(self.window).mean())


class RollingRank(SignalStrategy):
    """Ranked among the last fifty."""

    def generate_signals(self, candles):
        return long_where(candles, candles.close.rolling(50).rank(pct=True) < 0.2)


class RollingQuantile(SignalStrategy):
    """A threshold from the last hundred moves."""

    window: int = param(100, low=10, high=200)

    def generate_signals(self, candles):
        moves = candles.close.pct_change()
        return long_where(candles, moves < moves.rolling(self.window).quantile(0.1))


class CausalConvolution(SignalStrategy):
    """A kernel that ends at its bar."""

    def generate_signals(self, candles):
        smooth = np.convolve(candles.close, np.ones(8) / 8)[: len(candles)]
        return long_where(candles, candles.close > smooth)


class WeightedAverage(SignalStrategy):
    """Exponential weights, by pandas, no warm-up declared."""

    def generate_signals(self, candles):
        return long_where(candles, candles.close.ewm(span=5).mean() > candles.close.ewm(span=10).mean())


class ExponentialLevel(SignalStrategy):
    """A signal that takes any value, from a recursive indicator."""

    window: int = param(5, low=2, high=50)

    @property
    def warmup(self) -> int:
        return 50 * self.window

    def generate_signals(self, candles):
        return long_where(candles, (ema(candles.close, self.window) / candles.close - 0.5).clip(0, 1))


class VolatilityTarget(SignalStrategy):
    """A signal that takes any value, from a window."""

    window: int = param(30, low=2, high=100)

    def generate_signals(self, candles):
        moves = candles.close.pct_change()
        return long_where(candles, (0.01 / rolling_std(moves, self.window)).clip(upper=1.0))


class Crossing(SignalStrategy):
    """Long at the bar of the crossing alone: needs one bar more than its window."""

    window: int = param(20, low=2, high=100)

    def generate_signals(self, candles):
        above = candles.close > sma(candles.close, self.window)
        return long_where(candles, above & ~above.shift(1, fill_value=False))


class LimitedFill(SignalStrategy):
    """A jump counts for ten bars."""

    def generate_signals(self, candles):
        jump = candles.close.pct_change().where(lambda moves: moves.abs() > 0.02)
        return long_where(candles, jump.ffill(limit=10) > 0)


# ---- other timeframes -----------------------------------------------------------------------------------------------
class ClosedDay(SignalStrategy):
    """Above yesterday's close."""

    warmup = 12

    def generate_signals(self, candles):
        daily = candles.close.resample("1D").last().shift(1)
        return long_where(candles, candles.close > daily.reindex(candles.index, method="ffill"))


class AlignedDays(SignalStrategy):
    """Above the average of the last three days that have closed."""

    def generate_signals(self, candles):
        days = sma(self.candles("1d").close, 3)
        return long_where(candles, candles.close > self.align(days, "1d"))


class BackwardMerge(SignalStrategy):
    """The last midnight's close, by merge_asof."""

    def generate_signals(self, candles):
        midnight = candles.close[candles.index.hour == 0].rename("midnight").reset_index()
        merged = pd.merge_asof(candles.close.reset_index(), midnight, on="time")
        return long_where(candles, merged.close > merged.midnight)


class HighOfTheDaySoFar(SignalStrategy):
    """A transform by day that only looks back."""

    def generate_signals(self, candles):
        return long_where(candles, candles.high >= candles.high.groupby(day_of(candles)).transform("cummax"))


class Hours(SignalStrategy):
    """By the clock, not by the price."""

    def generate_signals(self, candles):
        return long_where(candles, candles.index.hour < 12)


# ---- shapes of an answer --------------------------------------------------------------------------------------------
class AlwaysLong(SignalStrategy):
    """Buys and holds."""

    def generate_signals(self, candles):
        return candles.assign(signal=1)


class NeverTrades(SignalStrategy):
    """NaN throughout is flat throughout."""

    def generate_signals(self, candles):
        return candles.assign(signal=np.nan)


class StopsByRange(SignalStrategy):
    """Protected and sized by the average range of the last bars."""

    sizing = Sizing("risk", 0.01)
    window: int = param(14, low=2, high=100)

    def generate_signals(self, candles):
        distance = sma(candles.high / candles.low - 1, self.window).clip(0.001, 0.9)
        signals = long_where(candles, candles.close > sma(candles.close, self.window))
        return signals.assign(stop_loss=distance, take_profit=2 * distance, max_bars=30)


class VolatilityAndTime(SignalStrategy):
    """By the clock, sized by volatility."""

    sizing = Sizing("volatility", 0.3, window=40)

    def generate_signals(self, candles):
        return long_where(candles, candles.index.hour < 12)


class Boolean(SignalStrategy):
    """True and False."""

    window: int = param(10, low=2, high=100)

    def generate_signals(self, candles):
        return candles.assign(signal=candles.close > sma(candles.close, self.window))


class LateBeginning(SignalStrategy):
    """NaN until the average is known."""

    window: int = param(50, low=2, high=100)

    def generate_signals(self, candles):
        average = sma(candles.close, self.window)
        return candles.assign(signal=(candles.close > average).astype(float).where(average.notna()))


class LongAndShort(SignalStrategy):
    """Both sides, twice the equity."""

    bounds = Bounds(leverage=2.0, allow_short=True)
    window: int = param(10, low=2, high=100)

    def generate_signals(self, candles):
        return long_where(candles, 2 * np.sign(candles.close - sma(candles.close, self.window)).fillna(0.0))


SHIPPED_STRATEGIES = (
    ("sma_cross", {}),
    ("sma_cross", {"fast": 5, "slow": 100}),
    ("rsi_reversion", {}),
    ("rsi_reversion", {"window": 5, "oversold": 20.0, "recovered": 70.0, "patience": 10}),
    ("bollinger_reversion", {}),
    ("bollinger_reversion", {"window": 50, "width": 1.0, "patience": 5}),
    ("donchian_breakout", {}),
    ("donchian_breakout", {"entry": 55, "exit": 20, "patience": 100}),
    ("macd_trend", {}),
    ("macd_trend", {"fast": 2, "slow": 5, "smoothing": 3}),
    ("buy_the_dip", {}),
    ("buy_the_dip", {"drop": 0.01, "rebound": 0.02, "patience": 3}),
)
TRICKY = (
    ExpandingMean,
    Drawdown,
    HeldState,
    RunningSum,
    RollingMean,
    RollingRank,
    RollingQuantile,
    CausalConvolution,
    WeightedAverage,
    ExponentialLevel,
    VolatilityTarget,
    Crossing,
    LimitedFill,
    ClosedDay,
    AlignedDays,
    BackwardMerge,
    HighOfTheDaySoFar,
    Hours,
    AlwaysLong,
    NeverTrades,
    StopsByRange,
    VolatilityAndTime,
    Boolean,
    LateBeginning,
    LongAndShort,
)


def clean_strategies() -> list[Strategy]:
    """Fresh ones of all."""
    return [shipped(name)(**parameters) for name, parameters in SHIPPED_STRATEGIES] + [kind() for kind in TRICKY]
