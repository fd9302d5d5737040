"""What there is to say beside the record of a session: operational rows, which a replay does not compare."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from algotrade.engine.events import CandleClosed, StrategyStopped
from algotrade.market.candles import RefusedCandle, iso
from algotrade.store.canonical import canonical_json
from algotrade.store.journal import JournalRow

LATE: Final = "late"  # said to a person only where the market is no faster than the clock: else nearly every bar is


class Remark(NamedTuple):
    """An operational row, and the sentence that tells a person the same.

    Attributes:
        name: of the row.
        values: plain values.
        sentence: "" where it is nothing to be told.
    """

    name: str
    values: dict[str, Any]
    sentence: str = ""

    def row(self, time: int) -> JournalRow:
        """The journal's row, at a time of the exchange in milliseconds."""
        return JournalRow("operation", self.name, time, canonical_json(self.values))


def remarks_on_bars(closed: Iterable[CandleClosed], *, expected: int, now: int, step: int) -> list[Remark]:
    """Which bars did not come, and which came late.

    Args:
        closed: candles in order.
        expected: open time of the first bar that should be among them, milliseconds.
        now: the exchange's time when they came.
        step: length of a bar, milliseconds.
    """
    remarks: list[Remark] = []
    late: list[int] = []
    for candle in closed:
        if candle.time > expected:
            bars = (candle.time - expected) // step
            said = f"{_counted(bars)} absent from {iso(expected)} on"
            remarks.append(Remark("absent", {"first": expected, "bars": bars}, said))
        if now - candle.time > 2 * step:
            late.append(candle.time)
        expected = candle.time + step
    if late:
        said = f"{_counted(len(late))} late, from {iso(late[0])} to {iso(late[-1])}, and caught up on in order"
        remarks.append(Remark(LATE, {"first": late[0], "last": late[-1], "bars": len(late)}, said))
    return remarks


def remark_on_refusal(candle: RefusedCandle) -> Remark:
    """A candle of the exchange that cannot be true."""
    bar = "without a time" if candle.time is None else f"of {iso(candle.time)}"
    values = {"bar": candle.time, "reason": candle.reason}
    return Remark("refused_candle", values, f"a candle {bar} was refused: {candle.reason}")


def sentence_on_stop(stopped: StrategyStopped) -> str:
    """What a strategy's own code said when it was stopped, and what that means."""
    return f"{stopped.message}; it is stopped since {iso(stopped.time)} and its position stays as it is"


def _counted(bars: int) -> str:
    return "1 bar is" if bars == 1 else f"{bars:,} bars are"
