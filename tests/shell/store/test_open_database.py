"""Opening the store: what is created, what is refused, what stays untouched."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from algotrade.errors import FixConfiguration
from algotrade.market.candles import SeriesKey
from algotrade.store.arrivals import write_candles
from algotrade.store.candles import read_candles
from algotrade.store.database import open_database

KEY = SeriesKey("kraken", "BTC/USD", "1d")
ONE = (np.array([0], np.int64), np.ones((5, 1)))


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def bytes_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_new_files_and_folders_are_private(tmp_path: Path) -> None:
    path = tmp_path / "data" / "deep" / "a.sqlite"
    with open_database(path) as database:
        write_candles(database, KEY, *ONE)
        files = {inner.name: rights(inner) for inner in path.parent.iterdir()}
    assert files == {"a.sqlite": 0o600, "a.sqlite-wal": 0o600, "a.sqlite-shm": 0o600}
    assert rights(path.parent) == rights(path.parent.parent) == 0o700


def test_a_folder_that_was_there_keeps_its_rights(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    open_database(tmp_path / "a.sqlite").close()
    assert rights(tmp_path) == 0o755


def test_a_path_and_a_url_are_the_same_database(tmp_path: Path) -> None:
    path = tmp_path / "a b.sqlite"
    with open_database(path) as database:
        write_candles(database, KEY, *ONE)
    with open_database(f"sqlite:///{path}") as database:
        assert len(read_candles(database, KEY)) == 1
        assert (database.where, database.folder) == (str(path), tmp_path)
        assert repr(database) == f"Database('{database.url}')"


def test_the_connection_is_set_up_for_one_writer_and_many_readers(tmp_path: Path) -> None:
    with open_database(tmp_path / "a.sqlite") as database, database.reading() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
    assert values == ["wal", 1, 1, 5000]


def test_a_reader_sees_one_state_while_another_writes(tmp_path: Path) -> None:
    with open_database(tmp_path / "a.sqlite") as database, database.reading() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM candles").scalar()
        write_candles(database, KEY, *ONE)
        assert connection.exec_driver_sql("SELECT count(*) FROM candles").scalar() == before == 0


def test_writing_what_is_stored_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with open_database(path) as database:
        write_candles(database, KEY, *ONE)
        before = bytes_in(tmp_path)["a.sqlite-wal"]
        write_candles(database, KEY, *ONE)
        assert bytes_in(tmp_path)["a.sqlite-wal"] == before


def test_many_may_create_the_same_database_at_once(tmp_path: Path) -> None:
    barrier = Barrier(8)

    def open_and_write(number: int) -> int:
        barrier.wait()
        with open_database(tmp_path / "new" / "a.sqlite") as database:
            return write_candles(database, KEY, np.array([number], np.int64), np.ones((5, 1))).added

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(open_and_write, range(8))) == 8


@pytest.mark.parametrize(
    ("location", "sentence"),
    [
        ("mysql://trader:s3cret@db.example/x", "kind 'mysql' are not supported"),
        ("nosuch+driver://trader:s3cret@db.example/x", "kind 'nosuch\\+driver' are not supported"),
        ("sqlite+aiosqlite:///x", "kind 'sqlite\\+aiosqlite' are not supported"),
        ("sqlite:///x?password=s3cret", "no host and no options"),
        ("sqlite://s3cret@host/x", "no host and no options"),
        ("://s3cret", "cannot be read"),
        ("sqlite://", "in memory would keep nothing"),
        ("sqlite:///:memory:", "in memory would keep nothing"),
        (":memory:", "in memory would keep nothing"),
        ("", "in memory would keep nothing"),
    ],
)
def test_a_location_that_makes_no_sense_is_refused_without_repeating_secrets(location: str, sentence: str) -> None:
    with pytest.raises(FixConfiguration, match=sentence) as caught:
        open_database(location)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(FixConfiguration, match="is a folder"):
        open_database(tmp_path)


def test_a_file_in_the_way_of_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(FixConfiguration, match=r"data/a.sqlite cannot be opened or created"):
        open_database(tmp_path / "data" / "a.sqlite")


def test_a_file_that_is_no_database_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("time,open,high,low,close,volume\n" * 100)
    before = bytes_in(tmp_path)
    with pytest.raises(FixConfiguration, match=f"{path} is not a database"):
        open_database(path)
    assert bytes_in(tmp_path) == before


def test_the_database_of_another_program_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "photos.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE photos (id INTEGER); INSERT INTO photos VALUES (1)")
    before = bytes_in(tmp_path)
    with pytest.raises(FixConfiguration, match=r"another program.*'photos'"):
        open_database(path)
    assert bytes_in(tmp_path) == before


def test_a_newer_schema_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    open_database(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE algotrade_schema SET version_num = '9999'")
        connection.commit()
    before = bytes_in(tmp_path)
    with pytest.raises(FixConfiguration, match=r"newer version of algotrade \(schema 9999"):
        open_database(path)
    assert bytes_in(tmp_path) == before


def test_opening_and_reading_imports_neither_alembic_nor_the_orm(tmp_path: Path) -> None:
    program = (
        "import sys; from algotrade.store.database import open_database; "
        "from algotrade.store.candles import read_candles; from algotrade.market.candles import SeriesKey; "
        "read_candles(open_database(sys.argv[1]), SeriesKey('kraken', 'BTC/USD', '1d')); "
        "print(sorted({'alembic', 'sqlalchemy.orm', 'ccxt', 'numba'} & set(sys.modules)))"
    )
    for _existing in (False, True):
        shown = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "a.sqlite")], capture_output=True, text=True, check=True
        )
        assert shown.stdout.strip() == "[]"
