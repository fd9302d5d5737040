"""Real files of several sources; skipped where they are not at hand."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from algotrade.ingest.files.importing import ImportReport, import_file
from algotrade.market.candles import SeriesKey, content_hash, iso, resample, times_ms
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
    # The files give volumes to ten decimals, of which the last two are the noise of their makers' own sums.
    volumes = hours.loc[common, "volume"], days.loc[common, "volume"]
    assert volumes[0].round(8).equals(volumes[1].round(8))
    early = common < "2016"
    assert volumes[0][early].equals(volumes[1][early])


def quarters(candles: pd.DataFrame, folder: Path) -> Path:
    """The candles as an exchange gives them out: rows without names, an archive a quarter, a bar shared by two."""
    rows = candles.assign(seconds=times_ms(candles) // 1000, trades=1)
    order = ["seconds", "open", "high", "low", "close", "volume", "trades"]
    cuts = np.linspace(0, len(rows), 6).astype(int)
    for number, (first, last) in enumerate(pairwise(cuts)):
        text = rows[order].iloc[first : last + 1].to_csv(header=False, index=False)
        with zipfile.ZipFile(folder / f"quarter {9 - number}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("XBTUSD_60.csv", text)
            archive.writestr("ETHUSD_60.csv", "not this one")
    return folder


def test_archives_of_quarters_are_the_whole_file_again(db: Database, tmp_path: Path) -> None:
    whole = read_candles(db, bring_in(db, "kraken_btcusd_1h.parquet").key)
    (tmp_path / "archives").mkdir()
    key = SeriesKey("archives", "BTC/USD", "")
    report = import_file(db, quarters(whole, tmp_path / "archives"), key, now_ms=NOW)
    assert (report.timeframe, report.rows) == ("1h", len(whole))
    assert content_hash(read_candles(db, report.key)) == content_hash(whole)


def test_candles_stored_as_feather_are_the_whole_file_again(db: Database, tmp_path: Path) -> None:
    whole = read_candles(db, bring_in(db, "kraken_btcusd_1h.parquet").key)
    whole.rename_axis("date").reset_index().to_feather(tmp_path / "BTC_USD-1h.feather")
    report = import_file(db, tmp_path / "BTC_USD-1h.feather", SeriesKey("other", "", ""), now_ms=NOW)
    assert (report.key.symbol, report.timeframe) == ("BTC/USD", "1h")
    assert content_hash(read_candles(db, report.key)) == content_hash(whole)


def test_an_hour_of_real_trades_is_the_official_hour(db: Database, tmp_path: Path) -> None:
    trades = pd.read_csv(FOLDER / "trades_kraken_btcusd_2019-07-01T00.csv.gz")
    trades = trades.drop(index=999)  # rows 999 and 1000 are one trade, given twice at the edge of a page
    seconds = pd.to_datetime(trades.timestamp).dt.as_unit("ns").astype("int64").map(lambda ns: f"{ns / 1e9:.4f}")
    rows = trades.assign(seconds=seconds)[["seconds", "price", "amount"]].to_csv(header=False, index=False)
    before, after = "1561939199.5,1,1\n", "1561942800.25,1,1\n"  # which show that the hour is whole
    (tmp_path / "XBTUSD.csv").write_text(before + rows + after)
    report = import_file(db, tmp_path / "XBTUSD.csv", SeriesKey("kraken", "", "1h"), now_ms=NOW)
    hour = read_candles(db, report.key)
    official = read_candles(db, bring_in(db, "kraken_btcusd_1h.parquet").key).loc[hour.index]
    assert len(hour) == 1
    assert hour.equals(official)
