"""Fetches, kills, repairs, faults and corrections in any order: the store ends as after one clean fetch, to the byte.

Every step is a run of its own that opens the store anew, with the locks of `algotrade fetch`. A kill is a transaction
that is never committed, or a question that is never answered; nothing that follows in that run happens.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from algotrade.errors import AlgotradeError, AwaitMaintenance, CheckConnection, TryLater
from algotrade.exchange.base import Exchange, TradePage
from algotrade.ingest.fetch import Again, fetch_again
from algotrade.ingest.jobs import TRADES, Job
from algotrade.ingest.many import run_jobs
from algotrade.ingest.plan import Interval
from algotrade.ingest.report import FetchProgress, FetchReport
from algotrade.ingest.trades.recheck import recheck_trades
from algotrade.market.candles import Floats, SeriesKey, candle_table, content_hash, times_ms
from algotrade.market.span import Span
from algotrade.store.candles import read_candles
from algotrade.store.corrections import open_quarantine
from algotrade.store.coverage import read_coverage
from algotrade.store.database import Database, open_database
from algotrade.store.past import read_revisions
from algotrade.store.snapshots import check_snapshot
from tests.shell.ingest.listed_exchange import MINUTE, NOON, candle, page_from, page_of_window
from tests.shell.ingest.stored_trades import whatever_the_cuts
from tests.shell.ingest.traded_exchange import TradedExchange, steady

LAST = 24  # minutes after noon
LONG_AGO = -4200  # so many bars are enough for a snapshot
WHOLE_PAGE = 5000
QUIET: Final = {5, 11, 12, 13, 20}  # without a trade, so without a bar
NEVER_GOOD = 16  # the exchange has a candle there that cannot be
UNPUBLISHED: Final = "not published yet"
fresh_exchange = (f"exchange{number}" for number in count()).__next__


class Killed(BaseException):
    """The process is gone; nothing of ours may catch this."""


class Step(NamedTuple):
    """What is done next, and what goes wrong meanwhile.

    Attributes:
        what: "fetch", "twice" (two runs at once), "repair" or "trades".
        start: of the fetch, minutes after noon; None for the run that continues.
        length: of the fetch, minutes; None for up to now.
        page: candles in an answer.
        trouble: of TROUBLES, what is wrong with the answers.
        minutes: where.
        breaks: instead of this answer comes an error: its number, and which.
        killed_answer: instead of this answer comes the end of the process.
        killed_commit: instead of this commit does.
        passes: minutes that have passed since the step before.
        corrects: a minute whose candle the exchange has corrected since then.
    """

    what: str = "fetch"
    start: int | None = 0
    length: int | None = None
    page: int = WHOLE_PAGE
    trouble: str = "none"
    minutes: frozenset[int] = frozenset()
    breaks: tuple[int, type[AlgotradeError]] | None = None
    killed_answer: int | None = None
    killed_commit: int | None = None
    passes: int = 0
    corrects: int | None = None


def with_value(column: int, value: float) -> Callable[[Floats, Any], Floats]:
    def change(rows: Floats, chosen: Any) -> Floats:
        rows[chosen, column] = value
        return rows

    return change


def in_the_future(rows: Floats, chosen: Any) -> Floats:
    rows[chosen, 0] *= 1000
    return rows


def conflicting(rows: Floats, chosen: Any) -> Floats:
    return np.concatenate([rows[chosen] + np.array([0, 1, 1, 1, 1, 0]), rows])


def a_thousandfold(rows: Floats, chosen: Any) -> Floats:
    rows[np.flatnonzero(chosen)[:1], 2] *= 1000  # alone: two of a kind would vouch for each other
    return rows


TROUBLES: Final[dict[str, Callable[[Floats, Any], Floats]]] = {
    "none": lambda rows, chosen: rows,
    "not a number": with_value(4, math.nan),
    "not positive": with_value(1, 0.0),
    "high below low": with_value(2, 1.0),
    "negative volume": with_value(5, -1.0),
    "spike": a_thousandfold,
    "in the future": in_the_future,
    "two of one time": conflicting,
    "repeated": lambda rows, chosen: np.concatenate([rows, rows[chosen]]),
    "reversed": lambda rows, chosen: rows[::-1],
    UNPUBLISHED: lambda rows, chosen: rows[~chosen],
}

at = st.integers(0, LAST)
places = at | st.integers(-8, LAST)
breaks = st.tuples(st.integers(0, 9), st.sampled_from([CheckConnection, TryLater, AwaitMaintenance]))
endings: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.just({}),
    st.fixed_dictionaries({"breaks": breaks}),
    st.fixed_dictionaries({"killed_answer": st.integers(0, 9)}),
    st.fixed_dictionaries({"killed_commit": st.integers(0, 15)}),
)
troubles = st.fixed_dictionaries(
    {
        "trouble": st.sampled_from(sorted(TROUBLES)),
        "minutes": st.frozensets(at.filter(lambda minute: minute != NEVER_GOOD), min_size=1, max_size=4),
    }
)
plain = st.builds(
    Step,
    what=st.sampled_from(["fetch"] * 6 + ["twice", "repair", "repair", "trades"]),
    start=st.none() | places,
    length=st.none() | st.integers(0, 20),
    page=st.sampled_from([2, 5, 12, WHOLE_PAGE]),
    passes=st.sampled_from([0, 1, 4, 15]),
    corrects=st.none() | places,
)
steps = st.builds(lambda step, ending, trouble: step._replace(**ending, **trouble), plain, endings, troubles)
programs = st.lists(steps, min_size=1, max_size=8)


class Market:
    """An exchange of its own name whose clock goes on and whose candles it corrects now and then.

    Attributes:
        exchange: where it is asked.
        first: minute of its first candle.
        key: of its candles.
    """

    def __init__(self, *, long: bool, windows: bool) -> None:
        self.first = LONG_AGO if long else -8
        self.exchange = TradedExchange(steady(750, 600.0), NOON + MINUTE // 3, pages=(20,))
        self.exchange.name = fresh_exchange()
        self.exchange.answer = page_of_window if windows else page_from
        self.exchange.rows = [
            candle(NOON + minute * MINUTE, 100.0 + minute % 7)
            for minute in range(self.first, LAST + 3)
            if minute not in QUIET
        ]
        self.row(NEVER_GOOD)[3] = 1e6
        self.key = SeriesKey(self.exchange.name, "BTC/USD", "1m")

    def row(self, minute: int) -> list[float]:
        (found,) = (row for row in self.exchange.rows if row[0] == NOON + minute * MINUTE)
        return found

    def has(self, minute: int) -> bool:
        return minute not in QUIET | {NEVER_GOOD} and NOON + (minute + 1) * MINUTE <= self.exchange.now

    def correct(self, minute: int) -> None:
        self.row(minute)[1:5] = [value + 0.25 for value in self.row(minute)[1:5]]

    def expected(self) -> dict[str, object]:
        """Of `outcome`, all that can be said without fetching anything."""
        ends = [NOON + minute * MINUTE for minute in (self.first, NEVER_GOOD, NEVER_GOOD + 1, LAST + 1)]
        good = np.array([row for row in self.exchange.rows if row[0] < ends[3] and row[0] != ends[1]]).T
        return {
            "candles": content_hash(candle_table(good[0].astype(np.int64), good[1:])),
            "coverage": [(ends[0], ends[1]), (ends[2], ends[3])],
            "quarantine": {ends[1]: "high is below low"},
        }

    def is_to(self, step: Step) -> None:
        """Let it do what a step says goes wrong."""
        answers = count()
        self.exchange.page = step.page
        trouble = "none" if step.what == "repair" and step.trouble == "spike" else step.trouble  # it would believe it

        def go_wrong() -> None:
            number = next(answers)
            if step.breaks is not None and number == step.breaks[0]:
                raise step.breaks[1]("it went wrong")
            if number == step.killed_answer:
                raise Killed

        def spoil(symbol: str, rows: Floats) -> Floats:
            go_wrong()
            rows = rows.copy()
            newest = rows[:, 0] > self.exchange.now - 2 * MINUTE
            chosen = np.isin((rows[:, 0] - NOON) // MINUTE, list(step.minutes))
            return TROUBLES[trouble](rows, newest if trouble == UNPUBLISHED else chosen)

        def distort(page: TradePage, cursor: str | None, since_ns: int | None) -> TradePage:
            go_wrong()
            return page

        self.exchange.spoil, self.exchange.distort = spoil, distort

    def job(self, step: Step) -> Job:
        if step.what == "trades":
            return Job(self.exchange.name, "BTC/USD", "1m", Span(NOON - NOON % 86_400_000), TRADES, keep_trades=True)
        if step.what == "repair":
            return Job(self.exchange.name, "BTC/USD", "1m", repair=True)
        start = None if step.start is None else NOON + step.start * MINUTE
        end = None if start is None or step.length is None else start + step.length * MINUTE
        return Job(self.exchange.name, "BTC/USD", "1m", Span(start, end))


class Silence:
    """A watcher that says nothing."""

    def began(self, job: Job) -> None: ...

    def advanced(self, job: Job, step: FetchProgress) -> None: ...

    def ended(self, job: Job, report: FetchReport) -> None: ...


@contextmanager
def a_process(location: str | Path, killed_commit: int | None = None) -> Iterator[Database]:
    """The store as one run opens it; at a commit of a given number the run ends instead."""
    commits = count()
    with open_database(location) as database:

        @event.listens_for(database.engine, "commit")
        def die(_connection: object) -> None:
            if next(commits) == killed_commit:
                raise Killed

        with suppress(Killed):
            yield database


async def run(market: Market, database: Database, *jobs: Job) -> list[FetchReport]:
    """Runs at once, each with one job; nothing where one was killed."""

    async def one(job: Job) -> list[FetchReport]:
        return await run_jobs(
            [job],
            database,
            open_named=lambda name: cast(Exchange, market.exchange),
            watcher=Silence(),
            stopping=asyncio.Event(),
        )

    reports: list[FetchReport] = []
    try:
        for found in await asyncio.gather(*map(one, jobs)):
            reports += found
    except* Killed:
        pass
    return reports


def take(market: Market, location: str | Path, step: Step) -> None:
    market.exchange.now = min(market.exchange.now + step.passes * MINUTE, NOON + (LAST + 1) * MINUTE + MINUTE // 3)
    if step.corrects is not None and market.has(step.corrects):
        market.correct(step.corrects)
    market.is_to(step)
    with a_process(location, step.killed_commit) as database:
        jobs = [market.job(step)] * (2 if step.what == "twice" else 1)
        reports = asyncio.run(run(market, database, *jobs))
        refused = [report for report in reports if report.error and "already running" in report.error.message]
        assert not reports or len(refused) == len(jobs) - 1
    with a_process(location) as database:
        assert check_snapshot(database, market.key) is None


def outcome(database: Database, market: Market) -> dict[str, object]:
    """What must not depend on how it came about."""
    key = market.key
    return {
        "candles": content_hash(read_candles(database, key)),
        "coverage": [tuple(-(-edge // MINUTE) * MINUTE for edge in part) for part in read_coverage(database, key)],
        "quarantine": open_quarantine(database, key, end=market.exchange.now),
        "trades": whatever_the_cuts(database, key._replace(origin=TRADES)),
    }


def finish(market: Market, database: Database, *, trades: bool) -> None:
    """The one clean fetch of the whole span, in answers so small that none hides what was wrongly left out."""
    market.exchange.now = NOON + (LAST + 2) * MINUTE
    page = 4 if market.first > LONG_AGO else WHOLE_PAGE
    market.is_to(clean := Step(start=market.first, length=LAST - market.first, page=page))
    for job in (market.job(clean), market.job(Step(what="trades")))[: 1 + trades]:
        (report,) = asyncio.run(run(market, database, job))
        assert report.error is None


def check_what_was_corrected(market: Market, database: Database, corrected: set[int]) -> None:
    """All bars are there, as the exchange has them; one it corrected may be as stored before, until asked for again."""
    rows = {int(row[0]): row[1:] for row in market.exchange.rows}
    candles = read_candles(database, market.key)
    never = NOON + NEVER_GOOD * MINUTE
    assert times_ms(candles).tolist() == [time for time in rows if time != never and time <= NOON + LAST * MINUTE]
    behind = {
        time
        for time, values in zip(times_ms(candles).tolist(), candles.to_numpy().tolist(), strict=True)
        if values != rows[time]
    }
    assert {(time - NOON) // MINUTE for time in behind} <= corrected
    whole = Again([Interval(NOON + market.first * MINUTE, NOON + LAST * MINUTE + 1)], ())
    asyncio.run(fetch_again(cast(Exchange, market.exchange), database, market.key, whole))
    newest: dict[int, tuple[float, ...]] = {}
    for one in read_revisions(database, market.key, 0, 2**53):
        assert newest.get(one.time, one.old) == one.old  # each begins where the one before ended
        newest[one.time] = one.new
    assert newest.keys() >= behind
    assert all(list(values) == rows[time] for time, values in newest.items())


def interleave(
    location: str | Path, program: list[Step], *, long: bool, windows: bool
) -> tuple[dict[str, object], dict[str, object]]:
    """Where a program ends, after one whole fetch at its end, and where that fetch ends alone."""
    market, clean = Market(long=long, windows=windows), Market(long=long, windows=windows)
    trades = any(step.what == "trades" for step in program)
    for step in [Step(start=LONG_AGO, length=-LONG_AGO), *program] if long else program:
        take(market, location, step)
    clean.exchange.rows = market.exchange.rows
    with a_process(location) as database:
        finish(market, database, trades=trades)
        check_what_was_corrected(market, database, {step.corrects for step in program if step.corrects is not None})
        finish(clean, database, trades=trades)
        expected = outcome(database, clean)
        assert expected | {"trades": ...} == clean.expected() | {"trades": ...}
        assert outcome(database, market) == expected
        asyncio.run(run(market, database, market.job(Step(what="repair"))))
        assert recheck_trades(database, market.key._replace(origin=TRADES)).problems == ()
        return outcome(database, market), expected


@pytest.mark.parametrize("page", [5, WHOLE_PAGE])
@pytest.mark.parametrize("trouble", TROUBLES)
def test_each_trouble_alone_leaves_no_trace(tmp_path: Path, trouble: str, page: int) -> None:
    troubled = Step(passes=15, page=page, trouble=trouble, minutes=frozenset({3, 8}))
    ended, clean = interleave(tmp_path / "store.sqlite", [troubled], long=False, windows=False)
    assert ended == clean


@pytest.mark.parametrize("commit", range(12))
def test_a_kill_at_each_commit_leaves_no_trace(tmp_path: Path, commit: int) -> None:
    killed = Step(passes=15, page=5, killed_commit=commit)
    ended, clean = interleave(tmp_path / "store.sqlite", [killed], long=False, windows=False)
    assert ended == clean


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(program=programs, windows=st.booleans())
def test_any_interleaving_ends_in_the_bytes_of_one_clean_fetch(
    tmp_path: Path, program: list[Step], windows: bool
) -> None:
    ended, clean = interleave(tmp_path / "store.sqlite", program, long=False, windows=windows)
    assert ended == clean


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(programs)
def test_it_does_so_beside_a_snapshot(tmp_path: Path, program: list[Step]) -> None:
    ended, clean = interleave(tmp_path / "store.sqlite", program, long=True, windows=False)
    assert ended == clean


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
@given(programs, st.booleans())
def test_it_does_so_on_a_server(postgresql_location: str, program: list[Step], windows: bool) -> None:
    ended, clean = interleave(postgresql_location, program, long=False, windows=windows)
    assert ended == clean
