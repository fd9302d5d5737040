"""Snapshots: they equal the rows whatever is written, killed or broken, and leave nothing behind."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import delete, select, update

from algotrade.market.candles import Floats, SeriesKey, Times, content_hash
from algotrade.store import snapshot_file
from algotrade.store.arrivals import write_candles
from algotrade.store.candles import Span, list_series, read_candles, read_times, span
from algotrade.store.database import Database, open_database
from algotrade.store.rows import series_id_of
from algotrade.store.snapshots import (
    SMALLEST_ROWS,
    Snapshot,
    check_snapshot,
    drop_snapshot,
    find_snapshot,
    invalidate_snapshots,
    refresh_snapshot,
    snapshot_folder,
)
from algotrade.store.tables import candles, snapshots

KEY = SeriesKey("kraken", "BTC/USD", "1m")
MINUTE = 60_000
ROWS = 5000


def bars(count: int, first: int = 0, price: float = 100.0) -> tuple[Times, Floats]:
    number = np.arange(first, first + count)
    return number * MINUTE, np.array([number, number + 2, number - 1, number + 1, number + 0.1]) + price


def snapshot_of(database: Database, key: SeriesKey = KEY) -> Snapshot | None:
    with database.reading() as connection:
        series_id = series_id_of(connection, key)
        return None if series_id is None else find_snapshot(connection, series_id)


def made_snapshot(database: Database, rows: int = ROWS) -> Path:
    """Candles and their snapshot; its file."""
    write_candles(database, KEY, *bars(rows))
    refresh_snapshot(database, KEY)
    (path,) = files(database)
    return path


def files(database: Database) -> list[Path]:
    folder = snapshot_folder(database)
    return list(folder.iterdir()) if folder.exists() else []


def columns_of(table: pd.DataFrame) -> list[Any]:
    return [table[name].to_numpy() for name in table]


# ---- the file -------------------------------------------------------------------------------------------------------
def test_the_file_is_named_by_the_hash_of_the_candles_and_anyone_can_prove_it(database: Database) -> None:
    path = made_snapshot(database)
    assert path.stem == content_hash(read_candles(database, KEY))
    assert hashlib.sha256(path.read_bytes()[128:]).hexdigest() == path.stem  # tail -c +129 FILE | sha256sum
    array = np.load(path)
    assert array.shape == (6, ROWS)
    assert array.dtype == np.dtype("<i8")
    times, columns = bars(ROWS)
    assert (array[0] == times).all()
    assert (array[1:].view(np.float64) == columns).all()


def test_the_file_and_its_folder_are_private(database: Database) -> None:
    path = made_snapshot(database)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_two_stores_in_one_folder_leave_each_other_their_files(tmp_path: Path) -> None:
    with open_database(tmp_path / "one.db") as one, open_database(tmp_path / "two.db") as two:
        path = made_snapshot(one)
        write_candles(two, KEY, *bars(ROWS, price=7.0))
        refresh_snapshot(two, KEY)
        drop_snapshot(two, KEY)
        assert files(one) == [path]
        assert files(two) == []


# ---- when there is one ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("rows", "made"), [(SMALLEST_ROWS - 1, False), (SMALLEST_ROWS, True)])
def test_a_series_of_a_few_rows_needs_none(database: Database, rows: int, made: bool) -> None:
    write_candles(database, KEY, *bars(rows))
    refresh_snapshot(database, KEY)
    assert (snapshot_of(database) is not None) == made


def test_a_series_that_is_not_stored_needs_none(database: Database) -> None:
    refresh_snapshot(database, KEY)
    assert files(database) == []
    assert check_snapshot(database, KEY) is None


def test_rows_that_come_behind_it_keep_it_until_they_are_many(database: Database) -> None:
    first = made_snapshot(database)
    write_candles(database, KEY, *bars(SMALLEST_ROWS, first=ROWS))
    refresh_snapshot(database, KEY)
    assert files(database) == [first]
    write_candles(database, KEY, *bars(1, first=ROWS + SMALLEST_ROWS))
    refresh_snapshot(database, KEY)
    (second,) = files(database)
    assert second.stem == content_hash(read_candles(database, KEY)) != first.stem
    assert snapshot_of(database) == (second.stem, 0, (ROWS + SMALLEST_ROWS) * MINUTE, ROWS + SMALLEST_ROWS + 1)


@pytest.mark.parametrize(("start", "end"), [(None, None), (None, 40), (4990, None), (4990, 5003), (5001, 5002), (7, 6)])
def test_times_are_those_of_the_candles_with_a_snapshot_and_without(
    database: Database, start: int | None, end: int | None
) -> None:
    span = {name: bound * MINUTE for name, bound in (("start", start), ("end", end)) if bound is not None}
    assert read_times(database, KEY, **span).tolist() == []
    made_snapshot(database)
    write_candles(database, KEY, *bars(5, ROWS))
    wanted = [at * MINUTE for at in range(ROWS + 5) if (start or 0) <= at <= (ROWS + 5 if end is None else end)]
    assert read_times(database, KEY, **span).tolist() == wanted
    drop_snapshot(database, KEY)
    assert read_times(database, KEY, **span).tolist() == wanted


def test_times_are_read_without_the_candles(database: Database) -> None:
    rows = 200_000
    made_snapshot(database, rows)
    write_candles(database, KEY, *bars(5, rows))
    tracemalloc.start()
    times = read_times(database, KEY)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * times.nbytes


def test_a_snapshot_with_nothing_new_is_not_made_again(database: Database) -> None:
    path = made_snapshot(database)
    before = path.stat().st_ino, path.stat().st_mtime_ns
    write_candles(database, KEY, *bars(ROWS))
    refresh_snapshot(database, KEY)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == before


@pytest.mark.parametrize("first", [-1, 2, ROWS - 1], ids=["before it", "in it", "its last"])
def test_a_write_at_or_before_its_last_candle_ends_it(database: Database, first: int) -> None:
    made_snapshot(database)
    write_candles(database, KEY, *bars(1, first=first, price=7.0))
    assert snapshot_of(database) is None
    assert check_snapshot(database, KEY) is None
    refresh_snapshot(database, KEY)
    (path,) = files(database)
    assert path.stem == content_hash(read_candles(database, KEY))


def test_a_write_to_another_series_leaves_it(database: Database) -> None:
    path = made_snapshot(database)
    other = KEY._replace(symbol="ETH/USD")
    write_candles(database, other, *bars(ROWS, price=7.0))
    refresh_snapshot(database, other)
    assert snapshot_of(database) is not None
    assert len(files(database)) == 2
    drop_snapshot(database, other)
    assert files(database) == [path]


def test_series_with_the_same_candles_share_a_file(database: Database) -> None:
    path = made_snapshot(database)
    other = KEY._replace(symbol="ETH/USD")
    write_candles(database, other, *bars(ROWS))
    refresh_snapshot(database, other)
    assert files(database) == [path]
    drop_snapshot(database, other)
    assert files(database) == [path]
    assert check_snapshot(database, KEY) is None


# ---- reading --------------------------------------------------------------------------------------------------------
def test_candles_come_from_the_file_without_a_copy(database: Database) -> None:
    made_snapshot(database)
    table = read_candles(database, KEY, start=10 * MINUTE)
    bases = {type(_owner(column)).__name__ for column in columns_of(table)}
    assert bases == {"memmap"}
    assert str(table.index.dtype) == "datetime64[ms, UTC]"


def _owner(array: Any) -> Any:
    while not isinstance(array, np.memmap) and array.base is not None:
        array = array.base
    return array


def test_a_strategy_that_writes_into_its_table_harms_nobody(database: Database) -> None:
    path = made_snapshot(database)
    table = read_candles(database, KEY)
    for column in columns_of(table):
        column.flags.writeable = True
        column[:] = -1.0
    table.loc[:, "close"] = 0.0
    assert check_snapshot(database, KEY) is None
    assert content_hash(read_candles(database, KEY)) == path.stem


def test_a_table_outlives_the_removal_of_its_file(database: Database) -> None:
    path = made_snapshot(database)
    table = read_candles(database, KEY)
    drop_snapshot(database, KEY)
    assert not path.exists()
    assert content_hash(table) == path.stem


@pytest.mark.parametrize("bounds", [{}, {"last": 3}, {"last": ROWS}, {"start": ROWS * MINUTE}, {"end": 3 * MINUTE}])
def test_rows_behind_it_are_read_with_it(database: Database, bounds: dict[str, int]) -> None:
    made_snapshot(database)
    write_candles(database, KEY, *bars(5, first=ROWS))
    with_it = read_candles(database, KEY, **bounds)
    span_with_it, listed_with_it = span(database, KEY), list_series(database)
    drop_snapshot(database, KEY)
    pd.testing.assert_frame_equal(with_it, read_candles(database, KEY, **bounds), check_exact=True)
    assert span_with_it == span(database, KEY) == Span(0, (ROWS + 4) * MINUTE, ROWS + 5)
    assert listed_with_it == list_series(database) == [(KEY, 0, (ROWS + 4) * MINUTE, ROWS + 5)]


def test_the_span_of_a_snapshot_that_ends_at_the_epoch_is_right(database: Database) -> None:
    write_candles(database, KEY, *bars(ROWS, first=-ROWS))
    refresh_snapshot(database, KEY)
    write_candles(database, KEY, *bars(1))
    assert span(database, KEY) == Span(-ROWS * MINUTE, 0, ROWS + 1)


# ---- what goes wrong ------------------------------------------------------------------------------------------------
def spoil(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "short":
        path.write_bytes(content[:-8])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "header":
        path.write_bytes(content.replace(b"<i8", b"<f8", 1))
    else:
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.mark.parametrize("how", ["missing", "short", "empty", "header"])
def test_a_file_that_is_not_what_it_should_be_is_left_aside_and_made_again(database: Database, how: str) -> None:
    path = made_snapshot(database)
    spoil(path, how)
    assert content_hash(read_candles(database, KEY)) == path.stem
    assert "missing, or is not a file of 5000 candles" in str(check_snapshot(database, KEY))
    refresh_snapshot(database, KEY)
    assert check_snapshot(database, KEY) is None
    assert files(database) == [path]


def test_a_spoilt_value_is_found_and_never_copied_on(database: Database) -> None:
    path = made_snapshot(database)
    spoil(path, "a bit")
    fault = check_snapshot(database, KEY)
    assert fault is not None
    assert fault.file_alone
    assert "does not have the hash that is its name; remove it" in fault.sentence
    write_candles(database, KEY, *bars(SMALLEST_ROWS + 1, first=ROWS))
    refresh_snapshot(database, KEY)
    assert check_snapshot(database, KEY) is None


def test_a_row_changed_behind_our_back_is_told_from_a_spoilt_file(database: Database) -> None:
    made_snapshot(database)
    with database.writing() as connection:
        connection.execute(update(candles).where(candles.c.time == 5 * MINUTE).values(volume=7.5))
    fault = check_snapshot(database, KEY)
    assert fault is not None
    assert not fault.file_alone
    assert "differs from the stored candles, the first time at 1970-01-01T00:05:00Z" in fault.sentence


def test_rows_removed_behind_our_back_are_found(database: Database) -> None:
    made_snapshot(database)
    with database.writing() as connection:
        connection.execute(delete(candles).where(candles.c.time == 7 * MINUTE))
    assert "holds 5000 candles where 4999 are stored" in str(check_snapshot(database, KEY))


def test_a_file_of_another_name_is_found(database: Database) -> None:
    path = made_snapshot(database)
    path.rename(path.with_stem("0" * 64))
    with database.writing() as connection:
        connection.execute(snapshots.update().values(hash="0" * 64))
    assert "does not have the hash that is its name" in str(check_snapshot(database, KEY))


@pytest.mark.parametrize("price", [7.0, None], ids=["a revision", "a candle removed"])
def test_what_changes_while_it_is_made_throws_it_away(
    database: Database, monkeypatch: pytest.MonkeyPatch, price: float | None
) -> None:
    write_candles(database, KEY, *bars(ROWS))
    real_hash = snapshot_file.file_hash

    def changed_meanwhile(file: Any) -> str:
        if price is not None:
            write_candles(database, KEY, *bars(1, first=17, price=price))
        else:
            with database.writing() as connection:
                series_id = series_id_of(connection, KEY)
                assert series_id is not None
                connection.execute(delete(candles).where(candles.c.time == 17 * MINUTE))
                invalidate_snapshots(connection, series_id, 17 * MINUTE)
        return real_hash(file)

    monkeypatch.setattr(snapshot_file, "file_hash", changed_meanwhile)
    refresh_snapshot(database, KEY)
    assert snapshot_of(database) is None
    assert files(database) == []
    monkeypatch.undo()
    refresh_snapshot(database, KEY)
    assert snapshot_of(database) is not None
    assert check_snapshot(database, KEY) is None


def test_candles_appended_while_it_is_made_stand_behind_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    write_candles(database, KEY, *bars(ROWS))
    real_hash = snapshot_file.file_hash

    def appended_meanwhile(file: Any) -> str:
        write_candles(database, KEY, *bars(3, first=ROWS))
        return real_hash(file)

    monkeypatch.setattr(snapshot_file, "file_hash", appended_meanwhile)
    refresh_snapshot(database, KEY)
    found = snapshot_of(database)
    assert found is not None
    assert found.rows == ROWS
    assert len(read_candles(database, KEY)) == ROWS + 3


def test_writers_and_makers_at_once_never_leave_a_stale_one(database: Database) -> None:
    write_candles(database, KEY, *bars(ROWS))

    def revise() -> None:
        for turn in range(25):
            write_candles(database, KEY, *bars(50, first=turn * 97, price=float(turn)))

    def refresh() -> None:
        for _ in range(25):
            refresh_snapshot(database, KEY)

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(work) for work in (revise, refresh, refresh)]
        while not all(work.done() for work in running):
            assert check_snapshot(database, KEY) is None
        for work in running:
            work.result()
    refresh_snapshot(database, KEY)
    assert check_snapshot(database, KEY) is None
    assert snapshot_of(database) is not None
    assert len(files(database)) == 1


@pytest.mark.parametrize("step", ["file_hash", "copy_rows", "write_header"])
def test_a_kill_while_it_is_made_loses_nothing_and_leaves_nothing(tmp_path: Path, step: str) -> None:
    location = tmp_path / "store.db"
    with open_database(location) as database:
        made_snapshot(database)
        write_candles(database, KEY, *bars(SMALLEST_ROWS + 1, first=ROWS))
        script = (
            "import os, signal, sys; from algotrade.store import snapshot_file, snapshots; "
            f"snapshot_file.{step} = lambda *_: os.kill(os.getpid(), signal.SIGKILL); "
            "from algotrade.store.database import open_database; from algotrade.market.candles import SeriesKey; "
            "snapshots.refresh_snapshot(open_database(sys.argv[1]), SeriesKey('kraken', 'BTC/USD', '1m'))"
        )
        killed = subprocess.run([sys.executable, "-c", script, str(location)], check=False)
        assert killed.returncode == -signal.SIGKILL
        assert len(files(database)) == 2
        assert len(read_candles(database, KEY)) == ROWS + SMALLEST_ROWS + 1
        refresh_snapshot(database, KEY)
        (path,) = files(database)
        assert path.stem == content_hash(read_candles(database, KEY))
        with database.reading() as connection:
            assert len(connection.execute(select(snapshots)).all()) == 1


def test_a_full_disk_leaves_the_rows_to_be_read(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    write_candles(database, KEY, *bars(ROWS))
    monkeypatch.setattr(os, "pwrite", no_room)
    refresh_snapshot(database, KEY)
    assert files(database) == []
    assert len(read_candles(database, KEY)) == ROWS


def test_a_name_that_cannot_be_given_leaves_the_rows_to_be_read(database: Database) -> None:
    path = made_snapshot(database)
    path.unlink()
    (path / "in the way").mkdir(parents=True)
    refresh_snapshot(database, KEY)
    assert files(database) == [path]
    assert len(read_candles(database, KEY)) == ROWS


def test_a_system_that_maps_no_more_memory_reads_the_rows(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    path = made_snapshot(database)
    monkeypatch.setattr(np, "memmap", no_memory)
    assert content_hash(read_candles(database, KEY)) == path.stem


def test_a_store_that_another_keeps_locked_is_left_for_the_next_time(tmp_path: Path) -> None:
    with open_database(tmp_path / "a.db") as holder, open_database(tmp_path / "a.db", busy_timeout_ms=1) as waiter:
        write_candles(holder, KEY, *bars(ROWS))
        with holder.writing():
            refresh_snapshot(waiter, KEY)
        assert snapshot_of(waiter) is None
        refresh_snapshot(waiter, KEY)
        assert snapshot_of(waiter) is not None


def test_dropping_leaves_nothing_even_when_the_series_is_gone(database: Database) -> None:
    made_snapshot(database)
    with database.writing() as connection:
        connection.execute(delete(snapshots))
    drop_snapshot(database, KEY._replace(symbol="GONE/USD"))
    assert files(database) == []
