"""The fast reader of CSV files and the one that goes row by row: what the fast one accepts, both read alike."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algotrade.errors import FixData
from algotrade.ingest.files import csv_blocks
from algotrade.ingest.files.columns import find_columns
from algotrade.ingest.files.csv_blocks import plain_rows, read_blocks
from algotrade.ingest.files.csv_file import Wanted, judge_rows, read_dialect, text_lines
from algotrade.ingest.files.rows import FileRows
from algotrade.ingest.files.times import TimeReader
from algotrade.market.candles import iso

TIME_FORMS = {
    "seconds": lambda time: str(time // 1000),
    "milliseconds": str,
    "microseconds": lambda time: f"{time}000",
    "nanoseconds": lambda time: f"{time}000000",
    "date and time": lambda time: iso(time)[:19],
    "with a zone": lambda time: iso(time)[:19] + "Z",
    "with an offset": lambda time: iso(time)[:19].replace("T", " ") + "+00:00",
    "with thousandths": lambda time: iso(time)[:19] + ".000",
    "minutes": lambda time: iso(time)[:16],
    "dates": lambda time: iso(time)[:10],
}
SPOILERS = [
    b"", b" ", b"\n", b"\r", b"\r\n", b",", b";", b'"', b"'", b"nan", b"inf", b"-", b"+", b".", b"e5", b"1e999", b"_",
    b"0x1", b"=1+1", b"\0", b"\xff", b"\xef\xbb\xbf", b"\x0b", b"\x1c", b"0", b"9", b"99", b"2024-02-30", b"T",
    b"Z", b"#", b"True", b"1,000", b"\xc2\xa0", b"\xd9\xa1", b"1700000000", b"1700000000000",
]  # fmt: skip
PRICES = st.floats(0.001, 1e9, allow_nan=False).map(lambda price: repr(float(price)))


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A good file of candles, in one of the many ways to write one."""
    form = draw(st.sampled_from(sorted(TIME_FORMS)))
    step = draw(st.sampled_from([60_000, 3_600_000, 86_400_000]))
    start = draw(st.integers(12_000, 20_000)) * 86_400_000  # from 2002 on seconds have ten digits
    names = ["time", "open", "high", "low", "close", *draw(st.sampled_from([[], ["volume"], ["volume", "trades"]]))]
    nameless = form.endswith("seconds") and len(names) >= 6 and draw(st.booleans())
    header = [] if nameless else [",".join(names)]
    rows = [
        ",".join(
            [
                TIME_FORMS[form](start + row * step),
                *draw(st.lists(PRICES, min_size=len(names) - 1, max_size=len(names) - 1)),
            ]
        )
        for row in range(draw(st.integers(1, 5)))
    ]
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return (end.join(header + rows) + draw(st.sampled_from(["", end]))).encode()


@st.composite
def spoilt_files(draw: st.DrawFn) -> bytes:
    """The same with up to three things put in, taken out or exchanged, anywhere."""
    content = draw(files())
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(content)))
        cut = draw(st.sampled_from([0, 0, 1, 2, 10]))
        content = content[:at] + draw(st.sampled_from(SPOILERS)) + content[at + cut :]
    return content


def whole(blocks: Iterator[FileRows]) -> FileRows:
    """Blocks of rows as one."""
    found = list(blocks)
    bad = tuple(row for rows in found for row in rows.bad)
    if not found:
        return FileRows(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((4, 0)), bad)
    lines, times = (np.concatenate(parts) for parts in ([rows.lines for rows in found], [rows.times for rows in found]))
    return FileRows(lines, times, np.hstack([rows.columns for rows in found]), bad)


def read_both(content: bytes) -> tuple[FileRows | None, FileRows] | None:
    """What both readers make of a file; None where its first line is already refused, or a line has no end."""
    try:
        stream = io.BufferedReader(io.BytesIO(content))
        dialect = read_dialect(stream)
        columns = find_columns(dialect.names, {}, close_only=False)
    except FixData:
        return None
    wanted = Wanted(columns.time, columns.numbers)
    rows = content[stream.tell() :] if dialect.has_header else content
    first_line = 2 if dialect.has_header else 1
    try:
        slow = whole(judge_rows(text_lines(io.BytesIO(rows), first_line), first_line, wanted, dialect, TimeReader()))
        mixed = whole(read_blocks(io.BytesIO(content), dialect, wanted, TimeReader()))  # type: ignore[arg-type]
    except FixData:
        return None
    assert_same(mixed, slow)
    fast = plain_rows(rows, dialect, wanted, TimeReader()) if rows else None
    return fast and fast._replace(lines=fast.lines + first_line), slow


def assert_same(found: FileRows, expected: FileRows) -> None:
    assert found.bad == expected.bad
    assert np.array_equal(found.lines, expected.lines)
    assert np.array_equal(found.times, expected.times)
    assert np.array_equal(found.columns, expected.columns)


NAMES = b"time,open,high,low,close,volume,trades\n"
ROW = b"2024-01-01,1,1,1,1,1,2\n"


@pytest.mark.parametrize(
    "rows",
    [
        ROW + b'2024-01-02,1,1,1,1,1,"2\n',
        ROW + b'2024-01-02,1,1,1,1,1,"2"x\n',
        ROW + b"2024-01-02,1,1,1,1,1,2\r3\n",
        ROW[:-1] + b",3\n2024-01-02,1,1,1,1,1\n",
        ROW[:-3] + b"\n2024-01-02,1,1,1,1,1,2,3\n",
        ROW + b"2024/01/02,1,1,1,1,1,2\n",
        ROW + b"2024-01-0x,1,1,1,1,1,2\n",
        ROW + b"2023-02-29,1,1,1,1,1,2\n",
        ROW + b"2024-01-02,1,1,1,1,1,\0\n",
        b"2024-01-01T24:00,1,1,1,1,1,2\n",
        b"2024-01-01T23:60,1,1,1,1,1,2\n",
        b"2024-01-01T23:59:60,1,1,1,1,1,2\n",
        b"1700000000,1,1,1,1,1,2\n0000000001,1,1,1,1,1,2\n",
        b"9999999999999999999,1,1,1,1,1,2\n",
    ],
)
def test_what_only_the_slow_reader_can_refuse_the_fast_one_leaves_to_it(rows: bytes) -> None:
    both = read_both(NAMES + rows)
    assert both is not None
    assert both[0] is None
    assert both[1].bad != ()


def test_a_cell_too_many_does_not_make_up_for_one_too_few() -> None:
    both = read_both(b"""\
note,date,timestamp,open,high,low,close,trades
a,2024-01-01,2024-01-01,1,1,1,1,2,3
a,2024-01-02,2024-01-02,1,1,1,1
""")
    assert both is not None
    assert both[0] is None
    assert [row.line for row in both[1].bad] == [2, 3]


@pytest.mark.parametrize("block", [7, 30, 1 << 20])
def test_a_cell_of_several_lines_is_one_cell_wherever_blocks_end(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", block)
    both = read_both(
        b"time,open,high,low,close,note\n2024-01-01,1,1,1,1,x\n"
        b'2024-01-02,1,1,1,1,"a\nb\nc"\n2024-01-03,1,1,1,1,"2024-01-04,1,1,1,1,y\n"\n2024-01-05,1,1,1,1,z\n'
    )
    assert both is not None
    assert both[1].bad == ()
    assert both[1].lines.tolist() == [2, 3, 6, 8]


@settings(max_examples=400)
@given(content=spoilt_files(), block=st.sampled_from([7, 64, 1 << 20]))
def test_what_the_fast_reader_accepts_both_read_alike(content: bytes, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_blocks, "BLOCK_BYTES", block)
        both = read_both(content)
    if both is None or both[0] is None:
        return
    fast, slow = both
    assert slow.bad == ()
    assert_same(fast, slow)


@settings(max_examples=200)
@given(content=files())
def test_the_fast_reader_accepts_good_files(content: bytes) -> None:
    both = read_both(content)
    assert both is not None
    fast, slow = both
    assert fast is not None
    assert len(fast.times) == len(slow.times) > 0


@settings(max_examples=300)
@given(content=st.binary(max_size=300))
def test_no_bytes_crash_the_readers(content: bytes) -> None:
    both = read_both(b"time,open,high,low,close\n" + content)
    assert both is None or both[0] is None or both[1].bad == ()
