from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from algotrade.errors import FixData
from algotrade.ingest.files.importing import ImportReport, import_file
from algotrade.ingest.files.open_rows import ImportOptions
from algotrade.market.candles import COLUMNS, SeriesKey, times_ms
from algotrade.market.span import parse_time
from algotrade.store.candles import list_series, read_candles
from algotrade.store.database import Database, open_database

pytest.importorskip("pyarrow")

NOW = parse_time("2024-02-01")
KEY = SeriesKey("kraken", "BTC/USD", "1d", "import")
DAYS = pd.date_range("2024-01-01", periods=5, tz="UTC", name="time")
PRICES = pd.DataFrame(dict.fromkeys(COLUMNS, 10.0), index=DAYS)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "store.sqlite") as opened:
        yield opened


def bring_in(db: Database, tmp_path: Path, table: pd.DataFrame, options: ImportOptions | None = None) -> ImportReport:
    path = tmp_path / "prices.parquet"
    table.to_parquet(path)
    return import_file(db, path, KEY._replace(timeframe=""), options or ImportOptions(), now_ms=NOW)


@pytest.mark.parametrize(
    "times",
    [
        DAYS,
        DAYS.as_unit("s"),
        DAYS.as_unit("ns"),
        DAYS.tz_localize(None),
        DAYS.tz_convert("Europe/Berlin"),
        DAYS.as_unit("s").asi8,
        DAYS.as_unit("ms").asi8,
        DAYS.as_unit("ns").asi8,
        DAYS.strftime("%Y-%m-%dT%H:%M:%SZ"),
        DAYS.date,
    ],
)
def test_times_of_every_kind_are_the_same_times(db: Database, tmp_path: Path, times: object) -> None:
    report = bring_in(db, tmp_path, PRICES.reset_index(drop=True).assign(timestamp=times))
    assert (report.rows, report.key, report.gaps) == (5, KEY, 0)
    assert times_ms(read_candles(db, KEY)).tolist() == times_ms(PRICES).tolist()


def test_a_table_saved_with_its_index_is_read(db: Database, tmp_path: Path) -> None:
    assert bring_in(db, tmp_path, PRICES).rows == 5
    assert bring_in(db, tmp_path, PRICES.rename_axis(None)).unchanged == 5


def test_whole_numbers_and_small_floats_are_numbers(db: Database, tmp_path: Path) -> None:
    table = PRICES.astype({"open": "float32", "volume": "int64"})
    assert bring_in(db, tmp_path, table).rows == 5


@pytest.mark.parametrize(
    ("row", "column", "value", "reason"),
    [
        (2, "close", np.nan, "row 3: a value is not a finite number"),
        (2, "low", 11.0, "row 3: high is below low"),
        (0, "open", -1.0, "row 1: a price is not positive"),
        (4, "volume", np.inf, "row 5: a value is not a finite number"),
    ],
)
def test_a_bad_row_is_refused_with_its_number(
    db: Database, tmp_path: Path, row: int, column: str, value: float, reason: str
) -> None:
    table = PRICES.copy()
    table.iloc[row, table.columns.get_loc(column)] = value  # type: ignore[index]
    with pytest.raises(FixData, match=f"prices.parquet: {reason}; nothing was stored"):
        bring_in(db, tmp_path, table)
    assert list_series(db) == []
    report = bring_in(db, tmp_path, table, ImportOptions(skip_bad=True))
    assert (report.rows, [bad.line for bad in report.skipped]) == (4, [row + 1])


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ([0, 1, 1, 2, 3], "row 3: the time 2024-01-02T00:00:00Z repeats that of row 2"),
        ([0, 1, 2, 4, 3], "row 5: the time 2024-01-04T00:00:00Z comes before that of row 4"),
    ],
)
def test_times_that_do_not_rise_are_refused(db: Database, tmp_path: Path, times: list[int], reason: str) -> None:
    with pytest.raises(FixData, match=reason):
        bring_in(db, tmp_path, PRICES.set_index(DAYS[times].rename("time")))


def test_a_missing_time_is_refused(db: Database, tmp_path: Path) -> None:
    times = DAYS.to_series().where(np.arange(5) != 3)
    with pytest.raises(FixData, match="row 4: the time is empty"):
        bring_in(db, tmp_path, PRICES.reset_index(drop=True).assign(timestamp=times.to_numpy()))


def test_mixed_units_are_refused(db: Database, tmp_path: Path) -> None:
    times = DAYS.as_unit("s").asi8 * np.array([1, 1, 1000, 1, 1])
    with pytest.raises(FixData, match="row 3: the time 1704240000000 is not in seconds as the first one is"):
        bring_in(db, tmp_path, PRICES.reset_index(drop=True).assign(timestamp=times))


def test_text_where_numbers_belong_is_refused(db: Database, tmp_path: Path) -> None:
    with pytest.raises(FixData, match=r"column 'close' holds .*string, not numbers"):
        bring_in(db, tmp_path, PRICES.assign(close="10"))


def test_times_that_are_no_times_are_refused(db: Database, tmp_path: Path) -> None:
    with pytest.raises(FixData, match="the time column holds bool"):
        bring_in(db, tmp_path, PRICES.reset_index(drop=True).assign(timestamp=True))


def test_a_column_that_is_missing_is_named(db: Database, tmp_path: Path) -> None:
    with pytest.raises(FixData, match="no column for high; the columns are") as caught:
        bring_in(db, tmp_path, PRICES.drop(columns="high"))
    assert str(caught.value.hint).endswith("--columns high=NAME")


def test_an_empty_table_is_refused(db: Database, tmp_path: Path) -> None:
    with pytest.raises(FixData, match="it has no rows"):
        bring_in(db, tmp_path, PRICES.iloc[:0])


def test_a_damaged_file_is_refused(db: Database, tmp_path: Path) -> None:
    path = tmp_path / "prices.parquet"
    PRICES.to_parquet(path)
    whole = path.read_bytes()
    for content in (whole[:100], whole[:-1], whole[: len(whole) // 2] + b"\0" * (len(whole) // 2), b"PAR1PAR1"):
        path.write_bytes(content)
        with pytest.raises(FixData, match=r"prices\.parquet: "):
            import_file(db, path, KEY, now_ms=NOW)


def test_without_pyarrow_the_error_says_what_to_install(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    PRICES.to_parquet(tmp_path / "prices.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(FixData, match="Parquet files need pyarrow") as caught:
        import_file(db, tmp_path / "prices.parquet", KEY, now_ms=NOW)
    assert caught.value.hint == 'pip install "algotrade[parquet]"'
