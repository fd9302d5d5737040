"""Planted leaks: small strategies that use the future, each in a way that people really do by mistake."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd
from pandas.api.indexers import FixedForwardWindowIndexer

from algotrade.strategy.base import param
from algotrade.strategy.signals import SignalStrategy
from algotrade.strategy.sizes import Sizing

ONE_BAR = 777  # where the strategies that peek only once do it


def long_where(candles: pd.DataFrame, wanted: object) -> pd.DataFrame:
    return pd.DataFrame({"signal": np.asarray(wanted, np.float64)}, index=candles.index)


def day_of(candles: pd.DataFrame) -> pd.DatetimeIndex:
    return candles.index.floor("D")


# ---- windows that reach forward -------------------------------------------------------------------------------------
class CentredAverage(SignalStrategy):
    """Half of the window lies ahead."""

    def generate_signals(self, candles):
        return long_where(candles, candles.close > candles.close.rolling(11, center=True).mean())


class ForwardWindow(SignalStrategy):
    """Rolling, but from now on."""

    def generate_signals(self, candles):
        highest = candles.high.rolling(FixedForwardWindowIndexer(window_size=5)).max()
        return long_where(candles, highest > candles.close * 1.02)


class ReversedWindow(SignalStrategy):
    """The table turned round, a window, and back again."""

    def generate_signals(self, candles):
        return long_where(candles, candles.close < candles.close[::-1].rolling(10).mean()[::-1])


class ExpandingFromTheEnd(SignalStrategy):
    """The average of all that comes."""

    def generate_signals(self, candles):
        return long_where(candles, candles.close < candles.close[::-1].expanding().mean()[::-1])


class Convolution(SignalStrategy):
    """Cut out of the middle, the kernel is centred."""

    def generate_signals(self, candles):
        return long_where(candles, candles.close > np.convolve(candles.close, np.ones(9) / 9)[4:][: len(candles)])


# ---- neighbours to the right ----------------------------------------------------------------------------------------
class NextClose(SignalStrategy):
    """shift(-1)."""

    def generate_signals(self, candles):
        return long_where(candles, candles.close.shift(-1) > candles.close)


class NegativeChange(SignalStrategy):
    """pct_change(-1) divides by the next close."""

    def generate_signals(self, candles):
        return long_where(candles, candles.close.pct_change(-1) < 0)


class Roll(SignalStrategy):
    """np.roll(-1): the next close, and the first one at the end."""

    def generate_signals(self, candles):
        return long_where(candles, np.roll(candles.close, -1) > candles.close)


class RollAround(SignalStrategy):
    """np.roll(1) looks innocent: only the first bar gets the last close."""

    def generate_signals(self, candles):
        return long_where(candles, candles.close > np.roll(candles.close, 1))


class Gradient(SignalStrategy):
    """np.gradient takes the neighbours on both sides."""

    def generate_signals(self, candles):
        return long_where(candles, np.gradient(candles.close.to_numpy()) > 0 if len(candles) > 1 else [0.0])


# ---- figures of the whole table -------------------------------------------------------------------------------------
class WholeMean(SignalStrategy):
    """Cheap is below the average of the whole history."""

    def generate_signals(self, candles):
        return long_where(candles, candles.close < candles.close.mean())


class WholeScore(SignalStrategy):
    """Normalised by mean and deviation of the whole history."""

    def generate_signals(self, candles):
        score = (candles.volume - candles.volume.mean()) / candles.volume.std()
        return long_where(candles, score > 1)


class WholeMaximum(SignalStrategy):
    """Near a maximum that is still to come."""

    def generate_signals(self, candles):
        return long_where(candles, candles.close / candles.close.max() > 0.95)


class WholeQuantile(SignalStrategy):
    """A threshold from all of history."""

    def generate_signals(self, candles):
        moves = candles.close.pct_change()
        return long_where(candles, moves < moves.quantile(0.1))


class WholeRank(SignalStrategy):
    """Ranked against bars to come."""

    def generate_signals(self, candles):
        return long_where(candles, candles.close.rank(pct=True) < 0.3)


class WholeBins(SignalStrategy):
    """Bins between the lowest and the highest price of all."""

    def generate_signals(self, candles):
        return long_where(candles, pd.cut(candles.close, 5, labels=False) == 0)


class WholeArgmax(SignalStrategy):
    """Holds until the top."""

    def generate_signals(self, candles):
        return long_where(candles, np.arange(len(candles)) < int(candles.close.argmax()))


class FittedLine(SignalStrategy):
    """A trend line through all prices."""

    def generate_signals(self, candles):
        steps = np.arange(len(candles))
        if len(candles) < 3:
            return long_where(candles, steps * 0)
        return long_where(candles, candles.close < np.polyval(np.polyfit(steps, candles.close, 1), steps))


class FourierFilter(SignalStrategy):
    """A smooth curve from the frequencies of the whole history."""

    def generate_signals(self, candles):
        frequencies = np.fft.rfft(candles.close)
        frequencies[20:] = 0
        return long_where(candles, candles.close < np.fft.irfft(frequencies, len(candles)))


class LastClose(SignalStrategy):
    """Knows where it ends."""

    def generate_signals(self, candles):
        return long_where(candles, candles.close < candles.close.iloc[-1])


class WindowByLength(SignalStrategy):
    """The longer the table, the longer the window."""

    def generate_signals(self, candles):
        return long_where(candles, candles.close > candles.close.rolling(2 + len(candles) // 20).mean())


# ---- gaps filled from the right -------------------------------------------------------------------------------------
class BackFill(SignalStrategy):
    """A reading every ten bars, spread backwards."""

    def generate_signals(self, candles):
        sparse = candles.close.where(candles.index.hour == 12)
        return long_where(candles, candles.close < sparse.bfill())


class Interpolation(SignalStrategy):
    """A line drawn to the next reading."""

    def generate_signals(self, candles):
        sparse = candles.close.where(candles.index.hour == 0)
        return long_where(candles, candles.close < sparse.interpolate())


class FilledWithMean(SignalStrategy):
    """Missing values become the average of all."""

    def generate_signals(self, candles):
        sparse = candles.close.where(candles.index.hour == 12)
        return long_where(candles, candles.close < sparse.fillna(sparse.mean()))


# ---- other timeframes -----------------------------------------------------------------------------------------------
class DayNotClosed(SignalStrategy):
    """Today's close, this morning."""

    def generate_signals(self, candles):
        daily = candles.close.resample("1D").last()
        return long_where(candles, candles.close < daily.reindex(candles.index, method="ffill"))


class DayNotClosedOfOurs(SignalStrategy):
    """The day that a bar lies in, from our own table of days, as if it were known in the morning."""

    def generate_signals(self, candles):
        days = self.candles("1d").close
        return long_where(candles, candles.close > days.reindex(candles.index, method="ffill"))


class DayAlignedTooEarly(SignalStrategy):
    """Aligned as it should be, but each day's value is the next one's."""

    def generate_signals(self, candles):
        days = self.candles("1d").close.shift(-1)
        return long_where(candles, candles.close > self.align(days, "1d"))


class DayTransform(SignalStrategy):
    """The average of the whole day at each of its bars."""

    def generate_signals(self, candles):
        return long_where(candles, candles.close < candles.close.groupby(day_of(candles)).transform("mean"))


class ForwardMerge(SignalStrategy):
    """merge_asof takes the next day's row."""

    direction = "forward"

    def generate_signals(self, candles):
        daily = candles.close[candles.index.hour == 0].rename("daily").reset_index()
        merged = pd.merge_asof(candles.close.reset_index(), daily, on="time", direction=self.direction)
        return long_where(candles, merged.close < merged.daily)


class NearestMerge(ForwardMerge):
    """merge_asof takes the nearest row, which may be tomorrow's."""

    direction = "nearest"


# ---- hard to see ----------------------------------------------------------------------------------------------------
class OneBarPeeks(SignalStrategy):
    """One single bar knows the next."""

    def generate_signals(self, candles):
        close = candles.close.to_numpy()
        signal = np.zeros(len(close))
        if len(close) > ONE_BAR + 1:
            signal[ONE_BAR] = 1.0 if close[ONE_BAR + 1] > close[ONE_BAR] else 0.5
        return long_where(candles, signal)


class OneBarPeeksInACrowd(SignalStrategy):
    """One single bar knows the next, among a thousand changes of the signal."""

    def generate_signals(self, candles):
        close = candles.close.to_numpy()
        signal = 0.1 + 0.5 * (np.diff(close, prepend=close[0]) > 0)
        if len(close) > ONE_BAR + 1:
            signal[ONE_BAR] += 0.1 if close[ONE_BAR + 1] > close[ONE_BAR] else 0.2
        return long_where(candles, signal)


class StepsAside(SignalStrategy):
    """Always long, but for the ten worst bars, which it sees coming."""

    def generate_signals(self, candles):
        ahead = candles.close.shift(-1) / candles.close
        return long_where(candles, ~(ahead <= ahead.nsmallest(10).max()))


class WinnersOnly(SignalStrategy):
    """A crossover that is only taken where it will pay."""

    fast: int = param(5, low=2, high=50)

    def generate_signals(self, candles):
        crossed = candles.close > candles.close.rolling(self.fast).mean()
        pays = candles.close.shift(-3) > candles.close
        return long_where(candles, crossed & pays)


class StopAtTheComingLow(SignalStrategy):
    """Honest signals, and a stop that is always just below the lowest low of the days to come."""

    def generate_signals(self, candles):
        signals = long_where(candles, candles.close > candles.close.rolling(10).mean())
        lowest = candles.low[::-1].rolling(20, min_periods=1).min()[::-1]
        return signals.assign(stop_loss=(1 - 0.99 * lowest / candles.close).clip(0.001, 0.9))


class SizedByTheComingRange(SignalStrategy):
    """Sized by a stop that knows the next bar."""

    sizing = Sizing("risk", 0.01)

    def generate_signals(self, candles):
        signals = long_where(candles, candles.close > candles.close.rolling(10).mean())
        return signals.assign(trailing_stop=(candles.high / candles.low - 1).shift(-1).fillna(0.01).clip(0.001, 0.9))


class RemembersTheFuture(SignalStrategy):
    """Keeps the average of the first table it sees: in a backtest, of all there is."""

    average: ClassVar[None] = None

    def generate_signals(self, candles):
        self.average = self.average or float(candles.close.mean())
        return long_where(candles, candles.close < self.average)


LEAKS = (
    CentredAverage,
    ForwardWindow,
    ReversedWindow,
    ExpandingFromTheEnd,
    Convolution,
    NextClose,
    NegativeChange,
    Roll,
    RollAround,
    Gradient,
    WholeMean,
    WholeScore,
    WholeMaximum,
    WholeQuantile,
    WholeRank,
    WholeBins,
    WholeArgmax,
    FittedLine,
    FourierFilter,
    LastClose,
    WindowByLength,
    BackFill,
    Interpolation,
    FilledWithMean,
    DayNotClosed,
    DayNotClosedOfOurs,
    DayAlignedTooEarly,
    DayTransform,
    ForwardMerge,
    NearestMerge,
    OneBarPeeks,
    OneBarPeeksInACrowd,
    StepsAside,
    WinnersOnly,
    StopAtTheComingLow,
    SizedByTheComingRange,
    RemembersTheFuture,
)
