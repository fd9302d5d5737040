"""Snapshots: a series' candles in a file beside the database, so that reading them costs next to nothing.

The rows are the truth. A row of the table `snapshots` says that a file equals the candle rows from `first` to `last`;
rows after `last` are read as rows and put behind it. Whoever changes, adds or removes a candle at or before `last`
deletes that row in the same transaction (`invalidate_snapshots`), so there is no moment at which a file is stale.

Making one takes seconds, and others write meanwhile. So it is announced first, by a row that has no rows yet: who
touches the candles deletes it as well, and a snapshot whose announcement is gone is thrown away.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple
from urllib.parse import quote

import numpy as np
from sqlalchemy import Connection, Select, delete, func, select

from algotrade.errors import AlgotradeError
from algotrade.market.candles import SeriesKey, iso
from algotrade.store import snapshot_file
from algotrade.store.database import Database
from algotrade.store.files import create_private_file, sync_folder
from algotrade.store.rows import Rows, row_blocks, rows_between, series_id_of
from algotrade.store.tables import candles, snapshots

SMALLEST_ROWS: Final = 4096  # fewer are read as rows in milliseconds
BEHIND: Final = 0.05  # the share of a snapshot's rows that may stand behind it before it is made anew


class Snapshot(NamedTuple):
    """A row of the table: the file, named `hash`, equals the `rows` candles from `first` to `last` (milliseconds)."""

    hash: str
    first: int
    last: int
    rows: int


class SnapshotFault(NamedTuple):
    """What is wrong with a snapshot, in a sentence.

    Attributes:
        sentence: names the file.
        file_alone: whether the file is to blame; else it is as it was made, and the rows have changed since.
    """

    sentence: str
    file_alone: bool


def refresh_snapshot(database: Database, key: SeriesKey) -> None:
    """Make the snapshot of a series where there is none, or where many rows have come behind it; else do nothing.

    To be called when a fetch or an import has ended. It never fails: what hinders it (a writer that keeps the store, a
    full disk) leaves the rows to be read as rows, and the next call makes one.
    """
    with suppress(AlgotradeError, OSError):
        folder = snapshot_folder(database)
        with database.reading() as connection:
            series_id = series_id_of(connection, key)
            if series_id is None or not _is_due(connection, folder, series_id):
                return
        announced = _announce(database, series_id)
        if announced is not None:
            _make_announced(database, series_id, announced)


def check_snapshot(database: Database, key: SeriesKey) -> SnapshotFault | None:
    """What is wrong with the snapshot of a series; None where it equals the rows or there is none."""
    with database.reading() as connection:
        series_id = series_id_of(connection, key)
        found = None if series_id is None else find_snapshot(connection, series_id)
        if series_id is None or found is None:
            return None
        path = _file(snapshot_folder(database), found.hash)
        if snapshot_file.map_file(path, found.rows) is None:
            words = f"is missing, or is not a file of {found.rows} candles; the next fetch makes it anew"
            return SnapshotFault(f"the snapshot {path} {words}", file_alone=True)
        with path.open("rb") as file:
            if snapshot_file.file_hash(file) != found.hash:
                words = "does not have the hash that is its name; remove it, and the next fetch makes it anew"
                return SnapshotFault(f"the snapshot {path} {words}", file_alone=True)
            wrong = _difference(connection, series_id, found, file)
    return None if wrong is None else SnapshotFault(f"the snapshot {path} {wrong}", file_alone=False)


def drop_snapshot(database: Database, key: SeriesKey) -> None:
    """Remove the snapshot of a series and every file that belongs to none; the series may be gone already."""
    with database.writing() as connection:
        series_id = series_id_of(connection, key)
        if series_id is not None:
            connection.execute(delete(snapshots).where(snapshots.c.series_id == series_id))
        _sweep(connection, snapshot_folder(database))


def invalidate_snapshots(connection: Connection, series_id: int, since: int) -> None:
    """Have no snapshot, nor one that is being made, hold candles from `since` on; they are about to change."""
    connection.execute(delete(snapshots).where(snapshots.c.series_id == series_id, snapshots.c.last >= since))


def find_snapshot(connection: Connection, series_id: int) -> Snapshot | None:
    """The snapshot of a series as the transaction sees it; None where there is none. Its file may be missing."""
    statement = select(*(snapshots.c[name] for name in Snapshot._fields))
    row = connection.execute(statement.where(snapshots.c.series_id == series_id, snapshots.c.rows > 0)).one_or_none()
    return Snapshot(*row) if row else None


def map_snapshot(database: Database, snapshot: Snapshot) -> Rows | None:
    """Its candles, mapped into memory; None where the file is missing or has another size or header."""
    return snapshot_file.map_file(_file(snapshot_folder(database), snapshot.hash), snapshot.rows)


def snapshot_folder(database: Database) -> Path:
    """Where the snapshots of a store lie. Two stores may share a folder, and files that no row names are removed."""
    name = Path(database.engine.url.database or "").name
    return database.folder / f"{quote(name, safe='')}-snapshots"


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.npy"


def _is_due(connection: Connection, folder: Path, series_id: int) -> bool:
    found = find_snapshot(connection, series_id)
    rows = select(candles.c.time).where(candles.c.series_id == series_id)
    allowed = SMALLEST_ROWS - 1
    if found is not None and snapshot_file.map_file(_file(folder, found.hash), found.rows) is not None:
        rows = rows.where(candles.c.time > found.last)
        allowed = max(SMALLEST_ROWS, int(found.rows * BEHIND))
    return connection.execute(rows.order_by(candles.c.time).offset(allowed).limit(1)).first() is not None


def _announce(database: Database, series_id: int) -> Snapshot | None:
    """Say that a snapshot of all candles is being made, under a name for the time being; None without candles."""
    with database.writing() as connection:
        mine = snapshots.c.series_id == series_id
        connection.execute(delete(snapshots).where(mine, snapshots.c.rows == 0))  # left by one that was killed
        first, last = (
            connection.execute(select(end(candles.c.time)).where(candles.c.series_id == series_id)).scalar_one()
            for end in (func.min, func.max)  # each by itself is looked up, both at once would read every row
        )
        if last is None:
            return None
        announced = Snapshot(secrets.token_hex(16), first, last, 0)
        connection.execute(snapshots.insert().values(series_id=series_id, **announced._asdict()))
        return announced


def _make_announced(database: Database, series_id: int, announced: Snapshot) -> None:
    path = _file(snapshot_folder(database), announced.hash)
    try:
        made = _make(database, series_id, announced, path)
        if made is not None:
            _publish(database, series_id, announced, made)
    finally:
        path.unlink(missing_ok=True)


def _make(database: Database, series_id: int, announced: Snapshot, path: Path) -> Snapshot | None:
    """Write the announced candles, as one state of the database has them, into a new file; None without room for it."""
    with database.reading() as connection:
        try:
            create_private_file(path)
            with path.open("r+b") as file:
                rows = _write_candles(connection, series_id, announced, file)
                os.fsync(file.fileno())
                return announced._replace(hash=snapshot_file.file_hash(file), rows=rows)
        except OSError:
            return None


def _write_candles(connection: Connection, series_id: int, announced: Snapshot, file: BinaryIO) -> int:
    """The number of candles. Those that a valid snapshot holds are copied from its file, the others read as rows."""
    at, begin = 0, announced.first
    base = find_snapshot(connection, series_id)
    source = None if base is None else _open_unspoilt(_file(Path(file.name).parent, base.hash), base)
    if base is not None and source is not None:
        at, begin = base.rows, base.last + 1
    wanted = rows_between(series_id, begin, announced.last)
    total = at + _count(connection, wanted)
    snapshot_file.write_header(file, total)
    if source is not None:
        with source:
            snapshot_file.copy_rows(source, file, at, total)
    for block in row_blocks(connection, wanted):
        snapshot_file.write_rows(file, total, at, block)
        at += len(block.times)
    return total


def _open_unspoilt(path: Path, snapshot: Snapshot) -> BinaryIO | None:
    """The file of a snapshot; None where it is missing or its content is not that of its name: a disk may err."""
    file = snapshot_file.open_file(path, snapshot.rows)
    if file is not None and snapshot_file.file_hash(file) != snapshot.hash:
        file.close()
        return None
    return file


def _publish(database: Database, series_id: int, announced: Snapshot, made: Snapshot) -> None:
    """Give the file its name and record it, unless the candles were touched since it was announced."""
    folder = snapshot_folder(database)
    with database.writing() as connection:
        mine = snapshots.c.series_id == series_id
        if not connection.execute(delete(snapshots).where(mine, snapshots.c.hash == announced.hash)).rowcount:
            return
        connection.execute(delete(snapshots).where(mine))
        _file(folder, announced.hash).replace(_file(folder, made.hash))
        sync_folder(folder)
        connection.execute(snapshots.insert().values(series_id=series_id, **made._asdict()))
        _sweep(connection, folder)


def _sweep(connection: Connection, folder: Path) -> None:
    """Remove files that no row names. Inside a writing transaction: no file can be on its way to its row.

    Whoever reads such a file goes on reading it: on POSIX a mapping outlives the name.
    """
    named = set(connection.execute(select(snapshots.c.hash)).scalars())
    for path in folder.glob("*.npy"):
        if path.stem not in named:
            path.unlink(missing_ok=True)


def _difference(connection: Connection, series_id: int, found: Snapshot, file: BinaryIO) -> str | None:
    """In what the file differs from the rows, bit for bit; None where in nothing."""
    wanted = rows_between(series_id, None, found.last)
    stored = _count(connection, wanted)
    if stored != found.rows:
        return f"holds {found.rows} candles where {stored} are stored"
    at = 0
    for block in row_blocks(connection, wanted):
        kept = snapshot_file.read_rows(file, found.rows, at, len(block.times))
        bits = block.columns.view(np.int64) == kept.columns.view(np.int64)
        same = (block.times == kept.times) & bits.all(axis=0)
        if not same.all():
            return f"differs from the stored candles, the first time at {iso(int(block.times[np.argmin(same)]))}"
        at += len(block.times)
    return None


def _count(connection: Connection, statement: Select[Any]) -> int:
    counted = select(func.count()).select_from(statement.order_by(None).subquery())
    return int(connection.execute(counted).scalar_one())
