"""The archives that exchanges give out: rows without names, in folders and zip files, candles or trades."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from algotrade.errors import AlgotradeError, FixCommand, FixData
from algotrade.ingest.files import csv_blocks, sources
from algotrade.ingest.files.importing import import_file
from algotrade.ingest.files.open_rows import ImportOptions
from algotrade.market.candles import SeriesKey, iso, times_ms
from algotrade.market.span import parse_time
from algotrade.store.candles import list_series, read_candles
from algotrade.store.corrections import read_quarantine
from algotrade.store.database import Database, open_database

NOW = parse_time("2024-06-01")
UNKNOWN = SeriesKey("kraken", "", "")
BTC = UNKNOWN._replace(symbol="BTC/USD")
FIRST = 1_704_067_200  # 2024-01-01


def minutes(first: int, last: int, *, step: int = 60, close: int = 11) -> str:
    """Rows number first to last, without the names of columns: seconds, prices, volume, trades."""
    return "".join(f"{FIRST + row * step},10,12,9,{close},0.5,3\n" for row in range(first, last + 1))


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "store" / "store.sqlite") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


def zipped(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_the_name_says_what_was_not_given_and_the_report_says_so(db: Database, folder: Path) -> None:
    path = folder / "XBTUSD_1.csv"
    path.write_text(minutes(0, 9))
    report = import_file(db, path, UNKNOWN, now_ms=NOW)
    assert report.key == SeriesKey("kraken", "BTC/USD", "1m", "import")
    assert (report.added, report.note) == (10, "BTC/USD 1m is what the name XBTUSD_1.csv says")


def test_what_was_given_wins_over_the_name(db: Database, folder: Path) -> None:
    path = folder / "XBTUSD_1.csv"
    path.write_text(minutes(0, 9, step=300))
    report = import_file(db, path, SeriesKey("kraken", "ETH/EUR", "5m"), now_ms=NOW)
    assert (report.key.symbol, report.timeframe) == ("ETH/EUR", "5m")
    assert report.note == "warning: the name XBTUSD_1.csv says BTC/USD 1m, and it is stored as ETH/EUR 5m"


def test_a_name_that_is_not_true_is_found_out(db: Database, folder: Path) -> None:
    (folder / "XBTUSD_60.csv").write_text(minutes(0, 9))
    with pytest.raises(FixData, match="line 2: it opens 1 minutes after the bar before, which is 1h long"):
        import_file(db, folder / "XBTUSD_60.csv", UNKNOWN, now_ms=NOW)


def test_where_nothing_says_the_symbol_the_assumed_one_is_taken_and_said(db: Database, folder: Path) -> None:
    (folder / "mine.csv").write_text(minutes(0, 9))
    with pytest.raises(FixCommand, match="'' is not a symbol"):
        import_file(db, folder / "mine.csv", UNKNOWN, now_ms=NOW)
    report = import_file(db, folder / "mine.csv", UNKNOWN, ImportOptions(assumed_symbol="A/B"), now_ms=NOW)
    assert report.key.symbol == "A/B"
    assert "the file is taken for A/B; --symbol says otherwise" in report.note


ARCHIVE = {
    "all/XBTUSD_1.csv": minutes(0, 9),
    "all/XBTUSD_60.csv": minutes(0, 9, step=3600),
    "all/XBTEUR_1.csv": minutes(0, 4),
    "all/readme.txt": "hello",
    "__MACOSX/all/._XBTUSD_1.csv": "\0\0\0",
}


@pytest.mark.parametrize(
    ("symbol", "timeframe", "rows", "series"),
    [
        ("BTC/USD", "1m", 10, "BTC/USD 1m"),
        ("BTC/USD", "1h", 10, "BTC/USD 1h"),
        ("BTC/EUR", "", 5, "BTC/EUR 1m"),
    ],
)
def test_the_member_that_fits_is_read_from_a_zip_archive(
    db: Database, folder: Path, symbol: str, timeframe: str, rows: int, series: str
) -> None:
    path = zipped(folder / "archive.zip", ARCHIVE)
    report = import_file(db, path, SeriesKey("kraken", symbol, timeframe), now_ms=NOW)
    assert (report.rows, f"{report.key.symbol} {report.timeframe}") == (rows, series)


@pytest.mark.parametrize(
    ("symbol", "timeframe", "kind", "sentence", "flag"),
    [
        ("", "", FixCommand, "it holds 2 markets \\(BTC/EUR, BTC/USD\\)", "--symbol BTC/EUR"),
        ("BTC/USD", "", FixCommand, "it holds BTC/USD in 1h, 1m", "--timeframe 1h"),
        ("BTC/USD", "4h", FixData, "it holds BTC/USD in 1h, 1m, not in 4h", "--timeframe 1h"),
        ("SOL/USD", "1m", FixData, "none of its files is named like one of SOL/USD", None),
    ],
)
def test_an_archive_is_not_guessed_at(
    db: Database, folder: Path, symbol: str, timeframe: str, kind: type[AlgotradeError], sentence: str, flag: str | None
) -> None:
    path = zipped(folder / "archive.zip", ARCHIVE)
    with pytest.raises(kind, match=f"archive.zip: {sentence}") as caught:
        import_file(db, path, SeriesKey("kraken", symbol, timeframe), now_ms=NOW)
    assert (caught.value.hint is None) if flag is None else str(caught.value.hint).endswith(flag)


def test_the_only_member_needs_no_telling_name(db: Database, folder: Path) -> None:
    path = zipped(folder / "archive.zip", {"prices.csv": minutes(0, 9)})
    assert import_file(db, path, BTC, now_ms=NOW).rows == 10


@pytest.mark.parametrize("shared", [0, 1, 4])
def test_updates_in_a_folder_are_joined_in_the_order_of_time(db: Database, folder: Path, shared: int) -> None:
    (folder / "b").mkdir()
    zipped(folder / "z.zip", {"XBTUSD_1.csv": minutes(0, 9)})
    (folder / "b" / "XBTUSD_1.csv").write_text(minutes(10 - shared, 19))
    zipped(folder / "a.zip", {"q/XBTUSD_1.csv": minutes(20, 29)})
    report = import_file(db, folder, UNKNOWN, now_ms=NOW)
    assert (report.rows, report.added, report.gaps) == (30, 30, 0)
    assert "joined from 3 files" in report.note
    assert times_ms(read_candles(db, report.key)).tolist() == [(FIRST + row * 60) * 1000 for row in range(30)]


@pytest.mark.parametrize("block", [40, 1 << 20])
@pytest.mark.parametrize(
    ("update", "line"),
    [(minutes(7, 19, close=10), 1), (minutes(7, 8) + minutes(9, 19, close=10), 3)],
)
def test_updates_that_tell_another_story_are_refused_with_the_line(
    db: Database, folder: Path, update: str, line: int, block: int
) -> None:
    (folder / "1").mkdir()
    (folder / "2").mkdir()
    (folder / "1" / "XBTUSD_1.csv").write_text(minutes(0, 9))
    (folder / "2" / "XBTUSD_1.csv").write_text(update)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_blocks, "BLOCK_BYTES", block)
        with pytest.raises(FixData, match=rf"line {line}: the candle .* is not that of the files before.*XBTUSD_1.csv"):
            import_file(db, folder, UNKNOWN, now_ms=NOW)
    assert list_series(db) == []


def test_an_older_file_that_the_whole_one_covers_adds_nothing(db: Database, folder: Path) -> None:
    zipped(folder / "whole.zip", {"XBTUSD_1.csv": minutes(0, 29)})
    zipped(folder / "update.zip", {"XBTUSD_1.csv": minutes(10, 19)})
    assert import_file(db, folder, UNKNOWN, now_ms=NOW).rows == 30


def test_a_bad_row_of_a_member_is_named_with_it(db: Database, folder: Path) -> None:
    broken = minutes(0, 9).replace(",10,12,9,11,", ",10,8,9,11,", 1)
    path = zipped(folder / "archive.zip", {"XBTUSD_1.csv": broken, "XBTUSD_5.csv": "x"})
    with pytest.raises(FixData, match=r"line 1: high is below low \(in XBTUSD_1\.csv\); nothing was stored"):
        import_file(db, path, BTC._replace(timeframe="1m"), now_ms=NOW)


def test_names_inside_an_archive_never_become_paths_or_terminal_codes(db: Database, folder: Path) -> None:
    names = ["../../escaped/XBTUSD_1.csv", "/etc/XBTUSD_5.csv", "C:\\x\\XBTUSD_15.csv", "\x1b[31m/XBTUSD_60.csv"]
    path = zipped(folder / "archive.zip", dict.fromkeys(names, "time,close\n"))
    before = sorted(folder.parent.rglob("*"))
    for timeframe in ("1m", "5m", "15m", "1h"):
        with pytest.raises(FixData) as caught:
            import_file(db, path, BTC._replace(timeframe=timeframe), now_ms=NOW)
        assert "no column for open" in caught.value.message
        assert caught.value.message.isprintable()
        assert str(caught.value.hint).isprintable()
    assert sorted(folder.parent.rglob("*")) == before


def test_a_name_in_an_archive_reaches_no_terminal_and_no_table(db: Database, folder: Path) -> None:
    path = zipped(folder / "archive.zip", {"a\x1b[2J\x9b31mb.csv": minutes(0, 9) + "x,1,1,1,1,1,1\n"})
    report = import_file(db, path, BTC, ImportOptions(skip_bad=True), now_ms=NOW)
    (refused,) = read_quarantine(db, report.key)
    for reason in (report.skipped[0].reason, refused.reason):
        assert reason.isprintable()
        assert "(in a?[2J?31mb.csv)" in reason


def test_a_zip_bomb_is_refused_before_it_unpacks(db: Database, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "ALWAYS_FINE", 1 << 16)
    path = zipped(folder / "archive.zip", {"XBTUSD_1.csv": "1" * 10_000_000})
    with pytest.raises(FixData, match="unpacks to more than 200 times its size"):
        import_file(db, path, BTC, now_ms=NOW)


def test_a_member_that_lies_about_its_size_or_is_locked_is_refused(db: Database, folder: Path) -> None:
    whole = zipped(folder / "archive.zip", {"XBTUSD_1.csv": minutes(0, 999)}).read_bytes()
    entry = whole.index(b"PK\x01\x02")
    for at, value in ((24, struct.pack("<I", 60)), (8, b"\x01\x00"), (16, b"\0\0\0\0"), (10, b"\x63\x00")):
        changed = bytearray(whole)
        changed[entry + at : entry + at + len(value)] = value
        (folder / "archive.zip").write_bytes(changed)
        with pytest.raises(FixData, match=r"archive\.zip: "):
            import_file(db, folder / "archive.zip", BTC, now_ms=NOW)
    assert list_series(db) == []


def test_an_archive_in_an_archive_and_a_damaged_one_are_refused(db: Database, folder: Path) -> None:
    inner = zipped(folder / "inner.zip", {"XBTUSD_1.csv": minutes(0, 9)}).read_bytes()
    with zipfile.ZipFile(folder / "outer.zip", "w") as archive:
        archive.writestr("XBTUSD_1.csv", inner)
    with pytest.raises(FixData, match="an archive inside an archive"):
        import_file(db, folder / "outer.zip", BTC, now_ms=NOW)
    for cut in (30, len(inner) // 2, len(inner) - 5):
        (folder / "inner.zip").write_bytes(inner[:cut])
        with pytest.raises(FixData, match=r"inner\.zip: the zip archive is damaged"):
            import_file(db, folder / "inner.zip", BTC, now_ms=NOW)


def test_of_many_archives_the_damaged_one_is_named(db: Database, folder: Path) -> None:
    whole = zipped(folder / "a.zip", {"XBTUSD_1.csv": minutes(0, 9)}).read_bytes()
    (folder / "b.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FixData, match=r"the zip archive is damaged .* \(in b\.zip\)$"):
        import_file(db, folder, UNKNOWN, now_ms=NOW)
    middle = bytearray(whole)
    middle[60] ^= 0xFF  # of the packed rows: only reading them shows it
    (folder / "b.zip").write_bytes(middle)
    with pytest.raises(FixData, match=r"damaged: .* \(in XBTUSD_1\.csv of b\.zip\)$"):
        import_file(db, folder, UNKNOWN, now_ms=NOW)
    assert list_series(db) == []


def trades(*rows: tuple[float, float, float]) -> str:
    return "".join(f"{FIRST + at:.4f},{price:.5f},{quantity:.8f}\n" for at, price, quantity in rows)


MARKET = (
    (0.5, 10, 1),
    (59.9999, 12, 0.1),
    (60, 11, 0.2),
    (61.25, 14, 0.1),
    (119, 13, 0.3),
    (240.75, 9, 1),
    (301, 9, 1),
)


def test_trades_become_the_candles_of_the_given_timeframe(db: Database, folder: Path) -> None:
    (folder / "XBTUSD.csv").write_text(trades(*MARKET))
    report = import_file(db, folder / "XBTUSD.csv", UNKNOWN._replace(timeframe="1m"), now_ms=NOW)
    assert report.key == SeriesKey("kraken", "BTC/USD", "1m", "trades")
    candles = read_candles(db, report.key)
    assert [iso(time)[11:16] for time in times_ms(candles)] == ["00:01", "00:04"]
    assert candles.to_numpy().tolist() == [[11, 14, 11, 13, 0.6], [9, 9, 9, 9, 1]]
    assert (report.rows, report.gaps) == (2, 2)
    assert "made of trades; the first and the last bar may lack some and are left out" in report.note


@pytest.mark.parametrize(
    "head",
    ["timestamp,side,price,amount", "Time;Side;Trade Id;Price;Size", "ts\tside\tprice\tqty", "date,s,price,volume"],
)
def test_trades_under_names_are_recognised(db: Database, folder: Path, head: str) -> None:
    sign = next(sign for sign in ",;\t" if sign in head)
    count = head.count(sign) + 1
    rows = [
        (iso((FIRST + max(int(at), 1)) * 1000) if head[0] == "d" else f"{FIRST + at:.4f}", *rest)
        for at, *rest in MARKET
    ]
    lines = [sign.join([time, *["buy"] * (count - 3), f"{price}", f"{size}"]) for time, price, size in rows]
    path = folder / "mine.csv"
    path.write_text("\n".join([head, *lines, ""]))
    report = import_file(db, path, BTC._replace(timeframe="1m"), now_ms=NOW)
    assert report.key.origin == "trades"
    assert read_candles(db, report.key).to_numpy().tolist() == [[11, 14, 11, 13, 0.6], [9, 9, 9, 9, 1]]


@pytest.mark.parametrize("head", ["time,price,close,volume", "time,price,amount,size", "time,price,side"])
def test_what_may_be_something_else_is_not_taken_for_trades(db: Database, folder: Path, head: str) -> None:
    path = folder / "mine.csv"
    path.write_text(f"{head}\n{FIRST},10,1{',1' * (head.count(',') - 2)}\n")
    with pytest.raises(FixData, match="no column for open"):
        import_file(db, path, BTC._replace(timeframe="1m"), now_ms=NOW)


def test_the_first_bar_is_whole_where_a_trade_stands_at_its_beginning(db: Database, folder: Path) -> None:
    (folder / "XBTUSD.csv").write_text(trades((0, 10, 1), *MARKET))
    assert import_file(db, folder / "XBTUSD.csv", UNKNOWN._replace(timeframe="1m"), now_ms=NOW).rows == 3


@pytest.mark.parametrize("block", [30, 100, 1 << 20])
def test_trades_are_joined_over_files_and_blocks(db: Database, folder: Path, block: int) -> None:
    zipped(folder / "z.zip", {"XBTUSD.csv": trades(*MARKET[:3])})
    zipped(folder / "a.zip", {"XBTUSD.csv": trades(*MARKET[3:])})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_blocks, "BLOCK_BYTES", block)
        report = import_file(db, folder, UNKNOWN._replace(timeframe="1m"), now_ms=NOW)
    assert read_candles(db, report.key).to_numpy().tolist() == [[11, 14, 11, 13, 0.6], [9, 9, 9, 9, 1]]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (trades((60, 1, 1), (59, 1, 1)), "line 2: the time 2024-01-01T00:00:59Z comes before that of a row above"),
        (trades((60, 1, 1), (61, -1, 1)), "line 2: the price is not positive"),
        (trades((60, 1, 1), (61, 1, -1)), "line 2: the quantity is negative"),
        (trades((60, 1, 1)) + "1704067261,1e999,1\n", "line 2: a value is not a finite number"),
        (trades((60, 1, 1)) + "1704067261000,1,1\n", "line 2: the time '1704067261000' is in milliseconds"),
        (trades((60, 1, 1)) + "99999999999,1,1\n", "line 2: the time '99999999999' is out of range"),
        (trades((60, 1, 1)) + "1704067261,=cmd,1\n", "line 2: column 'price' holds '=cmd', a spreadsheet formula"),
        (trades((60, 1, 1)) + "1704067261,1\n", "line 2: the row has 2 cells, the file 3 columns"),
        (trades((60, 1, 1)) + "1904067261,1,1\n", "line 2: the time lies in the future"),
    ],
)
@pytest.mark.parametrize("block", [10, 1 << 22])
def test_a_bad_trade_is_refused_with_its_line(
    db: Database, folder: Path, content: str, sentence: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", block)
    (folder / "XBTUSD.csv").write_text(content)
    with pytest.raises(FixData) as caught:
        import_file(db, folder / "XBTUSD.csv", BTC._replace(timeframe="1m"), now_ms=NOW)
    assert caught.value.message.startswith(f"XBTUSD.csv: {sentence}")
    assert list_series(db) == []


def test_trades_do_not_say_which_candles_and_make_none_too_early(db: Database, folder: Path) -> None:
    (folder / "XBTUSD.csv").write_text(trades(*MARKET))
    with pytest.raises(FixCommand, match="it holds trades; say which candles") as caught:
        import_file(db, folder / "XBTUSD.csv", UNKNOWN, now_ms=NOW)
    assert str(caught.value.hint).endswith("--timeframe 1m")
    with pytest.raises(FixData, match="its trades make no whole bar"):
        import_file(db, folder / "XBTUSD.csv", UNKNOWN._replace(timeframe="1d"), now_ms=NOW)
    assert list_series(db) == []


def test_nanoseconds_are_kept_up_to_the_edge_of_a_bar(db: Database, folder: Path) -> None:
    edge = f"{FIRST}.000000000,9,1\n{FIRST + 59}.999999999,10,1\n{FIRST + 60}.000000000,11,1\n{FIRST + 120}.5,12,1\n"
    (folder / "XBTUSD.csv").write_text(edge)
    report = import_file(db, folder / "XBTUSD.csv", UNKNOWN._replace(timeframe="1m"), now_ms=NOW)
    assert read_candles(db, report.key).close.tolist() == [10, 11]
