"""How a fetch goes on and what became of it, for whoever watches."""

from __future__ import annotations

from typing import Final, NamedTuple

from algotrade.errors import AlgotradeError
from algotrade.market.candles import RefusedCandle, SeriesKey, iso
from algotrade.market.timeframe import timeframe_ms
from algotrade.store.arrivals import WriteReport
from algotrade.store.candles import span
from algotrade.store.database import Database

NOTHING: Final = WriteReport(0, 0, 0)


class FetchProgress(NamedTuple):
    """How far a fetch has come: every bar from `start` up to `reached` of `end`, milliseconds."""

    start: int
    reached: int
    end: int


class FetchReport(NamedTuple):
    """What became of one symbol.

    Attributes:
        key: the series that was written.
        added: candles that were not stored before.
        unchanged: candles that came again with the same values.
        revised: candles that came with other values, which are now stored.
        first: open time of the first stored bar of the series, None when nothing is stored.
        last: the same of the last.
        gaps: bars missing between the two.
        complete: whether everything that was asked for and can exist is stored.
        note: what a person should know, in sentences; "" when there is nothing to say.
        refused: candles of the exchange that cannot be, which were not stored: the first so many.
        error: why the fetch ended before its end; what came until then is stored.
    """

    key: SeriesKey
    added: int
    unchanged: int
    revised: int
    first: int | None
    last: int | None
    gaps: int
    complete: bool
    note: str
    refused: tuple[RefusedCandle, ...] = ()
    error: AlgotradeError | None = None


class Notes:
    """What a report has to say: each thing once, however often it happens."""

    def __init__(self) -> None:
        self._complaints: dict[str, list[int]] = {}  # what is wrong -> when it happened first, and how often; or []
        self._remarks: list[str] = []

    @property
    def complaints(self) -> bool:
        """Whether something is wrong, so that not all is there."""
        return bool(self._complaints)

    def complain(self, what: str, asked_from: int | None = None) -> bool:
        """Something is wrong with an answer; whether it is the first time.

        Args:
            what: is wrong.
            asked_from: the open time that was asked for, milliseconds; None where it is about no single answer.
        """
        known = what in self._complaints
        if asked_from is None:
            self._complaints[what] = []
        elif known:
            self._complaints[what][1] += 1
        else:
            self._complaints[what] = [asked_from, 1]
        return not known

    def remark(self, what: str) -> None:
        """Something is to be known, though nothing is wrong."""
        self._remarks.append(what)

    def sentences(self) -> str:
        """All of it; "" when there is nothing to say."""
        complaints = [
            what + (f"; asked from {day_or_time(when[0])}" + _more(when[1]) if when else "")
            for what, when in self._complaints.items()
        ]
        return "; ".join(complaints + self._remarks)


def unwatched(progress: FetchProgress) -> None:
    """What is told when nobody listens."""


def report_of(
    database: Database,
    key: SeriesKey,
    *,
    written: WriteReport = NOTHING,
    notes: Notes | None = None,
    refused: tuple[RefusedCandle, ...] = (),
    error: AlgotradeError | None = None,
) -> FetchReport:
    """The report of a series as it is stored now; without `written`, that nothing came of it. A store that fails is one
    more thing to report.
    """
    try:
        stored = span(database, key)
    except AlgotradeError as failure:
        stored, error = None, error or failure
    return FetchReport(
        key=key,
        added=written.added,
        unchanged=written.unchanged,
        revised=written.revised,
        first=stored.first if stored else None,
        last=stored.last if stored else None,
        gaps=(stored.last - stored.first) // timeframe_ms(key.timeframe) + 1 - stored.rows if stored else 0,
        complete=error is None and not (notes and notes.complaints),
        note=notes.sentences() if notes else "",
        refused=refused,
        error=error,
    )


def day_or_time(time: int) -> str:
    """A moment, milliseconds, as people write it: midnight is the day alone."""
    return iso(time).removesuffix("T00:00:00Z")


def _more(times: int) -> str:
    return f" and {times - 1:,} times more" if times > 1 else ""
