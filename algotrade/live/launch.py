"""From a plan to a running session: resume the one that is not complete, or begin a new one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from algotrade.config import Settings
from algotrade.errors import CheckConnection
from algotrade.exchange.base import DEMO, Exchange, open_exchange
from algotrade.live.begin import session_header
from algotrade.live.clock import Clock, DemoClock
from algotrade.live.feed import CandleFeed, Feed, TickerFeed
from algotrade.live.plan import SessionPlan
from algotrade.live.sessions import OpenSession, begin_session, find_resumable, resume_session, session_name
from algotrade.store.database import Database
from algotrade.store.journal import SUFFIX, Journal
from algotrade.strategy.base import Strategy
from algotrade.strategy.source import source_hash, source_of


class Place(NamedTuple):
    """Where a session runs: its settings, the store, the machine's clock."""

    settings: Settings
    database: Database
    wall: Clock


class Launched(NamedTuple):
    """A session ready to trade.

    Attributes:
        opened: the session.
        exchange: open.
        feed: its market events, from where the session stands.
        resumed: whether it had begun before.
    """

    opened: OpenSession
    exchange: Exchange
    feed: Feed
    resumed: bool


@asynccontextmanager
async def launched(plan: SessionPlan, strategy: Strategy, place: Place, *, fresh: bool) -> AsyncIterator[Launched]:
    """Open the exchange and the session of a plan; close both at the end.

    Args:
        plan: what was asked for.
        strategy: as it is now.
        place: settings, store, clock.
        fresh: begin anew although an unfinished session of the same plan exists.
    """
    folder = place.settings.sessions_folder
    path = None if fresh else find_resumable(folder, plan)
    clock = _demo_clock(plan, path, place) if plan.exchange == DEMO else None
    time = place.wall if clock is None else lambda: clock.at(place.wall())
    async with open_exchange(plan.exchange, options=place.settings.ccxt_options(plan.exchange), clock=time) as exchange:
        if path is not None:
            opened = await asyncio.to_thread(resume_session, path, source_hash(source_of(strategy)))
        else:
            header = await session_header(plan, strategy, exchange, place.database, clock)
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            opened = begin_session(folder / f"{session_name(place.wall(), plan)}{SUFFIX}", header)
        kind = TickerFeed if plan.source == "ticker" else CandleFeed
        feed = kind(exchange, plan.symbol, plan.timeframe, opened.position)
        with opened.journal:
            yield Launched(opened, exchange, feed, resumed=path is not None)


async def reachable(exchange: str, symbol: str, settings: Settings, *, within_s: float) -> CheckConnection | None:
    """None if the exchange answers in time, else why not."""
    try:
        async with (
            open_exchange(exchange, options=settings.ccxt_options(exchange)) as opened,
            asyncio.timeout(within_s),
        ):
            await opened.instrument(symbol)
    except TimeoutError:
        return CheckConnection(f"cannot reach {exchange} within {within_s:.0f} s")
    except CheckConnection as error:
        return error
    return None


def _demo_clock(plan: SessionPlan, path: Path | None, place: Place) -> DemoClock:
    """The market's time: as it began with the session, or beginning now."""
    if path is not None:
        with Journal.open(path, read_only=True) as journal:
            return DemoClock(**journal.header["clock"])
    now = place.wall()
    return DemoClock(now if plan.start is None else plan.start, now, plan.speed)
