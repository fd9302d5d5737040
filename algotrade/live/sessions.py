"""Sessions on disk: begin one, find the one to resume, bring it back to where it stopped."""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from algotrade.backtest.event_loop import new_session
from algotrade.discover import strategy_from_source
from algotrade.engine.events import BarOpened, CandleClosed, OpenRevised
from algotrade.engine.records import candle_of
from algotrade.engine.session import Record, SimulatedSession
from algotrade.errors import FixCommand, FixConfiguration, ReviewResult
from algotrade.evaluate.recording import Recording
from algotrade.live.feed import Position
from algotrade.live.plan import SessionPlan, plan_of, setup_of
from algotrade.live.replay import Difference, canonical_rows, replay
from algotrade.live.states import State
from algotrade.market.candles import iso
from algotrade.market.timeframe import timeframe_ms
from algotrade.store.journal import Journal, list_sessions
from algotrade.strategy.base import Strategy

COMPLETE: Final = "complete"
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
        recent: the newest records.
    """

    journal: Journal
    simulation: SimulatedSession
    position: Position
    recording: Recording = field(default_factory=Recording)
    bars: int = 0
    last_closed: CandleClosed | None = None
    recent: deque[Record] = field(default_factory=lambda: deque(maxlen=RECENT))

    @property
    def plan(self) -> SessionPlan:
        """What was asked for."""
        return plan_of(self.journal.header["plan"])

    @property
    def id(self) -> str:
        """The session's name."""
        return self.journal.path.stem

    def take(self, record: Record) -> None:
        """Note a record that the simulation gave."""
        self.recording.add(record)
        self.recent.append(record)
        match record:
            case CandleClosed():
                self.bars += 1
                self.last_closed = record
                self.position = Position(record.time + timeframe_ms(self.plan.timeframe))
            case BarOpened(time=time, open=price) | OpenRevised(time=time, open=price):
                self.position = Position(time, price)


def find_resumable(folder: Path, plan: SessionPlan) -> Path | None:
    """The newest journal of the same plan that is not complete; None if there is none."""
    same = [
        info for info in list_sessions(folder) if info.header.get("plan_key") == plan.key() and info.status != COMPLETE
    ]
    return same[-1].path if same else None


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


def strategy_of(header: dict[str, Any]) -> Strategy:
    """The strategy as it was when the session began, from the source kept in the journal."""
    strategy = strategy_from_source(header["strategy"])
    strategy.bounds = setup_of(header).bounds
    return strategy


def fresh_simulation(header: dict[str, Any], strategy: Strategy) -> SimulatedSession:
    """Engine and exchange at the beginning of a session, its strategy warmed up."""
    setup = setup_of(header)
    strategy.begin(setup.instrument.symbol, header["warmup"])
    for row in header["warm_up_candles"]:
        strategy.warm_up(candle_of(row, setup.instrument.symbol))
    return new_session(strategy, setup)


def begin_session(path: Path, header: dict[str, Any]) -> OpenSession:
    """Create the journal of a new session."""
    journal = Journal.create(path, header)
    return OpenSession(journal, fresh_simulation(header, strategy_of(header)), Position(header["first_bar"]))


def resume_session(path: Path, source_hash: str) -> OpenSession:
    """Open a session for going on: replay its journal into a fresh engine, comparing every record.

    Args:
        path: the journal.
        source_hash: of the strategy as it is now.

    Raises:
        FixConfiguration: the strategy has changed since the session began.
        ReviewResult: the replay differs, so going on would not be the same session.
        TryLater: the session is running.
    """
    journal = Journal.open(path)
    header = journal.header
    if header["strategy"]["hash"] != source_hash:
        journal.close()
        raise FixConfiguration(
            f"the strategy {header['strategy']['name']} has changed since session {path.stem} began; to start anew"
            " with the changed one add --fresh",
            hint="algotrade live --fresh",
        )
    opened = OpenSession(journal, fresh_simulation(header, strategy_of(header)), Position(header["first_bar"]))
    difference = replay(canonical_rows(journal), opened.simulation, opened.take)
    if difference is not None:
        journal.close()
        raise ReviewResult(
            f"session {path.stem} cannot go on: its replay differs at row {difference.seq}",
            hint=f"algotrade replay {path.stem}",
        )
    return opened


def replay_session(path: Path) -> tuple[OpenSession, Difference | None]:
    """Replay a journal that stays as it is: what came out, and the first difference if there is one."""
    journal = Journal.open(path, read_only=True)
    header = journal.header
    opened = OpenSession(journal, fresh_simulation(header, strategy_of(header)), Position(header["first_bar"]))
    return opened, replay(canonical_rows(journal), opened.simulation, opened.take)


def status_of(state: State, *, finished: bool) -> str:
    """What the list of sessions says of one."""
    return COMPLETE if finished else state.value.lower()


def bound_reached(plan: SessionPlan, bars: int, next_bar: int, now: int) -> bool:
    """Whether a bounded session is done: enough bars, or none that closes by its end can still come."""
    if plan.bars is not None and bars >= plan.bars:
        return True
    step = timeframe_ms(plan.timeframe)
    return plan.until is not None and (next_bar + step > plan.until + 1 or now > plan.until + 2 * step)


def session_name(created_ms: int, plan: SessionPlan) -> str:
    """Names a session by its time and plan, sortable: "s20261120-184502-3f2a"."""
    digits = iso(created_ms - created_ms % 1000)[:19].translate(str.maketrans("T", "-", "-:"))
    unique = hashlib.sha256(f"{created_ms} {plan.key()}".encode()).hexdigest()[:4]
    return f"s{digits}-{unique}"
