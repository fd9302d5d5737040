"""Marking a strategy's methods with the events that they answer: `@on("candles")`.

* "candles": a bar of a symbol that is traded closed (CandleClosed).
* "candles:4h": a coarser bar closed, put together from those (CandleClosed).
* "trades": a public trade (TradePrinted), where the run has trades.
* "fills": an execution of ours (OrderFilled).
* "timer:1d": the clock passed a multiple of an interval, UTC (TimerStruck).
* any other name: a strategy of the session called `self.emit` with it (Emitted).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import Any, Final, TypeVar

from algotrade.errors import AlgotradeError, FixStrategy
from algotrade.market.timeframe import timeframe_ms

KINDS: Final = ("candles", "trades", "fills")
EVERY: Final = ("candles", "timer")  # followed by a colon and an interval
NEAR: Final = 0.8  # likeness from which on a name is taken for a slip of the pen
VAGUELY_NEAR: Final = 0.6  # the same where an interval follows, which no name of one's own has
FOREIGN: Final = MappingProxyType(  # what others call it
    {
        **dict.fromkeys(("bar", "bars", "kline", "klines", "ohlcv"), "candles"),
        **dict.fromkeys(("tick", "ticks"), "trades"),
        **dict.fromkeys(("order", "orders", "execution", "executions"), "fills"),
        **dict.fromkeys(("timer", "time", "clock", "schedule"), "timer:1d"),
    }
)
Method = TypeVar("Method", bound=Callable[..., Any])


def on(event: str) -> Callable[[Method], Method]:
    """Mark a method to be called with every event of a kind; a method may have several marks.

    Args:
        event: one of the kinds above.

    Raises:
        FixStrategy: no such event, or a name that is nearly one.
    """
    check_event(event)

    def mark(method: Method) -> Method:
        method.__dict__.setdefault("on_events", []).append(event)
        return method

    return mark


def check_event(event: object) -> None:
    """Refuse what is neither an event of ours nor a name that a strategy could give to one of its own."""
    if not isinstance(event, str):
        raise FixStrategy(f"@on takes the name of an event, @on('candles'): no such event as {event!r}")
    kind, colon, interval = event.partition(":")
    if colon and kind in EVERY:
        _check_interval(event, interval)
    elif event not in KINDS:
        _refuse_near_miss(event, kind)
        if not event.isidentifier():
            raise FixStrategy(f"@on('{event}'): no such event (known: {_known()})")


def check_own_name(name: object) -> None:
    """Refuse the name of an event of ours, or of none, for one that a strategy tells the others."""
    check_event(name)
    if name in KINDS or ":" in str(name):
        raise FixStrategy(f"emit('{name}'): that is an event of the market; give yours another name")


def collect_handlers(cls: type) -> dict[str, tuple[str, ...]]:
    """Names of a class's marked methods, in alphabetical order, by the event that they answer."""
    found: dict[str, list[str]] = {}
    for name in dir(cls):
        for event in getattr(getattr(cls, name, None), "on_events", ()):
            found.setdefault(event, []).append(name)
    return {event: tuple(names) for event, names in found.items()}


def intervals_of(events: Iterable[str], kind: str) -> tuple[str, ...]:
    """The intervals of "candles:..." or "timer:..." among the events, the longest first."""
    found = {event.partition(":")[2] for event in events if event.startswith(f"{kind}:")}
    return tuple(sorted(found, key=lambda interval: (-timeframe_ms(interval), interval)))


def _check_interval(event: str, interval: str) -> None:
    try:
        timeframe_ms(interval)
    except AlgotradeError as error:
        raise FixStrategy(f"@on('{event}'): {error.message}") from None


def _refuse_near_miss(event: str, kind: str) -> None:
    cutoff = NEAR if kind == event else VAGUELY_NEAR
    near = difflib.get_close_matches(kind.casefold(), (*KINDS, "timer"), n=1, cutoff=cutoff)
    meant = FOREIGN.get(event.casefold()) or (near and event.replace(kind, near[0], 1))
    if meant:
        raise FixStrategy(f"@on('{event}'): no such event (known: {_known()}). Did you mean '{meant}'?")


def _known() -> str:
    return "candles, candles:4h, trades, fills, timer:1d, or a name that a strategy emits"
