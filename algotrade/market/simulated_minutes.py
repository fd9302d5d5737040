"""One-minute prices out of nothing: every value is a pure function of the market's seed and the minute's number.

Random access needs no state: a counter is hashed where others would ask a generator for its next number. Log prices
are fixed at midnights by a slow pull towards a long-run level, and a Brownian bridge joins the midnights. Volatility
is a multifractal cascade after Calvet and Fisher ("How to Forecast Long-Run Volatility: Regime Switching and the
Estimation of Multifractal Processes", Journal of Financial Econometrics 2, 2004), its multipliers renewed at fixed
times so that any day can be computed alone. That gives the clustering and the fat tails; the profiles over the week
and the day were measured on Kraken's BTC/USD, 2018 to 2022.

The path needs sums, products and square roots only, which IEEE 754 rounds alike on every machine. Logarithms and
exponentials enter last, where rounding to the tick swallows a difference in their last bit.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from algotrade.market.candles import Floats

Words = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]

DAY_MINUTES: Final = 1440
QUARTER_MINUTES: Final = 15  # volatility is constant for a quarter of an hour
FIRST_DAY: Final = 14_610  # 2010-01-01, in days since the epoch
LAST_DAY: Final = 32_871  # 2059-12-31
LEVEL_DAY: Final = 17_532  # 2018-01-01, the day for which a model gives its level
VOLUME_LOTS: Final = 256  # volumes are multiples of 1/256, so they add up to the same bits in any order

PULL: Final = 0.9985  # what a day leaves of the distance from the long-run level: half of it lasts 15 months
SHOCK_ODDS: Final = 32  # one day in 32 is a shock ...
SHOCK_VARIANCE: Final = 7.0  # ... with seven times the average variance
DAY_BLOCKS: Final = ((2, 0.4), (6, 0.5), (20, 0.5), (60, 0.5), (180, 0.3))  # a multiplier's life in days, its strength
QUARTER_BLOCKS: Final = ((1, 0.5), (4, 0.5), (16, 0.4))  # the same in quarters of an hour
WEEKDAY_VARIANCE: Final = np.array([1.10, 1.10, 1.14, 1.20, 1.10, 0.66, 0.70])  # Monday first
WEEKDAY_VOLUME: Final = np.array([1.09, 1.10, 1.17, 1.17, 1.09, 0.67, 0.71])
HOUR_VARIANCE: Final = np.ravel(
    [
        [1.30, 1.00, 0.85, 0.70, 0.75, 0.65, 0.73, 0.80, 1.00, 0.90, 1.05, 0.90],
        [1.22, 1.20, 1.35, 1.20, 1.30, 0.92, 0.85, 0.90, 1.15, 1.05, 1.00, 1.10],
    ]
)
HOUR_VOLUME: Final = np.ravel(
    [
        [1.17, 0.90, 0.81, 0.75, 0.76, 0.69, 0.70, 0.73, 0.79, 0.78, 0.86, 0.88],
        [1.11, 1.20, 1.35, 1.34, 1.44, 1.18, 1.11, 1.13, 1.23, 1.08, 1.01, 1.00],
    ]
)

SHARED_SEED: Final = 58  # of what all markets share: the volatility and a part of the direction
DIRECTION, SHOCK, DAY_CASCADE, QUARTER_CASCADE, STEPS, SHAPES = range(6)  # each purpose has its own stream of hashes

MINUS_TWO_LOG: Final = -2 * np.log((np.arange(4096) + 0.5) / 4096)  # -2 ln(u), by twelve random bits
VOLUME_NOISE: Final = np.exp(0.9 * (np.arange(766) - 382.5) / 128 - 0.9**2 / 2)  # mean 1, by the sum of three bytes
MEAN_MOVEMENT: Final = 1.12  # average of activity times range, so that volumes average to daily_volume


class MarketModel(NamedTuple):
    """The character of one simulated market.

    Attributes:
        seed: names the market's own stream of numbers.
        level: long-run price on 2018-01-01, quote units.
        growth: growth of the logarithm of the long-run price in a year.
        volatility: standard deviation of the daily log return, on average.
        shared: correlation of the daily return with the factor that all markets share.
        daily_volume: base units on an average day.
        half_spread: distance of bid and ask from the middle, a fraction of the price.
    """

    seed: int
    level: float
    growth: float
    volatility: float
    shared: float
    daily_volume: float
    half_spread: float


class Minutes(NamedTuple):
    """Consecutive minutes: prices as natural logarithms, volume in base units, every array of shape (minutes,).

    `shapes` are the minute's random bits; `path_times` reads from them when the extremes were reached.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    shapes: Words


def hash_words(seed: int, purpose: int, counters: Integers) -> Words:
    """64 random bits for every counter: splitmix64 (Steele, Lea and Flood, OOPSLA 2014), read by position."""
    offset = (seed * 0xD1B54A32D192ED03 + purpose * 0x8CB92BA72F3D8DD7) % 2**64
    words = counters.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    words += np.uint64(offset)
    words ^= words >> np.uint64(30)
    words *= np.uint64(0xBF58476D1CE4E5B9)
    words ^= words >> np.uint64(27)
    words *= np.uint64(0x94D049BB133111EB)
    words ^= words >> np.uint64(31)
    return words


def standard_normals(words: Words) -> Floats:
    """Nearly normal numbers, the same on every machine: the sum of the four 16-bit quarters of each word."""
    even = np.uint64(0x0000FFFF0000FFFF)
    pairs = (words & even) + ((words >> np.uint64(16)) & even)
    sums = (pairs & np.uint64(0xFFFFFFFF)) + (pairs >> np.uint64(32))
    return np.asarray((sums.view(np.int64) - 131_070) * (1 / 37_837.2))


@lru_cache(maxsize=1)
def daily_variances() -> Floats:
    """Variance of each day relative to the average day, the same for all markets, from FIRST_DAY to LAST_DAY."""
    days = np.arange(FIRST_DAY, LAST_DAY + 1)
    shock = hash_words(SHARED_SEED, SHOCK, days) % np.uint64(SHOCK_ODDS) == 0
    calm = (SHOCK_ODDS - SHOCK_VARIANCE) / (SHOCK_ODDS - 1)
    variances = np.where(shock, SHOCK_VARIANCE, calm) * _cascade(SHARED_SEED, DAY_CASCADE, days, DAY_BLOCKS)
    variances *= (WEEKDAY_VARIANCE / WEEKDAY_VARIANCE.mean())[_weekdays(days)]
    variances.setflags(write=False)
    return np.asarray(variances)


@lru_cache(maxsize=16)
def midnight_levels(model: MarketModel) -> Floats:
    """Log price at every midnight, from the one that begins FIRST_DAY to the one that ends LAST_DAY."""
    days = np.arange(FIRST_DAY, LAST_DAY + 1)
    together = standard_normals(hash_words(SHARED_SEED, DIRECTION, days))
    alone = standard_normals(hash_words(model.seed, DIRECTION, days))
    normals = model.shared * together + np.sqrt(1 - model.shared**2) * alone
    moves = model.volatility * np.sqrt(daily_variances()) * normals
    distances = list(accumulate(moves.tolist(), lambda distance, move: PULL * distance + move, initial=0.0))
    years = (np.arange(FIRST_DAY, LAST_DAY + 2) - LEVEL_DAY) / 365.25
    levels = np.log(model.level) + model.growth * years + np.array(distances)
    levels.setflags(write=False)
    return np.asarray(levels)


def simulate_minutes(model: MarketModel, first_day: int, last_day: int) -> Minutes:
    """Every minute of the days `first_day` to `last_day`, both inclusive, in days since the epoch."""
    days = np.arange(first_day, last_day + 1)
    minutes = np.arange(first_day * DAY_MINUTES, (last_day + 1) * DAY_MINUTES)
    shares = _minute_shares(model.seed, days)
    activity = np.sqrt(shares * (daily_variances()[days - FIRST_DAY])[:, None])
    deviations = np.repeat(model.volatility * activity, QUARTER_MINUTES, axis=1)

    steps = deviations * standard_normals(hash_words(model.seed, STEPS, minutes)).reshape(deviations.shape)
    path = _bridge(midnight_levels(model)[first_day - FIRST_DAY : last_day - FIRST_DAY + 2], steps, shares)
    begins, ends = path[:, :-1].ravel(), path[:, 1:].ravel()
    shapes = hash_words(model.seed, SHAPES, minutes)
    high, low = _extremes(begins, ends, deviations.ravel(), shapes)
    volume = _volumes(days, activity, (high - low) / deviations.ravel(), shapes)
    return Minutes(
        begins + _sides(shapes, 24, model.half_spread),
        high + model.half_spread,
        low - model.half_spread,
        ends + _sides(shapes, 25, model.half_spread),
        np.maximum(np.rint(volume * (model.daily_volume * VOLUME_LOTS)), 1.0) / VOLUME_LOTS,
        shapes,
    )


def path_times(shapes: Words) -> tuple[npt.NDArray[np.bool_], Integers, Integers]:
    """Whether minutes reach their high before their low, and when they reach each of the two, in their milliseconds."""
    first, second = _bits(shapes, 51, 63), _bits(shapes, 57, 63)
    return _bits(shapes, 50, 1) == 1, 400 * (first + 1), 30_000 + 400 * (second + 1)


def buyers(shapes: Words) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Whether a buyer made the first print of minutes, and the last."""
    return _bits(shapes, 24, 1) == 1, _bits(shapes, 25, 1) == 1


def _bits(words: Words, shift: int, mask: int) -> Integers:
    return ((words >> np.uint64(shift)) & np.uint64(mask)).view(np.int64)


def _weekdays(days: Integers) -> Integers:
    """0 is Monday; 1970-01-01 was a Thursday."""
    return (days + 3) % 7


def _cascade(seed: int, purpose: int, counters: Integers, blocks: tuple[tuple[int, float], ...]) -> Floats:
    """Product of multipliers of mean 1, each 1 + strength or 1 - strength for the length of its block."""
    product = np.ones(len(counters))
    for level, (length, strength) in enumerate(blocks):
        numbers = (counters + length // 2) // length * len(blocks) + level
        product *= 1 + strength * (2 * _bits(hash_words(seed, purpose, numbers), 63, 1) - 1)
    return product


def _minute_shares(seed: int, days: Integers) -> Floats:
    """A minute's share of its day's variance, for each quarter of an hour, shape (days, 96)."""
    quarters = DAY_MINUTES // QUARTER_MINUTES
    numbers = (days[:, None] * quarters + np.arange(quarters)).ravel()
    weights = _cascade(seed, QUARTER_CASCADE, numbers, QUARTER_BLOCKS).reshape(len(days), quarters)
    weights *= np.repeat(HOUR_VARIANCE, quarters // 24)
    return np.asarray(weights / (weights.sum(axis=1, keepdims=True) * QUARTER_MINUTES))


def _bridge(midnights: Floats, steps: Floats, shares: Floats) -> Floats:
    """Log price at the edges of the minutes, shape (days, 1441): the steps, bent so that each day meets its midnights.

    Args:
        midnights: log prices, shape (days + 1,).
        steps: free returns of the minutes, shape (days, 1440).
        shares: a minute's share of the day's variance by quarter of an hour, shape (days, 96).
    """
    missing = np.diff(midnights) - steps.sum(axis=1)
    steps += np.repeat(shares * missing[:, None], QUARTER_MINUTES, axis=1)
    path = np.empty((len(steps), DAY_MINUTES + 1))
    path[:, 0] = midnights[:-1]
    np.cumsum(steps, axis=1, out=path[:, 1:])
    path[:, 1:] += midnights[:-1, None]
    return path


def _extremes(begins: Floats, ends: Floats, deviations: Floats, shapes: Words) -> tuple[Floats, Floats]:
    """Highest and lowest point of a Brownian bridge over each minute, each drawn by its closed-form distribution.

    P(maximum > m) = exp(-2 (m - begin)(m - end) / variance), solved for m (Karatzas and Shreve, "Brownian Motion and
    Stochastic Calculus", 4.3.40); the two are drawn without regard to each other.
    """
    middles, squares, variances = (begins + ends) / 2, (ends - begins) ** 2, deviations**2
    above = np.sqrt(squares + variances * MINUS_TWO_LOG[_bits(shapes, 0, 4095)]) / 2
    below = np.sqrt(squares + variances * MINUS_TWO_LOG[_bits(shapes, 12, 4095)]) / 2
    return middles + above, middles - below


def _sides(shapes: Words, bit: int, half_spread: float) -> Floats:
    """Plus half the spread where a buyer made the print, minus where a seller did."""
    return np.asarray(_bits(shapes, bit, 1) * (2 * half_spread) - half_spread)


def _volumes(days: Integers, activity: Floats, ranges: Floats, shapes: Words) -> Floats:
    """Volume of each minute as a fraction of an average day's: more in busy times and in minutes of a wide range."""
    by_hour = np.repeat(HOUR_VOLUME / np.sqrt(HOUR_VARIANCE * DAY_MINUTES), len(activity[0]) // 24)
    by_day = (WEEKDAY_VOLUME / np.sqrt(WEEKDAY_VARIANCE))[_weekdays(days)]
    expected = np.repeat((activity * by_hour * by_day[:, None]).ravel(), QUARTER_MINUTES)
    noise = VOLUME_NOISE[_bits(shapes, 26, 255) + _bits(shapes, 34, 255) + _bits(shapes, 42, 255)]
    return np.asarray(expected * noise * (ranges / MEAN_MOVEMENT))
