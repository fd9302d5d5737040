"""Whatever is in a CSV file: it is imported clean, or refused in a sentence that a terminal can show. Nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from algotrade.errors import AlgotradeError, FixCommand, FixData
from algotrade.ingest.files import csv_blocks
from algotrade.ingest.files.importing import ImportReport, import_file
from algotrade.ingest.files.open_rows import ImportOptions
from algotrade.market.candles import SeriesKey, check_candles, iso
from algotrade.market.span import parse_time
from algotrade.store.candles import list_series, read_candles
from algotrade.store.database import Database, open_database
from algotrade.store.tables import candles, quarantine, series

NOW = parse_time("2026-01-01")
PLACED = re.compile(r"(line|row) \d+")
# What is said of a file as a whole, which no line is to blame for.
OF_THE_FILE = re.compile(
    r"file is empty|no rows|no column|several markets|could both be|appears twice|one row does not tell|minutes apart"
    r"|no good bar of it|no whole bar|is not a JSON list|is cut off|no comma between|row is longer"
    r"|not a whole|of the first version|damaged|archive"
)

Rows = list[list[str]]
Change = Callable[[Rows, int], None]


def cell(text: str, column: int = 4) -> Change:
    """A change that puts a text into a cell."""

    def put(rows: Rows, at: int) -> None:
        if len(rows[at]) > column:
            rows[at][column] = text

    return put


def swap(rows: Rows, at: int) -> None:
    rows[at], rows[at - 1] = rows[at - 1], rows[at]


CHANGES: dict[str, Change] = {
    "NaN": cell("NaN"),
    "infinity": cell("inf", 1),
    "a thousands separator": cell('"1,234.5"', 2),
    "a bare comma": cell("1,234", 2),
    "a formula": cell("=cmd|' /C calc'!A0"),
    "a sum": cell("=1+1", 5),
    "a number beyond floats": cell("1e400"),
    "a denormal": cell("1e-400", 3),
    "a huge field": cell("9" * 5000),
    "year 1": cell("0001-01-01T00:00:00Z", 0),
    "year 9999": cell("9999-12-31T23:59:59Z", 0),
    "seconds": cell("1704067200", 0),
    "milliseconds": cell("1704067200000", 0),
    "too many digits": cell("9" * 25, 0),
    "a NUL": cell("1\0"),
    "a terminal code": cell("\x1b[31m"),
    "a mark-up": cell("[/red]"),
    "an open quote": cell('"1'),
    "a quote inside": cell('1"'),
    "a line end in quotes": cell('"1\n2"'),
    "an Arabic digit": cell("١"),
    "an underscore": cell("1_000"),
    "a blank": cell(""),
    "a negative price": cell("-5", 3),
    "a negative volume": cell("-5", 5),
    "a cell more": lambda rows, at: rows[at].append("7"),
    "a cell less": lambda rows, at: rows[at].clear() if len(rows[at]) < 2 else rows[at].__delitem__(-1),
    "a row twice": lambda rows, at: rows.insert(at, list(rows[at])),
    "no row": lambda rows, at: rows[at].clear(),
    "two rows exchanged": swap,
    "newest first": lambda rows, _at: rows.reverse(),
}
HEADERS = [
    "time,open,high,low,close,volume",
    "time,open,high,low,close,close",
    "time,open,high,low,close,last",
    "\ufefftime,open,high,low,close,volume",
    "date,timestamp,open,high,low,close",
    '"time,open,high,low,close,volume',
    "time,open,high,low,\x1b[31m,volume",
    "",
]


@st.composite
def spoilt_files(draw: st.DrawFn) -> bytes:
    """A file of candles with up to four things changed, in one of many dresses."""
    form = draw(st.sampled_from([lambda time: str(time // 1000), str, iso]))
    start = draw(st.sampled_from([1_704_067_200_000, 10**12, 0]))
    rows = [
        [form(start + number * 3_600_000), "10", "12.5", "9", "11", str(number)]
        for number in range(draw(st.integers(0, 12)))
    ]
    for name in draw(st.lists(st.sampled_from(sorted(CHANGES)), max_size=4)):
        if rows:
            CHANGES[name](rows, draw(st.integers(0, len(rows) - 1)))
    ends = draw(st.sampled_from([["\n"], ["\r\n"], ["\r"], ["\n", "\r\n", "\r"], ["\n", "\n\n"]]))
    lines = [draw(st.sampled_from(HEADERS)), *(",".join(row) for row in rows)]
    text = "".join(line + ends[number % len(ends)] for number, line in enumerate(lines) if number or line)
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-16", "utf-16-le", "utf-8-sig"])))


@st.composite
def cut_files(draw: st.DrawFn) -> bytes:
    """The same with bytes of any kind in it."""
    content = draw(spoilt_files())
    at = draw(st.integers(0, len(content)))
    return content[:at] + draw(st.binary(max_size=12)) + content[at + draw(st.integers(0, 9)) :]


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with open_database(tmp_path_factory.mktemp("store") / "store.sqlite") as opened:
        yield opened


def hold_to_promise(error: AlgotradeError) -> None:
    """A sentence of bearable length, with the line where there is one, and nothing that a terminal obeys."""
    assert error.message.isprintable()
    assert (error.hint or "").isprintable()
    assert len(error.message) < 1000
    assert PLACED.search(error.message) or OF_THE_FILE.search(error.message), error.message


def try_to_import(db: Database, path: Path, options: ImportOptions, timeframe: str = "") -> ImportReport | None:
    """Import into an empty store, and hold the error, or what was stored, to the promise."""
    with db.writing() as connection:
        for table in (candles, quarantine, series):
            connection.execute(table.delete())
    try:
        report = import_file(db, path, SeriesKey("kraken", "BTC/USD", timeframe), options, now_ms=NOW)
    except (FixData, FixCommand) as error:
        hold_to_promise(error)
        assert list_series(db) == []
        return None
    stored = check_candles(read_candles(db, report.key))
    assert len(stored) == report.rows > 0
    assert options.skip_bad or report.skipped == ()
    assert all(row.reason.isprintable() for row in report.skipped)
    return report


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(spoilt_files(), cut_files(), st.binary(max_size=200)),
    options=st.tuples(st.booleans(), st.booleans()).map(lambda flags: ImportOptions({}, None, *flags)),
    timeframe=st.sampled_from(["", "1h", "1m"]),
    block=st.sampled_from([5, 60, 1 << 22]),
)
def test_a_file_is_imported_clean_or_refused_in_a_sentence(
    db: Database, tmp_path: Path, content: bytes, options: ImportOptions, timeframe: str, block: int
) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_blocks, "BLOCK_BYTES", block)
        try_to_import(db, path, options, timeframe)


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_each_change_alone_keeps_to_the_promise(db: Database, tmp_path: Path, name: str) -> None:
    path = tmp_path / "prices.csv"
    rows: Any = [[iso(1_704_067_200_000 + row * 3_600_000), "10", "12.5", "9", "11", "1"] for row in range(9)]
    CHANGES[name](rows, 5)
    path.write_text("\n".join([HEADERS[0], *(",".join(row) for row in rows)]))
    report = try_to_import(db, path, ImportOptions())
    # An empty line is no row, and 1e-400 is too small for a float, which makes it a price of nothing.
    assert (report is None) == (name != "no row")
    skipping = try_to_import(db, path, ImportOptions(skip_bad=True), "1h")
    if name not in ("newest first", "an open quote"):
        assert skipping is not None
        assert skipping.rows >= 6


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(cut_files(), st.binary(max_size=200)),
    kind=st.sampled_from(["[", "[[", "{", "PK\3\4", "PAR1", "ARROW1", "\x1f\x8b\x08"]),
)
def test_files_of_other_kinds_that_are_none_are_refused_too(
    db: Database, tmp_path: Path, content: bytes, kind: str
) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(kind.encode("latin-1") + content)
    try_to_import(db, path, ImportOptions())
