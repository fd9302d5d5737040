"""Fees by the volume of 30 days: the more was traded, the less it costs."""

from __future__ import annotations

from collections import deque
from typing import Final, Self

from algotrade.engine.sizing import Terms
from algotrade.market.timeframe import UNIT_MS

WINDOW_MS: Final = 30 * UNIT_MS["d"]


class TradedVolume:
    """What we traded in the last 30 days, and the fees that follow from it.

    Args:
        schedule: (volume from which it holds in quote units, maker, taker), rising; empty: the market's own fees.
    """

    def __init__(self, schedule: tuple[tuple[float, float, float], ...]) -> None:
        self._schedule = schedule
        self._traded: deque[tuple[int, float]] = deque()

    def copy(self) -> Self:
        """The same on its own."""
        other = type(self)(self._schedule)
        other._traded = self._traded.copy()
        return other

    def add(self, time: int, notional: float) -> None:
        """Note a fill of `notional` quote units."""
        if self._schedule:
            self._traded.append((time, notional))

    def terms(self, terms: Terms, time: int) -> Terms:
        """The terms with the fees that hold at this time."""
        if not self._schedule:
            return terms
        while self._traded and self._traded[0][0] <= time - WINDOW_MS:
            self._traded.popleft()
        volume = sum(notional for _, notional in self._traded)
        for threshold, maker, taker in self._schedule:
            if volume >= threshold:
                terms = terms._replace(maker_fee_rate=maker, fee_rate=taker)
        return terms
