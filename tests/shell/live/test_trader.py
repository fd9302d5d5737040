"""The trader with feeds that a test has written: what it journals, what it survives, what ends it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from algotrade.engine.events import BarOpened, CandleClosed, MarketEvent, OpenRevised
from algotrade.engine.session import Record
from algotrade.errors import FixCommand, TryLater
from algotrade.exchange.base import Quote
from algotrade.live.feed import Polled
from algotrade.live.launch import Launched
from algotrade.live.sessions import find_session, replay_session
from algotrade.live.states import State
from algotrade.live.trader import Trader, Update
from algotrade.market.candles import RefusedCandle
from tests.shell.live.scripted import ScriptedExchange
from tests.shell.live.sessions import MINUTE, PACE, START, Project, new_project, plan, session

SYMBOL = "BTC/USD"
Keep = Callable[[Sequence[Record]], str]


class ScriptedFeed:
    """Gives what it was told to, then says nothing for ever."""

    def __init__(self, *answers: Polled | Exception) -> None:
        self.answers = list(answers)

    async def poll(self) -> Polled:
        if not self.answers:
            await asyncio.Event().wait()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def bar(minute: int, open_: float = 100.0, close: float = 101.0) -> list[MarketEvent]:
    time = START + minute * MINUTE
    return [BarOpened(SYMBOL, time, open_), CandleClosed(SYMBOL, time, open_, 200.0, 50.0, close, 1.0)]


def polled(*events: MarketEvent, refused: tuple[RefusedCandle, ...] = ()) -> Polled:
    now = max((event.time for event in events), default=START) + MINUTE
    return Polled(events, now, refused)


@asynccontextmanager
async def scripted(
    project: Project, feed: ScriptedFeed, keep: Keep = lambda records: "", **changes: object
) -> AsyncIterator[tuple[Trader, list[Update]]]:
    exchange = ScriptedExchange()
    exchange.quotes = [Quote(START, 100.0, 99.5, 100.5)] * 9
    heard: list[Update] = []
    async with session(project, plan(**changes)) as launch:
        yield Trader(Launched(launch.opened, exchange, feed, keep=keep), PACE, heard.append), heard


async def run(trader: Trader, project: Project, *, until_heard: int = 0, heard: list[Update] | None = None) -> bool:
    """Run it to its end, or stop it when it has told so much."""
    async with asyncio.timeout(20):
        running = asyncio.create_task(trader.run(project.wall))
        while heard is not None and len(heard) < until_heard and not running.done():
            await asyncio.sleep(0.01)
        if heard is not None:
            trader.stop()
        return await running


async def test_a_revised_open_is_journaled_and_the_fill_stands(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    rising = [bar(minute, 100.0 + 10 * minute, 110.0 + 10 * minute) for minute in range(6)]
    second = START + 6 * MINUTE
    late = [BarOpened(SYMBOL, second, 160.0), OpenRevised(SYMBOL, second, 161.0), bar(6, 161.0, 150.0)[1]]
    feed = ScriptedFeed(*(polled(*events) for events in rising), polled(*late))
    async with scripted(project, feed, bars=7) as (trader, _):
        assert await run(trader, project)
    assert "OpenRevised" in project.names()
    assert replay_session(find_session(project.sessions, "latest"))[1] is None


async def test_the_quote_of_the_moment_is_journaled_beside_a_fill(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    prices = [10.0] * 8 + [20.0] * 12
    feed = ScriptedFeed(*(polled(*bar(minute, price, price)) for minute, price in enumerate(prices)))
    async with scripted(project, feed, bars=None) as (trader, heard):
        await run(trader, project, until_heard=len(prices), heard=heard)
    fills = [json.loads(row[3]) for row in project.rows() if row[1] == "OrderFilled"]
    quotes = [json.loads(row[3]) for row in project.rows() if row[1] == "quote"]
    assert fills
    assert {quote["order_id"] for quote in quotes} == {fill["order_id"] for fill in fills}
    assert quotes[0]["ask"] == 100.5


async def test_a_store_that_hangs_holds_up_neither_the_feed_nor_the_order_of_what_is_told(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    asked_again = threading.Event()
    kept: list[int] = []

    class ListenedTo(ScriptedFeed):
        async def poll(self) -> Polled:
            if len(self.answers) == 1:
                asked_again.set()
            return await super().poll()

    def keep(records: Sequence[Record]) -> str:
        kept.extend(record.time for record in records if isinstance(record, CandleClosed))
        return "" if asked_again.wait(10) else "the loop stood still"

    feed = ListenedTo(polled(*bar(0)), polled(*bar(1)))
    async with scripted(project, feed, keep, bars=2) as (trader, heard):
        assert await run(trader, project)
    assert kept == [START, START + MINUTE]
    assert [update.note for update in heard] == ["", "", "the session is complete"]


async def test_a_candle_that_is_refused_at_every_poll_is_named_once(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    strange = RefusedCandle(START, "its high is below its low")
    feed = ScriptedFeed(*(polled(refused=(strange,)) for _ in range(5)))
    async with scripted(project, feed) as (trader, heard):
        await run(trader, project, until_heard=5, heard=heard)
    assert project.names().count("refused_candle") == 1
    assert "a candle of 2024-01-31T12:00:00Z was refused: its high is below its low" in heard[0].note


async def test_whatever_an_exchange_says_is_tried_again(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    feed = ScriptedFeed(FixCommand("kraken has no symbol 'BTC/USD'"), FixCommand("still not"), polled(*bar(0)))
    async with scripted(project, feed, bars=1) as (trader, heard):
        assert await run(trader, project)
    assert [update.state for update in heard] == [State.DEGRADED, State.DEGRADED, State.RUNNING, State.STOPPED]
    assert heard[1].retry_s is not None
    assert heard[0].retry_s is not None
    assert heard[1].retry_s > heard[0].retry_s
    assert heard[2].note == "the feed is back"


async def test_a_session_stops_at_once_though_the_feed_hangs(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    async with scripted(project, ScriptedFeed()) as (trader, heard):
        assert not await run(trader, project, until_heard=0, heard=heard)
    assert project.names() == ["started", "ended"]


async def test_a_bug_of_ours_ends_the_session_and_keeps_it(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    async with scripted(project, ScriptedFeed(polled(*bar(0)), RuntimeError("a bug"))) as (trader, heard):
        with pytest.raises(RuntimeError, match="a bug"):
            await run(trader, project)
    assert heard[-1].state is State.STOPPED
    assert project.names()[-1] == "ended"


async def test_a_journal_that_is_locked_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = new_project(tmp_path)
    monkeypatch.setattr("algotrade.live.trader.LOCKED_PAUSE_S", 0.01)
    async with scripted(project, ScriptedFeed(polled(*bar(0))), bars=1) as (trader, heard):
        append, refusals = trader.opened.journal.append, [1, 2, 3]

        def locked(rows: object) -> None:
            if refusals and refusals.pop():
                raise TryLater("the journal is locked by another program; nothing was written")
            append(rows)  # type: ignore[arg-type]

        monkeypatch.setattr(trader.opened.journal, "append", locked)
        assert await run(trader, project)
    assert [update.state for update in heard].count(State.DEGRADED) == 3
    assert project.names().count("CandleClosed") == 1
