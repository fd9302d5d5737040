"""Signals that are already computed, as a strategy for the event loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from algotrade.engine.account import View
from algotrade.engine.events import CandleClosed, Emitted, Event
from algotrade.engine.requests import Request
from algotrade.strategy.protection import Wanted


class KnownSignals:
    """A decider that asks, at every closed candle, for what the signals of its symbol want.

    Args:
        wanted: by symbol, of all bars that will be closed, in order; each symbol has the same share of equity.
    """

    def __init__(self, wanted: Mapping[str, Wanted]) -> None:
        self._wanted = {symbol: each.shared(len(wanted)) for symbol, each in wanted.items()}
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
