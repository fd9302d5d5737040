"""What every kind of database must do; the kinds are listed in tests/conftest.py."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from algotrade.errors import FixCommand, FixData
from algotrade.market.candles import COLUMNS, Floats, SeriesKey, Times, check_candles, times_ms
from algotrade.market.instrument import Instrument
from algotrade.store.arrivals import Evidence, write_candles
from algotrade.store.candles import SeriesInfo, list_series, list_spans, read_candles, span
from algotrade.store.coverage import read_coverage
from algotrade.store.database import Database, open_database
from algotrade.store.integrity import check_series
from algotrade.store.markets import read_instrument, write_instrument
from algotrade.store.past import read_revisions
from algotrade.store.runs import keep_check, keep_run, list_runs, load_run, read_check
from algotrade.store.tables import candles as candles_table

KEY = SeriesKey("kraken", "BTC/USD", "1m")
MINUTE = 60_000
START = 1_700_000_040_000
NOON = 1_795_176_000_000  # 2026-11-20T12:00:00Z


def bars(count: int, first: int = 0) -> tuple[Times, Floats]:
    """Rising candles: bar number i opens at START + i minutes at price 100 + i."""
    number = np.arange(first, first + count)
    price = 100.0 + number
    return START + number * MINUTE, np.array([price, price + 2, price - 1, price + 1, number + 0.1])


def document(symbol: str = "BTC/USD", final_equity: float = 11_000.0) -> dict[str, object]:
    return {
        "schema": "algotrade.backtest/1",
        "data": {"symbol": symbol, "timeframe": "1d"},
        "strategy": {"name": "sma_cross", "parameters": {"fast": 10}},
        "summary": {"final_equity": final_equity, "sharpe": float("nan")},
        "fills": [[START, 1, 0.1, 100.0, 0.026]],
    }


# ---- candles --------------------------------------------------------------------------------------------------------
def test_candles_come_back_as_they_were_written(database: Database) -> None:
    times, columns = bars(500)
    columns[4, 7] = 0.1 + 0.2  # every bit counts
    write_candles(database, KEY, times, columns)
    candles = check_candles(read_candles(database, KEY))
    assert (times_ms(candles) == times).all()
    assert (columns == candles.to_numpy().T).all()
    assert list(candles.columns) == list(COLUMNS)
    assert str(candles.index.dtype) == "datetime64[ms, UTC]"


def test_candles_survive_closing_the_database(database_location: str) -> None:
    with open_database(database_location) as first:
        write_candles(first, KEY, *bars(10))
    with open_database(database_location) as second:
        assert len(read_candles(second, KEY)) == 10


def test_a_write_counts_new_unchanged_and_revised_rows(database: Database) -> None:
    assert write_candles(database, KEY, *bars(100)) == (100, 0, 0)
    assert write_candles(database, KEY, *bars(100)) == (0, 100, 0)
    times, columns = bars(100, first=60)
    columns[3, [0, 5, 50]] += 0.25  # two that are stored, one that is new
    assert write_candles(database, KEY, times, columns) == (60, 38, 2)
    stored = read_candles(database, KEY)
    assert len(stored) == 160
    assert (stored.to_numpy().T[:, 60:] == columns).all()


def test_a_single_last_digit_is_a_revision(database: Database) -> None:
    times, columns = bars(1)
    write_candles(database, KEY, times, columns)
    columns[0] = np.nextafter(columns[0], np.inf)
    assert write_candles(database, KEY, times, columns) == (0, 0, 1)
    assert read_candles(database, KEY)["open"].iloc[0] == columns[0, 0]


@pytest.mark.parametrize("second_ms", [NOON, NOON - 3_600_000])
def test_a_clock_that_stands_or_goes_back_loses_no_revision(database: Database, second_ms: int) -> None:
    times, columns = bars(3)
    write_candles(database, KEY, times, columns)
    closes = (100.25, 100.5)
    for close, seen_ms in zip(closes, (NOON, second_ms), strict=True):
        columns[3, 0] = close
        write_candles(database, KEY, times, columns, Evidence(seen_ms))
    kept = read_revisions(database, KEY, START, START)
    assert [(one.seen_ms, one.old[3], one.new[3]) for one in kept] == [(NOON, 101.0, 100.25), (NOON + 1, 100.25, 100.5)]
    assert check_series(database, KEY).problems == ()


def test_a_few_candles_far_apart_are_compared_without_loading_all_between(database: Database) -> None:
    times, columns = bars(400_000)
    write_candles(database, KEY, times, columns)
    ends, late = times[[0, -1]], columns[:, [0, -1]] + 0.5
    tracemalloc.start()
    done = write_candles(database, KEY, ends, late)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert done == (0, 0, 2)
    assert peak < 35_000_000  # blocks of rows on their way; all that lie between would take more


def test_holes_are_filled_without_touching_what_is_around_them(database: Database) -> None:
    times, columns = bars(10)
    odd = np.arange(10) % 2 == 1
    write_candles(database, KEY, times[odd], columns[:, odd])
    assert write_candles(database, KEY, times, columns) == (5, 5, 0)
    assert (columns == read_candles(database, KEY).to_numpy().T).all()


def test_writing_nothing_makes_no_series(database: Database) -> None:
    assert write_candles(database, KEY, *bars(0)) == (0, 0, 0)
    assert list_series(database) == []


@pytest.mark.parametrize("fault", ["repeat", "fall", "nan", "infinity"])
def test_bad_rows_are_refused_with_their_time_and_nothing_is_stored(database: Database, fault: str) -> None:
    times, columns = bars(5)
    if fault in {"nan", "infinity"}:
        columns[2, 3] = np.nan if fault == "nan" else np.inf
    else:
        times[3] = times[2] - (fault == "fall")
    with pytest.raises(FixData, match="2023-11-14T22:1"):
        write_candles(database, KEY, times, columns)
    assert list_series(database) == []


def test_series_with_another_key_do_not_mix(database: Database) -> None:
    keys = [KEY, KEY._replace(exchange="demo"), KEY._replace(symbol="ETH/USD"), KEY._replace(timeframe="1h")]
    keys.append(KEY._replace(origin="trades"))
    for number, key in enumerate(keys, start=1):
        write_candles(database, key, *bars(number))
    assert [len(read_candles(database, key)) for key in keys] == [1, 2, 3, 4, 5]


def test_a_series_that_is_not_stored_reads_as_an_empty_table(database: Database) -> None:
    candles = read_candles(database, KEY)
    assert len(candles) == 0
    assert list(candles.columns) == list(COLUMNS)
    assert span(database, KEY) is None


def test_start_and_end_are_both_inclusive(database: Database) -> None:
    times, columns = bars(20)
    write_candles(database, KEY, times, columns)

    def numbers(**bounds: int) -> list[int]:
        return [int(price) - 100 for price in read_candles(database, KEY, **bounds)["open"]]

    assert numbers(start=int(times[3]), end=int(times[6])) == [3, 4, 5, 6]
    assert numbers(start=int(times[3]) + 1, end=int(times[6]) - 1) == [4, 5]
    assert numbers(start=int(times[18])) == [18, 19]
    assert numbers(end=int(times[1])) == [0, 1]
    assert numbers(start=int(times[5]), end=int(times[4])) == []


@pytest.mark.parametrize("stored", [999, 1000, 1001])
def test_a_window_is_the_newest_rows_in_rising_order(database: Database, stored: int) -> None:
    times, columns = bars(stored)
    write_candles(database, KEY, times, columns)
    window = check_candles(read_candles(database, KEY, last=1000))
    assert (times_ms(window) == times[-1000:]).all()
    assert (columns[:, -1000:] == window.to_numpy().T).all()


def test_a_window_may_end_in_the_past(database: Database) -> None:
    times, columns = bars(50)
    write_candles(database, KEY, times, columns)
    window = read_candles(database, KEY, start=int(times[5]), end=int(times[30]), last=3)
    assert (times_ms(window) == times[28:31]).all()
    assert len(read_candles(database, KEY, end=int(times[1]), last=3)) == 2
    assert len(read_candles(database, KEY, last=0)) == 0
    with pytest.raises(ValueError, match="given -1"):
        read_candles(database, KEY, last=-1)


def test_the_table_that_is_read_can_be_changed(database: Database) -> None:
    write_candles(database, KEY, *bars(5))
    for candles in (read_candles(database, KEY), read_candles(database, KEY, last=3)):
        candles.loc[candles.index[0], "close"] = 1.0
        assert candles["close"].iloc[0] == 1.0


def test_spans_and_the_list_say_what_is_stored(database: Database) -> None:
    write_candles(database, KEY, *bars(7))
    other = KEY._replace(exchange="demo", origin="demo")
    write_candles(database, other, *bars(2, first=3))
    assert span(database, KEY) == (START, START + 6 * MINUTE, 7)
    assert list_series(database) == [
        SeriesInfo(other, START + 3 * MINUTE, START + 4 * MINUTE, 2),
        SeriesInfo(KEY, START, START + 6 * MINUTE, 7),
    ]
    assert list_spans(database) == [info[:3] for info in list_series(database)]


def test_a_series_without_candles_is_in_no_list(database: Database) -> None:
    write_candles(database, KEY, *bars(1))
    with database.writing() as connection:
        connection.execute(candles_table.delete())
    assert list_spans(database) == []
    assert list_series(database) == []


def test_writers_at_the_same_time_neither_fail_nor_count_twice(database: Database) -> None:
    def write(worker: int) -> tuple[int, int, int]:
        reports = [write_candles(database, KEY, *bars(20, first=5 * step + worker)) for step in range(20)]
        added, unchanged, revised = (sum(numbers) for numbers in zip(*reports, strict=True))
        return added, unchanged, revised

    with ThreadPoolExecutor(4) as pool:
        totals = np.sum(list(pool.map(write, range(4))), axis=0)
    assert totals.tolist() == [118, 4 * 20 * 20 - 118, 0]
    assert (bars(118)[1] == read_candles(database, KEY).to_numpy().T).all()


WRITER = """
import sys
import numpy as np
from algotrade.market.candles import SeriesKey
from algotrade.store.arrivals import Evidence, write_candles
from algotrade.store.database import open_database

location, first = sys.argv[1], int(sys.argv[2])
with open_database(location) as database:
    for page in range(first, 120, 2):  # the even ones are written by two of the three
        times = np.arange(page * 100, page * 100 + 120) * 60_000  # and shares rows with the next one
        covered = ((int(times[0]), int(times[-1]) + 60_000),)
        key = SeriesKey("kraken", "BTC/USD", "1m")
        write_candles(database, key, times, np.tile(times / 7, (5, 1)), Evidence(1, covered=covered))
"""


def test_three_programs_that_write_the_same_series_at_once_lose_nothing(database_location: str) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, database_location, str(first)], stderr=subprocess.PIPE, text=True
        )
        for first in (0, 1, 0)
    ]
    assert [(writer.communicate()[1], writer.returncode) for writer in writers] == [("", 0)] * 3
    with open_database(database_location) as database:
        assert span(database, KEY) == (0, 12_019 * MINUTE, 12_020)
        assert read_coverage(database, KEY) == [(0, 12_020 * MINUTE)]
        assert read_candles(database, KEY)["close"].tolist() == [minute * MINUTE / 7 for minute in range(12_020)]


def test_a_block_that_raises_stores_nothing(database: Database) -> None:
    def write_and_fail() -> None:
        with database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO checks (key, document) VALUES ('a', '{}')")
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        write_and_fail()
    assert read_check(database, "a") is None


def test_anyone_can_read_the_rows_with_sql(database: Database) -> None:
    write_candles(database, KEY, *bars(2))
    frame = pd.read_sql("SELECT * FROM candle_view ORDER BY time", database.engine)
    assert list(frame.columns) == ["exchange", "symbol", "timeframe", "origin", "time", *COLUMNS]
    assert frame.iloc[1].tolist() == ["kraken", "BTC/USD", "1m", "official", START + MINUTE, 101, 103, 100, 102, 1.1]


# ---- coverage -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("asked", "covered"),
    [
        ([(0, 10)], [(0, 10)]),
        ([(20, 30), (0, 10)], [(0, 10), (20, 30)]),
        ([(0, 10), (10, 20)], [(0, 20)]),
        ([(0, 10), (20, 30), (5, 25)], [(0, 30)]),
        ([(0, 30), (10, 20)], [(0, 30)]),
        ([(10, 20), (0, 30)], [(0, 30)]),
        ([(5, 5), (9, 3)], []),
    ],
)
def test_spans_that_touch_are_covered_as_one(
    database: Database, asked: list[tuple[int, int]], covered: list[tuple[int, int]]
) -> None:
    write_candles(database, KEY._replace(symbol="ETH/USD"), *bars(1), Evidence(covered=[(8, 22)]))
    for one in asked:
        write_candles(database, KEY, *bars(1), Evidence(covered=[one]))
    assert read_coverage(database, KEY) == covered


def test_a_series_without_candles_is_never_covered(database: Database) -> None:
    write_candles(database, KEY, *bars(0), Evidence(covered=[(0, 10)]))
    assert read_coverage(database, KEY) == []


# ---- instruments ----------------------------------------------------------------------------------------------------
def test_an_instrument_comes_back_and_the_newest_counts(database: Database) -> None:
    known = Instrument("BTC/USD", 1e-8, 0.1, 5e-5, 0.5, 0.004, 0.0025, can_short=False)
    unknown_fees = known._replace(taker_fee=None, maker_fee=None, can_short=True)
    write_instrument(database, "kraken", known, NOON)
    assert read_instrument(database, "kraken", "BTC/USD") == known
    write_instrument(database, "kraken", unknown_fees, NOON + 1)
    read = read_instrument(database, "kraken", "BTC/USD")
    assert read == unknown_fees
    assert read is not None
    assert read.can_short is True
    assert read_instrument(database, "demo", "BTC/USD") is None


# ---- runs and checks ------------------------------------------------------------------------------------------------
def test_a_run_comes_back_with_its_id_and_null_for_nan(database: Database) -> None:
    run_id = keep_run(database, document(), created_ms=NOON)
    assert run_id.startswith("r20261120-120000-")
    loaded = load_run(database, run_id)
    assert loaded["run"] == run_id
    assert loaded["summary"] == {"final_equity": 11_000.0, "sharpe": None}
    assert loaded["fills"] == [[START, 1, 0.1, 100.0, 0.026]]
    assert loaded == load_run(database, "latest")


def test_runs_are_listed_newest_first(database: Database) -> None:
    old = keep_run(database, document("ETH/USD"), created_ms=NOON - 1)
    new = keep_run(database, document(final_equity=float("nan")), created_ms=NOON)
    assert load_run(database, "latest")["run"] == new
    first, second = list_runs(database)
    assert (first.id, first.final_equity, first.strategy) == (new, None, "sma_cross")
    assert second == (old, NOON - 1, "backtest", "ETH/USD", "1d", "sma_cross", 11_000.0)


def test_runs_of_the_same_second_are_all_kept(database: Database) -> None:
    ids = {keep_run(database, document(), created_ms=NOON) for _ in range(10)}
    assert len(ids) == len(list_runs(database)) == 10


def test_an_unknown_run_names_the_nearest_one(database: Database) -> None:
    run_id = keep_run(database, document(), created_ms=NOON)
    with pytest.raises(FixCommand, match=f"Did you mean '{run_id}'") as caught:
        load_run(database, run_id[:-1] + "x")
    assert caught.value.hint == "algotrade list runs"


def test_the_latest_of_no_runs_says_how_to_make_one(database: Database) -> None:
    with pytest.raises(FixData, match="no run is kept yet") as caught:
        load_run(database, "latest")
    assert caught.value.hint == "algotrade backtest --symbol BTC/USD"


def test_a_check_is_kept_under_its_key_and_replaced(database: Database) -> None:
    assert read_check(database, "k") is None
    keep_check(database, "k", {"passed": True, "covered": 214})
    keep_check(database, "k", {"passed": False, "covered": 215})
    assert read_check(database, "k") == {"passed": False, "covered": 215}
