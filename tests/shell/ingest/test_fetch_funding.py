"""Fetching funding: none is left out, whichever end an exchange's answers begin with, and wherever it is cut off."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from algotrade.errors import CheckConnection, TryLater
from algotrade.exchange.base import Exchange
from algotrade.ingest.funding.fetch import fetch_funding
from algotrade.ingest.funding.report import FundingReport
from algotrade.market.funding import FundingRates
from algotrade.market.instrument import Instrument
from algotrade.market.span import Span
from algotrade.store.database import Database
from algotrade.store.funding import put_funding, read_funding

HOUR = 3_600_000
START = 1_600_000_000_000 // (8 * HOUR) * 8 * HOUR
SYMBOL = "BTC/USDT:USDT"


class FundingExchange:
    """Has paid every eight hours; answers with `page` settlements in one of the ways that exchanges have.

    Args:
        times: of its settlements.
        way: "oldest" or "newest" of the span first; "regardless" of the span's end, the newest.
        page: settlements in one answer.
    """

    name = "binance"

    def __init__(self, times: Any, way: str, page: int = 10) -> None:
        self.times = np.array(times, np.int64)
        self.way = way
        self.page = page
        self.now = int(self.times[-1]) + HOUR
        self.asked: list[tuple[int, int]] = []
        self.fails_at = -1

    async def now_ms(self) -> int:
        return self.now

    async def instrument(self, symbol: str) -> Instrument:
        return Instrument(symbol, can_short=True)

    async def funding(self, symbol: str, *, since: int, until: int) -> FundingRates:
        if len(self.asked) == self.fails_at:
            raise TryLater("binance asks for patience")
        self.asked.append((since, until))
        end = self.now if self.way == "regardless" else until
        times = self.times[(self.times >= since) & (self.times <= end)]
        times = times[: self.page] if self.way == "oldest" else times[-self.page :]
        return FundingRates(times, rates_of(times))


def rates_of(times: Any) -> Any:
    return np.asarray(times // HOUR % 100 * 1e-5, np.float64)


def every(hours: int, count: int, first: int = START) -> list[int]:
    """Settlements every so many hours, each some milliseconds late."""
    return [first + number * hours * HOUR + number * 7 % 23 for number in range(count)]


async def fetch(exchange: FundingExchange, database: Database, span: Span = Span()) -> FundingReport:  # noqa: B008
    return await fetch_funding(cast(Exchange, exchange), database, SYMBOL, span)


def stored(database: Database) -> list[int]:
    times, rates = read_funding(database, "binance", SYMBOL)
    assert rates.tolist() == rates_of(times).tolist()
    return times.tolist()


@pytest.mark.parametrize("way", ["oldest", "newest"])
@pytest.mark.parametrize("span", [Span(), Span(START), Span(START - 1000 * HOUR)])
async def test_all_of_it_comes_however_it_is_dealt_out(database: Database, way: str, span: Span) -> None:
    exchange = FundingExchange(every(8, 57), way)
    report = await fetch(exchange, database, span)
    assert stored(database) == exchange.times.tolist()
    assert (report.complete, report.added, report.note) == (True, 57, "")
    assert len(exchange.asked) <= 8


@pytest.mark.parametrize("way", ["oldest", "newest"])
async def test_a_contract_that_changes_its_step_and_pauses_is_had_whole(database: Database, way: str) -> None:
    eight = every(8, 23)
    four = every(4, 31, eight[-1] + 8 * HOUR)
    one = every(1, 17, four[-1] + 300 * HOUR)
    exchange = FundingExchange([*eight, *four, *one], way)
    report = await fetch(exchange, database)
    assert stored(database) == exchange.times.tolist()
    assert (report.complete, report.gaps) == (True, 1)
    assert "settlements are missing inside what is stored" in report.note


@pytest.mark.parametrize("way", ["oldest", "newest"])
@pytest.mark.parametrize("fails_at", range(7))
async def test_cut_off_anywhere_the_same_command_goes_on_without_a_hole(
    database: Database, way: str, fails_at: int
) -> None:
    exchange = FundingExchange(every(8, 57), way)
    exchange.fails_at = fails_at
    cut = await fetch(exchange, database)
    assert (type(cut.error), cut.complete) == (TryLater, False)
    kept = stored(database)
    assert kept == exchange.times.tolist()[: len(kept)]
    exchange.fails_at = -1
    assert (await fetch(exchange, database)).complete
    assert stored(database) == exchange.times.tolist()


async def test_an_answer_is_stored_before_the_next_is_asked_for(database: Database) -> None:
    exchange = FundingExchange(every(8, 57), "oldest")
    exchange.fails_at = 3
    await fetch(exchange, database, Span(START))
    assert stored(database) == exchange.times.tolist()[: 10 + 9 + 9]  # each answer begins with the last one's end


@pytest.mark.parametrize("way", ["oldest", "newest"])
async def test_what_is_stored_only_grows_towards_the_present(database: Database, way: str) -> None:
    reached: list[int] = []
    exchange = cast(Exchange, FundingExchange(every(8, 57), way))
    await fetch_funding(exchange, database, SYMBOL, Span(START), lambda step: reached.append(step.reached))
    assert reached == sorted(reached)
    assert len(reached) == {"oldest": 7, "newest": 6}[way]


@pytest.mark.parametrize("way", ["oldest", "newest", "regardless"])
async def test_going_on_takes_one_question_and_rechecks_the_newest(database: Database, way: str) -> None:
    exchange = FundingExchange(every(8, 57), way, page=100)
    await fetch(exchange, database)
    exchange.times = np.array(every(8, 60), np.int64)
    exchange.now = int(exchange.times[-1]) + 1
    put_funding(database, "binance", SYMBOL, exchange.times[56:57], np.array([0.5]))
    exchange.asked.clear()
    report = await fetch(exchange, database)
    assert (report.added, report.revised, len(exchange.asked)) == (3, 1, 1)
    assert stored(database) == exchange.times.tolist()


async def test_answers_that_do_not_go_back_are_said_and_no_success(database: Database) -> None:
    exchange = FundingExchange(every(8, 57), "regardless")
    report = await fetch(exchange, database, Span(START))
    assert (report.complete, report.added) == (False, 10)
    assert report.note.startswith("binance gives funding rates from 2020-09-29T")
    assert report.note.endswith("; asked from 2020-09-13T08:00:00Z")


async def test_without_a_start_what_there_is_is_all(database: Database) -> None:
    report = await fetch(FundingExchange(every(8, 57), "regardless"), database)
    assert (report.complete, report.added) == (True, 10)
    assert report.note.startswith("binance gives funding rates from")


async def test_nothing_at_all_is_said(database: Database) -> None:
    exchange = FundingExchange(every(8, 3), "oldest")
    report = await fetch(exchange, database, Span(START - 100 * HOUR, START - 50 * HOUR))
    assert (report.complete, report.note) == (False, "binance gave no funding rates of BTC/USDT:USDT")


async def test_an_exchange_that_is_not_reached_is_reported(database: Database) -> None:
    exchange = FundingExchange(every(8, 3), "oldest")
    exchange.funding = broken  # type: ignore[method-assign]
    report = await fetch(exchange, database)
    assert (type(report.error), report.first, report.complete) == (CheckConnection, None, False)


async def broken(symbol: str, *, since: int, until: int) -> FundingRates:
    raise CheckConnection("not reached")
