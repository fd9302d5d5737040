"""Sessions on disk: begin one, find the one to resume, bring it back to where it stopped."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from algotrade.backtest.event_loop import new_session
from algotrade.discover import strategy_from_source
from algotrade.engine.book import Decider
from algotrade.engine.events import BarOpened, CandleClosed, OpenRevised, StrategyStopped
from algotrade.engine.records import candle_of
from algotrade.engine.session import Record, SimulatedSession
from algotrade.errors import FixCommand, FixConfiguration, ReviewResult
from algotrade.evaluate.recording import Recording
from algotrade.live.feed import Position
from algotrade.live.plan import SessionPlan, check_header, plan_of, setup_of
from algotrade.live.remembered import remembering
from algotrade.live.replay import Difference, canonical_rows, replay
from algotrade.live.states import State
from algotrade.market.candles import iso
from algotrade.market.timeframe import timeframe_ms
from algotrade.store.journal import Journal, SessionInfo, list_sessions
from algotrade.strategy.base import Strategy
from algotrade.strategy.signals import decides_by_signals

COMPLETE: Final = "complete"
HALTED: Final = "halted"  # as complete, but its strategy was stopped by its own error
UNFINISHED: Final = "unfinished"  # it runs, or was killed
RUNNING: Final = "running"
KILLED: Final = "killed"
RECENT: Final = 500  # records that a screen may want to show


@dataclass
class OpenSession:
    """A session in memory: the fold so far, and where its feed goes on.

    Attributes:
        journal: its file.
        simulation: engine and simulated exchange.
        recording: what happened so far, for results and metrics.
        position: where the feed goes on.
        bars: candles processed.
        last_closed: the newest closed candle, None before the first.
        told: time of the newest bar that opened, milliseconds; None before the first.
        halted: why the strategy is asked nothing any more, None as long as it is.
        recent: the newest records.
    """

    journal: Journal
    simulation: SimulatedSession
    position: Position
    recording: Recording = field(default_factory=Recording)
    bars: int = 0
    last_closed: CandleClosed | None = None
    told: int | None = None
    halted: StrategyStopped | None = None
    recent: deque[Record] = field(default_factory=lambda: deque(maxlen=RECENT))

    @cached_property
    def plan(self) -> SessionPlan:
        """What was asked for."""
        return plan_of(self.journal.header["plan"])

    @property
    def id(self) -> str:
        """The session's name."""
        return self.journal.path.stem

    @property
    def next_close(self) -> int:
        """Open time of the bar that should close next, milliseconds."""
        if self.last_closed is None:
            return int(self.journal.header["first_bar"])
        return self.last_closed.time + timeframe_ms(self.plan.timeframe)

    def take(self, record: Record) -> None:
        """Note a record that the simulation gave."""
        self.recording.add(record)
        self.recent.append(record)
        match record:
            case CandleClosed():
                self.bars += 1
                self.last_closed = record
                self.position = Position(self.next_close)
            case StrategyStopped():
                self.halted = record
            case BarOpened(time=time, open=price) | OpenRevised(time=time, open=price):
                self.position, self.told = Position(time, price), time


def find_resumable(folder: Path, plans: Sequence[SessionPlan]) -> tuple[Path, SessionPlan] | None:
    """The newest journal of one of these plans that is not complete, and its plan; None if there is none."""
    by_key = {plan.key(): plan for plan in plans}
    found = [info for info in _unfinished(folder) if info.header.get("plan_key") in by_key]
    return (found[-1].path, by_key[found[-1].header["plan_key"]]) if found else None


def find_similar(folder: Path, plan: SessionPlan) -> str | None:
    """The newest unfinished session of the same strategy on the same market whose plan differs; None without one."""
    same = ("exchange", "symbol", "timeframe", "strategy")
    asked = plan.document()
    found = [
        info.id
        for info in _unfinished(folder)
        if info.header.get("plan_key") != plan.key()
        and all(info.header.get("plan", {}).get(name) == asked[name] for name in same)
    ]
    return found[-1] if found else None


def _unfinished(folder: Path) -> list[SessionInfo]:
    return [info for info in list_sessions(folder) if info.status not in (COMPLETE, HALTED)]


def find_session(folder: Path, name: str) -> Path:
    """The journal of a session by its name, or of the newest one for "latest".

    Raises:
        FixCommand: there is none.
    """
    found = list_sessions(folder)
    chosen = found[-1:] if name == "latest" else [info for info in found if info.id == name]
    if not chosen:
        raise FixCommand(f"there is no session '{name}' in {folder}", hint="algotrade list sessions")
    return chosen[0].path


def open_journal(path: Path, *, read_only: bool = False) -> Journal:
    """Open the journal of a session whose header says all that a session is.

    Raises:
        FixData: it does not, or the file is damaged.
    """
    journal = Journal.open(path, read_only=read_only)
    try:
        check_header(journal.header, path.stem)
    except BaseException:
        journal.close()
        raise
    return journal


def strategy_of(header: dict[str, Any]) -> Strategy:
    """The strategy as it was when the session began, from the source kept in the journal."""
    strategy = strategy_from_source(header["strategy"])
    strategy.bounds = setup_of(header).bounds
    return strategy


def warmed_up(header: dict[str, Any]) -> Strategy:
    """The strategy at the beginning of a session, after its warm-up candles."""
    strategy, symbol = strategy_of(header), header["plan"]["symbol"]
    strategy.begin(symbol, header["warmup"], timeframe=header["plan"]["timeframe"])
    for row in header["warm_up_candles"]:
        strategy.warm_up(candle_of(row, symbol))
    return strategy


def begin_session(path: Path, header: dict[str, Any]) -> OpenSession:
    """Create the journal of a new session."""
    simulation = new_session(warmed_up(header), setup_of(header))  # may fail, so it comes before the file
    return OpenSession(Journal.create(path, header), simulation, Position(header["first_bar"]))


def resume_session(path: Path, code_hash: str) -> OpenSession:
    """Open a session for going on: replay its journal into a fresh engine, comparing every record.

    A strategy that is a function of its last candles is asked again for the newest bars only; what it decided on the
    older ones is taken from the journal (`replay_session` asks it for all).

    Args:
        path: the journal.
        code_hash: of the strategy as it is now.

    Raises:
        FixConfiguration: the strategy has changed since the session began.
        ReviewResult: the replay differs, so going on would not be the same session.
        TryLater: the session is running.
    """
    journal = open_journal(path)
    try:
        header = journal.header
        if header["strategy"]["hash"] != code_hash:
            raise FixConfiguration(
                f"the strategy {header['strategy']['name']} has changed since session {path.stem} began; to start anew"
                " with the changed one add --fresh",
                hint="algotrade live --fresh",
            )
        strategy = warmed_up(header)
        decider = remembering(strategy, canonical_rows(journal)) if decides_by_signals(strategy) else strategy
        opened, difference = _replayed(journal, decider)
        if difference is not None:
            raise ReviewResult(
                f"session {path.stem} cannot go on: its replay differs at row {difference.seq}",
                hint=f"algotrade replay {path.stem}",
            )
    except BaseException:
        journal.close()
        raise
    return opened


def replay_session(path: Path) -> tuple[OpenSession, Difference | None]:
    """Replay a journal that stays as it is: what came out, and the first difference if there is one."""
    with open_journal(path, read_only=True) as journal:
        return _replayed(journal, warmed_up(journal.header))


def _replayed(journal: Journal, decider: Decider) -> tuple[OpenSession, Difference | None]:
    header = journal.header
    opened = OpenSession(journal, new_session(decider, setup_of(header)), Position(header["first_bar"]))
    return opened, replay(canonical_rows(journal), opened.simulation, opened.take)


def status_at_end(state: State, *, finished: bool, halted: bool) -> str:
    """What the journal keeps of how a session ended; one that reached its bound is never resumed."""
    if finished:
        return HALTED if halted else COMPLETE
    return state.value.lower()


def status_of(info: SessionInfo) -> str:
    """What the list of sessions says of one: the lock knows whether it runs, or was killed."""
    if info.running:
        return RUNNING
    return KILLED if info.header and info.status in ("", UNFINISHED) else info.status


def bound_reached(plan: SessionPlan, bars: int, next_bar: int, now: int) -> bool:
    """Whether a bounded session is done: enough bars, or none that closes by its end can still come."""
    if plan.bars is not None and bars >= plan.bars:
        return True
    step = timeframe_ms(plan.timeframe)
    return plan.until is not None and (next_bar + step > plan.until + 1 or now > plan.until + 2 * step)


def session_name(created_ms: int, plan: SessionPlan) -> str:
    """Names a session by its time, to the millisecond so that names sort, and plan: "s20261120-184502123-3f2a"."""
    digits = iso(created_ms - created_ms % 1000)[:19].translate(str.maketrans("T", "-", "-:"))
    unique = hashlib.sha256(f"{created_ms} {plan.key()}".encode()).hexdigest()[:4]
    return f"s{digits}{created_ms % 1000:03d}-{unique}"
