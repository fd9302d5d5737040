from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from algotrade.errors import AlgotradeError, FixCommand, FixData
from algotrade.ingest.files import csv_blocks, gather, placing, spool
from algotrade.ingest.files.importing import import_file
from algotrade.ingest.files.open_rows import ImportOptions
from algotrade.ingest.pages import SPIKE
from algotrade.market.candles import SeriesKey
from algotrade.market.span import parse_time
from algotrade.store.arrivals import WriteReport
from algotrade.store.candles import list_series, read_candles
from algotrade.store.database import Database
from algotrade.store.tables import quarantine, revisions

NOW = parse_time("2024-02-01")
KEY = SeriesKey("kraken", "BTC/USD", "1d", "import")
ANY_TIMEFRAME = KEY._replace(timeframe="")
DAYS = "date,open,high,low,close,volume\n" + "".join(f"2024-01-{day:02},10,12,9,11,5\n" for day in range(1, 11))


@pytest.fixture
def db(database: Database) -> Database:
    """An empty store of each kind."""
    return database


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write_file(content: str) -> Path:
        path = tmp_path / "prices.csv"
        path.write_text(content)
        return path

    return write_file


Write = Callable[[str], Path]


def test_importing_twice_changes_nothing(db: Database, write: Write) -> None:
    first = import_file(db, write(DAYS), KEY, now_ms=NOW)
    assert (first.rows, first.added, first.unchanged, first.revised) == (10, 10, 0, 0)
    again = import_file(db, write(DAYS), KEY, now_ms=NOW)
    assert (again.rows, again.added, again.unchanged, again.revised) == (10, 0, 10, 0)


REPLACING = ImportOptions(replace=True)


def test_a_file_with_other_values_revises_and_counts_where_that_is_said(db: Database, write: Write) -> None:
    import_file(db, write(DAYS), KEY, now_ms=NOW)
    path = write(DAYS.replace("2024-01-05,10,12", "2024-01-05,10,13"))
    report = import_file(db, path, KEY, REPLACING, now_ms=NOW)
    assert (report.added, report.unchanged, report.revised) == (0, 9, 1)
    assert read_candles(db, KEY).high.max() == 13


@pytest.mark.parametrize("rows", [3, 200_000])
def test_a_file_with_other_values_is_refused_whole_with_the_first_difference(
    db: Database, write: Write, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(spool, "BLOCK_ROWS", rows)
    import_file(db, write(DAYS), KEY, now_ms=NOW)
    before = read_candles(db, KEY)
    edited = DAYS.replace("2024-01-05,10,12,9,11,5", "2024-01-05,10,12,9,10.5,6").replace(
        "2024-01-09,10,", "2024-01-09,9,"
    )
    path = write(edited + "2024-01-11,10,12,9,11,5\n")
    with pytest.raises(FixData) as caught:
        import_file(db, path, KEY, ImportOptions(time_format="%Y-%m-%d"), now_ms=NOW)
    assert caught.value.message == (
        "prices.csv: 2 of its 11 bars are stored with other values, the first 2024-01-05: close 11 there, 10.5 in the"
        " file; nothing was stored"
    )
    again = f"algotrade fetch --exchange kraken --symbol BTC/USD --timeframe 1d --from {path}"
    assert caught.value.hint == f"{again} --time-format %Y-%m-%d --replace"
    assert read_candles(db, KEY).equals(before)
    with db.reading() as connection:
        assert connection.execute(select(revisions)).all() == []


def test_a_difference_that_hardly_shows_is_shown_to_the_last_digit(db: Database, write: Write) -> None:
    import_file(db, write(DAYS.replace(",11,5", ",11,0.3")), KEY, now_ms=NOW)
    with pytest.raises(FixData, match=r"volume 0\.3 there, 0\.30000000000000004 in the file"):
        import_file(db, write(DAYS.replace(",11,5", ",11,0.30000000000000004")), KEY, now_ms=NOW)


def test_whatever_the_key_says_imports_are_kept_as_imports(db: Database, write: Write) -> None:
    import_file(db, write(DAYS), KEY._replace(origin="official"), now_ms=NOW)
    assert [info.key for info in list_series(db)] == [KEY]


def test_the_report_tells_the_span_and_the_missing_bars(db: Database, write: Write) -> None:
    report = import_file(db, write(DAYS.replace("2024-01-04,10,12,9,11,5\n", "")), ANY_TIMEFRAME, now_ms=NOW)
    assert (report.first, report.last, report.gaps) == (parse_time("2024-01-01"), parse_time("2024-01-10"), 1)
    assert (report.timeframe, report.note) == ("1d", "the timeframe is 1d, from the step between rows")


def test_a_given_timeframe_is_taken_without_a_word(db: Database, write: Write) -> None:
    report = import_file(db, write(DAYS), KEY, now_ms=NOW)
    assert (report.timeframe, report.note) == ("1d", "")


def test_a_timeframe_longer_than_the_step_is_refused(db: Database, write: Write) -> None:
    with pytest.raises(FixData, match="line 3: it opens 1440 minutes after the bar before, which is 1w long"):
        import_file(db, write(DAYS), KEY._replace(timeframe="1w"), now_ms=NOW)


def test_the_forming_bar_is_left_out_and_said(db: Database, write: Write) -> None:
    report = import_file(db, write(DAYS), KEY, now_ms=parse_time("2024-01-10T12:00"))
    assert (report.rows, report.note) == (9, "the last bar is still forming and was left out")
    assert len(read_candles(db, KEY)) == 9


def test_a_bar_is_closed_at_the_very_moment_it_is_over(db: Database, write: Write) -> None:
    assert import_file(db, write(DAYS), KEY, now_ms=parse_time("2024-01-11")).rows == 10


def test_columns_can_be_named(db: Database, write: Write) -> None:
    path = write("Trade Day,A,B,C,D,close\n2024-01-01,10,12,9,11,777\n2024-01-02,10,12,9,11,777\n")
    columns = {"time": "Trade Day", "open": "A", "high": "B", "low": "C", "close": "D"}
    report = import_file(db, path, KEY, ImportOptions(columns=columns), now_ms=NOW)
    assert read_candles(db, KEY).iloc[0].tolist() == [10.0, 12.0, 9.0, 11.0, 0.0]
    assert report.note == "the file has no volume: it is stored as 0"


@pytest.mark.parametrize(
    ("columns", "kind", "sentence"),
    [
        ({"cloze": "close"}, FixCommand, "'cloze' is no field of a candle .*Did you mean 'close'"),
        ({"close": "Clse"}, FixData, "no column 'Clse'; the columns are .*Did you mean 'close'"),
    ],
)
def test_a_column_that_there_is_not_gets_a_suggestion(
    db: Database, write: Write, columns: dict[str, str], kind: type[AlgotradeError], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        import_file(db, write(DAYS), KEY, ImportOptions(columns=columns), now_ms=NOW)


def test_a_time_format_can_be_given(db: Database, write: Write) -> None:
    path = write("date,open,high,low,close\n01/02/2023,10,12,9,11\n02/02/2023,10,12,9,11\n")
    report = import_file(db, path, ANY_TIMEFRAME, ImportOptions(time_format="%d/%m/%Y"), now_ms=NOW)
    assert (report.first, report.last) == (parse_time("2023-02-01"), parse_time("2023-02-02"))
    with pytest.raises(FixData, match="the time '2024-01-01' is not %d/%m/%Y"):
        import_file(db, write(DAYS), KEY, ImportOptions(time_format="%d/%m/%Y"), now_ms=NOW)


@pytest.mark.parametrize(
    ("time", "time_format"),
    [("", "%d.%m.%Y"), (" 13:00", "%d.%m.%Y %H:%M"), (" 13:00:00", "%d.%m.%Y %H:%M:%S")],
)
def test_german_dates_are_refused_with_the_format_that_reads_them(
    db: Database, write: Write, time: str, time_format: str
) -> None:
    path = write("Datum;open;high;low;close\n" + "".join(f"{day:02}.01.2024{time};10;12;9;11\n" for day in (1, 2)))
    columns = {"time": "Datum"}
    with pytest.raises(FixData, match="is not a date like 2024-01-31") as caught:
        import_file(db, path, KEY, ImportOptions(columns=columns), now_ms=NOW)
    flags = f"--from {path} --columns time=Datum --time-format '{time_format}'"
    assert caught.value.hint == f"algotrade fetch --exchange kraken --symbol BTC/USD --timeframe 1d {flags}"
    assert import_file(db, path, KEY, ImportOptions(columns, time_format), now_ms=NOW).rows == 2


def test_a_time_format_without_a_year_is_refused(db: Database, write: Write) -> None:
    path = write("date,open,high,low,close\n01 Feb,10,12,9,11\n02 Feb,10,12,9,11\n")
    with pytest.raises(FixData, match="before 1901"):
        import_file(db, path, KEY, ImportOptions(time_format="%d %b"), now_ms=NOW)


@pytest.mark.parametrize("time_format", ["%Q", "%", "%d.%m.%Y %!"])
def test_a_format_that_is_none_is_refused(db: Database, write: Write, time_format: str) -> None:
    with pytest.raises(FixCommand, match="is not a time format"):
        import_file(db, write(DAYS), KEY, ImportOptions(time_format=time_format), now_ms=NOW)


def test_a_file_of_closes_is_taken_only_when_that_is_said(db: Database, write: Write) -> None:
    path = write("date,close\n2024-01-01,11\n2024-01-02,12\n")
    report = import_file(db, path, KEY, ImportOptions(close_only=True), now_ms=NOW)
    assert read_candles(db, KEY).to_numpy().tolist() == [[11, 11, 11, 11, 0], [12, 12, 12, 12, 0]]
    assert report.note == "open, high and low are stored as the close; the file has no volume: it is stored as 0"


def test_packed_with_gzip_under_any_name(db: Database, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(gzip.compress(DAYS.encode()))
    assert import_file(db, path, KEY, now_ms=NOW).rows == 10


@pytest.mark.parametrize("cut", [11, 40, -1])
def test_a_damaged_gzip_file_is_refused(db: Database, tmp_path: Path, cut: int) -> None:
    path = tmp_path / "prices.csv.gz"
    path.write_bytes(gzip.compress(DAYS.encode())[:cut])
    with pytest.raises(FixData, match=r"prices.csv.gz: it is packed, but damaged"):
        import_file(db, path, KEY, now_ms=NOW)
    assert list_series(db) == []


def test_a_file_that_is_not_there_is_said(db: Database, tmp_path: Path) -> None:
    for path, sentence in (
        (tmp_path / "none.csv", "there is no such file"),
        (tmp_path, "none of its files is named like one of BTC/USD"),
    ):
        with pytest.raises(FixData, match=sentence):
            import_file(db, path, KEY, now_ms=NOW)


def test_a_file_is_not_taken_for_the_demo_exchange(db: Database, tmp_path: Path) -> None:
    with pytest.raises(FixCommand, match="the demo exchange makes its candles up"):
        import_file(db, tmp_path / "any.csv", KEY._replace(exchange="demo"), now_ms=NOW)


def test_one_market_named_in_a_column_is_one_series(db: Database, tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("pair,date,open,high,low,close\nX,2024-01-01,10,12,9,11\nX,2024-01-02,10,12,9,11\n")
    assert import_file(db, path, KEY, now_ms=NOW).rows == 2


def test_a_hostile_file_name_stays_out_of_messages_and_hints(db: Database, tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m\n.csv"
    path.write_text(DAYS.replace("2024-01-05,10", "2024-01-05,x"))
    with pytest.raises(FixData) as caught:
        import_file(db, path, KEY, now_ms=NOW)
    assert caught.value.message.startswith("a?[31m?.csv: line 6: ")
    assert (
        caught.value.hint == "algotrade fetch --exchange kraken --symbol BTC/USD --timeframe 1d --from FILE --skip-bad"
    )


@pytest.mark.parametrize(
    "symbol", ["../../etc/passwd", "[/red]", "\x1b[31m", "BTC\0USD", "B" * 10_000, "ВТС/USD", "", "BTC /USD"]
)
def test_a_hostile_symbol_is_refused(db: Database, write: Write, symbol: str) -> None:
    with pytest.raises(FixCommand, match="is not a symbol like BTC/USD") as caught:
        import_file(db, write(DAYS), KEY._replace(symbol=symbol), now_ms=NOW)
    assert len(caught.value.message) < 300
    assert "\x1b" not in caught.value.message


@pytest.mark.parametrize("exchange", ["", "..", "a/b", "x" * 41, "\x1b[2J"])
def test_a_hostile_exchange_name_is_refused(db: Database, write: Write, exchange: str) -> None:
    with pytest.raises(FixCommand, match="is not a name like kraken"):
        import_file(db, write(DAYS), KEY._replace(exchange=exchange), now_ms=NOW)


def test_an_unknown_timeframe_is_refused(db: Database, write: Write) -> None:
    with pytest.raises(FixCommand, match="'1x' is not a timeframe"):
        import_file(db, write(DAYS), KEY._replace(timeframe="1x"), now_ms=NOW)


def test_when_no_row_is_good_skipping_is_no_way_out(db: Database, write: Write) -> None:
    path = write("date,open,high,low,close\n2024-01-01,a,b,c,d\n2024-01-02,a,b,c,d\n")
    with pytest.raises(FixData, match=r"line 2: .* \(2 bad rows in all\); nothing was stored") as caught:
        import_file(db, path, KEY, ImportOptions(skip_bad=True), now_ms=NOW)
    assert caught.value.hint is None


def test_skipped_rows_are_quarantined_once_with_their_reason(db: Database, write: Write) -> None:
    broken = DAYS.replace("2024-01-03,10,12,", "2024-01-03,10,8,")
    path = write(broken.replace("2024-01-05,10", "2024-01-05,x").replace("2024-01-07,", "soon,"))
    for _ in range(2):
        report = import_file(db, path, KEY, ImportOptions(skip_bad=True), now_ms=NOW)
        assert [(row.line, row.reason.split(" ")[0]) for row in report.skipped] == [
            (4, "high"),
            (6, "column"),
            (8, "the"),
        ]
    with db.reading() as connection:
        rows = connection.execute(select(quarantine).order_by(quarantine.c.reason)).all()
    assert [(row.time, row.high, row.close, row.reason[:18], row.seen_ms) for row in rows] == [
        (parse_time("2024-01-03"), 8, 11, "line 4 of a file: ", NOW),
        (parse_time("2024-01-05"), None, None, "line 6 of a file: ", NOW),
        (None, None, None, "line 8 of a file: ", NOW),
    ]


SPIKED = "date,open,high,low,close,volume\n" + "".join(
    f"2024-01-{day:02},10,{12 if day not in (4, 9) else 5000},{9 if day != 7 else 0.01},11,5\n" for day in range(1, 21)
)


@pytest.mark.parametrize("rows", [1, 3, 4, 7, 200_000])
def test_prices_a_hundred_times_off_are_counted_and_stored(
    db: Database, write: Write, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(spool, "BLOCK_ROWS", rows)
    report = import_file(db, write(SPIKED), KEY, now_ms=NOW)
    assert (report.rows, report.skipped) == (20, ())
    assert report.note == (
        "3 bars have a price 100 times off those around them, the first 2024-01-04; stored all the same,"
        " --skip-bad leaves such bars out"
    )


@pytest.mark.parametrize("rows", [1, 3, 4, 7, 200_000])
def test_prices_a_hundred_times_off_are_bad_rows_where_those_are_skipped(
    db: Database, write: Write, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(spool, "BLOCK_ROWS", rows)
    report = import_file(db, write(SPIKED), KEY, ImportOptions(skip_bad=True), now_ms=NOW)
    assert (report.rows, report.gaps, report.note[-8:]) == (17, 3, "left out")
    assert [(row.line, row.reason) for row in report.skipped] == [(line, SPIKE) for line in (5, 8, 10)]
    assert read_candles(db, KEY).high.max() == 12
    with db.reading() as connection:
        kept = connection.execute(select(quarantine).order_by(quarantine.c.time)).all()
    assert [(row.time, row.high) for row in kept] == [
        (parse_time("2024-01-04"), 5000),
        (parse_time("2024-01-07"), 12),
        (parse_time("2024-01-09"), 5000),
    ]


def test_where_no_price_can_be_told_from_a_wrong_one_nothing_is_stored(db: Database, write: Write) -> None:
    path = write("date,open,high,low,close\n2024-01-01,1,1,1,1\n2024-01-02,500,500,500,500\n")
    with pytest.raises(FixData, match="no good bar of it has closed yet"):
        import_file(db, path, KEY, ImportOptions(skip_bad=True), now_ms=NOW)


def test_a_file_of_nothing_but_bad_rows_is_given_up_early(
    db: Database, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "MOST_BAD_ROWS", 3)
    path = write(DAYS.replace(",10,12,", ",10,8,"))
    with pytest.raises(FixData, match=r"line 2: high is below low \(more than 3 bad rows in all\)") as caught:
        import_file(db, path, KEY, ImportOptions(skip_bad=True), now_ms=NOW)
    assert caught.value.hint is None
    assert list_series(db) == []


def test_a_failure_while_storing_leaves_nothing_behind(
    db: Database, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, done = placing.put_candles, list[int]()

    def fail_late(*given: Any) -> WriteReport:
        done.append(len(given[2]))
        if len(done) == 3:
            raise FixData("the third block fails")
        return put(*given)

    monkeypatch.setattr(spool, "BLOCK_ROWS", 4)
    monkeypatch.setattr(placing, "put_candles", fail_late)
    with pytest.raises(FixData, match="the third block fails"):
        import_file(db, write(DAYS), KEY, now_ms=NOW)
    assert done == [4, 4, 2]
    assert list_series(db) == []


def test_a_step_is_told_and_held_to_over_blocks(db: Database, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "BLOCK_ROWS", 3)
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 50)
    whole = import_file(db, write(DAYS), ANY_TIMEFRAME, now_ms=NOW)
    assert (whole.rows, whole.added, whole.timeframe) == (10, 10, "1d")
    hourly = DAYS.replace("2024-01-06,", "2024-01-05T12:00,")
    with pytest.raises(FixData, match="line 7: it opens 720 minutes after the bar before, which is 1d long"):
        import_file(db, write(hourly), ANY_TIMEFRAME, ImportOptions(time_format=None), now_ms=NOW)
