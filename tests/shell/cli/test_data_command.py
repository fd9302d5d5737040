"""data: a series taken elsewhere and back is the same bytes; what is stored can be checked, and dropped as a whole."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
FETCH = ("fetch", "--exchange", "demo", "--timeframe", "1h", "--start", "2023-01-01", "--end", "2023-12-31", "--quiet")
FORMATS = ["candles.parquet", "candles.csv", "candles.csv.gz"]


@pytest.fixture
def stored(algotrade: Command, place: Path) -> Path:
    """A project with a year of hourly candles of the demo exchange."""
    assert algotrade(*FETCH).code == 0
    return place


def change(place: Path, *statements: str) -> None:
    """Break what is stored, behind the program's back."""
    with sqlite3.connect(place / ".algotrade" / "algotrade.db") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def rows(place: Path) -> dict[str, int]:
    """Rows of every table that belongs to a series."""
    names = ("series", "candles", "coverage", "quarantine", "revisions", "snapshots", "trades", "trade_days")
    with sqlite3.connect(place / ".algotrade" / "algotrade.db") as connection:
        counted = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}
    connection.close()
    return counted


# ---- export and import ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", FORMATS)
def test_a_series_comes_back_as_it_was(algotrade: Command, stored: Path, name: str) -> None:
    before = algotrade("data", "export", "--to", name, "--json").document
    assert (before["candles"], before["origin"]) == (8760, "demo")
    algotrade("data", "drop", "--yes")
    back = algotrade("data", "import", name, "--json").document
    assert (back["added"], back["exchange"], back["timeframe"], back["origin"]) == (8760, "demo", "1h", "demo")
    again = algotrade("data", "export", "--to", name, "--force", "--json").document
    assert again == before
    assert algotrade("data", "import", name, "--json").document["unchanged"] == 8760


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_candles_are_the_same_bytes(algotrade: Command, stored: Path, name: str) -> None:
    algotrade("data", "export", "--to", name)
    algotrade("data", "export", "--to", f"again.{name}")
    assert Path(name).read_bytes() == Path(f"again.{name}").read_bytes()
    assert sorted(path.name for path in stored.iterdir() if path.name.startswith(".c")) == []


def test_a_span_can_be_exported(algotrade: Command, stored: Path) -> None:
    span = ("--start", "2023-02-01", "--end", "2023-02-28")
    run = algotrade("data", "export", "--to", "february.csv", *span, "--json")
    assert (run.document["first"], run.document["candles"]) == ("2023-02-01T00:00:00Z", 28 * 24)
    assert algotrade("data", "export", "--to", "x.csv", "--start", "2030-01-01").code == 4
    assert not Path("x.csv").exists()


def test_a_csv_file_names_its_series_and_its_times(algotrade: Command, stored: Path) -> None:
    algotrade("data", "export", "--to", "candles.csv.gz")
    head, first, *_ = gzip.decompress(Path("candles.csv.gz").read_bytes()).decode().splitlines()
    assert head == "exchange,symbol,timeframe,origin,time,open,high,low,close,volume"
    assert first.startswith("demo,BTC/USD,1h,demo,2023-01-01T00:00:00.000Z,")


def test_a_file_is_not_replaced_unasked(algotrade: Command, stored: Path) -> None:
    Path("candles.csv").write_text("mine")
    run = algotrade("data", "export", "--to", "candles.csv")
    assert run.code == 2
    assert Path("candles.csv").read_text() == "mine"
    assert algotrade("data", "export", "--to", "candles.csv", "--force").code == 0


def test_an_edited_parquet_file_is_refused(algotrade: Command, stored: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    algotrade("data", "export", "--to", "candles.parquet")
    table = pq.read_table("candles.parquet")
    edited = table.set_column(5, table.field(5), [[1.0] * len(table)])
    note = pq.ParquetFile("candles.parquet").metadata.metadata
    pq.write_table(edited.replace_schema_metadata({b"algotrade": note[b"algotrade"]}), "candles.parquet")
    run = algotrade("data", "import", "candles.parquet")
    assert run.code == 4
    assert "candles.parquet: its candles are not those that were exported" in run.err


FIFTH = "2023-01-01T05:00:00.000Z,"


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda text: text.replace("BTC", "ETH", 1), "more than one series"),
        (lambda text: text.replace("demo,BTC/USD", "demo,../../x"), "is not a symbol"),
        (lambda text: text.replace("demo,BTC/USD,1h,demo", "demo,BTC/USD,1h,mine"), "an origin that there is not"),
        (lambda text: text.replace("demo,BTC/USD,1h,demo", "=cmd(),BTC/USD,1h,demo"), "it names no exchange"),
        (lambda text: text.replace("T05:00:00", "T04:30:00", 1), "opens before the one before it closes"),
        (lambda text: text.replace(FIFTH, f"{FIFTH}-", 1), "a price is not positive"),
        (lambda text: text.replace(FIFTH, "tomorrow,", 1), "cannot be read"),
        (lambda text: text.replace(",open,", ",opened,", 1), "is not a file that `data export` wrote"),
        (lambda text: text.splitlines()[0] + "\n", "it has no candle"),
        (lambda _: "", "cannot be read"),
        (lambda _: "\0\1\2", "candles.csv"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_as_it_was_written_is_refused_whole(
    algotrade: Command, stored: Path, edit: Callable[[str], str], said: str
) -> None:
    algotrade("data", "export", "--to", "candles.csv")
    text = Path("candles.csv").read_text()
    assert algotrade("data", "drop", "--yes").code == 0
    Path("candles.csv").write_text(edit(text))
    run = algotrade("data", "import", "candles.csv")
    assert (run.code, run.out) == (4, "")
    assert said in run.err
    assert rows(stored)["series"] == 0


@pytest.mark.parametrize("name", ["candles.parquet", "candles.csv.gz"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_file_that_is_cut_off_is_refused(algotrade: Command, stored: Path, name: str, share: float) -> None:
    algotrade("data", "export", "--to", name)
    whole = Path(name).read_bytes()
    Path(name).write_bytes(whole[: int(len(whole) * share)])
    run = algotrade("data", "import", name)
    assert (run.code, run.out) == (4, "")
    assert run.err.startswith(f"error: {name}")


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_never_takes_the_place_of_other_candles_unasked(algotrade: Command, stored: Path, name: str) -> None:
    algotrade("data", "export", "--to", name)
    before = algotrade("data", "export", "--to", "before.parquet", "--json").document["hash"]
    change(stored, "UPDATE candles SET close = close + 1, high = high + 1 WHERE time >= 1672534800000")
    run = algotrade("data", "import", name)
    assert (run.code, run.out) == (4, "")
    assert run.err.startswith(
        f"error: {name}: 8,759 of its 8,760 bars are stored with other values, the first 2023-01-01T01:00:00Z: close "
    )
    assert run.hint == f"algotrade data import {name} --replace"
    assert rows(stored)["revisions"] == 0
    assert algotrade(*run.hint.split()[1:], "--json").document["revised"] == 8759
    assert rows(stored)["revisions"] == 8759
    assert algotrade("data", "export", "--to", "after.parquet", "--json").document["hash"] == before


# ---- verify ---------------------------------------------------------------------------------------------------------
def test_what_is_whole_is_said_to_be(algotrade: Command, stored: Path) -> None:
    run = algotrade("data", "verify")
    assert run.code == 0
    assert run.out.splitlines()[-1].split()[-1] == "ok"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE candles SET high = 1 WHERE time = 1672534800000", "candle 2023-01-01T01:00:00Z: high is below low"),
        ("UPDATE candles SET close = 9e999 WHERE time = 1672534800000", "a value is not a finite number"),
        ("UPDATE candles SET volume = volume + 1 WHERE time = 1672534800000", "differs from the stored candles"),
        ("UPDATE candles SET time = time + 60000 WHERE time = 1672534800000", "opens before the one before it closes"),
        ("UPDATE coverage SET \"end\" = start", "is empty or overlaps another"),
        ("INSERT INTO coverage VALUES (99, 0, 1)", "the table coverage has rows that belong to no series"),
        ("INSERT INTO revisions VALUES (1, 1672534800000, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2)", "is not as its newest"),
    ],
)  # fmt: skip
def test_what_was_changed_behind_its_back_is_found(algotrade: Command, stored: Path, statement: str, said: str) -> None:
    change(stored, statement)
    run = algotrade("data", "verify")
    assert run.code == 5
    assert said in run.out + run.err
    document = algotrade("data", "verify", "--json").document
    assert said in json.dumps(document)
    assert document["same"] is False
    series = "algotrade data drop --exchange demo --symbol BTC/USD --timeframe 1h --origin demo"
    assert run.hint == ("algotrade data export -h" if "no series" in said else series)


@pytest.mark.parametrize("missing", [False, True])
def test_a_damaged_snapshot_is_found_and_made_anew_by_what_is_recommended(
    algotrade: Command, stored: Path, missing: bool
) -> None:
    (snapshot,) = (stored / ".algotrade").rglob("*.npy")
    content = bytearray(snapshot.read_bytes())
    content[-1] ^= 1
    snapshot.write_bytes(content)
    if missing:
        snapshot.unlink()
    run = algotrade("data", "verify")
    assert (run.code, run.hint[:15]) == (5, "algotrade fetch")
    if not missing:
        assert "remove it, and the next fetch makes it anew" in " ".join(run.out.split())
        snapshot.unlink()
    assert algotrade(*run.hint.split()[1:]).code == 0
    assert algotrade("data", "verify").code == 0


def test_each_of_several_series_is_told_what_mends_it(algotrade: Command, stored: Path) -> None:
    algotrade(*(word.replace("BTC", "ETH") for word in FETCH), "--symbol", "ETH/USD")
    change(stored, "UPDATE candles SET high = 1 WHERE time = 1672534800000")
    run = algotrade("data", "verify")
    assert "demo BTC/USD 1h (demo): algotrade data drop --exchange demo --symbol BTC/USD" in run.err
    assert "demo ETH/USD 1h (demo): algotrade data drop --exchange demo --symbol ETH/USD" in run.err


@pytest.mark.parametrize("command", [["verify"], ["export", "--to", "x.csv"], ["drop", "--yes"]])
def test_what_was_mistyped_is_not_taken_for_an_empty_store(
    algotrade: Command, stored: Path, command: list[str]
) -> None:
    origin = algotrade("data", *command, "--origin", "officiall")
    assert (origin.code, origin.hint) == (2, "algotrade list data")
    assert "given 'officiall'. Did you mean 'official'?" in origin.err
    symbol = algotrade("data", *command, "--symbol", "BTC/USDT")
    assert (symbol.code, symbol.hint) == (4, "algotrade list data")
    assert "no series of BTC/USDT is stored. Did you mean 'BTC/USD'?" in symbol.err
    assert algotrade("data", *command, "--origin", "import").code == 4


# ---- drop -----------------------------------------------------------------------------------------------------------
def test_dropping_needs_a_word_where_nobody_can_be_asked(algotrade: Command, stored: Path) -> None:
    run = algotrade("data", "drop", "--symbol", "BTC/USD", "--timeframe", "1h")
    assert run.code == 77
    assert "8,760 candles; say --yes" in run.err
    assert rows(stored)["candles"] == 8760
    assert algotrade(*run.hint.split()[1:]).code == 0


def test_all_of_a_series_goes_and_a_fetch_brings_it_again(algotrade: Command, stored: Path) -> None:
    change(
        stored,
        "INSERT INTO quarantine (series_id, fingerprint, reason, seen_ms) VALUES (1, 'x', 'odd', 1)",
        "INSERT INTO trades (series_id, time_ns, sequence, price, quantity) VALUES (1, 1, 0, 1, 1)",
    )
    before = algotrade("data", "export", "--to", "before.parquet", "--json").document["hash"]
    run = algotrade("data", "drop", "--yes", "--json")
    assert run.document["removed"] == {"candles": 8760, "quarantine": 1, "revisions": 0, "trades": 1, "funding": 0}
    assert set(rows(stored).values()) == {0}
    assert list((stored / ".algotrade").rglob("*.npy")) == []
    assert algotrade(*FETCH).code == 0
    assert algotrade("data", "export", "--to", "after.parquet", "--json").document["hash"] == before


def test_other_series_stay(algotrade: Command, stored: Path) -> None:
    algotrade(*FETCH, "--symbol", "ETH/USD")
    run = algotrade("data", "drop", "--yes")
    assert run.code == 4
    assert "several series are meant" in run.err
    assert algotrade("data", "drop", "--symbol", "BTC/USD", "--yes").code == 0
    (left,) = algotrade("list", "data", "--json").document["data"]
    assert (left["symbol"], left["candles"]) == ("ETH/USD", 8760)
    assert algotrade("data", "verify").code == 0
