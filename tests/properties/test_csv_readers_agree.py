"""The fast reader of CSV files and the one that goes row by row: what the fast one accepts, both read alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from algotrade.errors import FixData
from algotrade.ingest import csv_blocks
from algotrade.ingest.columns import find_columns
from algotrade.ingest.csv_blocks import read_plain_rows
from algotrade.ingest.csv_file import open_bytes, read_dialect, read_rows
from algotrade.ingest.file_rows import FileRows
from algotrade.ingest.file_times import TimeReader
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


def read_both(path: Path) -> tuple[FileRows | None, FileRows] | None:
    """What both readers make of a file; None where its first line is already refused, or a line has no end."""
    try:
        with open_bytes(path) as stream:
            dialect = read_dialect(stream)
        columns = find_columns(dialect.names, {}, close_only=False)
        return read_plain_rows(path, dialect, columns), read_rows(path, dialect, columns, TimeReader())
    except FixData:
        return None


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
def test_what_only_the_slow_reader_can_refuse_the_fast_one_leaves_to_it(tmp_path: Path, rows: bytes) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(NAMES + rows)
    both = read_both(path)
    assert both is not None
    assert both[0] is None
    assert both[1].bad != ()


def test_a_cell_too_many_does_not_make_up_for_one_too_few(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(b"""\
note,date,timestamp,open,high,low,close,trades
a,2024-01-01,2024-01-01,1,1,1,1,2,3
a,2024-01-02,2024-01-02,1,1,1,1
""")
    both = read_both(path)
    assert both is not None
    assert both[0] is None
    assert [row.line for row in both[1].bad] == [2, 3]


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=spoilt_files(), block=st.sampled_from([7, 64, 1 << 20]))
def test_what_the_fast_reader_accepts_both_read_alike(tmp_path: Path, content: bytes, block: int) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_blocks, "BLOCK_BYTES", block)
        both = read_both(path)
    if both is None or both[0] is None:
        return
    fast, slow = both
    assert slow.bad == ()
    assert np.array_equal(fast.lines, slow.lines)
    assert np.array_equal(fast.times, slow.times)
    assert np.array_equal(fast.columns, slow.columns)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=files())
def test_the_fast_reader_accepts_good_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(content)
    both = read_both(path)
    assert both is not None
    fast, slow = both
    assert fast is not None
    assert len(fast.times) == len(slow.times) > 0


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_no_bytes_crash_the_readers(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(b"time,open,high,low,close\n" + content)
    both = read_both(path)
    assert both is None or both[0] is None or both[1].bad == ()
