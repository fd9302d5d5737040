"""The journal of a live session: what happened and what was done about it, in one SQLite file of its own.

A row is durable before `append` returns (WAL, synchronous=FULL), so an order that is written before it is sent is known
after any crash. One process writes, any number read meanwhile. Files are read for ever: a reader refuses only versions
newer than its own.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, NamedTuple, Self

from algotrade.errors import AlgotradeError, FixCommand, FixConfiguration, FixData
from algotrade.store.canonical import canonical_json
from algotrade.store.failures import explained
from algotrade.store.files import create_private_file, hold_lock, is_held, sync_folder

__all__ = ["CANONICAL", "SUFFIX", "Journal", "JournalRow", "SessionInfo", "canonical_json", "list_sessions"]

CANONICAL: Final = frozenset({"event", "effect"})  # the kinds that a replay compares; "operation" is the third
SUFFIX: Final = ".sqlite"

_VERSION: Final = 1
_APPLICATION: Final = 0x616C676F  # "algo": tells a journal from any other SQLite file
_BLOCK_ROWS: Final = 10_000
_SCHEMA: Final = f"""
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
CREATE TABLE header (document TEXT NOT NULL);
CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, time INTEGER NOT NULL, body TEXT NOT NULL
);
"""


class JournalRow(NamedTuple):
    """One thing that happened.

    Attributes:
        kind: "event", "effect" or "operation".
        name: of what the body holds, like "CandleClosed".
        time: the exchange's time, milliseconds.
        body: canonical JSON.
        seq: its number in the journal, from 1; given by `append`.
    """

    kind: str
    name: str
    time: int
    body: str
    seq: int = 0


class Journal:
    """An open journal. Made by `create` or `open`; closed at the end, or by the end of the process.

    Attributes:
        path: its file.
        header: what the session is: fixed when it was created.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: IO[str] | None) -> None:
        self.path = path
        self._connection = connection
        self._lock = lock
        self.header = _read_header(path, connection)

    @classmethod
    def create(cls, path: Path, header: dict[str, Any]) -> Journal:
        """Start a journal and open it for writing. The file appears under its name whole or not at all.

        Args:
            path: its file, conventionally SESSION.sqlite.
            header: everything that replaying needs beside the rows; it cannot be changed later.

        Raises:
            FixCommand: the file exists.
            TryLater: another process is writing it.
            FixConfiguration: the folder cannot be written, the disk is full.
        """
        with explained(path):
            lock = hold_lock(_lock_path(path), f"session {path.stem}")
            try:
                if path.exists():
                    raise FixCommand(f"session {path.stem} exists already", hint="algotrade list sessions")
                _write_new(path, canonical_json(header))
                return cls(path, _connect(path), lock)
            except BaseException:
                lock.close()
                raise

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Journal:
        """Open a journal, for writing unless told otherwise; what an earlier process had committed is there.

        Raises:
            FixCommand: there is no such file.
            TryLater: another process is writing it; with its process id and since when.
            FixData: it is damaged.
            FixConfiguration: it is no journal, or a newer version's, or may not be opened.
        """
        if not path.exists():
            raise FixCommand(f"there is no session {path.stem} in {path.parent}", hint="algotrade list sessions")
        with explained(path):
            lock = None if read_only else hold_lock(_lock_path(path), f"session {path.stem}")
            try:
                return cls(path, _connect(path, read_only=read_only), lock)
            except BaseException:
                if lock is not None:
                    lock.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let the lock go."""
        self._connection.close()
        if self._lock is not None:
            self._lock.close()

    def append(self, rows: Iterable[JournalRow]) -> None:
        """Write the rows in one durable transaction: when this returns they survive anything, else none is there.

        Raises:
            TryLater: another program keeps the file locked.
            FixConfiguration: the disk is full or refuses.
        """
        with self._transaction():
            self._connection.executemany(
                "INSERT INTO journal (kind, name, time, body) VALUES (?, ?, ?, ?)", (row[:4] for row in rows)
            )

    def rows(self, after: int = 0) -> Iterator[JournalRow]:
        """The rows with a number above `after`, in order. Does not hold the file: it may be written meanwhile."""
        statement = "SELECT kind, name, time, body, seq FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"
        while True:
            with explained(self.path):
                block = self._connection.execute(statement, (after, _BLOCK_ROWS)).fetchall()
            yield from map(JournalRow._make, block)
            if len(block) < _BLOCK_ROWS:
                return
            after = block[-1][-1]

    def last_row(self) -> JournalRow | None:
        """The newest row; its number is how many there are. None in an empty journal."""
        statement = "SELECT kind, name, time, body, seq FROM journal ORDER BY seq DESC LIMIT 1"
        with explained(self.path):
            row = self._connection.execute(statement).fetchone()
        return JournalRow._make(row) if row else None

    def update_state(self, name: str, value: Any) -> None:
        """Keep a small operational value under a name, as durably as a row: a status, the demo clock's anchor."""
        with self._transaction():
            self._connection.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, canonical_json(value)))

    @property
    def state(self) -> dict[str, Any]:
        """Every value that `update_state` kept, by name."""
        with explained(self.path):
            return {name: json.loads(value) for name, value in self._connection.execute("SELECT * FROM state")}

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with explained(self.path):
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    with suppress(sqlite3.Error):  # the first error is the one to tell
                        self._connection.execute("ROLLBACK")
                raise


class SessionInfo(NamedTuple):
    """A session in a list.

    Attributes:
        id: the file's name without suffix.
        path: its journal.
        header: empty where the journal cannot be read.
        status: the state "status" as last written, "" where never; the reason where the journal cannot be read.
        last_time: the exchange's time of the last row, milliseconds; None as long as no row has one.
        rows: how many there are.
        running: whether a process writes it now.
    """

    id: str
    path: Path
    header: dict[str, Any]
    status: str
    last_time: int | None
    rows: int
    running: bool = False


def list_sessions(folder: Path) -> list[SessionInfo]:
    """The sessions whose journals lie in the folder, by name. One that cannot be read is listed with the reason."""
    return [_session_info(path) for path in sorted(folder.glob(f"*{SUFFIX}"))]


def _session_info(path: Path) -> SessionInfo:
    running = is_held(_lock_path(path))
    try:
        with Journal.open(path, read_only=True) as journal:
            last = journal.last_row()
            status = str(journal.state.get("status", ""))
            time, rows = (last.time or None, last.seq) if last else (None, 0)  # 0: nothing of the exchange yet
            return SessionInfo(path.stem, path, journal.header, status, time, rows, running)
    except AlgotradeError as error:
        return SessionInfo(path.stem, path, {}, error.message, None, 0, running)


def _lock_path(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _write_new(path: Path, header: str) -> None:
    """Build the file under another name, make it durable, then give it its name. The caller holds the lock."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    create_private_file(draft)
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")  # no second file that a kill could leave behind
        connection.executescript(_SCHEMA)
        connection.execute("INSERT INTO header VALUES (?)", (header,))
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    draft.rename(path)
    sync_folder(path.parent)


def _connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A checked connection. It may be used from another thread, by one at a time."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}",
        uri=True,
        timeout=5.0,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        _check_ours(connection, path)
        if not read_only:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise FixData(f"{path} is damaged ({found}); it was left as it is, restore it from a copy")
    except BaseException:
        connection.close()
        raise
    return connection


def _read_header(path: Path, connection: sqlite3.Connection) -> dict[str, Any]:
    """The one document of the table "header"."""
    found = connection.execute("SELECT document FROM header").fetchone()
    try:
        header = json.loads(found[0])
    except (TypeError, ValueError):
        header = None
    if not isinstance(header, dict):
        connection.close()
        raise FixData(f"{path} is damaged: it does not say what session it is; restore it from a copy")
    return header


def _check_ours(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != _APPLICATION:
        raise FixConfiguration(f"{path} is not the journal of a session")
    if version > _VERSION:
        raise FixConfiguration(
            f"{path} was written by a newer version of algotrade (journal {version}, known up to {_VERSION})"
        )
