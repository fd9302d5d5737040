"""The store on a PostgreSQL server: the same tables and the same promises as in a SQLite file.

One writer at a time in a database, by an advisory lock that its transaction holds: as with SQLite, a writer waits its
turn, so that two of one series can neither overwrite nor block each other. Readers see one state and wait for nobody.
"""

from __future__ import annotations

import hashlib
import re
from functools import partial
from typing import Any, Final

import platformdirs
import psycopg
from sqlalchemy import Connection, Dialect, Engine, create_engine, event
from sqlalchemy.engine import URL

from algotrade.errors import AlgotradeError, CheckConnection, FixConfiguration, FixData, NotAllowed, TryLater
from algotrade.store.place import Place, writes

URL_OPTIONS: Final = ("connect_timeout", "host", "options", "passfile", "sslcert", "sslkey", "sslmode", "sslrootcert")
CONNECT_TIMEOUT_S: Final = 10
STATEMENT_TIMEOUT_MS: Final = 600_000
IDLE_TIMEOUT_MS: Final = 300_000  # a writer that sleeps in its transaction keeps all others waiting
WRITE_LOCK: Final = int.from_bytes(b"algotrad")  # advisory locks are numbers, each database has its own

_KEEPALIVE: Final = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
_SHOW_ORIGIN: Final = "algotrade config show --origin"

_LOST: Final = (TryLater, "the connection to {where} was lost; the write under way is stored as a whole or not at all")
_SENTENCES: Final[dict[str, tuple[type[AlgotradeError], str]]] = {
    "08": _LOST,
    "25006": (FixConfiguration, "{where} takes no writes: it is a standby, or set to read only"),
    "25P03": _LOST,
    "3F": (
        FixConfiguration,
        "{where} has none of the schemas of its search path that the user may use; create it first",
    ),
    "40": (TryLater, "{where} is written by another program; nothing was written"),
    "42501": (FixConfiguration, "{where}: the user has no right to do this ({error})"),
    "53100": (FixConfiguration, "the disk of {where} is full: nothing was written, nothing stored is lost"),
    "53": (TryLater, "{where} has no room for more ({error}); nothing was written"),
    "55P03": (TryLater, "{where} is locked by another program; nothing was written"),
    "57014": (TryLater, "{where} took too long ({error}); nothing was written"),
    "57P": _LOST,
    "58": (FixConfiguration, "the disk of {where} refused to read or write ({error}); what was stored is untouched"),
    "XX001": (FixData, "{where} is damaged ({error}); it was left as it is, restore it from a copy"),
    "XX002": (FixData, "{where} has a damaged index ({error}); REINDEX it, or restore it from a copy"),
}
_REFUSALS: Final[tuple[tuple[str, type[AlgotradeError], str], ...]] = (
    ("password|authentication|pg_hba|role .* (does not exist|is not permitted)", NotAllowed, "lets nobody in"),
    ("database .* does not exist", FixConfiguration, "does not exist, create it with createdb"),
    ("starting up|shutting down|recovery mode|too many|connection slots", TryLater, "takes no connections now"),
    ("^(invalid|bad value)|certificate|private key", FixConfiguration, "cannot be reached in this way"),
)


def postgres_place(url: URL, busy_timeout_ms: int) -> Place:
    """The store in a database that exists on a server.

    Args:
        url: postgresql://USER:PASSWORD@HOST:PORT/NAME, and of libpq's options those of URL_OPTIONS. Only the name is
            needed: libpq takes what is missing from its PG* variables and from ~/.pgpass.
        busy_timeout_ms: how long to wait for another writer.

    Raises:
        FixConfiguration: the URL names an option that is not allowed, or cannot be what was meant.
    """
    if not set(url.query) <= set(URL_OPTIONS):  # not repeated: what stands there may be a password
        raise FixConfiguration(f"a PostgreSQL URL takes no options but {', '.join(URL_OPTIONS)}", hint=_SHOW_ORIGIN)
    if "@" in (url.host or ""):
        raise FixConfiguration("the database URL has two @: write %40 for the one in the password", hint=_SHOW_ORIGIN)
    if not url.database:
        raise FixConfiguration("the database URL names no database: postgresql://USER@HOST/NAME", hint=_SHOW_ORIGIN)
    shown = URL.create("postgresql", url.username, None, url.host, url.port, url.database)
    where = _where(url)
    folder = platformdirs.user_cache_path("algotrade", appauthor=False) / "postgresql"
    named = folder / hashlib.sha256(shown.render_as_string().encode()).hexdigest()[:16]
    return Place(_engine(url, where, busy_timeout_ms), where, shown, named, partial(explain, where=where), _check_text)


def explain(error: BaseException | None, where: str) -> AlgotradeError | None:
    """The error for a person, or None where the failure is a bug of ours (a broken constraint, wrong SQL)."""
    if not isinstance(error, psycopg.Error):
        return None
    if isinstance(error, psycopg.DataError) and error.sqlstate is None:  # a text with a zero byte
        return FixData(f"{where} cannot keep what came: {error}")
    if error.sqlstate is None:  # the driver speaks, not the server
        gone = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return _LOST[0](_LOST[1].format(where=where)) if gone else None
    for length in (5, 3, 2):
        if known := _SENTENCES.get(error.sqlstate[:length]):
            kind, sentence = known
            return kind(sentence.format(where=where, error=error.diag.message_primary))
    return None


def _where(url: URL) -> str:
    host = url.host or url.query.get("host")
    place = f" at {host if isinstance(host, str) else ', '.join(host)}" if host else ""
    return f"the PostgreSQL database '{url.database}'{place}{f':{url.port}' if url.port else ''}"


def _engine(url: URL, where: str, busy_timeout_ms: int) -> Engine:
    server = {
        "lock_timeout": busy_timeout_ms,
        "statement_timeout": STATEMENT_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": IDLE_TIMEOUT_MS,
        "tcp_keepalives_idle": _KEEPALIVE["keepalives_idle"],
    }
    given = url.query.get("options", ())
    options = [f"-c {name}={value}" for name, value in server.items()]
    options += [given] if isinstance(given, str) else given
    engine = create_engine(
        url.set(drivername="postgresql+psycopg").difference_update_query(["options"]),
        connect_args={
            "connect_timeout": url.query.get("connect_timeout", CONNECT_TIMEOUT_S),
            "application_name": "algotrade",
            "client_encoding": "utf8",
            "options": " ".join(options),  # of one named twice the last counts: the user's
            **_KEEPALIVE,
        },
        paramstyle="format",  # as with SQLite, rows of many parameters are tuples
        pool_pre_ping=True,
        use_native_hstore=False,
    )

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Dialect, _record: object, arguments: Any, options: dict[str, Any]) -> psycopg.Connection:
        try:
            return psycopg.connect(*arguments, **options)
        except psycopg.Error as error:
            raise _refused(str(error), where, url.password) from None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Not REPEATABLE READ for writers: it would show the state from before the wait for the lock.
        if writes(connection):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")
        else:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    return engine


def _refused(text: str, where: str, password: str | None) -> AlgotradeError:
    """Why there is no connection. libpq gives no code for it, only words of the server or of the system."""
    line = text.partition("\n")[0]
    reason = re.sub(r"^.*failed: |^connection is bad: |FATAL: *|\[Errno -?\d+\] ", "", line).strip()
    if password:
        reason = reason.replace(password, "***")
    for words, kind, sentence in _REFUSALS:
        if re.search(words, reason):
            return kind(f"{where} {sentence}: {reason}", hint=None if kind is TryLater else _SHOW_ORIGIN)
    return CheckConnection(f"{where} cannot be reached: {reason}")


def _check_text(engine: Engine) -> None:
    """Refuse a database that cannot keep every text."""
    with engine.connect() as connection:
        driver_connection = connection.connection.driver_connection
        assert isinstance(driver_connection, psycopg.Connection)
        encoding = driver_connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise FixConfiguration(
            f"the database keeps text as {encoding}; create one with createdb --encoding=UTF8 --template=template0"
        )
