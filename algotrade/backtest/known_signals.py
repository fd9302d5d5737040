"""Signals that are already computed, as a strategy for the event loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from algotrade.engine.account import View
from algotrade.engine.events import CandleClosed, Emitted, Event
from algotrade.engine.requests import Request
from algotrade.strategy.protection import Wanted


class KnownSignals:
    """A decider that asks, at every closed candle, for what the signals of its symbol want.

    Args:
        wanted: by symbol, of all bars that will be closed, in order.
        share: of equity that each symbol has.
    """

    def __init__(self, wanted: Mapping[str, Wanted], *, share: float = 1.0) -> None:
        self._wanted = {symbol: _shared(each, share) for symbol, each in wanted.items()}
        self._targets = {symbol: enumerate(each.targets.tolist()) for symbol, each in wanted.items()}
        self._asked: dict[str, Request] = {}
        self._last = dict.fromkeys(wanted, 0.0)

    def handle(self, event: Event | Emitted, view: View) -> Sequence[Request]:
        """The target in force, as it was decided at the bar at which it changed."""
        if not isinstance(event, CandleClosed):
            return ()
        symbol = event.symbol
        row, target = next(self._targets[symbol])
        if target != self._last[symbol] or symbol not in self._asked:
            self._last[symbol] = target
            self._asked[symbol] = self._wanted[symbol].request(symbol, row)
        return (self._asked[symbol],)


def _shared(wanted: Wanted, share: float) -> Wanted:
    """The same with a share of the equity; sizes in units are what they are."""
    if share == 1.0 or wanted.unit != "exposure":
        return wanted
    scales = np.ones(len(wanted.targets)) if wanted.scales is None else wanted.scales
    return wanted._replace(scales=share * scales)
