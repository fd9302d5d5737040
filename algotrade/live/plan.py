"""What a person asked for, and which of it makes a session what it is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from algotrade.engine.fills import Costs
from algotrade.engine.risk import Limits
from algotrade.engine.rules import WORST
from algotrade.store.canonical import canonical_json
from algotrade.strategy.asking import Bounds
from algotrade.strategy.sizes import Sizing

CANDLES: Final = "candles"
TICKER: Final = "ticker"
TRADES: Final = "trades"
SOURCES: Final = (CANDLES, TICKER, TRADES)
OF_A_RUN: Final = ("until", "bars", "speed")  # may differ whenever a session goes on
NESTED: Final[Mapping[str, type[Any]]] = MappingProxyType(
    {"costs": Costs, "bounds": Bounds, "limits": Limits, "sizing": Sizing}
)


class Chosen(NamedTuple):
    """A strategy that was asked for: its name and its parameters."""

    name: str
    parameters: Mapping[str, Any]


class SessionPlan(NamedTuple):
    """The request for a session; the same plan resumes the same session.

    Attributes:
        exchange: "kraken", "demo", any ccxt id.
        symbols: ccxt's unified ones, in the order in which strategies are asked about them; they share the cash.
        timeframe: of the bars.
        strategies: each has a book of its own where there are several.
        cash: quote units at the start.
        fee_rate: fraction of the notional of each fill; None for the markets' own taker fee.
        maker_fee_rate: the same of orders that rested; None for the markets' own.
        costs: everything besides these two fees.
        bounds: leverage and shorts.
        limits: risk limits.
        sizing: what a target of 1 means; None: all of the equity.
        path: which way through a bar is taken where it matters: "worst" or "best" for us.
        touch: a limit fills where the price reaches it, not only where it goes through.
        rebalance_band: by which the share of equity may drift from the target before it is traded again; 0: any drift.
        source: "candles"; "ticker" for candles built from polled prices; "trades" for candles built from public trades.
        start: open time of the first bar, milliseconds; None for now.
        until: last moment, milliseconds, inclusive; None for no end.
        bars: how many bars to run; None for no bound.
        speed: how much faster than the clock (demo exchange).
    """

    exchange: str
    symbols: tuple[str, ...]
    timeframe: str
    strategies: tuple[Chosen, ...]
    cash: float
    fee_rate: float | None = None
    maker_fee_rate: float | None = None
    costs: Costs = Costs()
    bounds: Bounds = Bounds()
    limits: Limits = Limits()
    sizing: Sizing | None = None
    path: str = WORST
    touch: bool = False
    rebalance_band: float = 0.0
    source: str = CANDLES
    start: int | None = None
    until: int | None = None
    bars: int | None = None
    speed: float = 1.0

    @property
    def books(self) -> tuple[str, ...]:
        """Names of the strategies' books; empty where there is one strategy."""
        return tuple(each.name for each in self.strategies) if len(self.strategies) > 1 else ()

    def key(self) -> str:
        """Names what is traded and how: plans that differ in nothing but how long and how fast have equal keys."""
        document = {name: value for name, value in self.document().items() if name not in OF_A_RUN}
        return hashlib.sha256(canonical_json(document).encode()).hexdigest()[:16]

    def document(self) -> dict[str, Any]:
        """The plan as plain values, without those that hold their default: so what is added later changes no key."""
        strategies = [{"name": each.name, "parameters": dict(each.parameters)} for each in self.strategies]
        return {**_plain(self), "symbols": list(self.symbols), "strategies": strategies}


def plan_of(document: Mapping[str, Any]) -> SessionPlan:
    """The plan that `document` gave.

    Raises:
        KeyError, TypeError: it gave another.
    """
    nested = {name: kind(**document[name]) for name, kind in NESTED.items() if document.get(name) is not None}
    plan = SessionPlan(
        **{
            **document,
            **nested,
            "symbols": tuple(document["symbols"]),
            "strategies": tuple(Chosen(**each) for each in document["strategies"]),
        }
    )
    return plan._replace(costs=costs_from(plan.costs._asdict()))


def costs_from(document: Mapping[str, Any]) -> Costs:
    """Costs from their plain values."""
    schedule: Sequence[Sequence[float]] = document.get("fee_schedule", ())
    first_to_last = tuple((float(volume), float(maker), float(taker)) for volume, maker, taker in schedule)
    return Costs(**{**document, "fee_schedule": first_to_last})


def _plain(values: Any) -> dict[str, Any]:
    """The fields of a tuple with names that do not hold their default."""
    defaults = values._field_defaults
    return {
        name: _plain(value) if hasattr(value, "_field_defaults") else value
        for name, value in values._asdict().items()
        if name not in defaults or value != defaults[name]
    }
