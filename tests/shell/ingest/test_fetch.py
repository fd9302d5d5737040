from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from algotrade.errors import CheckConnection, FixCommand, TryLater
from algotrade.exchange.demo import DemoExchange
from algotrade.ingest.fetch import Again, FetchRequest, fetch_again, fetch_candles
from algotrade.ingest.plan import Interval
from algotrade.ingest.repair import repair_candles
from algotrade.ingest.report import FetchProgress, FetchReport
from algotrade.ingest.undownloaded import find_undownloaded
from algotrade.market.candles import Floats, SeriesKey, content_hash, times_ms
from algotrade.store.arrivals import write_candles
from algotrade.store.candles import read_candles
from algotrade.store.database import Database, open_database
from algotrade.store.markets import read_instrument
from algotrade.store.tables import quarantine, revisions
from tests.shell.ingest.listed_exchange import (
    MINUTE,
    NOON,
    ListedExchange,
    candle,
    first_page,
    minutes,
    newest_page,
    page_after,
    page_from,
    page_of_window,
)

KEY = SeriesKey("kraken", "BTC/USD", "1m")
HALF_PAST = NOON + 30 * MINUTE + 20_000  # the bar of 12:29 is closed, that of 12:30 is forming


@pytest.fixture
def db(database: Database) -> Database:
    """An empty store of each kind."""
    return database


async def fetch(
    exchange: ListedExchange, db: Database, first: int | None = None, last: int | None = None
) -> FetchReport:
    """Fetch BTC/USD from the minute `first` to the minute `last` after noon."""
    start = None if first is None else NOON + first * MINUTE
    end = None if last is None else NOON + last * MINUTE
    return await fetch_candles(exchange, db, FetchRequest("BTC/USD", "1m", start, end))


def stored(db: Database, key: SeriesKey = KEY) -> list[int]:
    """The stored bars, in minutes after noon."""
    return ((times_ms(read_candles(db, key)) - NOON) // MINUTE).tolist()


async def test_every_closed_bar_is_stored_and_the_forming_one_is_not(db: Database) -> None:
    report = await fetch(ListedExchange(minutes(0, 30), HALF_PAST), db, 0)
    assert stored(db) == list(range(30))
    assert report == FetchReport(KEY, 30, 0, 0, NOON, NOON + 29 * MINUTE, 0, complete=True, note="")


@pytest.mark.parametrize(("now", "newest"), [(NOON + 30 * MINUTE - 1, 28), (NOON + 30 * MINUTE, 29)])
async def test_closedness_is_judged_by_the_exchanges_clock(db: Database, now: int, newest: int) -> None:
    await fetch(ListedExchange(minutes(0, 60), now), db, 0)
    assert stored(db)[-1] == newest


async def test_a_second_run_asks_nothing_and_changes_nothing(db: Database) -> None:
    exchange = ListedExchange(minutes(0, 30), HALF_PAST)
    await fetch(exchange, db, 0)
    exchange.asked.clear()
    again = await fetch(exchange, db, 0)
    assert exchange.asked == []
    assert (again.added, again.unchanged, again.complete) == (0, 0, True)


async def test_a_later_run_asks_for_what_has_closed_since_and_for_what_fits_beside_it(db: Database) -> None:
    exchange = ListedExchange(minutes(0, 60), HALF_PAST)
    await fetch(exchange, db, 0)
    exchange.now += 2 * MINUTE
    exchange.asked.clear()
    report = await fetch(exchange, db)
    assert exchange.asked_after_noon() == [23]  # the page has ten bars: two new ones, the last as the next begins
    assert (report.added, report.unchanged) == (2, 7)
    assert stored(db) == list(range(32))


async def test_an_earlier_start_asks_only_for_the_head(db: Database) -> None:
    exchange = ListedExchange(minutes(0, 30), HALF_PAST)
    await fetch(exchange, db, 20)
    exchange.asked.clear()
    report = await fetch(exchange, db, 15)
    assert exchange.asked_after_noon() == [15]
    assert (report.added, stored(db)) == (5, list(range(15, 30)))


async def test_spans_far_apart_leave_a_hole_that_is_filled_when_asked_for(db: Database) -> None:
    exchange = ListedExchange(minutes(0, 30), HALF_PAST, page=5)
    await fetch(exchange, db, 2, 4)
    report = await fetch(exchange, db, 25, 27)
    assert (stored(db), report.gaps) == ([2, 3, 4, 25, 26, 27], 20)
    exchange.asked.clear()
    assert (await fetch(exchange, db, 0, 29)).gaps == 0
    assert stored(db) == list(range(30))
    assert exchange.asked_after_noon()[0] == 0


async def test_what_was_never_downloaded_is_said_with_what_brings_it(db: Database) -> None:
    exchange = ListedExchange(minutes(-10, 30), HALF_PAST, page=5)
    await fetch(exchange, db, -5, 4)
    report = await fetch(exchange, db, 25)
    assert report.complete
    assert report.note == (
        "inside what is stored 20 bars were never downloaded, from 2024-01-01T12:05:00Z on: algotrade fetch"
        f" --exchange {KEY.exchange} --symbol BTC/USD --timeframe 1m --repair"
    )
    assert (await repair_candles(exchange, db, KEY)).complete
    assert (await fetch(exchange, db)).note == ""


async def test_stored_bars_are_not_missed_though_nobody_remembers_asking(db: Database) -> None:
    rows = np.array(minutes(0, 5))
    write_candles(db, KEY, rows[:, 0].astype(np.int64), np.ascontiguousarray(rows[:, 1:].T))
    await fetch(ListedExchange(minutes(0, 30), HALF_PAST), db, 25)
    assert find_undownloaded(db, KEY) == (19, NOON)


async def test_a_hole_of_the_exchange_was_downloaded(db: Database) -> None:
    exchange = ListedExchange([*minutes(0, 5), *minutes(20, 30)], HALF_PAST, page=5)
    await fetch(exchange, db, 0, 22)
    assert (await fetch(exchange, db)).note == ""
    await fetch(exchange, db, 27)
    assert find_undownloaded(db, KEY) is None


async def test_a_hole_of_the_exchange_is_not_asked_for_again(db: Database) -> None:
    exchange = ListedExchange([*minutes(0, 5), *minutes(20, 30)], HALF_PAST, page=5)
    report = await fetch(exchange, db, 0)
    assert (report.gaps, report.complete) == (14, True)
    exchange.asked.clear()
    await fetch(exchange, db, 0)
    assert exchange.asked == []


async def test_without_a_start_the_newest_page_comes_first_and_says_so(db: Database) -> None:
    exchange = ListedExchange(minutes(0, 30), HALF_PAST)
    report = await fetch(exchange, db)
    assert stored(db) == list(range(21, 30))
    assert report.complete
    assert "newest" in report.note
    assert "--start" in report.note


async def test_an_exchange_that_keeps_its_last_bars_only_is_named_so(db: Database) -> None:
    exchange = ListedExchange(minutes(-1000, 30), HALF_PAST, page=720, answer=newest_page)
    report = await fetch(exchange, db, -720)
    assert not report.complete
    assert report.note == (
        "kraken answered with its newest 720 1m candles; asked from 2024-01-01; older ones can be made from trades: "
        "algotrade fetch --exchange kraken --symbol BTC/USD --timeframe 1m --start 2024-01-01 --via trades"
    )
    assert stored(db) == list(range(-689, 30))
    again = await fetch(exchange, db, -720)
    assert (again.complete, again.added, again.note) == (False, 0, report.note)


async def test_a_fresh_fetch_of_such_an_exchange_is_complete(db: Database) -> None:
    report = await fetch(ListedExchange(minutes(-1000, 30), HALF_PAST, page=720, answer=newest_page), db)
    assert (report.complete, report.added) == (True, 719)


async def test_an_exchange_that_ignores_since_is_noticed_and_its_bars_are_kept(db: Database) -> None:
    exchange = ListedExchange(minutes(-100, 30), HALF_PAST, answer=newest_page)
    report = await fetch(exchange, db, -100)
    assert not report.complete
    assert report.note.startswith("kraken answered with its newest 10 1m candles; asked from 2024-01-01T10:20:00Z; ")
    assert stored(db) == list(range(21, 30))


async def test_of_an_old_span_that_the_exchange_does_not_go_back_to_nothing_is_stored(db: Database) -> None:
    exchange = ListedExchange(minutes(-100, 30), HALF_PAST, answer=newest_page)
    report = await fetch(exchange, db, -100, -90)
    assert (report.complete, report.added, stored(db)) == (False, 0, [])
    assert "its newest 10" in report.note


async def test_a_market_that_began_later_is_complete_and_the_note_says_when(db: Database) -> None:
    exchange = ListedExchange(minutes(0, 30), HALF_PAST)
    report = await fetch(exchange, db, -500)
    assert report.complete
    assert report.note == "the first candle kraken has is that of 2024-01-01T12:00:00Z"
    exchange.asked.clear()
    await fetch(exchange, db, -500)
    assert exchange.asked == []


async def test_minutes_without_trades_at_the_end_are_no_complaint(db: Database) -> None:
    exchange = ListedExchange(minutes(0, 10), HALF_PAST)
    assert (await fetch(exchange, db, 0)).complete
    exchange.rows += minutes(28, 29)
    report = await fetch(exchange, db)
    assert (report.complete, report.added, report.gaps) == (True, 2, 17)


@pytest.mark.parametrize("answer", [page_from, page_after, page_of_window])
@pytest.mark.parametrize("page", [1, 2, 7, 100])
@pytest.mark.parametrize("hole", [range(0), range(5, 9), range(3, 26)])
async def test_no_bar_is_lost_however_the_exchange_pages(db: Database, answer: object, page: int, hole: range) -> None:
    rows = [row for row in minutes(0, 30) if (row[0] - NOON) / MINUTE not in hole]
    exchange = ListedExchange(rows, HALF_PAST, page=page, answer=answer)  # type: ignore[arg-type]
    first = 1 if answer is page_after else 0
    report = await fetch(exchange, db, 0)
    assert stored(db) == [at for at in range(first, 30) if at not in hole]
    assert report.complete


async def test_a_server_that_repeats_one_page_ends_the_fetch(db: Database) -> None:
    exchange = ListedExchange(minutes(0, 30 + 5000), NOON + 5000 * MINUTE, answer=first_page)
    report = await fetch(exchange, db, 0)
    assert len(exchange.asked) < 10
    assert not report.complete
    assert "answered with older candles; asked from" in report.note
    assert stored(db) == list(range(10))


async def test_a_server_that_answers_nothing_ends_the_fetch(db: Database) -> None:
    exchange = ListedExchange([], HALF_PAST, page=2)
    report = await fetch(exchange, db, 0)
    assert (report.added, report.first, len(exchange.asked)) == (0, None, 30)
    assert (report.complete, report.note) == (False, "kraken gave no closed 1m candles")


async def test_reversed_and_repeated_rows_change_nothing(db: Database) -> None:
    exchange = ListedExchange(minutes(0, 30), HALF_PAST)
    exchange.spoil = lambda symbol, rows: np.concatenate([rows[::-1], rows])
    report = await fetch(exchange, db, 0)
    assert (report.added, report.complete, report.refused) == (30, True, ())


async def test_a_bad_candle_is_reported_not_stored_and_asked_for_again(db: Database) -> None:
    exchange = ListedExchange(minutes(0, 30), HALF_PAST)

    def spoil(symbol: str, rows: Floats) -> Floats:
        return np.where((rows[:, :1] == NOON + 12 * MINUTE) & (np.arange(6) == 2), 1.0, rows)

    exchange.spoil = spoil
    report = await fetch(exchange, db, 0)
    assert not report.complete
    assert report.note == "1 candle(s) refused, the first 2024-01-01T12:12:00Z: high is below low"
    assert stored(db) == [at for at in range(30) if at != 12]
    exchange.spoil = lambda symbol, rows: rows
    assert find_undownloaded(db, KEY) is None
    exchange.asked.clear()
    repaired = await fetch(exchange, db, 0)
    assert (repaired.added, repaired.complete, exchange.asked_after_noon()) == (1, True, [12])


async def test_an_older_bar_that_comes_with_the_answer_is_left_alone(db: Database) -> None:
    exchange = ListedExchange(minutes(0, 30), HALF_PAST)
    await fetch(exchange, db, 0, 9)
    exchange.rows[0] = candle(NOON, 500.0)
    exchange.answer = lambda rows, since, limit: page_from(rows, since - 5 * MINUTE, 20)
    report = await fetch(exchange, db, 8, 15)
    assert (report.revised, report.added) == (0, 6)


async def test_a_closed_bar_that_the_exchange_corrects_is_a_revision_and_both_values_stay(db: Database) -> None:
    exchange = ListedExchange(minutes(0, 60), HALF_PAST)
    await fetch(exchange, db, 0)
    exchange.rows[28] = candle(NOON + 28 * MINUTE, 500.0)
    exchange.now += 2 * MINUTE
    report = await fetch(exchange, db)
    assert (report.added, report.unchanged, report.revised, report.complete) == (2, 6, 1, True)
    assert read_candles(db, KEY).close.iloc[28] == 501.0
    with db.reading() as connection:
        (kept,) = connection.execute(revisions.select()).all()
    assert (kept.time, kept.seen_ms, kept.old_close, kept.new_close) == (NOON + 28 * MINUTE, exchange.now, 101.0, 501.0)
    assert (await fetch(exchange, db)).revised == 0


async def test_a_refused_candle_is_kept_once_however_often_it_comes(db: Database) -> None:
    exchange = ListedExchange(minutes(0, 30), HALF_PAST)
    exchange.rows[12] = [NOON + 12 * MINUTE, 100.0, float("nan"), 99.0, 100.0, 1.0]
    for _ in range(2):
        assert not (await fetch(exchange, db, 0)).complete
    with db.reading() as connection:
        (kept,) = connection.execute(quarantine.select()).all()
    assert (kept.time, kept.high, kept.low) == (NOON + 12 * MINUTE, None, 99.0)
    assert kept.reason == "a value is not a finite number"


async def test_bars_that_close_while_the_fetch_runs_are_not_taken_for_the_future(db: Database) -> None:
    exchange = ListedExchange(minutes(0, 60), HALF_PAST)

    def late(symbol: str, rows: Floats) -> Floats:
        exchange.now = HALF_PAST + 3 * MINUTE
        return rows

    exchange.spoil = late
    report = await fetch(exchange, db, 0)
    assert (report.complete, report.refused, stored(db)) == (True, (), list(range(30)))


async def test_what_came_before_an_error_stays_and_the_next_run_goes_on(db: Database) -> None:
    exchange = ListedExchange(minutes(0, 30), HALF_PAST)

    def cut(symbol: str, rows: Floats) -> Floats:
        if len(exchange.asked) == 3:
            raise CheckConnection("kraken cannot be reached")
        return rows

    exchange.spoil = cut
    report = await fetch(exchange, db, 0)
    assert isinstance(report.error, CheckConnection)
    assert (report.complete, report.added, stored(db)) == (False, 19, list(range(19)))
    assert (await fetch(exchange, db, 0)).complete
    assert exchange.asked_after_noon()[3] == 19
    assert stored(db) == list(range(30))


async def test_a_symbol_that_fails_is_a_report_and_leaves_the_others_alone(db: Database) -> None:
    exchange = ListedExchange(minutes(0, 30), HALF_PAST, page=100)

    def busy(symbol: str, rows: Floats) -> Floats:
        if symbol == "BTC/USD":
            raise TryLater("kraken asks for patience")
        return rows

    exchange.spoil = busy
    symbols = ("BTC/USD", "DOGE/USD", "../../etc/passwd", "\x1b[31mBTC", "ETH/USD")
    reports = [await fetch_candles(exchange, db, FetchRequest(symbol, "1m", NOON)) for symbol in symbols]
    assert [type(report.error) for report in reports] == [TryLater, FixCommand, FixCommand, FixCommand, type(None)]
    assert [report.key.symbol for report in reports] == list(symbols)
    assert ["is not a symbol" in str(report.error) for report in reports] == [False, False, True, True, False]
    assert stored(db, KEY._replace(symbol="ETH/USD")) == list(range(30))


async def test_an_unknown_timeframe_is_refused_before_anything_is_asked(db: Database) -> None:
    with pytest.raises(FixCommand, match="Did you mean '1h'"):
        await fetch_candles(ListedExchange([], HALF_PAST), db, FetchRequest("BTC/USD", "1hh"))


async def test_the_markets_fee_is_kept_for_a_later_backtest(db: Database) -> None:
    await fetch(ListedExchange(minutes(0, 30), HALF_PAST), db, 0)
    instrument = read_instrument(db, "kraken", "BTC/USD")
    assert instrument is not None
    assert instrument.taker_fee == 0.004


async def test_progress_rises_to_the_end(db: Database) -> None:
    told: list[FetchProgress] = []
    await fetch_candles(ListedExchange(minutes(0, 30), HALF_PAST), db, FetchRequest("BTC/USD", "1m", NOON), told.append)
    reached = [progress.reached for progress in told]
    assert reached == sorted(reached)
    assert len(told) > 2
    assert reached[-1] == told[-1].end


async def test_a_fetch_that_is_cut_off_at_any_request_ends_like_one_that_is_not(db: Database, tmp_path: Path) -> None:
    rows = [*minutes(0, 12), *minutes(18, 40)]
    with open_database(tmp_path / "clean.sqlite") as clean:
        await fetch(ListedExchange(rows, NOON + 40 * MINUTE, page=4), clean, 0)
        whole = content_hash(read_candles(clean, KEY))
    for cut_at in range(1, 16):
        exchange = ListedExchange(rows, NOON + 40 * MINUTE, page=4)
        with open_database(tmp_path / f"cut{cut_at}.sqlite") as cut:
            await _fetch_with_a_cut(exchange, cut, cut_at)
            exchange.spoil = lambda symbol, rows: rows
            await fetch(exchange, cut, 0)
            assert content_hash(read_candles(cut, KEY)) == whole


async def _fetch_with_a_cut(exchange: ListedExchange, db: Database, cut_at: int) -> None:
    """Fetch the newest bars first, then all, and lose the connection at one request."""
    exchange.asked.clear()

    def cut(symbol: str, rows: Floats) -> Floats:
        if len(exchange.asked) == cut_at:
            raise CheckConnection("the line is dead")
        return rows

    exchange.spoil = cut
    await fetch(exchange, db)
    await fetch(exchange, db, 5)


async def test_the_demo_exchange_fetches_the_same_bytes_in_one_go_and_in_parts(tmp_path: Path) -> None:
    hashes = set()
    for name, starts in (("one", [NOON]), ("parts", [NOON + 1500 * MINUTE, NOON + 400 * MINUTE, NOON])):
        exchange = DemoExchange(lambda: NOON + 2500 * MINUTE)
        with open_database(tmp_path / f"{name}.sqlite") as db:
            for start in starts:
                report = await fetch_candles(exchange, db, FetchRequest("BTC/USD", "1m", start))
                assert (report.complete, report.gaps, report.key.origin) == (True, 0, "demo")
            hashes.add(content_hash(read_candles(db, report.key)))
            assert report.added in (2500, 400)
    assert len(hashes) == 1


async def test_what_is_wrong_with_many_answers_is_said_once(db: Database) -> None:
    listed = ListedExchange(minutes(0, 300), NOON + 300 * MINUTE, answer=newest_page)
    holes = [Interval(NOON + at * MINUTE, NOON + (at + 1) * MINUTE) for at in range(0, 280, 20)]
    report = await fetch_again(listed, db, KEY, Again(holes, ()))
    wrong, remark = report.note.split("; older ones")
    assert wrong == "kraken answered with its newest 10 1m candles; asked from 2024-01-01T12:00:00Z and 13 times more"
    assert remark.count("--start") == 1
    assert not report.complete


async def test_what_an_exchange_never_gives_can_be_made_from_trades_also_where_nothing_is_stored(db: Database) -> None:
    exchange = ListedExchange(minutes(-1000, 30), HALF_PAST, page=720, answer=newest_page)
    report = await fetch(exchange, db, -1000, -900)
    assert report.first is None
    assert "--via trades" in report.note
