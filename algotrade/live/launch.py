"""From a plan to a running session: resume the one that is not complete, or begin a new one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from algotrade.config import Settings
from algotrade.engine.session import Record
from algotrade.errors import CheckConnection
from algotrade.exchange.base import DEMO, Exchange
from algotrade.exchange.opening import open_exchange
from algotrade.live.begin import session_header
from algotrade.live.clock import Clock, DemoClock, DemoTime
from algotrade.live.feed import CandleFeed, Feed, TickerFeed
from algotrade.live.keep import CandleKeeper
from algotrade.live.plan import TICKER, TRADES, SessionPlan
from algotrade.live.replay import canonical_rows, record_of
from algotrade.live.sessions import (
    OpenSession,
    begin_session,
    find_resumable,
    refuse_beyond,
    resume_session,
    session_name,
)
from algotrade.live.trade_feed import Given, TradeFeed
from algotrade.market.candles import SeriesKey
from algotrade.sources import code_hash
from algotrade.store.database import Database
from algotrade.store.failures import explained
from algotrade.store.files import hold_lock
from algotrade.store.journal import SUFFIX
from algotrade.strategy.base import Strategy


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
        keep: stores what only this session can know, the candles that it built; says what went wrong, else "".
    """

    opened: OpenSession
    exchange: Exchange
    feed: Feed
    resumed: bool = False
    keep: Callable[[Sequence[Record]], str] = lambda records: ""


@asynccontextmanager
async def launched(
    plan: SessionPlan, strategies: Sequence[Strategy], place: Place, *, fresh: bool
) -> AsyncIterator[Launched]:
    """Open the exchange and the session of a plan; close both at the end.

    Args:
        plan: what was asked for.
        strategies: as they are now, in the plan's order.
        place: settings, store, clock.
        fresh: begin anew although an unfinished session of the same plan exists.

    Raises:
        TryLater: another process runs this plan; with its process id.
        FixCommand: the unfinished session is beyond the bounds that are asked for.
        FixConfiguration: a strategy has changed since the session began.
        ReviewResult: the session does not replay, so it cannot go on.
        NotAllowed: a strategy of a new session fails a check.
    """
    folder = place.settings.sessions_folder
    with explained(folder):
        names, symbols = (" ".join(each) for each in ([chosen.name for chosen in plan.strategies], plan.symbols))
        owner = f"a session of {names} on {plan.exchange} {symbols} {plan.timeframe}"
        lock = hold_lock(folder / f"{plan.key()}.lock", owner)
    with lock:
        found = None if fresh else find_resumable(folder, [plan])
        path = found[0] if found else None
        time = DemoTime(place.wall() if plan.start is None else plan.start, place.wall)
        clock = time if plan.exchange == DEMO else None
        options = place.settings.ccxt_options(plan.exchange)
        async with open_exchange(plan.exchange, options=options, clock=clock) as exchange:
            if path is not None:
                hashes = [code_hash(strategy) for strategy in strategies]
                opened = await asyncio.to_thread(resume_session, path, plan, hashes)
            else:
                header = await session_header(plan, strategies, exchange, place.database)
                header["clock"] = DemoClock(time(), place.wall(), plan.speed)._asdict() if time is clock else None
                name = f"{session_name(place.wall(), plan)}{SUFFIX}"
                opened = begin_session(folder / name, header, plan)
            with opened.journal:
                refuse_beyond(opened)
                if time is clock:
                    time.start(_clock(opened, place.wall()))
                yield _ready(opened, exchange, place.database, resumed=path is not None)


def _clock(opened: OpenSession, wall: int) -> DemoClock:
    """The market's time: it has gone on, and goes on from here at the speed that is asked for."""
    kept = DemoClock(**opened.journal.state.get("clock", opened.journal.header["clock"]))
    if kept.speed == opened.plan.speed:
        return kept
    changed = DemoClock(kept.at(wall), wall, opened.plan.speed)
    opened.journal.update_state("clock", changed._asdict())
    return changed


def _ready(opened: OpenSession, exchange: Exchange, database: Database, *, resumed: bool) -> Launched:
    plan = opened.plan
    if plan.source == TRADES:
        given = Given(opened.next_close, opened.since_close)
        return Launched(opened, exchange, TradeFeed(exchange, plan.symbols, plan.timeframe, given), resumed)
    if plan.source != TICKER:
        return Launched(opened, exchange, CandleFeed(exchange, plan.timeframe, opened.positions), resumed)
    (symbol,) = plan.symbols
    key = SeriesKey(plan.exchange, symbol, plan.timeframe, TICKER)
    earlier = map(record_of, canonical_rows(opened.journal)) if resumed else ()
    feed = TickerFeed(exchange, symbol, plan.timeframe, opened.positions[symbol])
    return Launched(opened, exchange, feed, resumed, CandleKeeper(database, key, earlier).keep)


def plan_to_resume(plans: Sequence[SessionPlan], settings: Settings) -> SessionPlan | None:
    """The plan whose unfinished session is the newest; None where none has one."""
    found = find_resumable(settings.sessions_folder, plans)
    return found[1] if found else None


async def reachable(
    exchange: str, symbols: Sequence[str], settings: Settings, *, within_s: float
) -> CheckConnection | None:
    """None if the exchange answers in time, else why not."""
    try:
        async with (
            open_exchange(exchange, options=settings.ccxt_options(exchange)) as opened,
            asyncio.timeout(within_s),
        ):
            for symbol in symbols:
                await opened.instrument(symbol)
    except TimeoutError:
        return CheckConnection(f"cannot reach {exchange} within {within_s:.0f} s")
    except CheckConnection as error:
        return error
    return None
