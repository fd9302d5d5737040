"""CSV files as people have them, and what the import says about each. Nothing is stored unless it says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from algotrade.errors import FixData
from algotrade.ingest.files import csv_blocks
from algotrade.ingest.files.importing import ImportReport, import_file
from algotrade.ingest.files.open_rows import ImportOptions
from algotrade.market.candles import SeriesKey, iso, times_ms
from algotrade.market.span import parse_time
from algotrade.store.candles import list_series, read_candles
from algotrade.store.database import Database, open_database

NOW = parse_time("2024-02-01")
ANY_TIMEFRAME = SeriesKey("kraken", "BTC/USD", "")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "store.sqlite") as opened:
        yield opened


def bring_in(db: Database, tmp_path: Path, content: str | bytes, options: ImportOptions | None = None) -> ImportReport:
    path = tmp_path / "prices.csv"
    path.write_bytes(content if isinstance(content, bytes) else dedent(content).lstrip("\n").encode())
    return import_file(db, path, ANY_TIMEFRAME, options or ImportOptions(), now_ms=NOW)


# Each file: three days are good but for one thing. The sentence follows "prices.csv: line N: ".
BAD_ROWS = {
    "a value is missing": (
        """
        date,open,high,low,close,volume
        2024-01-01,10,12,9,11,5
        2024-01-02,11,13,,12,5
        2024-01-03,12,14,11,13,5
        """,
        "line 3: column 'low' is empty",
    ),
    "NaN": (
        """
        date,open,high,low,close,volume
        2024-01-01,10,12,9,11,5
        2024-01-02,11,13,10,NaN,5
        2024-01-03,12,14,11,13,5
        """,
        "line 3: column 'close' holds 'NaN', which is no value",
    ),
    "infinity": (
        """
        date,open,high,low,close,volume
        2024-01-01,10,12,9,11,5
        2024-01-02,11,13,10,12,inf
        2024-01-03,12,14,11,13,5
        """,
        "line 3: column 'volume' holds 'inf', which is no value",
    ),
    "a number too large for a float": (
        """
        date,open,high,low,close,volume
        2024-01-01,10,12,9,11,5
        2024-01-02,11,1e999,10,12,5
        2024-01-03,12,14,11,13,5
        """,
        "line 3: a value is not a finite number",
    ),
    "thousands separators": (
        """
        date,open,high,low,close,volume
        2024-01-01,10,12,9,11,5
        2024-01-02,11,"1,013.5",10,12,5
        2024-01-03,12,14,11,13,5
        """,
        "line 3: column 'high' holds '1,013.5': a thousands separator or a decimal comma?",
    ),
    "decimal commas": (
        """
        date;open;high;low;close;volume
        2024-01-01;10;12;9;11;5
        2024-01-02;11;13,5;10;12;5
        2024-01-03;12;14;11;13;5
        """,
        "line 3: column 'high' holds '13,5': a thousands separator or a decimal comma?",
    ),
    "a spreadsheet formula": (
        """
        date,open,high,low,close,volume
        2024-01-01,10,12,9,11,5
        2024-01-02,11,13,10,=cmd|' /C calc'!A0,5
        2024-01-03,12,14,11,13,5
        """,
        "line 3: column 'close' holds \"=cmd|' /C calc'!A0\", a spreadsheet formula",
    ),
    "a word": (
        """
        date,open,high,low,close,volume
        2024-01-01,10,12,9,11,5
        2024-01-02,11,13,10,closed,5
        2024-01-03,12,14,11,13,5
        """,
        "line 3: column 'close' holds 'closed', which is not a number",
    ),
    "high below low": (
        """
        date,open,high,low,close,volume
        2024-01-01,10,12,9,11,5
        2024-01-02,11,9,10,10,5
        2024-01-03,12,14,11,13,5
        """,
        "line 3: high is below low",
    ),
    "a negative price": (
        """
        date,open,high,low,close,volume
        2024-01-01,10,12,9,11,5
        2024-01-02,11,13,-10,12,5
        2024-01-03,12,14,11,13,5
        """,
        "line 3: a price is not positive",
    ),
    "a cell too few": (
        """
        date,open,high,low,close,volume
        2024-01-01,10,12,9,11,5
        2024-01-02,11,13,10,12
        2024-01-03,12,14,11,13,5
        """,
        "line 3: the row has 5 cells, the file 6 columns",
    ),
    "a cell too many": (
        """
        date,open,high,low,close,volume
        2024-01-01,10,12,9,11,5
        2024-01-02,11,13,10,12,5,6
        2024-01-03,12,14,11,13,5
        """,
        "line 3: the row has 7 cells, the file 6 columns",
    ),
    "an empty time": (
        """
        date,open,high,low,close,volume
        2024-01-01,10,12,9,11,5
        ,11,13,10,12,5
        2024-01-03,12,14,11,13,5
        """,
        "line 3: the time is empty",
    ),
    "a day that there is not": (
        """
        date,open,high,low,close,volume
        2024-01-01,10,12,9,11,5
        2024-01-32,11,13,10,12,5
        2024-01-03,12,14,11,13,5
        """,
        "line 3: the time '2024-01-32' is not a date like 2024-01-31, ISO 8601 or a number since 1970",
    ),
    "the same time twice": (
        """
        date,open,high,low,close,volume
        2024-01-01,10,12,9,11,5
        2024-01-02,11,13,10,12,5
        2024-01-02,12,14,11,13,5
        """,
        "line 4: the time 2024-01-02T00:00:00Z repeats that of line 3",
    ),
    "a time that falls": (
        """
        date,open,high,low,close,volume
        2024-01-01,10,12,9,11,5
        2024-01-03,11,13,10,12,5
        2024-01-02,12,14,11,13,5
        """,
        "line 4: the time 2024-01-02T00:00:00Z comes before that of line 3",
    ),
    "seconds, then milliseconds": (
        """
        timestamp,open,high,low,close,volume
        1704067200,10,12,9,11,5
        1704153600000,11,13,10,12,5
        1704240000,12,14,11,13,5
        """,
        "line 3: the time '1704153600000' is in milliseconds, the first one is in seconds",
    ),
    "numbers, then a date": (
        """
        timestamp,open,high,low,close,volume
        1704067200,10,12,9,11,5
        2024-01-02,11,13,10,12,5
        1704240000,12,14,11,13,5
        """,
        "line 3: the time '2024-01-02' is a date and time, the first one is in seconds",
    ),
    "a zone, then none": (
        """
        timestamp,open,high,low,close,volume
        2024-01-01T00:00Z,10,12,9,11,5
        2024-01-02T00:00,11,13,10,12,5
        2024-01-03T00:00Z,12,14,11,13,5
        """,
        "line 3: the time '2024-01-02T00:00' is a date and time, the first one is a date and time with a zone",
    ),
    "year 1": (
        """
        date,open,high,low,close,volume
        2024-01-01,10,12,9,11,5
        0001-01-02,11,13,10,12,5
        2024-01-03,12,14,11,13,5
        """,
        "line 3: the time lies before 1901",
    ),
    "year 9999": (
        """
        date,open,high,low,close,volume
        2024-01-01,10,12,9,11,5
        9999-12-31,11,13,10,12,5
        2024-01-03,12,14,11,13,5
        """,
        "line 3: the time lies in the future",
    ),
    "a NUL byte": (
        "date,open,high,low,close,volume\n2024-01-01,10,12,9,11,5\n2024-01-02,1\0,13,10,12,5\n2024-01-03,12,14,11,13,5\n",
        "line 3: the row holds a NUL byte",
    ),
    "bytes that are no text": (
        b"date,open,high,low,close,volume\n2024-01-01,10,12,9,11,5\n2024-01-02,1\xff,13,10,12,5\n2024-01-03,12,14,11,13,5\n",
        "line 3: column 'open' holds '1\\udcff', which is not text",
    ),
    "a terminal code": (
        "date,open,high,low,close,volume\n2024-01-01,10,12,9,11,5\n2024-01-02,\x1b[31m1,13,10,12,5\n2024-01-03,12,14,11,13,5\n",
        "line 3: column 'open' holds '\\x1b[31m1', which is not text",
    ),
    "another line end inside a row": (
        "date,open,high,low,close,volume\n2024-01-01,10,12,9,11,5\n2024-01-02,11,13\r,10,12,5\n2024-01-03,12,14,11,13,5\n",
        "line 3: the row cannot be read: new-line character seen in unquoted field",
    ),
    "a bar too close to the one before": (
        """
        time,open,high,low,close,volume
        2024-01-01T00:00,10,12,9,11,5
        2024-01-01T01:00,11,13,10,12,5
        2024-01-01T01:30,11,13,10,12,5
        2024-01-01T03:00,12,14,11,13,5
        2024-01-01T04:00,12,14,11,13,5
        """,
        "line 4: it opens 30 minutes after the bar before, which is 1h long",
    ),
}


@pytest.mark.parametrize("block", [30, 1 << 22])
@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_bad_row_is_refused_with_its_line_and_nothing_is_stored(
    name: str, db: Database, tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", block)
    content, sentence = BAD_ROWS[name]
    with pytest.raises(FixData) as caught:
        bring_in(db, tmp_path, content)
    said = caught.value.message
    assert said.startswith(f"prices.csv: {sentence}")
    assert said.endswith("nothing was stored")
    assert said.isprintable()
    assert caught.value.hint == (
        f"algotrade fetch --exchange kraken --symbol BTC/USD --from {tmp_path / 'prices.csv'} --skip-bad"
    )
    assert list_series(db) == []


@pytest.mark.parametrize("name", BAD_ROWS)
def test_the_good_rows_are_stored_when_bad_ones_may_be_skipped(name: str, db: Database, tmp_path: Path) -> None:
    content, sentence = BAD_ROWS[name]
    key = ANY_TIMEFRAME._replace(timeframe="1h" if "30 minutes" in sentence else "1d")
    path = tmp_path / "prices.csv"
    path.write_bytes(content if isinstance(content, bytes) else dedent(content).lstrip("\n").encode())
    report = import_file(db, path, key, ImportOptions(skip_bad=True), now_ms=NOW)
    skipped = [f"line {row.line}: {row.reason}" for row in report.skipped]
    assert len(skipped) == 1
    assert skipped[0].startswith(sentence)
    assert report.rows == report.added == len(read_candles(db, report.key))
    assert report.rows in (2, 4)


# Files that are refused as a whole, and the sentence with the flag that helps.
BAD_FILES = {
    "empty": (b"", "the file is empty", None),
    "only names": (b"date,open,high,low,close,volume\n", "it has no rows", None),
    "a blank first line": (
        b"\ndate,open,high,low,close\n",
        "line 1: no comma, semicolon or tab separates columns in ''",
        None,
    ),
    "another delimiter": (
        b"date|open|high|low|close|volume\n2024-01-01|10|12|9|11|5\n",
        "line 1: no comma, semicolon or tab separates columns in 'date|open|high|low|close|volume'",
        None,
    ),
    "a column is missing": (
        b"date,open,high,close,volume\n2024-01-01,10,12,11,5\n",
        "no column for low; the columns are 'date', 'open', 'high', 'close', 'volume'",
        "--columns low=NAME",
    ),
    "closes only": (
        b"date,close\n2024-01-01,11\n2024-01-02,12\n",
        "no column for open, high, low; the columns are 'date', 'close'",
        "--close-only",
    ),
    "a name twice": (
        b"date,open,high,low,close,close\n2024-01-01,10,12,9,11,11\n",
        "the column name 'close' appears twice",
        None,
    ),
    "two that could be meant": (
        b"date,open,high,low,close,last\n2024-01-01,10,12,9,11,11\n",
        "'close' and 'last' could both be the close",
        "--columns close=NAME",
    ),
    "newest first": (
        b"date,open,high,low,close\n2024-01-03,10,12,9,11\n2024-01-02,10,12,9,11\n2024-01-01,10,12,9,11\n",
        "line 3: the time 2024-01-02T00:00:00Z comes before that of line 2; the file runs newest first",
        None,
    ),
    "several markets": (
        b"symbol,date,open,high,low,close\nBTC/USD,2024-01-01,10,12,9,11\nETH/USD,2024-01-02,10,12,9,11\n",
        "it holds several markets (BTC/USD, ETH/USD, ...); split it into a file for each",
        None,
    ),
    "times of day only": (
        b"time,open,high,low,close\n09:30,10,12,9,11\n",
        "line 2: the time '09:30' is not a date like 2024-01-31, ISO 8601 or a number since 1970; nothing was stored",
        None,
    ),
    "days first": (
        b"date,open,high,low,close\n31/01/2024,10,12,9,11\n",
        "line 2: the time '31/01/2024' is not a date like 2024-01-31, ISO 8601 or a number since 1970",
        None,
    ),
    "one row": (
        b"date,open,high,low,close\n2024-01-01,10,12,9,11\n",
        "one row does not tell the timeframe",
        "--timeframe 1d",
    ),
    "months": (
        b"date,open,high,low,close\n2023-10-01,10,12,9,11\n2023-11-01,10,12,9,11\n",
        "the rows are 44640 minutes apart, which is no usual timeframe",
        "--timeframe 1h",
    ),
    "an image": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "line 1 is not UTF-8 text", None),
    "UTF-16": ("date,open\n".encode("utf-16"), "line 1 is not UTF-8 text", None),
    "zeros": (b"\0" * 5000, "line 1 is not a line of text", None),
    "half a zip archive": (
        b"PK\x03\x04....",
        "the zip archive is damaged or of an unknown kind: File is not a zip file",
        None,
    ),
    "one endless line": (b"a," * 60_000, "line 1 is not a line of text", None),
    "an endless line further down": (
        b"date,open,high,low,close\n" + b"1," * 60_000,
        "line 2 is longer than 100000 bytes: not a file of candles",
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_holds_no_candles_is_refused_in_a_sentence(name: str, db: Database, tmp_path: Path) -> None:
    content, sentence, flag = BAD_FILES[name]
    with pytest.raises(FixData) as caught:
        bring_in(db, tmp_path, content)
    assert caught.value.message.startswith(f"prices.csv: {sentence}")
    assert caught.value.message.isprintable()
    assert (caught.value.hint or "").endswith(flag or "")
    assert (caught.value.hint is None) == (flag is None)
    assert list_series(db) == []


# Files that are good: how the first of two days may be written, all of them 2024-01-01 and 02.
GOOD_FILES = {
    "names in any case and dress": """
        <DATE>;<OPEN>;<HIGH>;<LOW>;Close Price;<VOL>
        2024-01-01;10;12;9;11;5
        2024-01-02;10;12;9;11;5
        """,
    "columns in any order, with more of them": """
        symbol,Close,Volume,High,Low,Open,Adj Close,Date
        AAPL,11,5,12,9,10,8,2024-01-01
        AAPL,11,5,12,9,10,8,2024-01-02
        """,
    "single letters and seconds": """
        t,o,h,l,c,v
        1704067200,10,12,9,11,5
        1704153600,10,12,9,11,5
        """,
    "milliseconds": """
        open_time,open,high,low,close,volume
        1704067200000,10,12,9,11,5
        1704153600000,10,12,9,11,5
        """,
    "microseconds": """
        unix,open,high,low,close,volume
        1704067200000000,10,12,9,11,5
        1704153600000000,10,12,9,11,5
        """,
    "nanoseconds": """
        timestamp,open,high,low,close,volume
        1704067200000000000,10,12,9,11,5
        1704153600000000000,10,12,9,11,5
        """,
    "seconds as decimals": """
        timestamp,open,high,low,close,volume
        1704067200.0,10,12,9,11,5
        1704153600.0,10,12,9,11,5
        """,
    "the archives of Kraken, which have no names": """
        1704067200,10,12,9,11,5,42
        1704153600,10,12,9,11,5,43
        """,
    "quotes and spaces": """
        "Date", "Open", "High", "Low", "Close", "Volume"
        "2024-01-01","10"," 12 ","9","11","5"
        "2024-01-02","10","12","9","11","5"
        """,
    "a zone": """
        datetime,open,high,low,close,volume
        2024-01-01 02:00:00+02:00,10,12,9,11,5
        2024-01-02 02:00:00+02:00,10,12,9,11,5
        """,
    "UTC times": """
        datetime,open,high,low,close,volume
        2024-01-01T00:00:00.000Z,1e1,12.0,9,11,5
        2024-01-02T00:00:00.000Z,10,12,9,11,5
        """,
    "dates without dashes": """
        date,open,high,low,close,volume
        20240101,10,12,9,11,5
        20240102,10,12,9,11,5
        """,
    "blank lines": """
        date,open,high,low,close,volume
        2024-01-01,10,12,9,11,5

        2024-01-02,10,12,9,11,5

        """,
    "a saved table whose index has no name": """
        ,open,high,low,close,volume
        2024-01-01,10,12,9,11,5
        2024-01-02,10,12,9,11,5
        """,
    "tabs": "date\topen\thigh\tlow\tclose\tvolume\n2024-01-01\t10\t12\t9\t11\t5\n2024-01-02\t10\t12\t9\t11\t5\n",
    "a byte order mark": "\ufeffdate,open,high,low,close,volume\n2024-01-01,10,12,9,11,5\n2024-01-02,10,12,9,11,5\n",
    "a byte order mark and no names": "\ufeff1704067200,10,12,9,11,5\n1704153600,10,12,9,11,5\n",
    "line ends of Windows": "date,open,high,low,close,volume\r\n2024-01-01,10,12,9,11,5\r\n2024-01-02,10,12,9,11,5\r\n",
    "no line end at the end": "date,open,high,low,close,volume\n2024-01-01,10,12,9,11,5\n2024-01-02,10,12,9,11,5",
}


@pytest.mark.parametrize("name", GOOD_FILES)
def test_a_good_file_is_recognised(name: str, db: Database, tmp_path: Path) -> None:
    report = bring_in(db, tmp_path, GOOD_FILES[name])
    assert report.key == SeriesKey("kraken", "BTC/USD", "1d", "import")
    assert (report.rows, report.added, report.skipped) == (2, 2, ())
    candles = read_candles(db, report.key)
    assert [iso(time) for time in times_ms(candles)] == ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"]
    assert candles.iloc[0].tolist() == [10.0, 12.0, 9.0, 11.0, 5.0]
