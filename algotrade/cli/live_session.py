"""One run of `algotrade live`: a screen in a terminal and log lines elsewhere, and the signals that end it."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from algotrade.cli.invocation import Invocation
from algotrade.errors import ExitCode

if TYPE_CHECKING:
    from algotrade.cli.output import Output
    from algotrade.live.launch import Launched, Place
    from algotrade.live.lines import Lines
    from algotrade.live.plan import SessionPlan
    from algotrade.live.status import Status
    from algotrade.live.trader import Trader, Update
    from algotrade.strategy.base import Strategy

SCHEMA: Final = "algotrade.live/1"
LOG: Final = logging.getLogger("algotrade.live")
FRAMES_PER_SECOND: Final = 4
TROUBLED: Final = ("DEGRADED", "HALTED")
SIGNALS: Final = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}


class EndedAtOnce(KeyboardInterrupt):
    """The second signal. A strategy's own code cannot catch it by accident, nor is it taken for that code's exit."""


class SessionRun:
    """One run of the command: the trader, who watches it, and the signals that end it."""

    def __init__(self, plan: SessionPlan, strategies: Sequence[Strategy], place: Place, invocation: Invocation) -> None:
        self.plan = plan
        self.strategies = strategies
        self.place = place
        self.output = invocation.output
        self.code = ExitCode.DONE
        self.status: Status | None = None
        self.prefix = ""
        self.lines: Lines | None = None

    async def run(self, pause_s: float, *, fresh: bool) -> None:
        """Trade to the end; afterwards `code` is the exit code."""
        from algotrade.live.clock import jitter
        from algotrade.live.launch import launched
        from algotrade.live.status import Status
        from algotrade.live.trader import Pace, Trader

        async with launched(self.plan, self.strategies, self.place, fresh=fresh) as launch:
            self._say_beginning(launch)
            if self._on_screen:
                self.status = Status(launch.opened, self.place.wall)
            trader = Trader(launch, Pace(pause_s, jitter), self._hear)
            with self._stopped_by_signals(trader), self._screen():
                await trader.run(self.place.wall)
            self._say_end(launch)

    @contextmanager
    def _stopped_by_signals(self, trader: Trader) -> Iterator[None]:
        """The first signal asks the trader to stop; the next one ends it wherever it is, even in a strategy's loop.

        The journal is whole either way: what it holds is written in transactions.
        """
        loop = asyncio.get_running_loop()

        def stop(number: int, frame: FrameType | None) -> None:
            if self.code is not ExitCode.DONE:
                raise EndedAtOnce
            self.code = SIGNALS[signal.Signals(number)]
            loop.call_soon_threadsafe(trader.stop)

        before = {number: signal.signal(number, stop) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _hear(self, update: Update) -> None:
        if self.status is not None:
            self.status.hear(update)
        elif self.output.json:
            print_records(update, self.output)
        else:
            self._log(update)

    def _log(self, update: Update) -> None:
        """A line for every closed candle, fill, refusal and note."""
        for text in self.lines.of(update.records) if self.lines else ():
            LOG.info("%s %s", self.prefix, text)
        if update.note:
            level = logging.WARNING if update.state in TROUBLED else logging.INFO
            LOG.log(level, "%s %s %s", self.prefix, update.state, update.note)

    @property
    def _on_screen(self) -> bool:
        return self.output.stdout.isatty() and not self.output.json and not self.output.quiet

    def _screen(self) -> AbstractContextManager[Any]:
        """The live screen in a terminal; nothing elsewhere. It is drawn by a thread of its own."""
        if self.status is None:
            return nullcontext()
        from rich.live import Live

        from algotrade.show.dashboard import render

        status = self.status
        return Live(
            get_renderable=lambda: render(status.snapshot()),
            console=self.output.console,
            refresh_per_second=FRAMES_PER_SECOND,
            screen=True,
        )

    def _say_beginning(self, launch: Launched) -> None:
        from algotrade.live.begin import describe_beginning, describe_unproven
        from algotrade.live.lines import Lines, prefix_of
        from algotrade.live.sessions import find_similar

        header = launch.opened.journal.header
        self.prefix, self.lines = prefix_of(self.plan, simulated=header["simulated"]), Lines(self.plan)
        what = f"resumes after {launch.opened.bars} bars" if launch.resumed else describe_beginning(header)
        self.output.note(f"session {launch.opened.id} {what}")
        similar = None if launch.resumed else find_similar(self.place.settings.sessions_folder, self.plan)
        if similar:
            self.output.note(f"session {similar} is unfinished too; only the very command that began it resumes it")
        for sentence in describe_unproven(self.strategies, header):
            self.output.note(f"warning: {sentence}")
        if self.output.json:
            known = {"session": launch.opened.id, "resumed": launch.resumed, "bars": launch.opened.bars}
            document = {"event": "session", **known, "simulated": header["simulated"]}
            self.output.document_line(SCHEMA, document)

    def _say_end(self, launch: Launched) -> None:
        from algotrade.live.remarks import sentence_on_stop
        from algotrade.show.format import money

        opened = launch.opened
        if opened.halted is not None:
            self.output.note(sentence_on_stop(opened.halted))
        self.output.note(
            f"session {opened.id}: {opened.bars} bars, equity {money(opened.simulation.engine.equity())};"
            f" algotrade evaluate {opened.id}, algotrade replay {opened.id}"
        )


def print_records(update: Update, output: Output) -> None:
    """One JSON object a line for every record and every note."""
    from algotrade.engine.records import encode, name_of

    for record in update.records:
        output.document_line(SCHEMA, {"event": name_of(record), **encode(record)})
    if update.note:
        output.document_line(SCHEMA, {"event": "note", "state": update.state, "message": update.note})
