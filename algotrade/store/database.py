"""Open the store: a SQLite file or a PostgreSQL database, one writer at a time, a schema that is checked first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sqlalchemy import Connection, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from algotrade.errors import FixConfiguration
from algotrade.store.place import WRITES, Place
from algotrade.store.sqlite import SQLITE_DRIVERS, path_of_url, sqlite_place
from algotrade.store.tables import BASE, SCHEMA, metadata, revision

_POSTGRES_DRIVERS: Final = ("postgresql", "postgresql+psycopg", "postgres")


class Database:
    """An open store. Used by several threads at once, each with its own connection.

    Attributes:
        engine: SQLAlchemy's engine; `engine.dialect.name` is "sqlite" or "postgresql".
        where: what messages call the store; never a password.
        url: for showing, without a password.
        folder: where files that belong to the store lie (snapshots, locks); it may not exist yet.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self.engine = place.engine
        self.where = place.where
        self.url = place.url.render_as_string()
        self.folder: Path = place.folder

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

        There is one at a time: it waits at its start for the one before, and sees what that has written.
        """
        with (
            self._explained(),
            self.engine.connect().execution_options(**{WRITES: True}) as connection,
            connection.begin(),
        ):
            yield connection

    def prepare_schema(self) -> None:
        """Create or upgrade the schema where needed; refuse what is not ours before anything is touched."""
        with self.reading() as connection:
            found = _known_revision(connection, self.where)
        with self._explained():
            self._place.set_up(self.engine)
        if found == SCHEMA:
            return
        with self.writing() as connection:
            found = _known_revision(connection, self.where)  # another process may have been faster
            if found is None:
                metadata.create_all(connection, checkfirst=False)
                connection.execute(revision.insert().values(version_num=SCHEMA))
            elif found != SCHEMA:
                from algotrade.store.migrations import upgrade_schema

                upgrade_schema(connection)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what the disk, the server or the driver says inside the block into an error for a person."""
        try:
            yield
        except Exception as error:  # of whichever driver: the place knows its own, all others pass
            known = self._place.explain(error.orig if isinstance(error, DBAPIError) else error)
            if known is None:
                raise
            raise known from error


def open_database(location: str | Path, *, busy_timeout_ms: int = 5000) -> Database:
    """Open the store and bring its schema up to date.

    Args:
        location: a file path (created where there is none), or a URL: sqlite:////srv/data/algotrade.sqlite, or
            postgresql://trader@db.example/algotrade, a database that exists.
        busy_timeout_ms: how long to wait for another writer.

    Raises:
        FixConfiguration: the location makes no sense or may not be written, holds something else, or was written by
            a newer version; it is left as it was. Or the driver for PostgreSQL is not installed.
        FixData: the file is damaged.
        TryLater: another program keeps it locked, or the connection was lost.
        CheckConnection: the server cannot be reached.
        NotAllowed: the server refuses the user or the password.
    """
    database = Database(_place_of(str(location), busy_timeout_ms))
    try:
        database.prepare_schema()
    except BaseException:
        database.close()
        raise
    return database


def _place_of(text: str, busy_timeout_ms: int) -> Place:
    """Where a path or URL leads. A URL is never repeated in a message: it may hold a password."""
    if "://" not in text:
        return sqlite_place(text, busy_timeout_ms)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise FixConfiguration(
            "the database URL cannot be read; a file path, sqlite:///FILE or postgresql://USER@HOST/NAME will do"
        ) from None
    if url.drivername in SQLITE_DRIVERS:
        return sqlite_place(path_of_url(url), busy_timeout_ms)
    if url.drivername not in _POSTGRES_DRIVERS:
        raise FixConfiguration(
            f"databases of the kind '{url.drivername}' are not supported; give a file path or postgresql://USER@HOST/NAME"
        )
    try:
        from algotrade.store.postgres import postgres_place
    except ImportError:
        raise FixConfiguration("PostgreSQL needs psycopg", hint="pip install 'algotrade[postgres]'") from None
    return postgres_place(url, busy_timeout_ms)


def _known_revision(connection: Connection, where: str) -> str | None:
    """The schema's revision; None for an empty database. Anything this version does not know is refused."""
    if not connection.dialect.has_table(connection, revision.name):
        if others := inspect(connection).get_table_names():
            raise FixConfiguration(f"{where} is the database of another program (it has a table '{others[0]}')")
        return None
    found: str = connection.execute(select(revision.c.version_num)).scalar_one_or_none() or BASE
    if found > SCHEMA:
        raise FixConfiguration(
            f"{where} was written by a newer version of algotrade (schema {found}, known up to {SCHEMA}); "
            "upgrade algotrade, or name another database"
        )
    return found
