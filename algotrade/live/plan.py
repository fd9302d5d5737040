"""What a person asked for, and the header of the journal that follows from it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from algotrade.backtest.setup import Setup
from algotrade.engine.fills import Costs
from algotrade.engine.records import candle_of
from algotrade.engine.risk import Limits
from algotrade.errors import FixData
from algotrade.market.instrument import Instrument
from algotrade.store.canonical import canonical_json
from algotrade.strategy.signals import Bounds

HEADER_VERSION: Final = 1
CANDLES: Final = "candles"
TICKER: Final = "ticker"
SOURCES: Final = (CANDLES, TICKER)
HEADER_KINDS: Final[Mapping[str, type | tuple[type, ...]]] = MappingProxyType(
    {
        "plan": dict,
        "plan_key": str,
        "origin": str,
        "simulated": bool,
        "costs": dict,
        "instrument": dict,
        "strategy": dict,
        "warmup": (int, str),
        "warm_up_candles": list,
        "first_bar": int,
        "checks": dict,
        "versions": dict,
    }
)
STRATEGY_KEYS: Final = ("name", "class", "file", "parameters", "hash", "source")


class SessionPlan(NamedTuple):
    """The request for a session; the same plan resumes the same session.

    Attributes:
        exchange: "kraken", "demo", any ccxt id.
        symbol: ccxt's unified symbol.
        timeframe: of the bars.
        strategy: name.
        parameters: of the strategy.
        cash: quote units at the start.
        fee_rate: fraction of the notional of each fill; None for the market's own taker fee.
        slippage_rate: fraction by which a fill is worse than the open.
        bounds: leverage and shorts.
        limits: risk limits.
        source: "candles", or "ticker" for candles built from polled prices.
        start: open time of the first bar, milliseconds; None for now.
        until: last moment, milliseconds, inclusive; None for no end.
        bars: how many bars to run; None for no bound.
        speed: how much faster than the clock (demo exchange).
        rebalance_band: by which the share of equity may drift from the target before it is traded again; 0: any drift.
    """

    exchange: str
    symbol: str
    timeframe: str
    strategy: str
    parameters: dict[str, Any]
    cash: float
    fee_rate: float | None = None
    slippage_rate: float = Costs().slippage_rate
    bounds: Bounds = Bounds()
    limits: Limits = Limits()
    source: str = CANDLES
    start: int | None = None
    until: int | None = None
    bars: int | None = None
    speed: float = 1.0
    rebalance_band: float = 0.0

    def key(self) -> str:
        """Names the plan: equal plans have equal keys."""
        return hashlib.sha256(canonical_json(self.document()).encode()).hexdigest()[:16]

    def document(self) -> dict[str, Any]:
        """The plan as plain values; what came later is left out where it is not asked for, so that keys stay."""
        nested = {"bounds": self.bounds._asdict(), "limits": self.limits._asdict()}
        document = {**self._asdict(), **nested}
        if not self.rebalance_band:
            del document["rebalance_band"]
        return document


def plan_of(document: dict[str, Any]) -> SessionPlan:
    """The plan that `document` gave."""
    return SessionPlan(
        **{
            **document,
            "bounds": Bounds(**document["bounds"]),
            "limits": Limits(**document["limits"]),
        }
    )


def setup_of(header: dict[str, Any]) -> Setup:
    """The conditions under which a journal's session trades."""
    plan = plan_of(header["plan"])
    return Setup(
        instruments=(Instrument(**header["instrument"]),),
        timeframe=plan.timeframe,
        cash=plan.cash,
        costs=Costs(**header["costs"]),
        bounds=plan.bounds,
        limits=plan.limits,
        rebalance_band=plan.rebalance_band,
    )


def check_header(header: dict[str, Any], session: str) -> None:
    """Refuse the header of a journal that does not say all that a session is.

    Raises:
        FixData: something is missing, or is not what it should be.
    """
    wrong = [name for name, kind in HEADER_KINDS.items() if not isinstance(header.get(name), kind)]
    if not wrong:
        wrong = [f"strategy.{name}" for name in STRATEGY_KEYS if name not in header["strategy"]]
    try:
        if not wrong:
            setup_of(header)
            for row in header["warm_up_candles"]:
                candle_of(row, "")
    except (KeyError, TypeError, ValueError) as error:
        wrong = [str(error)]
    if wrong:
        raise FixData(
            f"the journal of session {session} is damaged, its header cannot be read: {', '.join(wrong)}",
            hint="algotrade list sessions",
        )
