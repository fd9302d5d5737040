"""Feeds as tables: what the exchange answers at each poll, and the events that come of it. Times in minutes."""

from __future__ import annotations

import pytest

from algotrade.engine.events import BarOpened, CandleClosed, MarketEvent, OpenRevised
from algotrade.errors import CheckConnection
from algotrade.exchange.base import Quote
from algotrade.live.feed import CandleFeed, Polled, TickerFeed, closed_candles
from algotrade.live.merge import Position
from tests.shell.live.scripted import Row, ScriptedExchange

MINUTE = 60_000
SYMBOL = "BTC/USD"


def row(minute: float, open_: float = 100.0, close: float = 101.0) -> Row:
    return (minute * MINUTE, open_, 110.0, 90.0, close, 1.0)


def opened(minute: float, price: float = 100.0) -> BarOpened:
    return BarOpened(SYMBOL, round(minute * MINUTE), price)


def revised(minute: float, price: float) -> OpenRevised:
    return OpenRevised(SYMBOL, round(minute * MINUTE), price)


def closed(minute: float, open_: float = 100.0, close: float = 101.0) -> CandleClosed:
    return CandleClosed(SYMBOL, round(minute * MINUTE), open_, 110.0, 90.0, close, 1.0)


Poll = tuple[float, list[Row], list[MarketEvent]]  # the exchange's minute, what it has, what must come


@pytest.mark.parametrize(
    "polls",
    [
        pytest.param([(10.5, [row(10)], [opened(10)])], id="the forming candle only opens its bar"),
        pytest.param(
            [(10.5, [row(10)], [opened(10)]), (10.9, [row(10, close=105)], [])], id="a forming candle is told once"
        ),
        pytest.param(
            [(10.5, [row(10)], [opened(10)]), (11.2, [row(10), row(11)], [closed(10), opened(11)])],
            id="a bar that was opened closes, the next opens",
        ),
        pytest.param([(11.0, [row(10)], [opened(10), closed(10)])], id="a bar closes at the very moment of its end"),
        pytest.param([(10.9999, [row(10)], [opened(10)])], id="a moment before it is still forming"),
        pytest.param(
            [
                (
                    13.5,
                    [row(10), row(11), row(12), row(13)],
                    [*(event(bar) for bar in (10, 11, 12) for event in (opened, closed)), opened(13)],
                )
            ],
            id="missed bars come in order, each opened and closed",
        ),
        pytest.param(
            [
                (
                    13.5,
                    [row(13), row(11), row(10), row(11)],
                    [opened(10), closed(10), opened(11), closed(11), opened(13)],
                )
            ],
            id="rows backwards and twice, and an absent bar",
        ),
        pytest.param(
            [(10.5, [row(10)], [opened(10)]), (11.5, [row(10, open_=100.5)], [revised(10, 100.5), closed(10, 100.5)])],
            id="a closed candle with another open says so",
        ),
        pytest.param(
            [(10.5, [row(10)], [opened(10)]), (14.5, [row(12), row(14)], [opened(12), closed(12), opened(14)])],
            id="a bar that was opened and never came",
        ),
        pytest.param(
            [
                (10.5, [row(10)], [opened(10)]),
                (12.1, [row(10), row(12)], [closed(10)]),
                (12.2, [row(10), row(11), row(12)], [opened(11), closed(11), opened(12)]),
            ],
            id="a closed candle that is published late is waited for",
        ),
        pytest.param(
            [
                (10.5, [row(10)], [opened(10)]),
                (11.1, [row(11)], []),
                (11.2, [row(10), row(11)], [closed(10), opened(11)]),
            ],
            id="so is one whose bar was opened",
        ),
        pytest.param(
            [(12.24, [row(10), row(12)], [opened(10), closed(10)]), (12.25, [row(12)], [opened(12)])],
            id="an absent bar holds up the next for a quarter of a bar at most",
        ),
        pytest.param(
            [
                (12.1, [row(10), row(12)], [opened(10), closed(10)]),
                (13.1, [row(12), row(13)], [opened(12), closed(12), opened(13)]),
            ],
            id="a later closed bar ends the waiting",
        ),
        pytest.param(
            [(14.5, [], []), (14.6, [], []), (15.5, [row(14)], [opened(14), closed(14)])], id="no bar for a while"
        ),
        pytest.param([(10.99, [row(10), row(11)], [opened(10)])], id="a bar that began after the time was asked"),
        pytest.param(
            [(10.5, [row(10)], [opened(10)]), (5.0, [], []), (11.1, [row(10)], [closed(10)])], id="a clock set back"
        ),
        pytest.param(
            [(12.5, [row(9), row(10)], [opened(10), closed(10)])], id="bars before the position are passed over"
        ),
    ],
)
async def test_polls_of_candles_become_events(polls: list[Poll]) -> None:
    exchange = ScriptedExchange()
    feed = CandleFeed(exchange, "1m", {SYMBOL: Position(10 * MINUTE)})
    for minute, rows, events in polls:
        exchange.now, exchange.rows = round(minute * MINUTE), rows
        polled = await feed.poll()
        assert list(polled.events) == events
        assert polled.now == exchange.now
        assert not polled.refused


@pytest.mark.parametrize(
    ("timeframe", "step", "grace"), [("1m", MINUTE, 15_000), ("1h", 60 * MINUTE, 60_000), ("1d", 1440 * MINUTE, 60_000)]
)
async def test_the_grace_for_a_missing_bar_is_bounded(timeframe: str, step: int, grace: int) -> None:
    exchange = ScriptedExchange()
    feed = CandleFeed(exchange, timeframe, {SYMBOL: Position(step)})
    exchange.rows = [row(2 * step / MINUTE)]
    exchange.now = 2 * step + grace - 1
    assert (await feed.poll()).events == ()
    exchange.now = 2 * step + grace
    assert (await feed.poll()).events == (BarOpened(SYMBOL, 2 * step, 100.0),)


async def test_a_restart_goes_on_within_the_bar_that_was_open() -> None:
    exchange = ScriptedExchange()
    feed = CandleFeed(exchange, "1m", {SYMBOL: Position(10 * MINUTE, 100.0)})
    exchange.now, exchange.rows = 11 * MINUTE, [row(10)]
    assert list((await feed.poll()).events) == [closed(10)]
    assert exchange.asked == [10 * MINUTE]


async def test_a_candle_that_cannot_be_true_is_named_and_passed_over() -> None:
    exchange = ScriptedExchange()
    feed = CandleFeed(exchange, "1m", {SYMBOL: Position(10 * MINUTE)})
    exchange.now = 12 * MINUTE
    exchange.rows = [(10 * MINUTE, 100.0, 50.0, 90.0, 101.0, 1.0), row(11), row(30)]
    polled = await feed.poll()
    assert list(polled.events) == [opened(11), closed(11)]
    assert [candle.time for candle in polled.refused] == [30 * MINUTE, 10 * MINUTE]


async def test_a_page_that_ends_long_ago_says_that_there_is_more() -> None:
    exchange = ScriptedExchange()
    feed = CandleFeed(exchange, "1m", {SYMBOL: Position(10 * MINUTE)})
    exchange.now, exchange.rows = 30 * MINUTE, [row(10), row(11)]
    assert (await feed.poll()).more
    assert not (await feed.poll()).more  # nothing new came: do not ask without a pause for ever


def quote(minute: float, price: float) -> Quote:
    return Quote(round(minute * MINUTE), price, price, price)


def built(minute: int, *prices: float) -> CandleClosed:
    return CandleClosed(SYMBOL, minute * MINUTE, prices[0], max(prices), min(prices), prices[-1], 0.0)


@pytest.mark.parametrize(
    ("quotes", "events"),
    [
        pytest.param([(10.3, 100), (10.7, 101)], [], id="the bar in which it starts is left out"),
        pytest.param(
            [(10.7, 99), (11.1, 100), (11.4, 103), (11.8, 98), (12.1, 101)],
            [opened(11), built(11, 100, 103, 98), opened(12, 101)],
            id="a bar that was watched from its beginning",
        ),
        pytest.param(
            [(10.7, 99), (11.1, 100), (11.2, 103), (11.9, 98), (12.1, 101)],
            [opened(11), opened(12, 101)],
            id="a bar with a long silence inside is left out",
        ),
        pytest.param(
            [(10.7, 99), (11.1, 100), (11.5, 103), (13.2, 98), (13.6, 97), (14.0, 101)],
            [opened(11), opened(14, 101)],
            id="a silence over several bars leaves out all that it touches",
        ),
        pytest.param(
            [(10.7, 99), (11.1, 100), (10.9, 90), (11.4, 102), (11.7, 102), (12.0, 101)],
            [opened(11), built(11, 100, 102), opened(12, 101)],
            id="an answer that comes after a later one is passed over",
        ),
    ],
)
async def test_polled_prices_become_candles(quotes: list[tuple[float, float]], events: list[MarketEvent]) -> None:
    exchange = ScriptedExchange()
    exchange.quotes = [quote(minute, price) for minute, price in quotes]
    feed = TickerFeed(exchange, SYMBOL, "1m", Position(10 * MINUTE))
    polled: list[Polled] = [await feed.poll() for _ in quotes]
    assert [event for answer in polled for event in answer.events] == events


async def test_a_restart_of_a_ticker_feed_leaves_the_bar_out() -> None:
    exchange = ScriptedExchange()
    exchange.quotes = [quote(11.4, 100), quote(11.8, 102), quote(12.1, 104), CheckConnection("away"), quote(12.5, 103)]
    feed = TickerFeed(exchange, SYMBOL, "1m", Position(11 * MINUTE, 100.0))
    assert [(await feed.poll()).events for _ in range(3)] == [(), (), (opened(12, 104),)]
    with pytest.raises(CheckConnection):
        await feed.poll()
    assert (await feed.poll()).events == ()


async def test_history_is_read_page_by_page_and_never_the_forming_candle() -> None:
    exchange = ScriptedExchange()
    exchange.now, exchange.rows = round(12.5 * MINUTE), [row(minute) for minute in range(13)]
    rows = await closed_candles(exchange, SYMBOL, "1m", before=20 * MINUTE, count=15)
    assert (rows[:, 0] / MINUTE).tolist() == list(range(5, 12))
    none = await closed_candles(exchange, SYMBOL, "1m", before=0, count=5)
    assert none.shape == (0, 6)
