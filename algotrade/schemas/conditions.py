"""The conditions of a run: costs, sizes, limits, markets, and which machine it ran on."""

from __future__ import annotations

from typing import Literal

from pydantic import RootModel

from algotrade.schemas.vocabulary import (
    Amount,
    Count,
    Declared,
    Number,
    Symbol,
    Timeframe,
    said,
)


class FeeTier(RootModel[tuple[float, float, float]]):
    """Fees from a volume of 30 days on: that volume in quote units, the maker's and the taker's fee as fractions."""


class Costs(Declared):
    """What trading and holding cost, and with what it began."""

    fee_rate: Amount = said("fraction of the notional of each fill that takes")
    slippage_rate: Amount = said("fraction of the price by which a market or stop order is worse")
    maker_fee_rate: float | None = said("fraction of the notional of each fill that rested; null: as fee_rate")
    spread_rate: Amount = said("between bid and ask, fraction of the price")
    impact_rate: Amount = said("fraction by which an order as large as a bar's volume moves the price")
    max_volume_share: Amount = said("of a bar's volume that our orders fill at most, fraction; 0 for no bound")
    fee_schedule: list[FeeTier] = said("fees by the volume of 30 days; empty where they do not depend on it")
    fee_in_base: bool = said("fees of buys were taken from what was bought")
    borrow_rate: Amount = said("fraction of a short's notional, a year")
    maintenance_rate: Amount = said("fraction of a position's notional, below which a leveraged one is liquidated")
    latency_bars: Count = said("bars whose opens an order let pass before it worked")
    latency_ms: Count = said("until an order worked, milliseconds")
    cash: float = said("at the start, quote units", gt=0)
    leverage: float = said("largest exposure, a multiple of equity", gt=0)
    allow_short: bool = said("exposure below zero was allowed")


class Sizing(Declared):
    """What a target of 1 meant."""

    kind: Literal["fraction", "quantity", "notional", "risk", "volatility", "kelly"] = said("how it is reckoned")
    amount: float = said("of that; unit by its kind")
    window: int = said("how many closes volatility and kelly look at", ge=1)
    cap: float | None = said("largest exposure, fraction of equity; null for the leverage")


class Execution(Declared):
    """How orders were sized and filled, beside the costs."""

    path: Literal["worst", "best"] = said("which way through an ambiguous bar was taken")
    touch: bool = said("a limit filled where the price reached it, not only where it went through")
    detail: Timeframe | None = said("bar length of the finer candles that bars were walked along; null for none")
    trades: bool = said("bars were walked along public trades")
    funding: bool = said("funding of perpetual contracts was charged")
    rebalance_band: Amount = said("fraction of equity that may drift from the target before it is traded again")
    sizing: Sizing | None = said("what a target of 1 meant; null: all of the equity")


class RanOn(Declared):
    """The machine that made the result; both give the same."""

    machine: Literal["kernel", "event loop"] = said("which one")
    reason: str = said("why that one; empty where it needs no reason")


class Bounds(Declared):
    """Final equity by either way through every ambiguous bar."""

    worst: float = said("the way that was worse for us, quote units")
    best: float = said("the way that was better, quote units")


class Limits(Declared):
    """Risk limits; null means none."""

    max_order_notional: Amount | None = said("of one order, quote units")
    max_position_notional: Amount | None = said("of the position, quote units")
    max_orders_per_day: Count | None = said("orders in a UTC day")
    max_daily_loss: Amount | None = said("loss in a UTC day, quote units")
    max_orders_per_minute: Count | None = said("orders in 60 seconds")
    max_drawdown: Amount | None = said("fraction of the highest equity")
    max_open_positions: Count | None = said("symbols held at one time, a count")
    cooldown_bars: Count | None = said("bars without new orders in a symbol after a losing round trip")
    max_consecutive_losses: Count | None = said("losing round trips in a row that lock a symbol")
    lock_bars: Count | None = said("bars for which it is locked; null: for good")


class Market(Declared):
    """What can be traded, and in which steps; 0 stands for an unknown step or minimum."""

    symbol: Symbol = said("the market, ccxt's unified symbol")
    quantity_step: Amount = said("quantities are multiples of it, base units")
    price_tick: Amount = said("prices are multiples of it, quote units")
    min_quantity: Amount = said("smallest order, base units")
    min_notional: Amount = said("smallest order, quote units")
    taker_fee: Number = said("fraction of the notional; null where unknown")
    maker_fee: Number = said("fraction of the notional; null where unknown")
    can_short: bool = said("positions below zero can be held; not on spot markets")
