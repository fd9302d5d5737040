"""Real files of several sources; skipped where they are not at hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from algotrade.ingest.files import ImportReport, import_file
from algotrade.market.candles import SeriesKey, iso, resample
from algotrade.market.span import parse_time
from algotrade.store.candles import read_candles
from algotrade.store.database import Database, open_database

FOLDER = Path(os.environ.get("ALGOTRADE_SHARED_DATA") or Path(__file__).parents[4] / "shared" / "data")
NOW = parse_time("2026-11-01")

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the real files are not here")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "store.sqlite") as opened:
        yield opened


def bring_in(db: Database, name: str) -> ImportReport:
    return import_file(db, FOLDER / name, SeriesKey("kraken", "BTC/USD", ""), now_ms=NOW)


@pytest.mark.parametrize(
    ("name", "timeframe", "rows", "first", "last", "gaps"),
    [
        ("kraken_btcusd_1d.csv.gz", "1d", 3_807, "2013-10-06", "2024-03-20", 12),
        ("kraken_ethusd_1d.csv.gz", "1d", 3_143, "2015-08-07", "2024-03-20", 6),
        ("kraken_btcusd_1h.parquet", "1h", 70_253, "2013-10-06T21:00:00", "2023-01-07T09:00:00", 10_856),
        ("bitstamp_coinbase_btcusd_1d_2011_2025.csv.gz", "1d", 5_152, "2011-08-18", "2025-09-24", 0),
        ("coinbase_btcusd_1d_2020_2026.csv.gz", "1d", 2_417, "2020-01-01", "2026-08-13", 0),
        ("coinbase_btcusd_1h_2024_2025.parquet", "1h", 13_872, "2024-01-01", "2025-07-31T23:00:00", 0),
        ("aapl_1d_2004_2018_yahoo.csv.gz", "1d", 3_379, "2004-08-19", "2018-01-19", 1_523),
        ("aapl_1d_1998_2021_unadjusted_lean.csv.gz", "1d", 5_849, "1998-01-02", "2021-03-31", 2_641),
        ("sp500_1d_1999_2018_arch.csv.gz", "1d", 5_031, "1999-01-04", "2018-12-31", 2_271),
        ("eurusd_1h_2017_2018.csv.gz", "1h", 5_000, "2017-04-19T09:00:00", "2018-02-07T15:00:00", 2_063),
    ],
)
def test_a_real_file_is_imported_whole(
    db: Database, name: str, timeframe: str, rows: int, first: str, last: str, gaps: int
) -> None:
    report = bring_in(db, name)
    assert (report.timeframe, report.rows, report.added, report.skipped) == (timeframe, rows, rows, ())
    assert (iso(report.first), iso(report.last)) == (iso(parse_time(first)), iso(parse_time(last)))
    assert report.gaps == gaps


def test_hours_resampled_are_the_days_of_the_other_file(db: Database) -> None:
    hours = resample(read_candles(db, bring_in(db, "kraken_btcusd_1h.parquet").key), "1h", "1d")
    days = read_candles(db, bring_in(db, "kraken_btcusd_1d.csv.gz").key)
    common = hours.index.intersection(days.index)
    assert len(common) == 3_367
    prices = ["open", "high", "low", "close"]
    assert hours.loc[common, prices].equals(days.loc[common, prices])
    assert (hours.loc[common, "volume"] - days.loc[common, "volume"]).abs().max() < 1e-6
