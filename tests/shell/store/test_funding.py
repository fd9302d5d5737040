"""Funding rates in the store: once for each settlement, whoever brings them and however often."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import text

from algotrade.errors import FixData
from algotrade.market.candles import SeriesKey
from algotrade.store.arrivals import write_candles
from algotrade.store.database import Database
from algotrade.store.funding import (
    FundingSeries,
    check_funding,
    drop_funding,
    funding_series,
    put_funding,
    read_funding,
)
from algotrade.store.removal import drop_series, holdings_of

HOUR = 3_600_000
EXACT = [17, 8 * HOUR + 7, 16 * HOUR + 11]  # exchanges settle some milliseconds after the hour
MARKET = ("binance", "XRP/USDT:USDT")


def put(database: Database, times: list[int], rates: list[float], symbol: str = MARKET[1]) -> tuple[int, int, int]:
    return put_funding(database, MARKET[0], symbol, np.array(times, np.int64), np.array(rates, np.float64))


def read(database: Database, first: int | None = None, last: int | None = None) -> list[tuple[int, float]]:
    times, rates = read_funding(database, *MARKET, first, last)
    assert (times.dtype, rates.dtype) == (np.int64, np.float64)
    return list(zip(times.tolist(), rates.tolist(), strict=True))


def test_rates_come_back_to_the_last_bit_at_their_exact_times(database: Database) -> None:
    rates = [0.1 + 0.2, -0.00012345678901234567, 0.0]
    assert put(database, EXACT, rates) == (3, 0, 0)
    assert read(database) == list(zip(EXACT, rates, strict=True))


def test_putting_them_again_changes_nothing(database: Database) -> None:
    put(database, EXACT, [0.1, 0.2, 0.3])
    assert put(database, EXACT, [0.1, 0.2, 0.3]) == (0, 3, 0)
    assert put(database, [EXACT[2], 24 * HOUR], [0.3, 0.4]) == (1, 1, 0)
    assert [rate for _, rate in read(database)] == [0.1, 0.2, 0.3, 0.4]


def test_another_rate_takes_the_place_of_the_stored_one(database: Database) -> None:
    put(database, EXACT, [0.1, 0.2, 0.3])
    assert put(database, EXACT[1:2], [0.25]) == (0, 0, 1)
    assert read(database)[1] == (EXACT[1], 0.25)


@pytest.mark.parametrize("beside", [0, 16, 59_999])
def test_the_same_settlement_at_another_millisecond_is_not_stored_twice(database: Database, beside: int) -> None:
    put(database, EXACT, [0.1, 0.2, 0.3])
    assert put(database, [8 * HOUR + 7 + beside], [0.2]) == ((0, 1, 0) if beside == 0 else (0, 0, 1))
    assert [time for time, _ in read(database)] == [EXACT[0], 8 * HOUR + 7 + beside, EXACT[2]]


def test_a_minute_apart_are_two_settlements(database: Database) -> None:
    put(database, [HOUR], [0.1])
    assert put(database, [HOUR + 60_000], [0.1]) == (1, 0, 0)
    assert len(read(database)) == 2


def test_a_span_is_read_with_both_ends_and_nothing_beside_it(database: Database) -> None:
    put(database, EXACT, [0.1, 0.2, 0.3])
    put(database, EXACT, [0.7, 0.8, 0.9], symbol="BTC/USDT:USDT")
    assert read(database, EXACT[1], EXACT[2]) == [(EXACT[1], 0.2), (EXACT[2], 0.3)]
    assert read(database, EXACT[0] + 1, EXACT[1]) == [(EXACT[1], 0.2)]
    assert read(database, EXACT[2] + 1) == []
    assert read(database, None, EXACT[0]) == [(EXACT[0], 0.1)]


def test_where_nothing_is_stored_nothing_is_read(database: Database) -> None:
    assert read(database) == []
    assert put(database, [], []) == (0, 0, 0)
    assert funding_series(database) == []


@pytest.mark.parametrize(
    ("times", "rates", "said"),
    [
        ([0, HOUR], [0.1, float("nan")], "1970-01-01T01:00:00Z cannot be stored: the rate is no finite number"),
        ([0, HOUR], [float("-inf"), 0.1], "1970-01-01T00:00:00Z cannot be stored: the rate is no finite number"),
        ([0, HOUR], [0.1, -1.01], "1970-01-01T01:00:00Z cannot be stored: the rate is beyond 1"),
        ([HOUR, HOUR], [0.1, 0.1], "it comes less than a minute after"),
        ([HOUR, 0], [0.1, 0.1], "it comes less than a minute after"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_stored(
    database: Database, times: list[int], rates: list[float], said: str
) -> None:
    with pytest.raises(FixData, match=said):
        put(database, times, rates)
    assert read(database) == []


def test_the_whole_notional_is_still_a_rate(database: Database) -> None:
    assert put(database, [0, HOUR], [1.0, -1.0]) == (2, 0, 0)


def test_what_is_stored_is_listed_by_market(database: Database) -> None:
    put(database, EXACT, [0.1, 0.2, 0.3])
    put(database, EXACT[:1], [0.1], symbol="BTC/USDT:USDT")
    assert funding_series(database) == [
        FundingSeries("binance", "BTC/USDT:USDT", 17, 17, 1),
        FundingSeries(*MARKET, 17, 16 * HOUR + 11, 3),
    ]


def test_funding_is_dropped_by_itself(database: Database) -> None:
    put(database, EXACT, [0.1, 0.2, 0.3])
    put(database, EXACT, [0.1, 0.2, 0.3], symbol="BTC/USDT:USDT")
    assert drop_funding(database, *MARKET) == 3
    assert drop_funding(database, *MARKET) == 0
    assert [series.symbol for series in funding_series(database)] == ["BTC/USDT:USDT"]


def test_funding_goes_with_the_last_series_of_its_market_and_not_before(database: Database) -> None:
    put(database, EXACT, [0.1, 0.2, 0.3])
    put(database, EXACT, [0.1, 0.2, 0.3], symbol="BTC/USDT:USDT")
    hours, days = (SeriesKey(*MARKET, timeframe) for timeframe in ("1h", "1d"))
    for key in (hours, days):
        write_candles(database, key, np.array([0], np.int64), np.ones((5, 1)))
    assert holdings_of(database, hours) == (1, 0, 0, 0, 0)
    drop_series(database, hours)
    assert len(read(database)) == 3
    assert holdings_of(database, days) == (1, 0, 0, 0, 3)
    drop_series(database, days)
    assert read(database) == []
    assert [series.symbol for series in funding_series(database)] == ["BTC/USDT:USDT"]


def test_rates_that_another_program_broke_are_found(database: Database) -> None:
    put(database, EXACT, [0.1, 0.2, 0.3])
    assert check_funding(database) == []
    with database.writing() as connection:
        connection.execute(text("UPDATE funding SET rate = 5 WHERE time = 17"))
    assert check_funding(database) == [
        "funding of binance XRP/USDT:USDT, 1970-01-01T00:00:00.017Z: the rate is beyond 1, the whole notional"
    ]
    with database.writing() as connection:
        connection.execute(text("UPDATE funding SET rate = 0.1, time = 28800000 WHERE time = 17"))
    assert "paid twice" in check_funding(database)[0]
