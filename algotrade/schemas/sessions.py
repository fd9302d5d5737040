"""What `live`, `replay` and the list of sessions print. A line of `live` has integer times, as the journal has them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import RootModel

from algotrade.engine.orders import OrderType
from algotrade.live.states import State
from algotrade.schemas.vocabulary import (
    NAME,
    Amount,
    Count,
    Declared,
    Milliseconds,
    Number,
    SideNumber,
    Symbol,
    Time,
    said,
)


class Line(Declared):
    """A line."""

    schema_: Annotated[Literal["algotrade.live/1"], NAME]


class SessionLine(Line):
    """The first line: which session."""

    event: Literal["session"]
    session: str = said("its id")
    resumed: bool = said("it goes on where it stopped")
    bars: Count = said("bars that it had before")
    simulated: bool = said("the market is the demo exchange")


class NoteLine(Line):
    """Something to know beside the records."""

    event: Literal["note"]
    state: State = said("what the session is doing")
    message: str = said("a sentence")


class OfMarket(Line):
    """Something that happened in a market."""

    symbol: Symbol = said("the market")
    time: Milliseconds = said("milliseconds since 1970, UTC; of a bar, its open time")


class BarOpenedLine(OfMarket):
    """A bar began: market orders fill here."""

    event: Literal["BarOpened"]
    open: float = said("quote units")


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


class StrategyStoppedLine(OfMarket):
    """The strategy's own code raised: it is asked nothing any more."""

    event: Literal["StrategyStopped"]
    message: str = said("what it raised")


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
    fee: float = said("quote units")


class OrderRejectedLine(OfOrder):
    """The order was refused."""

    event: Literal["OrderRejected"]
    reason: str = said("code of the reason")


class OrderCancelledLine(OfOrder):
    """The order is gone unfilled, or its rest is."""

    event: Literal["OrderCancelled"]


class CancelLine(OfOrder):
    """The exchange is asked to cancel the order."""

    event: Literal["Cancel"]


class Order(Declared):
    """An order; exactly one of exposure, quantity and notional is not null."""

    order_id: str = said("its id; the same decision has the same")
    symbol: Symbol = said("the market")
    time: Milliseconds = said("open time of the bar at whose close it was decided, milliseconds since 1970, UTC")
    side: Literal[1, 0, -1] = said("1 buy, -1 sell, 0 where the exposure decides it")
    order_type: OrderType = said("how it fills")
    exposure: float | None = said("to hold afterwards, fraction of equity")
    quantity: Amount | None = said("base units")
    notional: Amount | None = said("quote units")


class SubmitLine(Line):
    """The order is sent."""

    event: Literal["Submit"]
    order: Order = said("the order")


class DeniedLine(Line):
    """A risk limit kept the order back."""

    event: Literal["Denied"]
    order: Order = said("the order")
    reason: str = said("the limit's name")


class LiveLine(
    RootModel[
        SessionLine
        | NoteLine
        | BarOpenedLine
        | OpenRevisedLine
        | CandleClosedLine
        | TradePrintedLine
        | TimerStruckLine
        | DecidedLine
        | StrategyStoppedLine
        | OrderAcceptedLine
        | OrderFilledLine
        | OrderRejectedLine
        | OrderCancelledLine
        | SubmitLine
        | CancelLine
        | DeniedLine
    ]
):
    """One line of what `live` prints; a failure is a line of algotrade.error/1."""


# ---- replay ---------------------------------------------------------------------------------------------------------
class VersionRecordedAndReplayed(Declared):
    """A version that is another one now; null where there is none."""

    recorded: str | None = said("of the session")
    replayed: str | None = said("now")


class JournalRow(Declared):
    """A row of a session's journal."""

    kind: str = said("event or effect")
    name: str = said("of the record")
    time: Milliseconds = said("exchange time, milliseconds since 1970, UTC")
    body: str = said("the record as canonical JSON")


class Difference(Declared):
    """The first row that came out otherwise."""

    row: int = said("which row of the journal, counted from 1", ge=1)
    recorded: JournalRow | None = said("as it was; null where the journal has none")
    replayed: JournalRow | None = said("as it came out; null where nothing came")


class Replay(Declared):
    """Whether a session comes out again byte for byte: what `replay` prints."""

    schema_: Annotated[Literal["algotrade.replay/1"], NAME]
    session: str = said("its id")
    bars: Count = said("bars that were replayed")
    same: bool = said("every byte was")
    versions_changed: dict[str, VersionRecordedAndReplayed] = said("those that differ, by name")
    difference: Difference | None = said("the first; null if there is none")


class ListedSession(Declared):
    """A live session."""

    session: str = said("its id")
    status: str = said("running, complete, halted, stopped or killed; the reason where its journal cannot be read")
    simulated: bool | None = said("the market is the demo exchange; null where its journal cannot be read")
    last: Time | None = said("exchange time of its last row; null if there is none")
    rows: Count = said("rows of its journal")
    path: str = said("of its journal")


class ListedSessions(Declared):
    """Live sessions: what `list sessions` prints."""

    schema_: Annotated[Literal["algotrade.list_sessions/1"], NAME]
    sessions: list[ListedSession] = said("by id")
