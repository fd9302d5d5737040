"""Sessions in this process: a project folder, a plan, a trader that tells what it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from algotrade.config import load_settings
from algotrade.discover import find_strategy, strategy_sources
from algotrade.live.clock import Clock, system_clock
from algotrade.live.launch import Launched, Place, launched
from algotrade.live.plan import Chosen, SessionPlan
from algotrade.live.trader import Pace, Trader, Update
from algotrade.store.database import open_database
from algotrade.store.journal import CANONICAL, Journal, list_sessions
from algotrade.strategy.base import Strategy
from tests.shell.loopback.kraken import LoopbackKraken

START = 1_706_702_400_000  # 2024-01-31 12:00 UTC
MINUTE = 60_000
PACE = Pace(0.02, lambda: 0.5)

CanonicalRows = list[tuple[str, str, int, str]]


class StepClock:
    """A machine's clock that goes on by 50 ms whenever it is read: what a test sees depends on no load."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        self.now += 50
        return self.now


class Project(NamedTuple):
    """A folder with an algotrade.toml, and the clock of the machine it is on."""

    folder: Path
    wall: Clock

    @property
    def sessions(self) -> Path:
        return self.folder / ".algotrade" / "sessions"

    def canonical(self, session: str = "") -> CanonicalRows:
        return [row[:4] for row in self.rows(session) if row[0] in CANONICAL]

    def rows(self, session: str = "") -> CanonicalRows:
        path = self.sessions / f"{session}.sqlite" if session else list_sessions(self.sessions)[-1].path
        with Journal.open(path, read_only=True) as journal:
            return [row[:4] for row in journal.rows()]

    def names(self) -> list[str]:
        return [row[1] for row in self.rows()]


def new_project(folder: Path, kraken: LoopbackKraken | None = None, *, store: Path | None = None) -> Project:
    """An empty project; `store` is a database that projects share, so that a strategy is checked once for all."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["[store]", f'database = "{store or folder / ".algotrade" / "store.sqlite"}"']
    if kraken is not None:
        lines += ["[exchange.kraken.ccxt]", "enableRateLimit = false", "timeout = 300", "timeout_on_exit = 0"]
        lines += [f'urls = {{api = {{public = "{kraken.url}"}}}}']
    (folder / "algotrade.toml").write_text("\n".join(lines) + "\n")
    return Project(folder, system_clock if kraken else StepClock())


def plan(strategy: str = "sma_cross", parameters: dict[str, Any] | None = None, **changes: Any) -> SessionPlan:
    given = {
        "exchange": "demo",
        "symbols": ("BTC/USD",),
        "timeframe": "1m",
        "strategies": (Chosen(strategy, {"fast": 3, "slow": 8} if parameters is None else parameters),),
        "cash": 10_000.0,
        "start": START,
        "bars": 30,
        "speed": 60_000.0,
    }
    return SessionPlan(**{**given, **changes})


@asynccontextmanager
async def session(
    project: Project, asked: SessionPlan, strategy: Strategy | None = None, *, fresh: bool = False
) -> AsyncIterator[Launched]:
    """The session of a plan, as `algotrade live` opens it."""
    settings = load_settings({}, project.folder / "algotrade.toml")
    chosen = [
        strategy or find_strategy(each.name, strategy_sources(settings))(**each.parameters) for each in asked.strategies
    ]
    with open_database(settings.database) as database:
        async with launched(asked, chosen, Place(settings, database, project.wall), fresh=fresh) as launch:
            yield launch


async def trade(
    project: Project,
    asked: SessionPlan,
    strategy: Strategy | None = None,
    *,
    watch: Callable[[Trader, Update], None] = lambda trader, update: None,
    fresh: bool = False,
) -> list[Update]:
    """Run a session until it is complete, or until `watch` stops it; everything that was told."""
    heard: list[Update] = []
    async with session(project, asked, strategy, fresh=fresh) as launch:

        def listen(update: Update) -> None:
            heard.append(update)
            watch(trader, update)

        trader = Trader(launch, PACE, listen)
        async with asyncio.timeout(60):
            await trader.run(project.wall)
    return heard
