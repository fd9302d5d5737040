"""Holes of real markets: outages and missing parts of files are found, and years without any raise no alarm."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from algotrade.market.candles import Times, iso, times_ms
from algotrade.market.gap_pieces import EXCHANGE_DOWN, NO_TRADES, NOT_DOWNLOADED
from algotrade.market.gaps import Known, neighbour, type_gaps
from algotrade.market.span import parse_time
from algotrade.market.timeframe import timeframe_ms

SHARED = Path(os.environ.get("ALGOTRADE_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
MINUTE, YEAR = 60_000, 525_600


def bars_of(name: str, symbol: str | None = None) -> Times:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not here")
    columns = ["timestamp"] if symbol is None else ["timestamp", "symbol"]
    rows = pd.read_parquet(path, columns=columns)
    rows = rows if symbol is None else rows[rows["symbol"] == symbol]
    return times_ms(rows.set_index(pd.DatetimeIndex(pd.to_datetime(rows["timestamp"], utc=True))))


def all_of(times: Times, timeframe: str) -> list[tuple[int, int]]:
    return [(int(times[0]), int(times[-1]) + timeframe_ms(timeframe))]


def test_the_four_holes_of_a_file_of_seven_years_of_minutes_are_found() -> None:
    gaps = type_gaps(bars_of("bitfinex_btcusd_1m.parquet"), "1m", Known("the file"))

    doubtful = gaps.of_kinds([NOT_DOWNLOADED])
    assert [(iso(gap.start)[:10], gap.bars) for gap in doubtful.foremost(4).rows()] == [
        ("2014-11-21", 57_656),
        ("2015-05-01", 44_400),
        ("2016-04-01", 87_839),
        ("2016-08-02", 11_390),
    ]
    assert sum(gaps.counts.values()) == 920_816
    assert len(doubtful.bars) == 103  # of 274,154 holes


def test_the_outages_of_kraken_are_found_and_nothing_else_in_six_years() -> None:
    times = bars_of("kraken_btcusd_1h.parquet")
    times = times[times >= parse_time("2017-01-01")]

    gaps = type_gaps(times, "1h", Known("kraken", all_of(times, "1h")))

    assert [(iso(gap.start)[:13], gap.bars) for gap in gaps.of_kinds([EXCHANGE_DOWN]).rows()] == [
        ("2018-01-11T07", 5),
        ("2018-01-11T16", 23),
        ("2018-01-12T16", 19),
        ("2019-07-14T22", 3),
        ("2021-07-22T22", 4),
    ]


def test_two_markets_of_bitfinex_stand_still_in_the_same_outages() -> None:
    bitcoin, ether = bars_of("bitfinex_btcusd_1m.parquet"), bars_of("bitfinex_ethusd_1m_2018H2_2019.parquet")
    bitcoin, covered = bitcoin[bitcoin >= ether[0]], all_of(ether, "1m")

    gaps = type_gaps(bitcoin, "1m", Known("bitfinex", covered, neighbours=[neighbour("ETH/USD", ether, "1m", covered)]))

    longest = gaps.of_kinds([EXCHANGE_DOWN]).foremost(3).rows()
    assert [(iso(gap.start)[:16], gap.bars) for gap in longest] == [
        ("2019-01-07T10:01", 197),
        ("2019-02-09T07:44", 150),
        ("2019-06-26T08:46", 188),
    ]
    assert {gap.evidence for gap in longest} == {"there is no bar of ETH/USD either"}


def test_weekends_of_a_stock_or_a_currency_are_no_alarm() -> None:
    path = SHARED / "eurusd_1h_2017_2018.csv.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is not here")
    times = times_ms(pd.read_csv(path, index_col=0, parse_dates=True).tz_localize("UTC"))

    assert type_gaps(times, "1h", Known("the file")).counts.keys() == {NO_TRADES}


@pytest.mark.parametrize("name", ["coinbase_btcusd_1h_2024_2025.parquet"])
def test_a_year_without_holes_has_none(name: str) -> None:
    times = bars_of(name)

    assert type_gaps(times, "1h", Known("coinbase", all_of(times, "1h"))).counts == {}


@pytest.mark.parametrize("share", [0.999, 0.99, 0.9, 0.8, 0.5, 0.1])
def test_a_year_of_minutes_missing_at_random_raises_no_alarm(share: float) -> None:
    there = np.random.default_rng(11).random(YEAR) < share
    times = np.flatnonzero(there).astype(np.int64) * MINUTE

    gaps = type_gaps(times, "1m", Known("kraken", [(0, YEAR * MINUTE)]))

    assert gaps.counts.keys() == {NO_TRADES}


@pytest.mark.parametrize(("share", "most"), [(0.999, 3), (0.99, 3), (0.9, 3)])
def test_two_markets_that_miss_minutes_at_random_hardly_raise_one(share: float, most: int) -> None:
    one, other = (
        np.flatnonzero(np.random.default_rng(seed).random(YEAR) < share).astype(np.int64) * MINUTE for seed in (1, 2)
    )
    covered = [(0, YEAR * MINUTE)]

    gaps = type_gaps(one, "1m", Known("kraken", covered, neighbours=[neighbour("ETH/USD", other, "1m", covered)]))

    assert gaps.counts.get(EXCHANGE_DOWN, 0) <= most
