"""Which candles to ask an exchange for: what was asked, less what has been asked before.

What has been asked is remembered beside the candles as *coverage*. A hole inside it is one that the exchange has
no bar for, and is not asked for again; a hole outside it has never been fetched. Only bars that are closed by the
exchange's own clock are ever asked for: a bar is closed when its open time plus its length is not after now.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from algotrade.market.span import Span

RECHECKED_BARS: Final = 24  # of the newest stored ones


class Interval(NamedTuple):
    """Bar open times from `start` up to, but not including, `end`; milliseconds since the epoch."""

    start: int
    end: int


class Grid(NamedTuple):
    """How an exchange deals out its bars.

    Attributes:
        step: length of a bar, milliseconds.
        page: bars in one answer, at most.
    """

    step: int
    page: int

    @property
    def page_ms(self) -> int:
        """The time that one full answer spans when no bar is missing."""
        return self.step * self.page


def asked_interval(span: Span, last_stored: int | None, grid: Grid, now_ms: int) -> Interval:
    """The closed bars that a person asked for; empty (end not after start) when none can have closed yet.

    Args:
        span: start and end as given, both inclusive. Without a start the answer continues from the last stored
            bar, or holds the newest page (less the bar that is forming) when nothing is stored.
        last_stored: open time of the last stored bar, None when nothing is stored.
        grid: the exchange's bars.
        now_ms: the exchange's clock.
    """
    end = now_ms - grid.step + 1
    if span.end is not None:
        end = min(end, span.end + 1)
    if span.start is not None:
        return Interval(span.start, end)
    return Interval(end - max(grid.page - 1, 1) * grid.step if last_stored is None else last_stored, end)


def plan_requests(asked: Interval, covered: Sequence[Interval], grid: Grid) -> list[Interval]:
    """What is left to ask for, oldest first; spans that fit one answer together are asked for together."""
    return pack(subtract(asked, covered), grid)


def pack(wanted: Sequence[Interval], grid: Grid) -> list[Interval]:
    """Intervals in rising order, those that fit one answer together as one."""
    plan: list[Interval] = []
    for missing in wanted:
        if plan and missing.end - plan[-1].start <= grid.page_ms:
            plan[-1] = Interval(plan[-1].start, missing.end)
        else:
            plan.append(missing)
    return plan


def recheck(plan: Sequence[Interval], covered: Sequence[Interval], grid: Grid) -> list[Interval]:
    """The plan with the bars before it asked for once more, where it goes on from there and all fits into one answer.

    Exchanges correct their newest candles for a while; asking for them again costs nothing then, and shows it.

    Args:
        plan: what to ask for, oldest first.
        covered: what has been asked before, in rising order.
        grid: the exchange's bars.
    """
    if not plan or not covered or plan[-1].start != covered[-1].end:
        return list(plan)
    start, end = plan[-1]
    room = grid.page - 1 - -(-(end - start) // grid.step)
    again = start - max(0, min(room, RECHECKED_BARS)) * grid.step
    return [*plan[:-1], Interval(max(again, covered[-1].start), end)]


def subtract(whole: Interval, parts: Sequence[Interval]) -> list[Interval]:
    """What of `whole` lies in none of `parts`, in rising order; the parts may overlap and come in any order."""
    left: list[Interval] = []
    start = whole.start
    for part in sorted(parts):
        if start < min(part.start, whole.end):
            left.append(Interval(start, min(part.start, whole.end)))
        start = max(start, part.end)
    if start < whole.end:
        left.append(Interval(start, whole.end))
    return left
