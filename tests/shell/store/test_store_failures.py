"""Locked, read-only, full, damaged: a sentence with the path, and what was stored is still there."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from algotrade.errors import ExitCode, FixConfiguration, FixData, TryLater
from algotrade.market.candles import Floats, SeriesKey, Times
from algotrade.store.arrivals import write_candles
from algotrade.store.candles import list_series, read_candles, span
from algotrade.store.database import open_database
from algotrade.store.failures import explain, explained

KEY = SeriesKey("kraken", "BTC/USD", "1m")


def bars(count: int, first: int = 0) -> tuple[Times, Floats]:
    number = np.arange(first, first + count)
    return number * 60_000, np.tile(number + 0.5, (5, 1))


def test_a_locked_database_is_named_and_can_still_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with open_database(path, busy_timeout_ms=20) as database, closing(sqlite3.connect(path)) as other:
        write_candles(database, KEY, *bars(3))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TryLater, match=f"{path} is locked") as caught:
            write_candles(database, KEY, *bars(9))
        assert caught.value.exit_code == ExitCode.TRY_LATER
        assert len(read_candles(database, KEY)) == 3
        other.rollback()
        assert write_candles(database, KEY, *bars(9)) == (6, 3, 0)


def test_a_lock_that_is_released_in_time_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with open_database(path) as database, closing(sqlite3.connect(path, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        release = Timer(0.1, other.rollback)
        release.start()
        assert write_candles(database, KEY, *bars(1)).added == 1
        release.join()


def test_a_full_disk_stores_nothing_of_the_write_and_loses_nothing(tmp_path: Path) -> None:
    database = open_database(tmp_path / "a.sqlite")
    write_candles(database, KEY, *bars(1000))
    database.close()

    @event.listens_for(database.engine, "connect")
    def shrink_the_disk(driver_connection: Any, _record: object) -> None:
        driver_connection.execute("PRAGMA max_page_count = 100")

    other = KEY._replace(symbol="ETH/USD")
    for key in (KEY, other):
        with pytest.raises(FixConfiguration, match=r"the disk is full: nothing was written to .*a.sqlite"):
            write_candles(database, key, *bars(200_000))
    assert [info.key for info in list_series(database)] == [KEY]
    assert span(database, KEY) == (0, 999 * 60_000, 1000)
    assert write_candles(database, KEY, *bars(1001)) == (1, 1000, 0)
    database.close()


def test_a_file_that_may_not_grow_stores_nothing_of_the_write_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with open_database(path) as database:
        write_candles(database, KEY, *bars(1000))
    program = (
        "import resource, sys; import numpy as np; from algotrade.errors import FixConfiguration; "
        "from algotrade.market.candles import SeriesKey; from algotrade.store.arrivals import write_candles; "
        "from algotrade.store.database import open_database; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)); "
        "database = open_database(sys.argv[1]); times = np.arange(200_000) * 60_000; "
        "write_candles(database, SeriesKey('kraken', 'ETH/USD', '1m'), times, np.ones((5, 200_000)))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].startswith("algotrade.errors.FixConfiguration: the disk ")
    assert str(path) in done.stderr.splitlines()[-1]
    with open_database(path) as database:
        assert [info.key for info in list_series(database)] == [KEY]
        assert write_candles(database, KEY, *bars(1001)) == (1, 1000, 0)


def test_a_read_only_folder_is_said(ordinary_folder: Path) -> None:
    ordinary_folder.chmod(0o500)
    with pytest.raises(FixConfiguration, match=r"a.sqlite cannot be opened or created: permission denied"):
        open_database(ordinary_folder / "a.sqlite")
    with pytest.raises(FixConfiguration, match=r"new/a.sqlite cannot be opened or created: permission denied"):
        open_database(ordinary_folder / "new" / "a.sqlite")


def test_a_database_in_a_folder_that_became_read_only_is_said(ordinary_folder: Path) -> None:
    path = ordinary_folder / "a.sqlite"
    open_database(path).close()
    ordinary_folder.chmod(0o500)
    with pytest.raises(FixConfiguration, match=f"{path} cannot be"):
        open_database(path)


def test_a_file_that_may_not_be_written_is_said(ordinary_folder: Path) -> None:
    path = ordinary_folder / "a.sqlite"
    open_database(path).close()
    path.chmod(0o400)
    with pytest.raises(FixConfiguration, match=f"{path} cannot be opened or created: permission denied"):
        open_database(path)


def test_a_damaged_page_is_an_error_and_the_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with open_database(path) as database:
        write_candles(database, KEY, *bars(20_000))
    damaged = bytearray(path.read_bytes())
    middle = len(damaged) // 2 // 4096 * 4096
    damaged[middle : middle + 4 * 4096] = b"\xa5" * (4 * 4096)
    path.write_bytes(damaged)
    with open_database(path) as database, pytest.raises(FixData, match=f"{path} is damaged"):
        read_candles(database, KEY)
    assert path.read_bytes() == damaged


def test_a_truncated_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with open_database(path) as database:
        write_candles(database, KEY, *bars(20_000))
    os.truncate(path, path.stat().st_size // 3)
    with pytest.raises(FixData, match=f"{path} is damaged"):
        open_database(path)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(errno.ENOSPC, "the disk is full: .* could not be written"), (errno.EROFS, "read-only file system")],
)
def test_what_the_system_says_of_a_file_is_said_with_its_path(tmp_path: Path, number: int, sentence: str) -> None:
    with pytest.raises(FixConfiguration, match=sentence) as caught, explained(tmp_path / "a.sqlite"):
        raise OSError(number, os.strerror(number))
    assert str(tmp_path / "a.sqlite") in str(caught.value)


def test_our_own_mistakes_are_not_blamed_on_the_disk(tmp_path: Path) -> None:
    def break_a_constraint() -> None:
        with open_database(tmp_path / "a.sqlite") as database, database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO candles VALUES (77, 0, 1, 1, 1, 1, 1)")

    with pytest.raises(DBAPIError, match="FOREIGN KEY"):
        break_a_constraint()
    with pytest.raises(sqlite3.IntegrityError), explained(tmp_path):
        raise sqlite3.IntegrityError("UNIQUE constraint failed")
    assert explain(ValueError("x"), tmp_path) is None
    assert explain(None, tmp_path) is None
