"""Which of a strategy's methods answer an event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from algotrade.engine.events import Emitted, Event, OrderFilled, TimerStruck, TradePrinted

Method = Callable[[Any], object]


class Answers:
    """The marked methods of a strategy, looked up once.

    Args:
        strategy: the object they belong to.
        handlers: their names by the event that they answer.
    """

    def __init__(self, strategy: object, handlers: Mapping[str, tuple[str, ...]]) -> None:
        self._methods: dict[str, tuple[Method, ...]] = {
            event: tuple(getattr(strategy, name) for name in names) for event, names in handlers.items()
        }
        self.candles = self.to("candles")
        self._trades, self._fills = self.to("trades"), self.to("fills")

    def to(self, event: str) -> tuple[Method, ...]:
        """Methods marked with an event, in alphabetical order."""
        return self._methods.get(event, ())

    def to_other(self, event: Event | Emitted) -> tuple[tuple[Method, ...], str, int]:
        """The methods that answer an event that is no candle, its symbol ("" where it has none) and its time."""
        if isinstance(event, TradePrinted):
            return self._trades, event.symbol, event.time
        if isinstance(event, OrderFilled):
            return self._fills, event.symbol, event.time
        if isinstance(event, TimerStruck):
            return self.to(f"timer:{event.name}"), "", event.time
        if isinstance(event, Emitted):
            return self.to(event.name), "", event.time
        return (), "", 0
