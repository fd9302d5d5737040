"""Resuming a long session without computing every signal again.

A strategy that only computes signals decides from its last candles alone; its checks have shown that. So where it
wanted what it had wanted before, the journal is believed. It is asked again where its target changed, because an order
also says what protects it and how large it is, and for the newest bars; an answer that differs shows that it is not
what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from algotrade.engine.account import View
from algotrade.engine.book import Decider
from algotrade.engine.events import CandleClosed, Decided, Emitted, Event, StrategyStopped
from algotrade.engine.requests import Request, TargetRequest
from algotrade.errors import FixStrategy
from algotrade.live.replay import record_of
from algotrade.store.journal import JournalRow
from algotrade.strategy.base import Strategy
from algotrade.strategy.signals import decides_by_signals

ASKED_AGAIN: Final = 500  # newest decisions
DECISIONS: Final = frozenset({Decided.__name__, StrategyStopped.__name__})

Decision = Decided | StrategyStopped


class RememberingStrategy:
    """Answers from memory where nothing changed, as long as that has an answer; else it asks the strategy.

    Args:
        strategy: decides by signals; it has seen the same candles.
        decisions: what it decided, by symbol and the open time of the bar.
    """

    def __init__(self, strategy: Strategy, decisions: dict[tuple[str, int], Decision]) -> None:
        self._strategy = strategy
        self._decisions = decisions
        self._asked: dict[str, TargetRequest] = {}

    def handle(self, event: Event | Emitted, view: View) -> Sequence[Request]:
        """The requests of that time, or new ones."""
        if not isinstance(event, CandleClosed):
            return self._strategy.handle(event, view)
        decision, last = self._decisions.pop((event.symbol, event.time), None), self._asked.get(event.symbol)
        if isinstance(decision, StrategyStopped):
            self._strategy.warm_up(event)
            raise FixStrategy(decision.message)
        if decision is not None and last is not None and decision.exposure == last.exposure:
            self._strategy.warm_up(event)
            return [last]
        requests = self._strategy.handle(event, view)
        for request in requests:
            if isinstance(request, TargetRequest):
                self._asked[event.symbol] = request
        return requests


def remembering(
    strategies: Mapping[str, Strategy], rows: Iterable[JournalRow], *, asked_again: int = ASKED_AGAIN
) -> dict[str, Decider]:
    """Strategies with the decisions of a journal, except the newest; only those that decide by signals alone.

    Args:
        strategies: by book, warmed up.
        rows: canonical rows, in order.
        asked_again: how many decisions at the end are made anew.
    """
    decisions: dict[str, dict[tuple[str, int], Decision]] = {book: {} for book in strategies}
    for row in rows:
        if row.name in DECISIONS:
            record = record_of(row)
            assert isinstance(record, Decision)
            known = decisions[record.book]
            known.setdefault((record.symbol, record.time), record)  # a strategy stops before its bar is summed up
    return {
        book: RememberingStrategy(strategy, dict(list(decisions[book].items())[: -asked_again or None]))
        if decides_by_signals(strategy)
        else strategy
        for book, strategy in strategies.items()
    }
