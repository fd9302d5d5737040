"""The journal: durable, whole, one writer, readable by all."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from algotrade.errors import FixCommand, FixConfiguration, FixData, TryLater
from algotrade.store.journal import Journal, JournalRow, SessionInfo, canonical_json, list_sessions

HEADER = {"session": "one", "created_ms": 1_795_176_000_000, "strategy": {"name": "sma_cross", "fee": 0.1 + 0.2}}


def batch(number: int, size: int = 3) -> list[JournalRow]:
    """The rows of one step; all carry the step's number as time."""
    rows = [
        JournalRow("event", "CandleClosed", number, canonical_json({"part": part, "close": 0.1 * number}))
        for part in range(size - 1)
    ]
    return [*rows, JournalRow("effect", "Decided", number, canonical_json({"part": size - 1}))]


def closed_journal(path: Path, batches: int = 4) -> Path:
    with Journal.create(path, HEADER) as journal:
        for number in range(batches):
            journal.append(batch(number))
    return path


def bytes_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".lock"}


# ---- rows, header, state --------------------------------------------------------------------------------------------
def test_rows_come_back_in_order_with_their_numbers(tmp_path: Path) -> None:
    path = closed_journal(tmp_path / "one.sqlite", batches=2)
    with Journal.open(path, read_only=True) as journal:
        rows = list(journal.rows())
        assert rows == [row._replace(seq=seq) for seq, row in enumerate([*batch(0), *batch(1)], start=1)]
        assert list(journal.rows(after=4)) == rows[4:]
        assert list(journal.rows(after=6)) == []
        assert journal.last_row() == rows[-1]
        assert journal.header == HEADER


def test_a_journal_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = closed_journal(tmp_path / "one.sqlite", batches=1)
    with Journal.open(path) as journal:
        journal.append(batch(1))
        journal.append([])
        assert [row.seq for row in journal.rows()] == [1, 2, 3, 4, 5, 6]


def test_more_rows_than_one_block_are_read_whole(tmp_path: Path) -> None:
    with Journal.create(tmp_path / "one.sqlite", HEADER) as journal:
        journal.append(JournalRow("event", "CandleClosed", number, "{}") for number in range(20_000))
        assert [row.time for row in journal.rows()] == list(range(20_000))


def test_an_empty_journal_has_no_last_row(tmp_path: Path) -> None:
    with Journal.create(tmp_path / "one.sqlite", {}) as journal:
        assert journal.last_row() is None
        assert list(journal.rows()) == []
        assert journal.state == {}


def test_state_is_kept_by_name_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "one.sqlite"
    with Journal.create(path, HEADER) as journal:
        journal.update_state("status", "STARTING")
        journal.update_state("anchor", {"exchange_ms": 1, "speed": 60.0})
        journal.update_state("status", "RUNNING")
    with Journal.open(path) as journal:
        assert journal.state == {"status": "RUNNING", "anchor": {"exchange_ms": 1, "speed": 60.0}}


def test_every_commit_reaches_the_disk(tmp_path: Path) -> None:
    with Journal.create(tmp_path / "one.sqlite", HEADER) as journal:
        settings = [
            journal._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
        ]
    assert settings == ["wal", 2]


def test_rows_that_fail_half_way_leave_nothing(tmp_path: Path) -> None:
    def rows() -> Iterator[JournalRow]:
        yield from batch(0)
        raise RuntimeError("half-way")

    with Journal.create(tmp_path / "one.sqlite", HEADER) as journal:
        with pytest.raises(RuntimeError, match="half-way"):
            journal.append(rows())
        assert journal.last_row() is None
        journal.append(batch(0))
        assert [row.seq for row in journal.rows()] == [1, 2, 3]


def test_anyone_can_read_the_rows_with_sql(tmp_path: Path) -> None:
    path = closed_journal(tmp_path / "one.sqlite", batches=1)
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT seq, kind, name, time, body FROM journal").fetchall()
    assert rows[2] == (3, "effect", "Decided", 0, '{"part":2}')


# ---- files and locks ------------------------------------------------------------------------------------------------
def test_every_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "sessions" / "one.sqlite"
    with Journal.create(path, HEADER) as journal:
        journal.append(batch(0))
        files = {inner.name: stat.S_IMODE(inner.stat().st_mode) for inner in path.parent.iterdir()}
    assert files == {f"one.sqlite{suffix}": 0o600 for suffix in ("", "-wal", "-shm", ".lock")}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_second_writer_is_told_who_runs_and_since_when(tmp_path: Path) -> None:
    path = tmp_path / "btc.sqlite"
    with Journal.create(path, HEADER):
        for second in (lambda: Journal.open(path), lambda: Journal.create(path, HEADER)):
            with pytest.raises(TryLater) as caught:
                second()
            assert caught.value.hint == "algotrade list sessions"
            told = r"session btc is already running \(pid {}, since 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ\)"
            assert caught.match(told.format(os.getpid()))
    Journal.open(path).close()


def test_what_an_earlier_writer_left_in_the_lock_is_replaced(tmp_path: Path) -> None:
    lock = tmp_path / "btc.sqlite.lock"
    lock.write_text("pid 123456789, since 2020-01-01T00:00:00Z and some more\n")
    with Journal.create(tmp_path / "btc.sqlite", HEADER):
        assert re.fullmatch(rf"pid {os.getpid()}, since \S{{20}}\n", lock.read_text())


def test_a_reader_follows_the_writer(tmp_path: Path) -> None:
    path = tmp_path / "one.sqlite"
    with Journal.create(path, HEADER) as writer, Journal.open(path, read_only=True) as reader:
        seen: list[JournalRow] = []
        for number in range(5):
            half_read = reader.rows()
            next(half_read, None)
            writer.append(batch(number))
            seen += reader.rows(after=len(seen))
        assert [row.time for row in seen] == [number for number in range(5) for _ in range(3)]
        assert reader.state == {}


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    path = closed_journal(tmp_path / "one.sqlite")
    with Journal.open(path, read_only=True) as journal, pytest.raises(FixConfiguration, match="read-only"):
        journal.append(batch(9))


def test_an_existing_session_is_not_overwritten(tmp_path: Path) -> None:
    path = closed_journal(tmp_path / "one.sqlite")
    before = bytes_in(tmp_path)
    with pytest.raises(FixCommand, match="session one exists already"):
        Journal.create(path, {})
    assert bytes_in(tmp_path) == before
    Journal.open(path).close()  # the lock was let go


def test_what_a_killed_creation_left_behind_is_no_session(tmp_path: Path) -> None:
    (tmp_path / "one.sqlite.new").write_bytes(b"half a file")
    assert list_sessions(tmp_path) == []
    path = closed_journal(tmp_path / "one.sqlite")
    assert sorted(bytes_in(tmp_path)) == [path.name]


def test_a_missing_session_is_said(tmp_path: Path) -> None:
    for read_only in (False, True):
        with pytest.raises(FixCommand, match=f"there is no session none in {tmp_path}"):
            Journal.open(tmp_path / "none.sqlite", read_only=read_only)
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_folder_is_said(ordinary_folder: Path) -> None:
    path = closed_journal(ordinary_folder / "one.sqlite")
    ordinary_folder.chmod(0o500)
    with pytest.raises(FixConfiguration, match=r"two.sqlite cannot be opened or created: permission denied"):
        Journal.create(ordinary_folder / "two.sqlite", HEADER)
    with pytest.raises(FixConfiguration, match=f"{path} cannot be"):
        Journal.open(path)


# ---- locked, full, damaged ------------------------------------------------------------------------------------------
def test_a_locked_journal_is_an_error_and_goes_on_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "one.sqlite"
    with Journal.create(path, HEADER) as journal, closing(sqlite3.connect(path)) as other:
        journal._connection.execute("PRAGMA busy_timeout = 20")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TryLater, match=f"{path} is locked"):
            journal.append(batch(0))
        other.rollback()
        journal.append(batch(1))
        assert [row.time for row in journal.rows()] == [1, 1, 1]


FILL_THE_DISK = """
import resource, sys
from pathlib import Path
from algotrade.errors import FixConfiguration
from algotrade.store.journal import Journal, JournalRow
journal = Journal.create(Path(sys.argv[1]), {})
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
stored = failed = 0
while failed < 3:
    try:
        journal.append(JournalRow("event", "x", stored, "y" * 1000) for part in range(3))
        stored += 1
    except FixConfiguration as error:
        failed, sentence = failed + 1, error
print(stored, sentence)
"""


def test_a_disk_that_takes_no_more_loses_no_acknowledged_row(tmp_path: Path) -> None:
    path = tmp_path / "one.sqlite"
    shown = subprocess.run(
        [sys.executable, "-c", FILL_THE_DISK, str(path)], capture_output=True, text=True, check=True
    ).stdout
    stored, sentence = shown.split(maxsplit=1)
    assert int(stored) > 10
    assert f"{path}" in sentence
    assert "what was stored before is untouched" in sentence
    with Journal.open(path) as journal:
        assert [row.time for row in journal.rows()] == [number for number in range(int(stored)) for _ in range(3)]


def test_a_damaged_journal_is_an_error_and_is_left_as_it_is(tmp_path: Path) -> None:
    path = closed_journal(tmp_path / "one.sqlite", batches=2000)
    damaged = bytearray(path.read_bytes())
    middle = len(damaged) // 2 // 4096 * 4096
    damaged[middle : middle + 8 * 4096] = b"\xa5" * (8 * 4096)
    path.write_bytes(damaged)
    with pytest.raises(FixData, match=f"{path} is damaged"):
        Journal.open(path)
    with Journal.open(path, read_only=True) as journal, pytest.raises(FixData, match=f"{path} is damaged"):
        list(journal.rows())
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("content", [b"", b"no database at all" * 300])
def test_what_is_no_journal_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "one.sqlite"
    path.write_bytes(content)
    for read_only in (True, False):
        with pytest.raises(FixConfiguration, match=f"{path} is not "):
            Journal.open(path, read_only=read_only)
    assert bytes_in(tmp_path) == {"one.sqlite": content}


def test_a_newer_journal_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = closed_journal(tmp_path / "one.sqlite")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    for read_only in (True, False):
        with pytest.raises(FixConfiguration, match="newer version of algotrade"):
            Journal.open(path, read_only=read_only)
    assert path.read_bytes() == before


@pytest.mark.parametrize("cut", [1, 100, 4096, 5000, 20_000])
def test_a_torn_write_ahead_log_gives_whole_transactions(tmp_path: Path, cut: int) -> None:
    path, copy = tmp_path / "one.sqlite", tmp_path / "copy.sqlite"
    with Journal.create(path, HEADER) as journal:
        for number in range(20):
            journal.append(batch(number, size=10))
        shutil.copy(path, copy)
        shutil.copy(f"{path}-wal", f"{copy}-wal")
    os.truncate(f"{copy}-wal", os.path.getsize(f"{copy}-wal") - cut)
    with Journal.open(copy) as journal:
        times = [row.time for row in journal.rows()]
        assert 0 < len(times) < 200
        assert times == [number for number in range(len(times) // 10) for _ in range(10)]
        journal.append(batch(99))


# ---- the list -------------------------------------------------------------------------------------------------------
def test_sessions_are_listed_by_name_damaged_ones_with_the_reason(tmp_path: Path) -> None:
    running = tmp_path / "b.sqlite"
    closed_journal(tmp_path / "a.sqlite", batches=4)
    (tmp_path / "c.sqlite").write_bytes(b"no database at all" * 300)
    (tmp_path / "notes.txt").write_text("not a session")
    with Journal.create(running, HEADER) as journal:
        journal.update_state("status", "RUNNING")
        first, second, third = list_sessions(tmp_path)
    assert first == SessionInfo("a", tmp_path / "a.sqlite", HEADER, "", 3, 12)
    assert second == SessionInfo("b", running, HEADER, "RUNNING", None, 0, running=True)
    assert third[:3] == ("c", tmp_path / "c.sqlite", {})
    assert "is not a database" in third.status


def test_a_session_runs_as_long_as_its_journal_is_held(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with Journal.create(path, HEADER):
        assert [info.running for info in list_sessions(tmp_path)] == [True]
    assert [info.running for info in list_sessions(tmp_path)] == [False]
    with Journal.open(path):  # looking did not take the lock
        pass
    (tmp_path / "a.sqlite.lock").unlink()
    assert [info.running for info in list_sessions(tmp_path)] == [False]


def test_rows_before_the_first_closed_bar_have_no_time(tmp_path: Path) -> None:
    with Journal.create(tmp_path / "a.sqlite", HEADER) as journal:
        journal.append([JournalRow("operation", "started", 0, "{}")])
    (info,) = list_sessions(tmp_path)
    assert (info.last_time, info.rows) == (None, 1)


@pytest.mark.parametrize(
    "change", ["DELETE FROM header", *(f"UPDATE header SET document = '{text}'" for text in ("{", "[]", "null"))]
)
def test_a_journal_without_a_header_is_damaged(tmp_path: Path, change: str) -> None:
    path = closed_journal(tmp_path / "one.sqlite")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(change)
    for read_only in (True, False):
        with pytest.raises(FixData, match=r"one\.sqlite is damaged"):
            Journal.open(path, read_only=read_only)
    (info,) = list_sessions(tmp_path)
    assert "is damaged" in info.status


def test_a_folder_that_is_not_there_holds_no_sessions(tmp_path: Path) -> None:
    assert list_sessions(tmp_path / "none") == []


def test_the_journal_needs_no_heavy_library() -> None:
    program = (
        "import sys, algotrade.store.journal; "
        "print(sorted({'numpy', 'pandas', 'sqlalchemy', 'alembic'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
