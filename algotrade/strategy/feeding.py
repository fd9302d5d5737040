"""Whether what a run gives is what a strategy waits for."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from algotrade.errors import FixStrategy

if TYPE_CHECKING:
    from algotrade.strategy.base import Strategy

MARKET: Final = ("candles", "trades", "timer")  # kinds of events that a run gives or does not give
EMITTED: Final = "emitted"  # those of other strategies in the same session


def refuse_unfed(strategy: Strategy, fed: Collection[str] = ("candles",)) -> None:
    """Say that a strategy, or a method of it, would never be asked.

    Args:
        strategy: of the run.
        fed: what the run gives: "candles", "trades", "timer"; "emitted" where other strategies run beside it.

    Raises:
        FixStrategy: a method waits for what is not given, or nothing of it answers what is.
    """
    events = strategy.handlers
    kinds = {event: event.partition(":")[0] for event in events}
    for event, kind in kinds.items():
        if kind in MARKET and kind not in fed:
            told = f"{strategy.name()}.{events[event][0]} waits for '{event}', which this run does not give"
            with_it = f"algotrade backtest --strategy {strategy.name()} --trades"
            raise FixStrategy(told, hint=with_it if kind == "trades" else None)
    own_names = {kind for kind in kinds.values() if kind not in (*MARKET, "fills")}
    beginnings = {*kinds.values()} & {*MARKET, *(own_names if EMITTED in fed else ())}
    if own_names and not beginnings:
        raise FixStrategy(
            f"{strategy.name()} answers '{min(own_names)}' alone, and no other strategy runs beside it to emit that",
            hint=f"algotrade backtest --strategy market_regime --strategy {strategy.name()}",
        )
    if not beginnings and not strategy.decides_itself():
        raise FixStrategy(
            f"{strategy.name()} never answers a candle, so it would do nothing: a method needs @on('candles')"
        )
