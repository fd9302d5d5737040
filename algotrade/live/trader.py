"""The trader: one task owns all state; a feed task beside it asks the exchange and hands over what came.

What happened goes to the journal first, durably, and only then to the screen. A feed that fails is tried again with
growing pauses and never ends a session. A kill at any moment loses nothing: what was not in the journal yet is asked
for again, and the same events lead to the same records.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple

from algotrade.engine.events import CandleClosed, OrderFilled, StrategyStopped
from algotrade.engine.session import Record
from algotrade.errors import AlgotradeError, CheckConnection, FixData, TryLater
from algotrade.exchange.base import Exchange
from algotrade.live.clock import Clock
from algotrade.live.feed import Feed, Polled
from algotrade.live.replay import rows_of
from algotrade.live.sessions import OpenSession, bound_reached, status_of
from algotrade.live.states import State, move
from algotrade.market.timeframe import timeframe_ms
from algotrade.store.canonical import canonical_json
from algotrade.store.journal import JournalRow

LONGEST_PAUSE_S: Final = 60.0


class Failed(NamedTuple):
    """The feed could not be asked; it is tried again after `retry_s` seconds."""

    error: AlgotradeError
    attempt: int
    retry_s: float


class Update(NamedTuple):
    """What a listener is told: the records that are in the journal now, and a note where there is something to say.

    Attributes:
        state: of the session.
        records: canonical records, in order; empty for a mere note.
        now: the exchange's time when they came, milliseconds; None while it is not known.
        note: a sentence for a person, "" for none.
        retry_s: seconds until the feed is tried again; None unless it failed.
    """

    state: State
    records: tuple[Record, ...]
    now: int | None
    note: str = ""
    retry_s: float | None = None


class Pace(NamedTuple):
    """How often to ask, and how to wait after failures.

    Attributes:
        poll_s: seconds between two questions.
        jitter: gives a number in [0, 1) for spreading out retries.
    """

    poll_s: float
    jitter: Callable[[], float]


class Trader:
    """Runs a paper session to its end, a stop, or a fault of our own machine.

    Args:
        opened: the session, new or resumed.
        feed: market events.
        exchange: for the quote beside a fill.
        pace: how often to ask.
        listen: told of everything after it is in the journal.
    """

    def __init__(
        self, opened: OpenSession, feed: Feed, exchange: Exchange, pace: Pace, listen: Callable[[Update], None]
    ) -> None:
        self.opened = opened
        self.state = State.STARTING
        self._feed = feed
        self._exchange = exchange
        self._pace = pace
        self._listen = listen
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Ask the session to end after the event it is at."""
        self._stop.set()

    async def run(self, wall: Clock) -> bool:
        """Trade until the plan's bound is reached or `stop` is called; True if the bound was reached."""
        answers: asyncio.Queue[Polled | Failed] = asyncio.Queue(maxsize=4)
        self._note("started", {"pid": os.getpid(), "wall_ms": wall(), "bars": self.opened.bars})
        feeding = asyncio.create_task(self._keep_asking(answers))
        stopping = asyncio.create_task(self._stop.wait())
        finished = False
        try:
            while not (self._stop.is_set() or finished):
                waiting = asyncio.create_task(answers.get())
                await asyncio.wait({waiting, stopping, feeding}, return_when=asyncio.FIRST_COMPLETED)
                if feeding.done():
                    feeding.result()
                if not waiting.done():
                    waiting.cancel()
                    continue
                finished = await self._take(waiting.result())
        finally:
            for task in (feeding, stopping):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            self._end(wall(), finished=finished)
        return finished

    async def _keep_asking(self, answers: asyncio.Queue[Polled | Failed]) -> None:
        attempt = 0
        while True:
            try:
                polled = await self._feed.poll()
            except (CheckConnection, TryLater, FixData) as error:
                attempt += 1
                pause = min(LONGEST_PAUSE_S, self._pace.poll_s * 2.0**attempt) * (0.5 + 0.5 * self._pace.jitter())
                await answers.put(Failed(error, attempt, pause))
                await asyncio.sleep(pause)
                continue
            attempt = 0
            await answers.put(polled)
            await asyncio.sleep(0.0 if polled.more else self._pace.poll_s)

    async def _take(self, answer: Polled | Failed) -> bool:
        """Process an answer; True when the session is done."""
        if isinstance(answer, Failed):
            self._to(State.DEGRADED)
            note = f"{answer.error.message}; trying again in {answer.retry_s:.0f} s (attempt {answer.attempt})"
            self._note("feed_failed", {"message": answer.error.message, "attempt": answer.attempt})
            self._listen(Update(self.state, (), None, note, answer.retry_s))
            return False
        recovered = self.state is State.DEGRADED
        self._to(State.HALTED if self.opened.simulation.engine.stopped else State.RUNNING)
        records, done = self._process(answer)
        rows = [*rows_of(records), *self._remarks(answer, records)]
        if rows:
            await asyncio.to_thread(self.opened.journal.append, rows)
        for record in records:
            self.opened.take(record)
        stopped = [record for record in records if isinstance(record, StrategyStopped)]
        if stopped:
            self._to(State.HALTED)
        note = stopped[0].message if stopped else "the feed is back" if recovered else ""
        self._listen(Update(self.state, tuple(records), answer.now, note))
        await self._note_quotes(answer, records)
        return done

    def _process(self, polled: Polled) -> tuple[list[Record], bool]:
        """The records of an answer's events, up to the plan's bound, and whether that is reached."""
        plan, bars, next_bar = self.opened.plan, self.opened.bars, self.opened.position.bar
        records: list[Record] = []
        for event in polled.events:
            if bound_reached(plan, bars, event.time, event.time):
                return records, True
            records += self.opened.simulation.process(event)
            if isinstance(event, CandleClosed):
                bars += 1
                next_bar = event.time + timeframe_ms(plan.timeframe)
        return records, bound_reached(plan, bars, next_bar, polled.now)

    def _remarks(self, polled: Polled, records: list[Record]) -> list[JournalRow]:
        """Operational rows beside the records: candles that came late, candles that cannot be true."""
        step = timeframe_ms(self.opened.plan.timeframe)
        late = [
            event.time
            for event in polled.events
            if isinstance(event, CandleClosed) and records and polled.now - event.time > 2 * step
        ]
        rows = [_operation("late", polled.now, {"bars": late})] if late else []
        return rows + [
            _operation("refused_candle", polled.now, {"bar": candle.time, "reason": candle.reason})
            for candle in polled.refused
        ]

    async def _note_quotes(self, polled: Polled, records: list[Record]) -> None:
        """Journal the quote seen at the moment of a fill, which measures what the fill model leaves out."""
        fills = [record for record in records if isinstance(record, OrderFilled)]
        if not fills or polled.more:
            return
        try:
            quote = await self._exchange.ticker(self.opened.plan.symbol)
        except AlgotradeError:
            return  # a measurement is missing; trading goes on
        for fill in fills:
            self._note("quote", {"order_id": fill.order_id, "price": fill.price, **quote._asdict()})

    def _to(self, state: State) -> None:
        self.state = self.state if self.state is State.HALTED else move(self.state, state)

    def _end(self, wall_ms: int, *, finished: bool) -> None:
        self.state = move(move(self.state, State.STOPPING), State.STOPPED)
        self._note("ended", {"wall_ms": wall_ms, "finished": finished})
        self.opened.journal.update_state("status", status_of(self.state, finished=finished))
        self._listen(Update(self.state, (), None, "the session is complete" if finished else "the session has stopped"))

    def _note(self, name: str, values: dict[str, Any]) -> None:
        """Write an operational row; it is not compared by a replay."""
        last = self.opened.last_closed
        self.opened.journal.append([_operation(name, last.time if last else 0, values)])


def _operation(name: str, time: int, values: dict[str, Any]) -> JournalRow:
    return JournalRow("operation", name, time, canonical_json(values))
