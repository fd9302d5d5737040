"""Resuming a long session without computing every signal again.

A strategy that only computes signals decides from its last candles alone; its checks have shown that. So its older
decisions may be taken from the journal where they led to nothing: where they led to an order, and for the newest bars,
it is asked again, and an answer that differs shows that it is not what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from algotrade.engine.account import View
from algotrade.engine.events import HOLD, STOPPED, CandleClosed, Decided, Emitted, Event, StrategyStopped
from algotrade.engine.requests import Request, TargetRequest
from algotrade.errors import FixStrategy
from algotrade.live.replay import record_of
from algotrade.store.journal import JournalRow
from algotrade.strategy.base import Strategy

ASKED_AGAIN: Final = 500  # newest bars
DECISIONS: Final = frozenset({Decided.__name__, StrategyStopped.__name__})


class RememberingStrategy:
    """Answers from memory as long as that has an answer, then asks the strategy, which has seen the same candles.

    Args:
        strategy: decides by signals.
        decisions: what it decided, by the open time of the bar.
    """

    def __init__(self, strategy: Strategy, decisions: dict[int, Decided | StrategyStopped]) -> None:
        self._strategy = strategy
        self._decisions = decisions

    def handle(self, event: Event | Emitted, view: View) -> Sequence[Request]:
        """The requests of that time, or new ones."""
        if not isinstance(event, CandleClosed) or event.time not in self._decisions:
            return self._strategy.handle(event, view)
        self._strategy.warm_up(event)
        decision = self._decisions.pop(event.time)
        if isinstance(decision, StrategyStopped):
            raise FixStrategy(decision.message)
        return [TargetRequest(decision.symbol, decision.exposure)]


def remembering(
    strategy: Strategy, rows: Iterable[JournalRow], *, asked_again: int = ASKED_AGAIN
) -> RememberingStrategy:
    """The strategy with the decisions of a journal, except those on its newest bars.

    Args:
        strategy: warmed up.
        rows: canonical rows, in order.
        asked_again: how many bars at the end it decides anew.
    """
    decisions: dict[int, Decided | StrategyStopped] = {}
    for row in rows:
        if row.name in DECISIONS:
            record = record_of(row)
            assert isinstance(record, Decided | StrategyStopped)
            decisions.setdefault(record.time, record)  # a strategy stops before its bar is summed up
    older = sorted(decisions)[: max(0, len(decisions) - asked_again)]
    return RememberingStrategy(strategy, {time: decisions[time] for time in older if _led_to_nothing(decisions[time])})


def _led_to_nothing(decision: Decided | StrategyStopped) -> bool:
    """Whether no order came of it; one says more than the target that it was decided for."""
    return isinstance(decision, StrategyStopped) or decision.action in (HOLD, STOPPED)
