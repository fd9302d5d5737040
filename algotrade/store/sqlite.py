"""The store in a SQLite file: private, one writer at a time, readers undisturbed."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

from algotrade.errors import FixConfiguration
from algotrade.store.failures import explain, explained
from algotrade.store.files import create_private_file
from algotrade.store.place import Place, writes

SQLITE_DRIVERS: Final = ("sqlite", "sqlite+pysqlite")


def path_of_url(url: URL) -> str:
    """The file that a sqlite:/// URL names, "" for a database in memory.

    Raises:
        FixConfiguration: it names more than a file.
    """
    if url.query or url.host:
        raise FixConfiguration("a SQLite URL takes no host and no options here: sqlite:///FILE")
    return url.database or ""


def sqlite_place(text: str, busy_timeout_ms: int) -> Place:
    """The store in a file, which is created where there is none.

    Raises:
        FixConfiguration: a folder, memory, or no right to write there.
    """
    if text in ("", ":memory:"):
        raise FixConfiguration("a database in memory would keep nothing; give a file path")
    path = Path(text).expanduser().absolute()
    if path.is_dir():
        raise FixConfiguration(f"{path} is a folder; the database needs a file")
    with explained(path):
        create_private_file(path)
    url = URL.create("sqlite", database=str(path))
    return Place(
        _engine(url, busy_timeout_ms), str(path), url, path.parent, partial(explain, path=path), _write_ahead_log
    )


def _engine(url: URL, busy_timeout_ms: int) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": busy_timeout_ms / 1000, "isolation_level": None},  # None: we begin, not the driver
    )

    @event.listens_for(engine, "connect")
    def set_up(driver_connection: Any, _record: object) -> None:
        driver_connection.execute("PRAGMA foreign_keys = ON")
        driver_connection.execute("PRAGMA synchronous = NORMAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and asks for the write lock later fails at once when another one wrote in
        # between, however long it is ready to wait: the lock is taken at the start.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes(connection) else "BEGIN")

    return engine


def _write_ahead_log(engine: Engine) -> None:
    """Let readers read while another writes; kept in the file."""
    with closing(engine.raw_connection()) as driver_connection:
        driver_connection.cursor().execute("PRAGMA journal_mode = WAL")


def damages(connection: Connection) -> list[str]:
    """What SQLite finds wrong with the file, in sentences: damaged pages and indexes, rows that belong to no series."""
    found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(20)")]
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    tables = sorted({str(row[0]) for row in orphans})
    return [
        *(f"the database file is damaged: {text}" for text in found if text != "ok"),
        *(f"the table {table} has rows that belong to no series" for table in tables),
    ]
