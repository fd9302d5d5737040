"""The records of a session as lines of `live`: market events, what the exchange said, what was decided.

A key that holds its default is left out, as in the journal.
"""

from __future__ import annotations

from typing import Annotated, Literal

from algotrade.engine.orders import OrderType, Role, TimeInForce
from algotrade.schemas.vocabulary import (
    NAME,
    Amount,
    Count,
    Declared,
    Milliseconds,
    Number,
    Scalar,
    SideNumber,
    Symbol,
    said,
    unless,
)

AnySide = Literal[1, 0, -1]


class Line(Declared):
    """A line."""

    schema_: Annotated[Literal["algotrade.live/1"], NAME]


class OfMarket(Line):
    """Something that happened in a market."""

    symbol: Symbol = said("the market")
    time: Milliseconds = said("milliseconds since 1970, UTC; of a bar, its open time")


class BarOpenedLine(OfMarket):
    """A bar began: market orders fill here."""

    event: Literal["BarOpened"]
    open: float = said("quote units")
    more: bool = unless(False, "another symbol opens at the same moment")


class OpenRevisedLine(OfMarket):
    """The closed candle's open differs from the one before; fills made on that one stand."""

    event: Literal["OpenRevised"]
    open: float = said("quote units")


class CandleClosedLine(OfMarket):
    """A bar is complete."""

    event: Literal["CandleClosed"]
    open: float = said("quote units")
    high: float = said("quote units")
    low: float = said("quote units")
    close: float = said("quote units")
    volume: float = said("base units")
    more: bool = unless(False, "another symbol closes at the same moment")


class DetailCandleLine(OfMarket):
    """A finer candle inside the bar that is forming."""

    event: Literal["DetailCandle"]
    open: float = said("quote units")
    high: float = said("quote units")
    low: float = said("quote units")
    close: float = said("quote units")
    volume: float = said("base units")


class FundingDueLine(OfMarket):
    """A perpetual contract's funding."""

    event: Literal["FundingDue"]
    rate: float = said("fraction of the notional that longs pay to shorts, or receive where it is below zero")


class TradePrintedLine(OfMarket):
    """A public trade."""

    event: Literal["TradePrinted"]
    price: float = said("quote units")
    quantity: float = said("base units")
    side: SideNumber = said("the taker's: 1 buy, -1 sell")


class DecidedLine(OfMarket):
    """What is wanted after a closed candle, what was done about it, and the account at the close."""

    event: Literal["Decided"]
    exposure: Number = said("target in force, fraction of equity; null for a strategy that sends orders itself")
    action: Literal["hold", "trade", "refused", "stopped"] = said("what was done")
    position: float = said("base units, below zero when short")
    cash: float = said("quote units")
    equity: float = said("quote units")
    book: str = unless("", "the strategy, of several")


class StrategyStoppedLine(OfMarket):
    """The strategy's own code raised: it is asked nothing any more."""

    event: Literal["StrategyStopped"]
    message: str = said("what it raised")
    book: str = unless("", "the strategy, of several")


class ChargedLine(OfMarket):
    """What holding a position cost."""

    event: Literal["Charged"]
    reason: Literal["borrow", "funding", "no_equity_left"] = said("what for")
    amount: float = said("quote units, below zero where it was received")
    book: str = unless("", "the strategy, of several")


class AmbiguousBarLine(OfMarket):
    """A bar on which it mattered which way the price went."""

    event: Literal["AmbiguousBar"]
    worst: float = said("account value at its close by the way that was worse for us, quote units")
    best: float = said("by the way that was better, quote units")
    diverges: bool = said("the two leave different positions")


class EmittedLine(Line):
    """A strategy told the others something."""

    event: Literal["Emitted"]
    name: str = said("of what")
    time: Milliseconds = said("milliseconds since 1970, UTC")
    value: Scalar | None = said("what, in a unit of the strategy's own")
    book: str = unless("", "the strategy, of several")


class TimerStruckLine(Line):
    """A timer that the strategy asked for."""

    event: Literal["TimerStruck"]
    name: str = said("of the timer")
    time: Milliseconds = said("milliseconds since 1970, UTC")


class OfOrder(Line):
    """Something that happened to an order."""

    order_id: str = said("which order")
    time: Milliseconds = said("milliseconds since 1970, UTC")


class OrderAcceptedLine(OfOrder):
    """The exchange has the order."""

    event: Literal["OrderAccepted"]


class OrderFilledLine(OfOrder):
    """An execution."""

    event: Literal["OrderFilled"]
    symbol: Symbol = said("the market")
    side: SideNumber = said("1 buy, -1 sell")
    quantity: float = said("base units")
    price: float = said("quote units")
    fee: float = said("quote units; where it was taken in base units, what that is worth")
    remaining: Amount = unless(0.0, "base units of the order that still work")
    fee_quantity: Amount = unless(0.0, "fee taken from what was bought, base units")
    maker: bool = unless(False, "it rested in the book and paid the maker's fee")
    role: Role = unless("", "part of a bracket that it is")
    book: str = unless("", "the strategy, of several")


class OrderRejectedLine(OfOrder):
    """The order was refused."""

    event: Literal["OrderRejected"]
    reason: str = said("code of the reason")


class OrderCancelledLine(OfOrder):
    """The order is gone unfilled, or its rest is."""

    event: Literal["OrderCancelled"]
    reason: str = unless("", "code of the reason where nobody asked for it")


class CancelLine(OfOrder):
    """The exchange is asked to cancel the order."""

    event: Literal["Cancel"]


class Bracket(Declared):
    """What protects a position; fractions are of its entry price."""

    stop_loss: Amount | None = unless(None, "fraction that the price may move against it")
    stop_loss_price: Amount | None = unless(None, "the same as a price, quote units")
    take_profit: Amount | None = unless(None, "fraction at which the profit is taken")
    take_profit_price: Amount | None = unless(None, "the same as a price, quote units")
    trailing_stop: Amount | None = unless(None, "fraction of the best price by which a stop follows it")
    trailing_amount: Amount | None = unless(None, "the same as a distance, quote units")
    trailing_activation: Amount | None = unless(None, "fraction of profit from which on the stop follows")
    take_profit_after: list[tuple[int, float]] = unless((), "milliseconds since entry, and the target from then on")
    max_bars: int | None = unless(None, "bars after which the position is closed")


class Order(Declared):
    """An order; one of its sizes is there, or none: the whole position."""

    order_id: str = said("its id; the same decision has the same")
    symbol: Symbol = said("the market")
    time: Milliseconds = said("when it was decided, milliseconds since 1970, UTC; of a bar, its open time")
    side: AnySide = said("1 buy, -1 sell, 0 where the target decides it")
    order_type: OrderType = unless("market", "how it fills")
    exposure: float | None = unless(None, "to hold afterwards, fraction of equity")
    quantity: Amount | None = unless(None, "to trade, base units")
    notional: Amount | None = unless(None, "to trade, quote units")
    target_quantity: float | None = unless(None, "to hold afterwards, base units")
    target_notional: float | None = unless(None, "to hold afterwards, quote units")
    limit: float | None = unless(None, "price of a limit order, quote units")
    stop: float | None = unless(None, "price that sets a stop off, quote units")
    trail: Amount | None = unless(None, "fraction of the best price by which a trailing stop follows it")
    trail_amount: Amount | None = unless(None, "the same as a distance, quote units")
    steps: list[tuple[int, float]] = unless((), "milliseconds since its time, and the limit price from then on")
    after_bars: Count = unless(0, "bars whose opens pass before it may fill")
    bracket: Bracket | None = unless(None, "protects what it opens")
    parent: str = unless("", "the order whose bracket it belongs to")
    role: Role = unless("", "part of a bracket that it is")
    time_in_force: TimeInForce = unless("gtc", "how long it works")
    expires_after: int | None = unless(None, "bars in which it works")
    post_only: bool = unless(False, "refused where it would take at once")
    reduce_only: bool = unless(False, "never opens or adds to a position")
    book: str = unless("", "the strategy, of several")


class BracketPlacedLine(Line):
    """The exchange placed an order of a bracket."""

    event: Literal["BracketPlaced"]
    order: Order = said("the order")


class ProtectLine(Line):
    """The exchange is asked to protect the position with the order's bracket."""

    event: Literal["Protect"]
    order: Order = said("carries the bracket")


class SubmitLine(Line):
    """The order is sent."""

    event: Literal["Submit"]
    order: Order = said("the order")


class DeniedLine(Line):
    """A risk limit kept the order back."""

    event: Literal["Denied"]
    order: Order = said("the order")
    reason: str = said("the limit's name")
    detail: str = unless("", "by how much, since when or until when")
