"""Funding of perpetual contracts: which rates can be, which two are one, and where some are missing.

A rate is a fraction of the position's notional at a settlement, paid by long to short where it is above zero. The time
of a settlement is kept as the exchange gives it, mostly some milliseconds after the hour.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from algotrade.errors import FixCommand
from algotrade.market.candles import Floats, Times
from algotrade.market.instrument import validate_symbol

LARGEST_RATE: Final = 1.0  # the whole notional at one settlement; exchanges cap theirs at some hundredths
SETTLEMENT_MS: Final = 60_000  # none is shorter than an hour: rates that are closer are of one settlement
HOLE: Final = 1.5  # times the steps beside it: where a contract goes from 8 hours to 4, a step is as one beside it


class FundingRates(NamedTuple):
    """Funding rates of one market.

    Attributes:
        times: of the settlements, milliseconds since the epoch, rising, shape (n,).
        rates: fractions of the notional that long pays to short, shape (n,).
    """

    times: Times
    rates: Floats

    def between(self, first: int, last: int) -> FundingRates:
        """Those from one time to another, milliseconds, both inclusive."""
        return self.kept((self.times >= first) & (self.times <= last))

    def kept(self, good: npt.NDArray[np.bool_]) -> FundingRates:
        """Those that a mask, shape (n,), holds true for."""
        return FundingRates(self.times[good], self.rates[good])


def find_bad_rates(arriving: FundingRates) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    """Each reason why a rate cannot be stored, with the mask, shape (n,), of the rates that have it."""
    rates = arriving.rates
    steps = np.diff(arriving.times, prepend=arriving.times[:1] - SETTLEMENT_MS)
    return [
        ("the rate is no finite number", ~np.isfinite(rates)),
        (f"the rate is beyond {LARGEST_RATE:g}, the whole notional", np.isfinite(rates) & (abs(rates) > LARGEST_RATE)),
        ("it comes less than a minute after the one before, and would be paid twice", steps < SETTLEMENT_MS),
    ]


def nearest(times: Times, known: Times) -> Times:
    """For each time, shape (n,), the position of the known one, rising, of the same settlement; -1 where none is."""
    if not len(known):
        return np.full(len(times), -1, np.int64)
    after = np.clip(np.searchsorted(known, times), 0, len(known) - 1)
    before = np.maximum(after - 1, 0)
    closest = np.where(np.abs(known[before] - times) <= np.abs(known[after] - times), before, after)
    near = np.abs(known[closest] - times) < SETTLEMENT_MS
    return np.asarray(np.where(near, closest, -1), np.int64)


def usual_step(times: Times) -> int | None:
    """The middle distance between settlements, milliseconds; None of fewer than two."""
    steps = np.sort(np.diff(times))
    return int(steps[len(steps) // 2]) if len(steps) else None


def find_holes(times: Times) -> Times:
    """The settlements, of rising times of shape (n,), after which one or more are missing.

    A step is a hole if it is longer than those on both sides of it: contracts do change the time between settlements.
    """
    steps = np.diff(times)
    if len(steps) < 2:
        return times[:0]
    beside = np.maximum(np.r_[steps[1], steps[:-1]], np.r_[steps[1:], steps[-2]])
    return np.asarray(times[:-1][steps > HOLE * beside], np.int64)


def is_perpetual(symbol: str) -> bool:
    """Whether a symbol is that of a perpetual contract: it names what is settled in, and no day of expiry."""
    settlement = symbol.partition(":")[2]
    return bool(settlement) and "-" not in settlement


def validate_perpetual(symbol: str) -> str:
    """The symbol itself, if it is that of a perpetual contract: "BTC/USDT:USDT".

    Raises:
        FixCommand: it is not; only those have funding.
    """
    if is_perpetual(validate_symbol(symbol)):
        return symbol
    pair = symbol.partition(":")[0]
    quote = pair.rpartition("/")[2]
    like = f"{pair}:{quote}" if "/" in pair else "BTC/USDT:USDT"
    raise FixCommand(
        f"'{symbol}' is no perpetual contract, and only those have funding; they are written like {like}",
        hint=f"algotrade fetch --funding --exchange binance --symbol {like}",
    )
