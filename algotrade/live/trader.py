"""The trader: one task owns all state; a feed task beside it asks the exchange and hands over what came.

What happened goes to the journal first, durably, and only then to whoever listens. A feed that fails is tried again
with growing pauses and never ends a session; neither does a strategy that raises. A kill at any moment loses nothing:
what was not in the journal yet is asked for again, and the same events lead to the same records.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

from algotrade.engine.events import BarOpened, CandleClosed, OrderFilled, StrategyStopped
from algotrade.engine.session import Record
from algotrade.engine.timers import Timers
from algotrade.errors import AlgotradeError, TryLater
from algotrade.exchange.base import Quote
from algotrade.exchange.retry import Backoff
from algotrade.live.clock import Clock
from algotrade.live.feed import Polled
from algotrade.live.launch import Launched
from algotrade.live.remarks import LATE, Remark, remark_on_refusal, remarks_on_bars, sentence_on_stop
from algotrade.live.replay import rows_of
from algotrade.live.sessions import UNFINISHED, bound_reached, status_at_end
from algotrade.live.states import State, move
from algotrade.market.candles import RefusedCandle
from algotrade.store.journal import JournalRow

LONGEST_PAUSE_S: Final = 60.0
WAITING_ANSWERS: Final = 4
LOCKED_PAUSE_S: Final = 1.0  # before a journal that another program keeps locked is tried again


class Failed(NamedTuple):
    """The feed could not be asked; it is tried again after `retry_s` seconds."""

    error: AlgotradeError
    attempt: int
    retry_s: float


class Quoted(NamedTuple):
    """The market as it was seen when these fills came out."""

    fills: tuple[OrderFilled, ...]
    quote: Quote


class Update(NamedTuple):
    """What a listener is told: the records that are in the journal now, and a note where there is something to say.

    Attributes:
        state: of the session.
        records: canonical records, in order; empty for a mere note.
        now: the exchange's time when they came, milliseconds; None where it did not answer.
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

    def pause_s(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row: growing to a minute, the second half of it by chance."""
        longest = Backoff(first_s=2.0 * self.poll_s, longest_s=LONGEST_PAUSE_S).limit_s(failures)
        return longest * (0.5 + 0.5 * self.jitter())


class Trader:
    """Runs a paper session to its end, a stop, or a fault of our own machine.

    Args:
        launched: the session, new or resumed, with its feed.
        pace: how often to ask.
        listen: told of everything after it is in the journal.
    """

    def __init__(self, launched: Launched, pace: Pace, listen: Callable[[Update], None]) -> None:
        self.opened = launched.opened
        self.state = State.STARTING
        self._timers = Timers(sorted(self.opened.intervals), since=self.opened.told)
        self._launched = launched
        self._pace = pace
        self._listen = listen
        self._answers: asyncio.Queue[Polled | Failed | Quoted | None] = asyncio.Queue(WAITING_ANSWERS)
        self._stopping = False
        self._failing = False
        self._refused: frozenset[RefusedCandle] = frozenset()
        self._quoting: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Ask the session to end after the answer it is at."""
        self._stopping = True
        with suppress(asyncio.QueueFull):  # then the loop is awake anyway
            self._answers.put_nowait(None)

    async def run(self, wall: Clock) -> bool:
        """Trade until the plan's bound is reached or `stop` is called; True if the bound was reached.

        Raises:
            FixConfiguration: the journal cannot be written, for example because the disk is full.
        """
        finished = False
        await self._write([self._remark("started", pid=os.getpid(), wall_ms=wall(), bars=self.opened.bars)])
        self.opened.journal.update_state("status", UNFINISHED)
        self._say_halted()
        asking = asyncio.create_task(self._keep_asking())
        asking.add_done_callback(lambda _: self.stop())  # it only ends by a fault, which is raised below
        try:
            while not (self._stopping or finished):
                answer = await self._answers.get()
                if answer is not None:
                    finished = await self._take(answer)
            if asking.done():
                asking.result()
        finally:
            for task in (asking, *self._quoting):
                task.cancel()
            await asyncio.gather(asking, *self._quoting, return_exceptions=True)
            self._end(wall(), finished=finished)
        return finished

    # ---- asking -----------------------------------------------------------------------------------------------------
    async def _keep_asking(self) -> None:
        failures = 0
        while True:
            try:
                polled = await self._launched.feed.poll()
            except AlgotradeError as error:  # also "unknown symbol": exchanges say such things in passing troubles
                failures += 1
                pause = self._pace.pause_s(failures)
                await self._answers.put(Failed(error, failures, pause))
                await asyncio.sleep(pause)
                continue
            failures = 0
            await self._answers.put(polled)
            await asyncio.sleep(0.0 if polled.more else self._pace.poll_s)

    async def _quote(self, fills: tuple[OrderFilled, ...]) -> None:
        with suppress(AlgotradeError):  # a measurement is missing; trading goes on
            for symbol in dict.fromkeys(fill.symbol for fill in fills):
                quote = await self._launched.exchange.ticker(symbol)
                await self._answers.put(Quoted(tuple(fill for fill in fills if fill.symbol == symbol), quote))

    # ---- answers ----------------------------------------------------------------------------------------------------
    async def _take(self, answer: Polled | Failed | Quoted) -> bool:
        """Process an answer; True when the session is done."""
        match answer:
            case Failed():
                await self._take_failure(answer)
            case Quoted(fills=fills, quote=quote):
                rows = [
                    self._remark("quote", order_id=fill.order_id, price=fill.price, **quote._asdict()) for fill in fills
                ]
                await self._write(rows)
            case Polled():
                return await self._take_events(answer)
        return False

    async def _take_failure(self, failure: Failed) -> None:
        self._failing = True
        self._go_to(State.DEGRADED)
        message = failure.error.message
        await self._write([self._remark("feed_failed", message=message, attempt=failure.attempt)])
        note = f"{message}; trying again in {failure.retry_s:.0f} s (attempt {failure.attempt})"
        self._listen(Update(self.state, (), None, note, failure.retry_s))

    async def _take_events(self, polled: Polled) -> bool:
        """Process what the exchange told, journal it, tell it; True when the session is done."""
        notes = ["the feed is back"] if self._failing else []
        self._failing = False
        self._go_to(State.RUNNING)
        records, done = self._process(polled)
        remarks = self._remarks_on(polled, records)
        await self._write([*rows_of(records), *(remark.row(self._time) for remark in remarks)])
        notes += [remark.sentence for remark in remarks if remark.name != LATE or self.opened.plan.speed <= 1]
        for record in records:
            self.opened.take(record)
        notes.append(await asyncio.to_thread(self._launched.keep, records))
        stopped = [record for record in records if isinstance(record, StrategyStopped)]
        if stopped:
            self._go_to(State.HALTED)
            notes.append(sentence_on_stop(stopped[0]))
        self._listen(Update(self.state, tuple(records), polled.now, "; ".join(filter(None, notes))))
        fills = tuple(record for record in records if isinstance(record, OrderFilled))
        if fills and not polled.more:
            task = asyncio.create_task(self._quote(fills))
            self._quoting.add(task)
            task.add_done_callback(self._quoting.discard)
        return done

    def _process(self, polled: Polled) -> tuple[list[Record], bool]:
        """The records of an answer's events, up to the plan's bound, and whether that is reached."""
        plan, bars = self.opened.plan, self.opened.bars
        next_bar = max(at.bar for at in self.opened.positions.values())
        records: list[Record] = []
        for event in polled.events:
            if isinstance(event, BarOpened) and bound_reached(plan, bars, event.time, event.time):
                return records, True
            for struck in self._timers.before(event):
                records += self.opened.simulation.process(struck)
            records += self.opened.simulation.process(event)
            if isinstance(event, CandleClosed) and not event.more:
                bars += 1
                next_bar = event.time + self.opened.step
        now = next_bar if polled.more else polled.now  # what has not come yet may still lie before the end
        return records, bound_reached(plan, bars, next_bar, now)

    def _go_to(self, state: State) -> None:
        """Change the state; a halted strategy stays halted, whatever the feed does."""
        halted = self.opened.simulation.engine.stopped and state in (State.RUNNING, State.DEGRADED)
        self.state = move(self.state, State.HALTED if halted else state)

    # ---- the journal ------------------------------------------------------------------------------------------------
    async def _write(self, rows: Sequence[JournalRow]) -> None:
        """Make rows durable; waits as long as another program keeps the journal locked."""
        while rows:
            try:
                self.opened.journal.append(rows)
                return
            except TryLater as error:
                self._go_to(State.DEGRADED)
                self._listen(Update(self.state, (), None, f"{error.message}; trying again", LOCKED_PAUSE_S))
                await asyncio.sleep(LOCKED_PAUSE_S)

    def _remark(self, name: str, **values: Any) -> JournalRow:
        """An operational row of our own doing, at the time of the last closed bar."""
        return Remark(name, values).row(self._time)

    def _remarks_on(self, polled: Polled, records: Iterable[Record]) -> list[Remark]:
        """What there is to say of an answer; a refused candle is named once and not at every poll."""
        new = [candle for candle in polled.refused if candle not in self._refused]
        self._refused = frozenset(polled.refused)
        closed = [record for record in records if isinstance(record, CandleClosed) and not record.more]
        expected, step = self.opened.next_close, self.opened.step
        on_bars = remarks_on_bars(closed, expected=expected, now=polled.now, step=step)
        return [*on_bars, *(remark_on_refusal(candle) for candle in new)]

    @property
    def _time(self) -> int:
        return self.opened.last_closed.time if self.opened.last_closed else 0

    def _say_halted(self) -> None:
        """Say at the start of a resumed session that its strategy is stopped."""
        if self.opened.halted is not None:
            self._go_to(State.HALTED)
            self._listen(Update(self.state, (), None, sentence_on_stop(self.opened.halted)))

    def _end(self, wall_ms: int, *, finished: bool) -> None:
        self.state = move(move(self.state, State.STOPPING), State.STOPPED)
        self.opened.journal.append([self._remark("ended", wall_ms=wall_ms, finished=finished)])
        status = status_at_end(self.state, finished=finished, halted=self.opened.halted is not None)
        self.opened.journal.update_state("status", status)
        self._listen(Update(self.state, (), None, "the session is complete" if finished else "the session has stopped"))
