"""Sessions on disk: begin one, find the one to resume, bring it back to where it stopped."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from algotrade.backtest.event_loop import new_session, timers_of
from algotrade.backtest.setup import Setup
from algotrade.engine.book import Decider
from algotrade.engine.events import BarOpened, CandleClosed, OpenRevised, StrategyStopped, TradePrinted
from algotrade.engine.session import Record, SimulatedSession
from algotrade.errors import FixCommand, FixConfiguration, ReviewResult
from algotrade.evaluate.portfolio import Outcome
from algotrade.evaluate.recording import Recording
from algotrade.live.header import check_header, setup_of, up_to_date, warmed_up
from algotrade.live.merge import Position, advanced
from algotrade.live.plan import SessionPlan, plan_of
from algotrade.live.remembered import remembering
from algotrade.live.replay import Difference, canonical_rows, replay
from algotrade.live.states import State
from algotrade.market.candles import iso
from algotrade.market.timeframe import timeframe_ms
from algotrade.store.journal import Journal, SessionInfo, list_sessions
from algotrade.strategy.base import Strategy

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
        plan: what was asked for, with the bounds of this run.
        simulation: engine and simulated exchange.
        recording: what happened so far, for results and metrics.
        positions: by symbol, where a feed of candles goes on.
        intervals: timers that its strategies want.
        bars: moments at which candles closed.
        last_closed: the newest closed candle, None before the first.
        told: time of the newest event from the market, milliseconds; None before the first.
        since_close: openings and trades since the last candle closed.
        halted: why a strategy is asked nothing any more, None as long as all are.
        recent: the newest records.
    """

    journal: Journal
    plan: SessionPlan
    simulation: SimulatedSession
    recording: Recording
    positions: dict[str, Position]
    intervals: frozenset[str] = frozenset()
    bars: int = 0
    last_closed: CandleClosed | None = None
    told: int | None = None
    since_close: int = 0
    halted: StrategyStopped | None = None
    recent: deque[Record] = field(default_factory=lambda: deque(maxlen=RECENT))

    @property
    def id(self) -> str:
        """The session's name."""
        return self.journal.path.stem

    @property
    def step(self) -> int:
        """Length of a bar, milliseconds."""
        return timeframe_ms(self.plan.timeframe)

    @property
    def next_close(self) -> int:
        """Open time of the bar that should close next, milliseconds."""
        if self.last_closed is None:
            return int(self.journal.header["first_bar"])
        return self.last_closed.time + self.step

    @cached_property
    def setup(self) -> Setup:
        """The conditions under which it trades."""
        return setup_of(self.journal.header)

    def outcome(self) -> Outcome:
        """The result so far."""
        return outcome_of(self.recording, self.setup)

    def take(self, record: Record) -> None:
        """Note a record that the simulation gave."""
        self.recording.add(record)
        self.recent.append(record)
        match record:
            case CandleClosed():
                self.bars += not record.more
                self.last_closed, self.since_close = record, 0
                self.positions = advanced(self.positions, record, self.step)
            case BarOpened() | OpenRevised():
                self.since_close += isinstance(record, BarOpened)
                self.positions, self.told = advanced(self.positions, record, self.step), record.time
            case TradePrinted():
                self.since_close += 1
                self.told = record.time
            case StrategyStopped():
                self.halted = record


def outcome_of(recording: Recording, setup: Setup) -> Outcome:
    """What was recorded under these conditions: a Result of one symbol and one strategy, else a PortfolioResult."""
    if len(setup.symbols) == len(setup.deposits) == 1:
        return recording.result(setup)
    return recording.portfolio(setup, setup.deposits)


def new_open_session(
    journal: Journal, plan: SessionPlan, strategies: Mapping[str, Strategy], deciders: Mapping[str, Decider]
) -> OpenSession:
    """A session at its beginning.

    Args:
        journal: its file.
        plan: with the bounds of this run.
        strategies: by book, warmed up.
        deciders: by book, that answer in their place.
    """
    setup = setup_of(journal.header)
    first = Position(journal.header["first_bar"])
    return OpenSession(
        journal,
        plan,
        new_session(deciders, setup),
        Recording(setup.symbols, setup.deposits),
        dict.fromkeys(setup.symbols, first),
        frozenset(timers_of(strategies)),
    )


def find_resumable(folder: Path, plans: Sequence[SessionPlan]) -> tuple[Path, SessionPlan] | None:
    """The newest journal of one of these plans that is not complete, and its plan; None if there is none."""
    by_key = {plan.key(): plan for plan in plans}
    found = [
        (info.path, by_key[other.key()])
        for info in _unfinished(folder)
        if (other := planned(info)) and other.key() in by_key
    ]
    return found[-1] if found else None


def find_similar(folder: Path, plan: SessionPlan) -> str | None:
    """The newest unfinished session of the same strategies on the same markets whose plan differs; None without one."""
    asked = _market_of(plan)
    found = [
        info.id
        for info in _unfinished(folder)
        if (other := planned(info)) and other.key() != plan.key() and _market_of(other) == asked
    ]
    return found[-1] if found else None


def _market_of(plan: SessionPlan) -> tuple[str, tuple[str, ...], str, tuple[str, ...]]:
    return plan.exchange, plan.symbols, plan.timeframe, tuple(each.name for each in plan.strategies)


def planned(info: SessionInfo) -> SessionPlan | None:
    """The plan of a session; None where its header is damaged."""
    try:
        return plan_of(up_to_date(info.header)["plan"])
    except (KeyError, TypeError, ValueError):
        return None


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
        journal.header = up_to_date(journal.header)
        check_header(journal.header, path.stem)
    except BaseException:
        journal.close()
        raise
    return journal


def begin_session(path: Path, header: dict[str, Any], plan: SessionPlan) -> OpenSession:
    """Create the journal of a new session."""
    strategies = warmed_up(header)  # may fail, so it comes before the file
    return new_open_session(Journal.create(path, header), plan, strategies, strategies)


def resume_session(path: Path, plan: SessionPlan, code_hashes: Sequence[str]) -> OpenSession:
    """Open a session for going on: replay its journal into a fresh engine, comparing every record.

    A strategy that is a function of its last candles is asked again only where it wanted something else, and for the
    newest bars; what it decided on the others is taken from the journal (`replay_session` asks it for all).

    Args:
        path: the journal.
        plan: with the bounds of this run.
        code_hashes: of the strategies as they are now.

    Raises:
        FixConfiguration: a strategy has changed since the session began.
        ReviewResult: the replay differs, so going on would not be the same session.
        TryLater: the session is running.
    """
    journal = open_journal(path)
    try:
        _refuse_changed(journal, code_hashes)
        strategies = warmed_up(journal.header)
        opened = new_open_session(journal, plan, strategies, remembering(strategies, canonical_rows(journal)))
        difference = replay(canonical_rows(journal), opened.simulation, opened.take)
        if difference is not None:
            raise ReviewResult(
                f"session {path.stem} cannot go on: its replay differs at row {difference.seq}",
                hint=f"algotrade replay {path.stem}",
            )
    except BaseException:
        journal.close()
        raise
    return opened


def _refuse_changed(journal: Journal, code_hashes: Sequence[str]) -> None:
    """Say that a strategy is not what it was when the session began."""
    for described, now in zip(journal.header["strategies"], code_hashes, strict=True):
        if described["hash"] != now:
            raise FixConfiguration(
                f"the strategy {described['name']} has changed since session {journal.path.stem} began; to start anew"
                " with the changed one add --fresh",
                hint="algotrade live --fresh",
            )


def replay_session(path: Path) -> tuple[OpenSession, Difference | None]:
    """Replay a journal that stays as it is: what came out, and the first difference if there is one."""
    with open_journal(path, read_only=True) as journal:
        strategies = warmed_up(journal.header)
        opened = new_open_session(journal, plan_of(journal.header["plan"]), strategies, strategies)
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


def refuse_beyond(opened: OpenSession) -> None:
    """Say that a session has gone further than it is asked to go now.

    Raises:
        FixCommand: more bars than asked for, or one that closed after the end.
    """
    plan, last = opened.plan, opened.last_closed
    late = last is not None and plan.until is not None and last.time + opened.step > plan.until + 1
    if late or (plan.bars is not None and opened.bars > plan.bars):
        raise FixCommand(
            f"session {opened.id} is unfinished and has {opened.bars} bars, more than it should end with; to begin"
            " another one beside it add --fresh",
            hint="algotrade live --fresh",
        )


def session_name(created_ms: int, plan: SessionPlan) -> str:
    """Names a session by its time, to the millisecond so that names sort, and plan: "s20261120-184502123-3f2a"."""
    digits = iso(created_ms - created_ms % 1000)[:19].translate(str.maketrans("T", "-", "-:"))
    unique = hashlib.sha256(f"{created_ms} {plan.key()}".encode()).hexdigest()[:4]
    return f"s{digits}{created_ms % 1000:03d}-{unique}"
