"""Funding rates out of files: every kind of file, every rate at its exact time, every bad row refused with its line."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import pandas as pd
import pytest

from algotrade.errors import AlgotradeError, FixCommand, FixData
from algotrade.ingest.files.open_rows import ImportOptions
from algotrade.ingest.funding.file import FundingImport, import_funding
from algotrade.market.candles import iso
from algotrade.market.span import parse_time
from algotrade.store.database import Database
from algotrade.store.funding import read_funding

NOW = parse_time("2024-01-31T12:00:00")
MARKET = ("binance", "XRP/USDT:USDT")
SHARED = Path(os.environ.get("ALGOTRADE_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))
REAL = SHARED / "funding_xrpusdt_8h.csv.gz"
THREE = [("2021-11-18T00:00:00.017Z", 0.0001), ("2021-11-18T08:00:00.007Z", -0.00025), ("2021-11-18T16:00:00Z", 0.0)]
TEXT = """\
timestamp,funding_rate
2021-11-18 00:00:00.017+00:00,0.0001
2021-11-18 08:00:00.007+00:00,-0.00025
2021-11-18 16:00:00.000+00:00,0
"""


def take(database: Database, content: str | bytes | Path, **options: object) -> FundingImport:
    path = Path(content) if isinstance(content, Path) else Path("funding.csv")
    if not isinstance(content, Path):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return import_funding(database, path, MARKET, ImportOptions(**options), now_ms=NOW)  # type: ignore[arg-type]


def stored(database: Database) -> list[tuple[str, float]]:
    times, rates = read_funding(database, *MARKET)
    return [(iso(time), rate) for time, rate in zip(times.tolist(), rates.tolist(), strict=True)]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# ---- what is read ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        gzip.compress(TEXT.encode(), mtime=0),
        TEXT.replace(",", ";"),
        TEXT.replace("timestamp,funding_rate", "date,rate"),
        TEXT.replace("timestamp,funding_rate", "Time,Funding Rate"),
        TEXT.replace("\n", "\r\n"),
        "\n".join([TEXT.splitlines()[0], *TEXT.splitlines()[:0:-1]]),  # the newest first
        "calc_time,funding_interval_hours,last_funding_rate\n"
        "1637193600017,8,0.00010000\n1637222400007,8,-0.00025000\n1637251200000,8,0\n",
        "symbol,fundingTime,fundingRate\nXRPUSDT,1637193600017,0.0001\nXRPUSDT,1637222400007,-2.5e-4\n"
        "XRPUSDT,1637251200000,0.0\n",
    ],
)
def test_every_rate_is_stored_at_its_exact_time(database: Database, content: str | bytes) -> None:
    report, skipped = take(database, content)
    assert stored(database) == THREE
    assert (report.complete, report.added, report.gaps, skipped) == (True, 3, 0, ())


@pytest.mark.parametrize("kind", ["parquet", "feather"])
@pytest.mark.parametrize("times", ["timestamp[ns]", "timestamp[ms]", "numbers", "text"])
def test_a_table_of_arrow_is_read_as_its_csv(database: Database, kind: str, times: str) -> None:
    pytest.importorskip("pyarrow")
    column = pd.to_datetime([time for time, _ in THREE], format="ISO8601")
    table = pd.DataFrame({"date": column, "rate": [rate for _, rate in THREE]})
    if times.startswith("timestamp"):
        table["date"] = column.as_unit(times[10:12])
    elif times == "numbers":
        table["date"] = column.as_unit("ms").asi8
    else:
        table["date"] = [time for time, _ in THREE]
    getattr(table, f"to_{kind}")("funding.bin")
    take(database, Path("funding.bin"))
    assert stored(database) == THREE


def test_columns_and_times_of_its_own_are_named(database: Database) -> None:
    content = "Day,Paid\n18.11.2021 08:00,0.0001\n18.11.2021 16:00,0.0002\n"
    take(database, content, columns={"time": "Day", "rate": "Paid"}, time_format="%d.%m.%Y %H:%M")
    assert stored(database) == [("2021-11-18T08:00:00Z", 0.0001), ("2021-11-18T16:00:00Z", 0.0002)]


def test_a_real_file_comes_whole_and_again_changes_nothing(database: Database) -> None:
    if not REAL.exists():
        pytest.skip(f"{REAL.name} is not here")
    with gzip.open(REAL, "rt") as file:
        rows = [(parse_time(row["timestamp"]), float(row["funding_rate"])) for row in csv.DictReader(file)]
    report, _ = take(database, REAL)
    times, rates = read_funding(database, *MARKET)
    assert list(zip(times.tolist(), rates.tolist(), strict=True)) == rows
    assert (report.added, report.revised) == (len(rows), 0)
    assert sum(time % 1000 > 0 for time in times.tolist()) > len(rows) // 4  # settled some milliseconds late
    again, _ = take(database, REAL)
    assert (again.added, again.unchanged, again.revised) == (0, len(rows), 0)


# ---- what is refused ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2021-11-18T08:00Z,nan", "line 3: column 'funding_rate' holds 'nan', which is no value"),
        ("2021-11-18T08:00Z,inf", "line 3: column 'funding_rate' holds 'inf', which is no value"),
        ("2021-11-18T08:00Z,", "line 3: column 'funding_rate' is empty"),
        ("2021-11-18T08:00Z,1e999", "line 3: the rate is no finite number"),
        ("2021-11-18T08:00Z,1.5", "line 3: the rate is beyond 1, the whole notional"),
        ("2021-11-18T08:00Z,-1.01", "line 3: the rate is beyond 1, the whole notional"),
        ("2021-11-18T08:00Z,0.01%", "line 3: column 'funding_rate' holds '0.01%', which is not a number"),
        (
            "2021-11-18T00:00:17Z,0.1",
            "line 3: it comes less than a minute after the one before, and would be paid twice",
        ),
        ("2024-01-31T12:00:00.001Z,0.1", "line 3: the time lies in the future"),
        ("1900-01-01T00:00Z,0.1", "line 3: the time lies before 1901"),
        ("soon,0.1", "line 3: the time 'soon' is not a date"),
        (",0.1", "line 3: the time is empty"),
        ("2021-11-18T08:00Z", "line 3: the row has 1 cells, the file 2 columns"),
    ],
)
def test_a_bad_row_is_refused_with_its_line_or_skipped(database: Database, row: str, said: str) -> None:
    content = f"time,funding_rate\n2021-11-18T00:00Z,0.1\n{row}\n2021-11-19T00:00Z,0.2\n2021-11-20T00:00Z,0.2\n"
    with pytest.raises(FixData) as refused:
        take(database, content)
    assert refused.value.message.startswith(f"funding.csv: {said}")
    assert refused.value.hint == (
        "algotrade fetch --funding --exchange binance --symbol XRP/USDT:USDT --from funding.csv --skip-bad"
    )
    assert stored(database) == []
    report, skipped = take(database, content, skip_bad=True)
    assert (report.added, [bad.line for bad in skipped]) == (3, [3])


@pytest.mark.parametrize(
    ("content", "said", "flag"),
    [
        ("", "the file is empty", None),
        ("timestamp,funding_rate\n", "it has no rows", None),
        ("timestamp,premium\n1637193600017,0.1\n", "no column for the rate; the columns are 'timestamp', 'premium'",
         "--columns rate=NAME"),
        ("hour,rate\n8,0.1\n", "no column for the time", "--columns time=NAME"),
        ("time,rate,funding_rate\n1637193600017,0.1,0.1\n", "'rate' and 'funding_rate' could both be the rate",
         "--columns rate=NAME"),
        ("time,symbol,rate\n1637193600017,A,0.1\n1637193600017,B,0.1\n", "it holds several markets", None),
        ("18.11.2021 08:00;0.1\n", "no column for the time", "--columns time=NAME"),
        ("time,rate\n18.11.2021,0.1\n", "line 2: the time '18.11.2021' is not a date", "--time-format '%d.%m.%Y'"),
        (b"PK\x03\x04 and more", "funding rates are read from one file, not from a folder or an archive", None),
        ('[{"time": 1637193600017, "rate": 0.1}]', "read from CSV, Parquet and Feather, not from JSON", None),
        (b"PAR1 and no more", "not a whole Parquet file", None),
        (b"\xff\xfe\x00", "line 1 is not UTF-8 text", None),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_why(
    database: Database, content: str | bytes, said: str, flag: str | None
) -> None:
    with pytest.raises(FixData) as refused:
        take(database, content)
    assert said in refused.value.message
    assert refused.value.message.startswith("funding.csv: ")
    assert (refused.value.hint or "").endswith(flag or "")
    assert stored(database) == []


def test_what_contradicts_the_store_is_refused_unless_it_is_to_replace(database: Database) -> None:
    take(database, TEXT)
    other = TEXT.replace("-0.00025", "0.5").replace(".017+", ".000+") + "2021-11-19 00:00:00.000+00:00,0.7\n"
    with pytest.raises(FixData, match="2 of its 4 settlements are stored with another rate or time") as refused:
        take(database, other)
    assert str(refused.value.hint).endswith(" --from funding.csv --replace")
    assert stored(database) == THREE
    report, _ = take(database, other, replace=True)
    assert (report.added, report.unchanged, report.revised) == (1, 1, 2)
    assert [rate for _, rate in stored(database)] == [0.0001, 0.5, 0.0, 0.7]


@pytest.mark.parametrize(
    ("exchange", "symbol", "said"),
    [
        ("binance", "XRP/USDT", "'XRP/USDT' is no perpetual contract"),
        ("binance", "XRP/USDT:USDT-240628", "is no perpetual contract"),
        ("binance", "../../etc", "is not a symbol like"),
        ("demo", "XRP/USDT:USDT", "'demo' is not a name like binance"),
        ("bi nance", "XRP/USDT:USDT", "'bi nance' is not a name like binance"),
    ],
)
def test_names_that_cannot_be_are_refused(database: Database, exchange: str, symbol: str, said: str) -> None:
    Path("funding.csv").write_text(TEXT)
    with pytest.raises(FixCommand, match=said):
        import_funding(database, Path("funding.csv"), (exchange, symbol), now_ms=NOW)


@pytest.mark.parametrize("options", [{"columns": {"close": "rate"}}, {"time_format": "%"}])
def test_options_that_make_no_sense_are_refused(database: Database, options: dict[str, object]) -> None:
    with pytest.raises(AlgotradeError):
        take(database, TEXT, **options)


def test_a_missing_file_and_a_folder_are_told_apart(database: Database, tmp_path: Path) -> None:
    with pytest.raises(FixData, match="there is no such file"):
        take(database, Path("none.csv"))
    with pytest.raises(FixData, match="not from a folder"):
        take(database, tmp_path)


def test_a_hole_in_the_file_is_said(database: Database) -> None:
    rows = "".join(f"{1_637_193_600 + hour * 3600},0.1\n" for hour in (0, 8, 16, 48, 56, 64))
    report, _ = take(database, f"time,rate\n{rows}")
    assert (report.gaps, report.complete) == (1, True)
    assert "settlements are missing inside what is stored, first after 2021-11-18T16:00:00Z" in report.note
