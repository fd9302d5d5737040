"""Candles as another program stores them: Feather, JSON, JSON packed with gzip."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from algotrade.errors import FixData
from algotrade.ingest.files import json_file
from algotrade.ingest.files.importing import import_file
from algotrade.ingest.files.open_rows import ImportOptions
from algotrade.market.candles import SeriesKey
from algotrade.market.span import parse_time
from algotrade.store.candles import list_series, read_candles
from algotrade.store.database import Database, open_database

NOW = parse_time("2024-06-01")
UNKNOWN = SeriesKey("kraken", "", "")
FIRST = parse_time("2024-01-01")
ROWS = [[FIRST + row * 3_600_000, 10.0, 12.5, 9, 11, 0.25 * row] for row in range(50)]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "store.sqlite") as opened:
        yield opened


def table() -> pd.DataFrame:
    found = pd.DataFrame(ROWS, columns=["date", "open", "high", "low", "close", "volume"]).astype({"low": float})
    return found.assign(date=pd.to_datetime(found.date, unit="ms", utc=True))


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("compression", ["lz4", "zstd", "uncompressed"])
def test_feather_is_read(db: Database, tmp_path: Path, unit: str, compression: str) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "BTC_USD-1h.feather"
    found = table()
    found.assign(date=found.date.dt.as_unit(unit)).to_feather(path, compression=compression)
    report = import_file(db, path, UNKNOWN, now_ms=NOW)
    assert (report.key, report.rows) == (SeriesKey("kraken", "BTC/USD", "1h", "import"), 50)
    assert read_candles(db, report.key).volume.iloc[7] == 1.75


def test_damaged_feather_is_refused(db: Database, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "BTC_USD-1h.feather"
    table().to_feather(path)
    whole = path.read_bytes()
    for content in (whole[:100], whole[:-1], whole[:8], b"FEA1" + whole, whole.replace(b"close", b"cl\xffse")):
        path.write_bytes(content)
        with pytest.raises(FixData, match=r"BTC_USD-1h\.feather: ") as caught:
            import_file(db, path, UNKNOWN, now_ms=NOW)
        assert caught.value.message.isprintable()
    assert list_series(db) == []


def test_without_pyarrow_the_error_says_what_to_install(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "BTC_USD-1h.feather").write_bytes(b"ARROW1\0\0")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(FixData, match="Feather files need pyarrow") as caught:
        import_file(db, tmp_path / "BTC_USD-1h.feather", UNKNOWN, now_ms=NOW)
    assert caught.value.hint == 'pip install "algotrade[parquet]"'


@pytest.mark.parametrize("block", [40, 333, 1 << 20])
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("packed", [False, True])
def test_json_is_read(db: Database, tmp_path: Path, packed: bool, indent: int | None, block: int) -> None:
    path = tmp_path / ("BTC_USDT_USDT-1h-futures.json" + ".gz" * packed)
    text = json.dumps(ROWS, indent=indent).encode()
    path.write_bytes(gzip.compress(text) if packed else text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_file, "BLOCK_BYTES", block)
        report = import_file(db, path, UNKNOWN, now_ms=NOW)
    assert (report.key.symbol, report.timeframe, report.rows) == ("BTC/USDT:USDT", "1h", 50)
    stored = read_candles(db, report.key)
    assert np.array_equal(stored.to_numpy(), np.array(ROWS)[:, 1:])


GOOD = json.dumps(ROWS[:2])[1:-1]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ('[1704153600000,"10",12,9,11,5]', "row 3: it holds '10', which is no usable number"),
        ("[1704153600000,true,12,9,11,5]", "row 3: it holds 'True', which is no usable number"),
        ("[1704153600000,null,12,9,11,5]", "row 3: it holds 'None', which is no usable number"),
        ("[1704153600000,NaN,12,9,11,5]", "row 3: a value is not a finite number"),
        ("[1704153600000,1e400,12,9,11,5]", "row 3: a value is not a finite number"),
        (f"[1704153600000,1{'0' * 400},12,9,11,5]", "row 3: it holds '1000"),
        ("[1704153600000,[1],12,9,11,5]", "row 3: it holds a list or object"),
        ("[1704153600000,12,9,11,5]", "row 3: the row has 5 values, not 6"),
        ("[1704153600,10,12,9,11,5]", "row 3: the time '1704153600' is not in milliseconds"),
        ("[NaN,10,12,9,11,5]", "row 3: the time 'nan' is not in milliseconds"),
        ('{"a":1}', "row 3: it is no list, but a list or object"),
        ('"\\u001b[31m"', "row 3: it is no list, but '\\x1b[31m'"),
        ("17", "row 3: it is no list, but '17'"),
    ],
)
def test_a_row_of_other_things_is_refused(db: Database, tmp_path: Path, row: str, sentence: str) -> None:
    path = tmp_path / "BTC_USD-1h.json"
    path.write_text(f"[{GOOD},{row}]")
    with pytest.raises(FixData) as caught:
        import_file(db, path, UNKNOWN, now_ms=NOW)
    assert caught.value.message.startswith(f"BTC_USD-1h.json: {sentence}")
    assert caught.value.message.isprintable()
    assert import_file(db, path, UNKNOWN, ImportOptions(skip_bad=True), now_ms=NOW).rows == 2


@pytest.mark.parametrize(
    "content",
    ["[", "[]", "[[]", "[1,2", '{"a": []}', f"[{GOOD}", f"[{GOOD}] x", f"[{GOOD},]", f"[{GOOD}{GOOD}]", "[" * 100_000,
     "[" * 50_000 + "]" * 50_000, "[" + "1" * 5000 + "]", '["' + "x" * 300_000, "[[1]]]"],
)  # fmt: skip
def test_json_that_is_no_list_of_rows_is_refused(
    db: Database, tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "BTC_USD-1h.json"
    path.write_text(content)
    for block in (64, 1 << 20):
        monkeypatch.setattr(json_file, "BLOCK_BYTES", block)
        with pytest.raises(FixData, match=r"BTC_USD-1h\.json: "):
            import_file(db, path, UNKNOWN, now_ms=NOW)
    assert list_series(db) == []
