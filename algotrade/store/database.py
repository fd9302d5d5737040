"""Open the store: SQLite through SQLAlchemy, private files, one writer at a time, a schema that is checked first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from algotrade.errors import FixConfiguration
from algotrade.store.failures import explain, explained
from algotrade.store.files import create_private_file
from algotrade.store.tables import BASE, SCHEMA, metadata, revision

_SQLITE_DRIVERS: Final = ("sqlite", "sqlite+pysqlite")


class Database:
    """An open store. Used by several threads at once, each with its own connection.

    Attributes:
        engine: SQLAlchemy's engine.
        path: the SQLite file.
        url: for showing; a password is hidden.
    """

    def __init__(self, engine: Engine, path: Path) -> None:
        self.engine = engine
        self.path = path
        self.url = engine.url.render_as_string(hide_password=True)

    def __repr__(self) -> str:
        return f"Database({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection; the database stays usable and would open them again."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the database throughout."""
        with self._explained(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it is stored when the block ends, or nothing when it raises.

        The write lock is taken at the start: a transaction that reads first and asks for it later fails at once when
        another one wrote in between, however long it is ready to wait.
        """
        with (
            self._explained(),
            self.engine.connect().execution_options(algotrade_writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            with explained(self.path):
                yield
        except DBAPIError as error:
            known = explain(error.orig, self.path)
            if known is None:
                raise
            raise known from error


def open_database(location: str | Path, *, busy_timeout_ms: int = 5000) -> Database:
    """Open the store, creating it where there is none, and bring its schema up to date.

    Args:
        location: a file path, or a URL such as sqlite:////srv/data/algotrade.sqlite.
        busy_timeout_ms: how long to wait for another writer.

    Raises:
        FixConfiguration: the location makes no sense or may not be written, holds something else, or was written by
            a newer version; it is left as it was.
        FixData: the file is damaged.
        TryLater: another program keeps it locked.
    """
    path = _path_of(location)
    with explained(path):
        create_private_file(path)
    database = Database(_sqlite_engine(path, busy_timeout_ms), path)
    try:
        _prepare_schema(database)
    except BaseException:
        database.close()
        raise
    return database


def _path_of(location: str | Path) -> Path:
    """The SQLite file of a path or URL. A URL is never repeated in a message: it may hold a password."""
    text = str(location)
    if "://" in text:
        try:
            url = make_url(text)
        except ArgumentError:
            raise FixConfiguration("the database URL cannot be read; a file path or sqlite:///FILE will do") from None
        if url.drivername not in _SQLITE_DRIVERS:
            raise FixConfiguration(f"databases of the kind '{url.drivername}' are not supported; give a file path")
        if url.query or url.host:
            raise FixConfiguration("a database URL takes no host and no options here: sqlite:///FILE")
        text = url.database or ""
    if text in ("", ":memory:"):
        raise FixConfiguration("a database in memory would keep nothing; give a file path")
    path = Path(text).expanduser().absolute()
    if path.is_dir():
        raise FixConfiguration(f"{path} is a folder; the database needs a file")
    return path


def _sqlite_engine(path: Path, busy_timeout_ms: int) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": busy_timeout_ms / 1000, "isolation_level": None},  # None: we begin, not the driver
    )

    @event.listens_for(engine, "connect")
    def set_up(driver_connection: Any, _record: object) -> None:
        driver_connection.execute("PRAGMA foreign_keys = ON")
        driver_connection.execute("PRAGMA synchronous = NORMAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("algotrade_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _prepare_schema(database: Database) -> None:
    """Create or upgrade the schema where needed; refuse what is not ours before anything is touched."""
    with database.reading() as connection:
        found = _known_revision(connection, database.path)
    with explained(database.path), closing(database.engine.raw_connection()) as driver_connection:
        driver_connection.cursor().execute("PRAGMA journal_mode = WAL")
    if found == SCHEMA:
        return
    with database.writing() as connection:
        found = _known_revision(connection, database.path)  # another process may have been faster
        if found is None:
            metadata.create_all(connection, checkfirst=False)
            connection.execute(revision.insert().values(version_num=SCHEMA))
        elif found != SCHEMA:
            from algotrade.store.migrations import upgrade_schema

            upgrade_schema(connection)


def _known_revision(connection: Connection, path: Path) -> str | None:
    """The schema's revision; None for an empty database. Anything this version does not know is refused."""
    if not connection.dialect.has_table(connection, revision.name):
        if others := inspect(connection).get_table_names():
            raise FixConfiguration(f"{path} is the database of another program (it has a table '{others[0]}')")
        return None
    found: str = connection.execute(select(revision.c.version_num)).scalar_one_or_none() or BASE
    if found > SCHEMA:
        raise FixConfiguration(
            f"{path} was written by a newer version of algotrade (schema {found}, known up to {SCHEMA}); "
            "upgrade algotrade, or name another database"
        )
    return found
