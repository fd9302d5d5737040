"""Trades are downloaded once each, from any start, and an answer that does not lead on is an error."""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Thread

import numpy as np
import pytest

from algotrade.errors import AwaitMaintenance, CheckConnection, FixCommand, FixData, TryLater
from algotrade.exchange.base import TradePage
from algotrade.ingest.trades.proof import proof_of
from algotrade.market.candles import times_ms
from algotrade.market.trades import NS_PER_MS
from algotrade.store.candles import read_candles
from algotrade.store.corrections import read_outages
from algotrade.store.coverage import read_coverage
from algotrade.store.database import Database
from algotrade.store.trades import read_days, read_state, read_trades
from tests.shell.ingest.stored_trades import KEY, error_of, everything, fetch, whatever_the_cuts
from tests.shell.ingest.traded_exchange import DAY, MIDNIGHT, Trade, TradedExchange, numbered, page_of, steady, trade

MINUTE = 60_000
Distortion = Callable[[TradePage], TradePage]


def hours(count: float) -> int:
    return MIDNIGHT + int(count * 3_600_000)


def minutes_stored(database: Database) -> list[int]:
    return [(time - MIDNIGHT) // MINUTE for time in times_ms(read_candles(database, KEY)).tolist()]


def chains_of(database: Database) -> list[int]:
    """The day with which each chain begins."""
    return [(chain["start_ms"] - MIDNIGHT) // DAY for chain in json.loads(read_state(database, KEY) or "")["chains"]]


def test_candles_are_made_beside_the_official_ones(database: Database) -> None:
    exchange = TradedExchange(numbered([trade(0, 10.0), trade(59, 12.0), trade(60, 11.0)]), MIDNIGHT + 90_000)
    report = fetch(exchange, database, MIDNIGHT)
    assert report.complete
    assert report.key.origin == "trades"
    candles = read_candles(database, KEY)
    assert candles.to_numpy().tolist() == [[10.0, 12.0, 10.0, 12.0, 2.0]]
    assert read_coverage(database, KEY) == [(MIDNIGHT, MIDNIGHT + MINUTE)]


def test_the_newest_bar_is_stored_once_it_is_over_by_the_exchange_s_clock(database: Database) -> None:
    exchange = TradedExchange(numbered([trade(0), trade(70)]), MIDNIGHT + 119_000)
    fetch(exchange, database, MIDNIGHT)
    assert minutes_stored(database) == [0]
    exchange.now += 10_000
    assert fetch(exchange, database).complete
    assert minutes_stored(database) == [0, 1]
    assert read_coverage(database, KEY) == [(MIDNIGHT, MIDNIGHT + 2 * MINUTE)]


def test_a_trade_published_late_corrects_its_bar_and_both_values_are_kept(database: Database) -> None:
    exchange = TradedExchange(numbered([trade(0), trade(10)]), MIDNIGHT + 90_000)
    fetch(exchange, database, MIDNIGHT)
    exchange.trades_made += numbered([trade(59, 150.0)], 3)
    fetch(exchange, database)
    assert read_candles(database, KEY)["high"].tolist() == [150.0]
    (revision,) = everything(database)["revisions"]
    assert revision[2:] == (100.0, 100.0, 100.0, 100.0, 2.0, 100.0, 150.0, 100.0, 150.0, 3.0)


def test_an_outage_is_written_down_from_the_first_refusal_to_the_next_answer(database: Database) -> None:
    exchange = TradedExchange(steady(10), MIDNIGHT + 5 * MINUTE)
    answer = exchange.distort

    def refuse(page: TradePage, cursor: str | None, since_ns: int | None) -> TradePage:
        raise AwaitMaintenance("down for maintenance")

    exchange.distort = refuse
    assert isinstance(error_of(fetch(exchange, database, MIDNIGHT)), AwaitMaintenance)
    exchange.now += MINUTE
    fetch(exchange, database, MIDNIGHT)
    exchange.distort = answer
    exchange.now += MINUTE
    assert fetch(exchange, database, MIDNIGHT).complete
    assert read_outages(database, "kraken") == [(MIDNIGHT + 5 * MINUTE, MIDNIGHT + 7 * MINUTE, "down for maintenance")]


def test_the_trade_at_the_edge_of_two_pages_counts_once(database: Database) -> None:
    exchange = TradedExchange(steady(30), hours(1), pages=(4, 1, 7), repeats=1)
    fetch(exchange, database, MIDNIGHT)
    (block,) = read_trades(database, KEY)
    assert block.ids == tuple(each.id for each in exchange.trades_made)
    assert [day.trades for day in read_days(database, KEY)] == [90]


@pytest.mark.parametrize("repeats", [0, 1, "moment"])
@pytest.mark.parametrize("page", [1, 2, 3, 5])
def test_equal_trades_of_one_nanosecond_all_count(database: Database, page: int, repeats: int | str) -> None:
    twins = numbered([trade(0), *[trade(1)] * 4, trade(2), trade(61)])
    fetch(TradedExchange(twins, hours(1), pages=(page,), repeats=repeats), database, MIDNIGHT)
    (block,) = read_trades(database, KEY)
    assert block.sequences.tolist() == [0, 0, 1, 2, 3, 0, 0]
    assert read_candles(database, KEY)["volume"].tolist() == [6.0, 1.0]


def test_without_ids_equal_trades_inside_a_page_count_and_those_at_its_edge_repeat(database: Database) -> None:
    made = [trade(0), trade(1), trade(1), trade(1, 101.0), trade(2), trade(61)]
    fetch(TradedExchange(made, hours(1), pages=(4,), repeats=1), database, MIDNIGHT)
    assert [day.trades for day in read_days(database, KEY)] == [6]


def test_days_are_counted_and_chained(database: Database) -> None:
    exchange = TradedExchange(steady(3 * 1440, 600), MIDNIGHT + 3 * DAY, pages=(100,))
    fetch(exchange, database, MIDNIGHT + 5, keep_trades=False)
    days = read_days(database, KEY)
    assert [(day.trades, day.pages, day.kept) for day in days] == [(144, 2, 0), (144, 1, 0), (144, 2, 0)]
    assert [day.first_cursor for day in days] == [f"from {MIDNIGHT}", "100", "200"]
    assert [day.last_cursor for day in days] == ["100", "200", "432"]
    assert list(read_trades(database, KEY)) == []


def test_a_second_fetch_asks_only_for_what_is_new(database: Database) -> None:
    exchange = TradedExchange(steady(60), hours(0.5), pages=(50,))
    fetch(exchange, database, MIDNIGHT)
    exchange.asked_trades.clear()
    exchange.now = hours(1) - 1
    assert fetch(exchange, database, MIDNIGHT).complete
    assert exchange.asked_trades[0] == ("91", None)
    assert fetch(exchange, database).added == 0


def test_an_end_is_a_place_to_stop_and_go_on_from(database: Database) -> None:
    exchange = TradedExchange(steady(600), hours(24), pages=(30,))
    assert fetch(exchange, database, MIDNIGHT, hours(2) - 1).complete
    assert minutes_stored(database)[-1] < 150
    assert fetch(exchange, database, MIDNIGHT, hours(2) - 1).added == 0
    assert len(exchange.asked_trades) == 13
    assert fetch(exchange, database).complete
    assert minutes_stored(database) == list(range(600))


def test_candles_outside_what_was_asked_for_are_kept_and_counted(database: Database) -> None:
    exchange = TradedExchange(steady(600), hours(24), pages=(30,))
    report = fetch(exchange, database, hours(0.5), hours(2) - MINUTE)
    kept = minutes_stored(database)
    outside = len([minute for minute in kept if not 30 <= minute < 120])
    assert kept[0] == 0
    assert outside > 30
    assert report.note == (
        f"trades come by whole days and pages: {outside} of the candles lie outside what was asked for, and are kept"
    )
    assert fetch(exchange, database, hours(0.5)).note == ""


@pytest.mark.parametrize(("day", "chains"), [(1, [0]), (2, [0, 2])])
def test_a_start_on_the_next_day_goes_on_and_a_later_one_begins_anew(
    database: Database, day: int, chains: list[int]
) -> None:
    exchange = TradedExchange(steady(3 * 1440, 300), MIDNIGHT + DAY - 1, pages=(50,))
    fetch(exchange, database, MIDNIGHT)
    exchange.now = MIDNIGHT + 3 * DAY
    assert fetch(exchange, database, MIDNIGHT + day * DAY).complete
    assert chains_of(database) == chains


def test_an_earlier_start_leads_up_to_what_is_stored_and_makes_one_chain(database: Database) -> None:
    exchange = TradedExchange(steady(4 * 1440, 300), MIDNIGHT + 4 * DAY, pages=(70,))
    fetch(exchange, database, MIDNIGHT + 3 * DAY)
    fetch(exchange, database, MIDNIGHT + DAY, MIDNIGHT + 2 * DAY - 1)
    assert chains_of(database) == [1, 3]
    before = len(exchange.asked_trades)
    assert fetch(exchange, database, MIDNIGHT).complete
    assert chains_of(database) == [0]
    asked = [cursor for cursor, _ in exchange.asked_trades[before:]]
    assert max(int(cursor) for cursor in asked[:-2] if cursor) < 3 * 288
    proof = proof_of(database, KEY)
    assert proof is not None
    assert proof.unbroken
    assert proof.chains[0].trades == 4 * 288
    joined = whatever_the_cuts(database)
    clean = TradedExchange(exchange.trades_made, exchange.now, pages=(1000,), repeats=0)
    clean.name = "other"
    fetch(clean, database, MIDNIGHT)
    assert joined == whatever_the_cuts(database, KEY._replace(exchange="other"))


def test_a_chain_is_not_joined_to_one_that_begins_otherwise(database: Database) -> None:
    exchange = TradedExchange(steady(2 * 1440, 300), MIDNIGHT + 2 * DAY, pages=(50,))
    fetch(exchange, database, MIDNIGHT + DAY)
    before = everything(database)
    exchange.trades_made[288] = exchange.trades_made[288]._replace(price=55.5)
    error = error_of(fetch(exchange, database, MIDNIGHT))
    assert isinstance(error, FixData)
    assert "stored from 2024-01-02T00:00:00Z on do not begin as kraken gives them now" in str(error)
    assert chains_of(database) == [0, 1]
    assert everything(database)["candles"][-1] == before["candles"][-1]


def test_a_first_answer_that_holds_only_the_newest_trades_never_makes_half_a_bar(database: Database) -> None:
    exchange = TradedExchange(steady(3 * 1440, 20), MIDNIGHT + 3 * DAY, pages=(100,))
    newest = page_of(exchange.trades_made[-100:], str(len(exchange.trades_made)))
    exchange.distort = lambda page, cursor, since_ns: newest if cursor is None else page
    report = fetch(exchange, database, MIDNIGHT)
    assert not report.complete
    assert "kraken gave its newest trades, from 2024-01-03T23:26:40Z on; asked from 2024-01-01T00:00:00Z" in report.note
    assert minutes_stored(database)[0] == 3 * 1440 - 33
    assert read_coverage(database, KEY)[0][0] == MIDNIGHT + 3 * DAY - 33 * MINUTE


def two_days_later(trades: list[Trade]) -> list[Trade]:
    return [each._replace(time_ns=each.time_ns + 2 * DAY * NS_PER_MS) for each in trades]


FIRST_ON_THE_THIRD = "the first trade of kraken since 2024-01-01T00:00:00Z is that of 2024-01-03T00:00:00Z"


def test_a_market_that_is_younger_than_the_start_says_so(database: Database) -> None:
    report = fetch(TradedExchange(two_days_later(steady(100)), MIDNIGHT + 3 * DAY, pages=(100,)), database, MIDNIGHT)
    assert report.complete
    assert report.note == FIRST_ON_THE_THIRD
    assert read_coverage(database, KEY)[0][0] == MIDNIGHT


@pytest.mark.parametrize("first", [0, 1])
def test_a_market_of_one_page_begins_with_the_trade_that_is_numbered_first(database: Database, first: int) -> None:
    trades = two_days_later(numbered([trade(30), trade(50), trade(100), trade(5000)], first))
    report = fetch(TradedExchange(trades, MIDNIGHT + 3 * DAY, pages=(100,)), database, MIDNIGHT)
    assert (report.complete, report.note) == (True, FIRST_ON_THE_THIRD.replace("03T00:00:00Z", "03T00:00:30Z"))
    assert minutes_stored(database) == [2 * 1440, 2 * 1440 + 1, 2 * 1440 + 83]


@pytest.mark.parametrize("numbers", [[None, None, None], ["77", "78", "79"], ["1", "3", "4"], ["1", "x", "3"]])
def test_a_market_of_one_page_that_is_not_numbered_from_the_first_may_have_older_trades(
    database: Database, numbers: list[str | None]
) -> None:
    made = two_days_later([trade(30 + 60 * at, trade_id=number) for at, number in enumerate(numbers)])
    report = fetch(TradedExchange(made, MIDNIGHT + 3 * DAY, pages=(100,)), database, MIDNIGHT)
    assert not report.complete
    assert "gave its newest trades" in report.note
    assert minutes_stored(database)[0] == 2 * 1440 + 1


def test_newest_trades_that_reach_beyond_the_start_show_where_a_sparse_market_goes_on(database: Database) -> None:
    made = numbered([trade(-5 * 86_400), *two_days_later([trade(30), trade(50)])], 77)
    exchange = TradedExchange(made, MIDNIGHT + 3 * DAY, pages=(100,))
    assert fetch(exchange, database, MIDNIGHT).complete
    assert minutes_stored(database) == [2 * 1440]


def test_an_answer_that_begins_later_than_the_newest_trades_show_is_not_believed(database: Database) -> None:
    made = numbered([trade(-5 * 86_400), trade(86_400), *two_days_later([trade(30), trade(150)])])
    exchange = TradedExchange(made, MIDNIGHT + 3 * DAY, pages=(100,))
    exchange.distort = lambda page, cursor, since_ns: page if since_ns is None else part(page, slice(1, None))
    report = fetch(exchange, database, MIDNIGHT)
    assert not report.complete
    assert minutes_stored(database) == [2 * 1440 + 2]


def part(page: TradePage, places: slice | list[int]) -> TradePage:
    chosen = np.arange(len(page.ids))[places]
    return page._replace(
        times_ns=page.times_ns[chosen],
        prices=page.prices[chosen],
        quantities=page.quantities[chosen],
        sides=page.sides[chosen],
        ids=tuple(page.ids[at] for at in chosen.tolist()),
    )


def with_first(page: TradePage, name: str, value: float) -> TradePage:
    changed = getattr(page, name).copy()
    changed[-1] = value
    return page._replace(**{name: changed})


FAULTS: dict[str, tuple[Distortion, str]] = {
    "reversed": (lambda page: part(page, slice(None, None, -1)), "is not in order"),
    "null price": (lambda page: with_first(page, "prices", np.nan), "a trade that cannot be"),
    "no price": (lambda page: with_first(page, "prices", 0.0), "a trade that cannot be"),
    "negative quantity": (lambda page: with_first(page, "quantities", -1.0), "a trade that cannot be"),
    "future time": (lambda page: with_first(page, "times_ns", hours(10) * NS_PER_MS), "a trade of the future"),
    "cursor stays": (lambda page: page._replace(next_cursor="21"), "stays at the cursor 21"),
    "cursor goes back": (lambda page: page._replace(next_cursor="3"), "cursor goes back, from 21 to 3"),
    "twice": (lambda page: part(page, [0, 1, 1, 2]), "holds a trade twice"),
    "columns differ": (lambda page: page._replace(ids=page.ids[:-1]), "columns of different lengths"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_that_cannot_be_is_an_error_and_the_next_fetch_goes_on(database: Database, fault: str) -> None:
    distortion, message = FAULTS[fault]
    exchange = TradedExchange(steady(60), hours(2), pages=(7,))
    exchange.distort = lambda page, cursor, since_ns: distortion(page) if cursor == "21" else page
    error = error_of(fetch(exchange, database, MIDNIGHT))
    assert isinstance(error, CheckConnection)
    assert error.message.startswith("kraken, trades of BTC/USD: ")
    assert message in error.message
    assert minutes_stored(database) == list(range(6))
    exchange.distort = lambda page, cursor, since_ns: page
    assert fetch(exchange, database).complete
    assert minutes_stored(database) == list(range(60))


@pytest.mark.parametrize("place", [0, 7], ids=["the first page again", "the page before again"])
def test_a_cursor_that_is_ignored_is_an_error(database: Database, place: int) -> None:
    exchange = TradedExchange(steady(60), hours(2), pages=(7,))

    def ignore(page: TradePage, cursor: str | None, since_ns: int | None) -> TradePage:
        if cursor != "21":
            return page
        return page_of(exchange.trades_made[place : place + 7], "28")

    exchange.distort = ignore
    assert "an answer goes back" in error_of(fetch(exchange, database, MIDNIGHT)).message


def test_an_overlap_of_more_than_the_edge_is_an_error(database: Database) -> None:
    exchange = TradedExchange(steady(60), hours(2), pages=(7,), repeats=2)
    assert "an answer goes back" in error_of(fetch(exchange, database, MIDNIGHT)).message


def asked_later(since_ns: int | None) -> bool:
    return since_ns is not None and since_ns > MIDNIGHT * NS_PER_MS


def test_numbered_trades_that_a_cursor_leaves_out_are_asked_for_by_time(database: Database) -> None:
    exchange = TradedExchange(steady(1440), MIDNIGHT + DAY, pages=(600,), repeats=0)
    exchange.distort = lambda page, cursor, since_ns: part(page, slice(5, None)) if cursor == "1200" else page
    assert fetch(exchange, database, MIDNIGHT).complete
    assert [day.trades for day in read_days(database, KEY)] == [4320]


def test_numbered_trades_that_are_missing_either_way_are_an_error(database: Database) -> None:
    exchange = TradedExchange(steady(1440), MIDNIGHT + DAY, pages=(600,), repeats=0)
    exchange.distort = lambda page, cursor, since_ns: (
        part(page, slice(5, None))
        if cursor == "1200"
        else part(page, slice(3, None))
        if asked_later(since_ns)
        else page
    )
    error = error_of(fetch(exchange, database, MIDNIGHT))
    assert "leaves out trades after that of 2024-01-01T06:39:40Z" in error.message


def test_numbers_that_the_exchange_itself_leaves_out_are_no_error(database: Database) -> None:
    trades = steady(1440)
    del trades[1200:1205]
    assert fetch(TradedExchange(trades, MIDNIGHT + DAY, pages=(600,), repeats=0), database, MIDNIGHT).complete
    assert [day.trades for day in read_days(database, KEY)] == [4320 - 5]


def test_an_empty_answer_in_the_middle_is_followed_where_its_cursor_moves(database: Database) -> None:
    exchange = TradedExchange(steady(60), hours(2), pages=(7,))
    exchange.distort = lambda page, cursor, since_ns: (
        part(page, slice(0))._replace(next_cursor=f"{cursor}+")
        if cursor in ("21", "21+") or asked_later(since_ns)
        else page
    )
    assert fetch(exchange, database, MIDNIGHT).complete
    assert minutes_stored(database) == list(range(60))


@pytest.mark.parametrize("moved", [True, False])
def test_trades_that_an_empty_answer_leaves_out_are_asked_for_by_time(database: Database, moved: bool) -> None:
    exchange = TradedExchange(steady(60), hours(2), pages=(7,))
    hurt: list[str] = []

    def empty_once(page: TradePage, cursor: str | None, since_ns: int | None) -> TradePage:
        if cursor != "21" or hurt:
            return page
        hurt.append(cursor)
        return part(page, slice(0))._replace(next_cursor="28" if moved else "21")

    exchange.distort = empty_once
    assert fetch(exchange, database, MIDNIGHT).complete
    assert [day.trades for day in read_days(database, KEY)] == [180]


def test_an_empty_answer_before_the_newest_trade_is_not_taken_for_the_end(database: Database) -> None:
    exchange = TradedExchange(steady(60), hours(2), pages=(7,))
    exchange.distort = lambda page, cursor, since_ns: (
        part(page, slice(0))._replace(next_cursor="21") if cursor == "21" else page
    )
    error = error_of(fetch(exchange, database, MIDNIGHT))
    assert "without the trades that come next, though its newest are later" in error.message
    assert read_coverage(database, KEY) == [(MIDNIGHT, MIDNIGHT + 6 * MINUTE)]


def test_a_cursor_that_moves_for_ever_without_a_trade_is_an_error(database: Database) -> None:
    exchange = TradedExchange(steady(10), hours(2), pages=(1000,))
    numbers = iter(range(1000, 10_000))
    exchange.distort = lambda page, cursor, since_ns: (
        page if cursor is None else part(page, slice(0))._replace(next_cursor=str(next(numbers)))
    )
    assert "1001 answers without a trade" in error_of(fetch(exchange, database, MIDNIGHT)).message


def test_an_exchange_without_any_trade_says_so(database: Database) -> None:
    report = fetch(TradedExchange([], hours(1)), database, MIDNIGHT)
    assert not report.complete
    assert report.note == "kraken gave no trades from 2024-01-01T00:00:00Z on"
    assert proof_of(database, KEY) is None


def test_an_exchange_that_keeps_no_old_trades_is_refused(database: Database) -> None:
    exchange = TradedExchange([], hours(1))
    exchange.keeps_trades = False
    with pytest.raises(FixCommand, match="only its newest trades"):
        fetch(exchange, database)


@pytest.mark.parametrize("timeframe", ["7h", "36h"])
def test_bars_that_do_not_fit_days_are_refused(database: Database, timeframe: str) -> None:
    with pytest.raises(FixCommand, match="a day does not hold a whole number"):
        fetch(TradedExchange([], hours(1)), database, timeframe=timeframe)


def test_another_fetch_of_the_same_trades_is_noticed_and_nothing_is_stored_twice(database: Database) -> None:
    exchange = TradedExchange(steady(60), hours(2), pages=(7,))
    rival = TradedExchange(steady(60), hours(2), pages=(50,))

    def interrupt(page: TradePage, cursor: str | None, since_ns: int | None) -> TradePage:
        if cursor == "21":
            other = Thread(target=fetch, args=(rival, database))  # which has an event loop of its own
            other.start()
            other.join()
        return page

    exchange.distort = interrupt
    assert isinstance(error_of(fetch(exchange, database, MIDNIGHT)), TryLater)
    assert [day.trades for day in read_days(database, KEY)] == [180]
    assert fetch(exchange, database).complete
