"""What `live`, `replay` and the list of sessions print. A line of `live` has integer times, as the journal has them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import RootModel

from algotrade.live.states import State
from algotrade.schemas import records
from algotrade.schemas.records import Line
from algotrade.schemas.vocabulary import NAME, Count, Declared, Milliseconds, Time, said


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


class LiveLine(
    RootModel[
        SessionLine
        | NoteLine
        | records.BarOpenedLine
        | records.OpenRevisedLine
        | records.CandleClosedLine
        | records.DetailCandleLine
        | records.FundingDueLine
        | records.TradePrintedLine
        | records.DecidedLine
        | records.StrategyStoppedLine
        | records.ChargedLine
        | records.AmbiguousBarLine
        | records.EmittedLine
        | records.TimerStruckLine
        | records.OrderAcceptedLine
        | records.OrderFilledLine
        | records.OrderRejectedLine
        | records.OrderCancelledLine
        | records.CancelLine
        | records.BracketPlacedLine
        | records.ProtectLine
        | records.SubmitLine
        | records.DeniedLine
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
    exchange: str | None = said("whose market; null where its journal cannot be read")
    symbols: list[str] | None = said("what it trades; null where its journal cannot be read")
    timeframe: str | None = said("of its bars; null where its journal cannot be read")
    strategies: list[str] | None = said("their names; null where its journal cannot be read")
    last: Time | None = said("exchange time of its last row; null if there is none")
    rows: Count = said("rows of its journal")
    path: str = said("of its journal")


class ListedSessions(Declared):
    """Live sessions: what `list sessions` prints."""

    schema_: Annotated[Literal["algotrade.list_sessions/1"], NAME]
    sessions: list[ListedSession] = said("by id")
