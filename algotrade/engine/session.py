"""Engine and simulated exchange driven together, one market event at a time.

Paper trading and replay call `SimulatedSession.process`; its answer is the canonical record of what happened: the
market event, what the exchange said, what the engine decided, in order. All that the exchange said about an event is
known before anything is sent in answer to it. A backtest calls `process_bars`, the same for whole bars: while nothing
rests at the exchange and nothing can be liquidated, a bar can do nothing but be shown to the strategy.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from algotrade.engine.engine import Engine
from algotrade.engine.events import (
    BarOpened,
    Cancel,
    CandleClosed,
    Decided,
    Effect,
    Event,
    MarketEvent,
    OrderEvent,
    Protect,
    Submit,
)
from algotrade.engine.matching import SimulatedVenue

Record = Event | Effect


class SimulatedSession:
    """The two halves of a simulation. The exchange sees a bar first, then the strategy sees it closed."""

    def __init__(self, engine: Engine, venue: SimulatedVenue) -> None:
        self.engine = engine
        self.venue = venue
        self._unseen: dict[str, CandleClosed] = {}  # last candles that the idle exchange was not shown

    def process(self, event: MarketEvent) -> list[Record]:
        """Everything that the event led to, beginning with the event itself."""
        records: list[Record] = [event]
        answers = self.venue.on_market(event)
        if answers:
            self._report(answers, records)
        effects = self.engine.process(event)
        if effects:
            self._perform(effects, records)
        return records

    def process_bars(self, candles: Sequence[CandleClosed]) -> list[Record]:
        """As `process` of bars, from their opening to their close; bars that an idle exchange passes over are not told.

        Args:
            candles: all that close at one moment.
        """
        records: list[Record] = []
        if not self.venue.is_idle():
            for candle in candles:
                records += self.process(BarOpened(candle.symbol, candle.time, candle.open, candle.more))
            if not self.venue.is_idle():
                for candle in candles:
                    records += self.process(candle)
                return records
        unseen = self._unseen
        for candle in candles:
            unseen[candle.symbol] = candle
        effects = self.engine.close(candles)
        if effects:
            for candle in sorted(unseen.values(), key=attrgetter("time")):
                self.venue.on_market(candle)
            unseen.clear()
            self._perform(effects, records)
        return records

    def _report(self, answers: list[OrderEvent], records: list[Record]) -> None:
        effects: list[Effect] = []
        for answer in answers:
            records.append(answer)
            effects += self.engine.process(answer)
        if effects:
            self._perform(effects, records)

    def _perform(self, effects: list[Effect], records: list[Record]) -> None:
        for effect in effects:
            records.append(effect)
            if isinstance(effect, Decided):
                continue
            if isinstance(effect, Submit):
                self._report(self.venue.submit(effect.order), records)
            elif isinstance(effect, Cancel):
                self._report(self.venue.cancel(effect.order_id, effect.time), records)
            elif isinstance(effect, Protect):
                self._report(self.venue.protect(effect.order), records)
