"""A PostgreSQL server as the store: what is refused, who waits, and what a lost connection leaves behind."""

from __future__ import annotations

import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Barrier, Timer

import numpy as np
import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from algotrade.engine.events import CandleClosed
from algotrade.errors import AlgotradeError, CheckConnection, FixConfiguration, FixData, NotAllowed, TryLater
from algotrade.live.keep import CandleKeeper
from algotrade.market.candles import Floats, SeriesKey, Times
from algotrade.store.arrivals import write_candles
from algotrade.store.candles import list_series, list_spans, read_candles
from algotrade.store.database import Database, open_database
from algotrade.store.postgres import explain
from tests.postgresql import PASSWORD, Server

CANARY = "kn4ry"
KEY = SeriesKey("kraken", "BTC/USD", "1m")
ONE = (np.array([0], np.int64), np.ones((5, 1)))
WHERE = r"the PostgreSQL database 'test' at 127\.0\.0\.1:\d+"


def bars(count: int, first: int = 0) -> tuple[Times, Floats]:
    number = np.arange(first, first + count)
    return number * 60_000, np.tile(number + 0.5, (5, 1))


@contextmanager
def another_program(location: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(location, autocommit=True) as connection:
        yield connection


def tables_in(location: str) -> set[str]:
    with another_program(location) as connection:
        rows = connection.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        return {name for (name,) in rows}


# ---- what is refused ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("location", "kind", "sentence"),
    [
        ("postgresql://me:{0}@127.0.0.1:1/x", CheckConnection, "'x' at 127.0.0.1:1 cannot be reached: Connection ref"),
        ("postgres://me:{0}@127.0.0.1:1/x", CheckConnection, "'x' at 127.0.0.1:1 cannot be reached: Connection ref"),
        ("postgresql+psycopg://me:{0}@127.0.0.1:1/x", CheckConnection, "cannot be reached: Connection refused"),
        ("postgresql://me:{0}@127.0.0.1:1/x?sslmode={0}", FixConfiguration, "in this way: invalid sslmode value"),
        ("postgresql://me:{0}@127.0.0.1:1/x?connect_timeout={0}", FixConfiguration, "bad value for connect_timeout"),
        ("postgresql://me:{0}@127.0.0.1:1/x?passfile=/none&{0}={0}", FixConfiguration, "takes no options but"),
        ("postgresql://me@127.0.0.1:1/x?password={0}", FixConfiguration, "takes no options but connect_timeout, host"),
        ("postgresql://me@127.0.0.1:1/x?" + "application_name={0}&" * 900, FixConfiguration, "takes no options but"),
        ("postgresql://me:a@{0}@127.0.0.1:1/x", FixConfiguration, "write %40"),
        ("postgresql://me:{0}", FixConfiguration, "cannot be read"),
        ("postgresql://me:{0}@127.0.0.1", FixConfiguration, "names no database"),
        ("postgresql+psycopg2://me:{0}@127.0.0.1/x", FixConfiguration, "kind 'postgresql\\+psycopg2'"),
    ],
)
def test_a_url_that_leads_nowhere_is_a_sentence_without_the_password(
    location: str, kind: type[AlgotradeError], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence) as caught:
        open_database(location.format(CANARY))
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert len(caught.value.message) < 300


def test_a_wrong_password_user_or_database_is_told_apart(postgresql_server: Server) -> None:
    url = postgresql_server.url("postgres")
    for wrong in (url.replace(PASSWORD, CANARY), url.replace("trader", "nobody"), url.replace(f":{PASSWORD}", "")):
        with pytest.raises(NotAllowed, match=r"'postgres' at .* lets nobody in: .*(password|nobody)") as caught:
            open_database(wrong)
        assert caught.value.hint == "algotrade config show --origin"
        assert CANARY not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(FixConfiguration, match=r"'missing' at .* does not exist, create it with createdb"):
        open_database(postgresql_server.url("missing"))


def test_a_server_that_accepts_and_says_nothing_is_given_up() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(CheckConnection, match=f"at 127.0.0.1:{port} cannot be reached: .*timeout"):
            open_database(f"postgresql://me@127.0.0.1:{port}/x?connect_timeout=2")


def test_a_missing_driver_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "algotrade.store.postgres")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(FixConfiguration, match="PostgreSQL needs psycopg") as caught:
        open_database("postgresql://me@127.0.0.1/x")
    assert caught.value.hint == "pip install 'algotrade[postgres]'"


def test_the_database_of_another_program_stays_as_it_is(postgresql_location: str) -> None:
    with another_program(postgresql_location) as other:
        other.execute("CREATE TABLE photos (id INTEGER)")
    with pytest.raises(FixConfiguration, match=f"{WHERE} is the database of another program.*'photos'"):
        open_database(postgresql_location)
    assert tables_in(postgresql_location) == {"photos"}


def test_a_database_that_cannot_keep_every_text_is_refused(postgresql_server: Server, postgresql_location: str) -> None:
    with another_program(postgresql_location) as other:
        other.execute("CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0")
        with pytest.raises(FixConfiguration, match="keeps text as SQL_ASCII"):
            open_database(postgresql_server.url("ascii"))
        other.execute("DROP DATABASE ascii WITH (FORCE)")


def test_a_user_without_rights_is_told_so_and_a_reader_can_read(
    postgresql_server: Server, postgresql_location: str
) -> None:
    reader_location = postgresql_location.replace("trader", "reader")
    with another_program(postgresql_location) as other:
        other.execute(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
        with pytest.raises(FixConfiguration, match="the user has no right to do this"):
            open_database(reader_location)
        with open_database(postgresql_location) as database:
            write_candles(database, KEY, *ONE)
        other.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        with open_database(reader_location) as database:
            assert len(read_candles(database, KEY)) == 1
            with pytest.raises(FixConfiguration, match=r"the user has no right to do this \(permission denied"):
                write_candles(database, KEY, *bars(3))
        other.execute("DROP OWNED BY reader; DROP ROLE reader")


def test_a_database_that_is_read_only_says_so(postgresql_location: str) -> None:
    open_database(postgresql_location).close()
    options = "?options=-c default_transaction_read_only=on&options=-c lock_timeout=1s"
    with open_database(postgresql_location + options) as database:
        assert list_series(database) == []
        with pytest.raises(FixConfiguration, match=f"{WHERE} takes no writes"):
            write_candles(database, KEY, *ONE)


# ---- one writer, many readers ---------------------------------------------------------------------------------------
def test_many_may_create_the_same_schema_at_once(postgresql_location: str) -> None:
    barrier = Barrier(6)

    def open_and_write(number: int) -> int:
        barrier.wait()
        with open_database(postgresql_location) as database:
            return write_candles(database, KEY, np.array([number], np.int64), np.ones((5, 1))).added

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(open_and_write, range(6))) == 6


def test_a_locked_database_is_named_and_can_still_be_read(postgresql_location: str) -> None:
    with open_database(postgresql_location, busy_timeout_ms=50) as database:
        write_candles(database, KEY, *bars(3))
        with open_database(postgresql_location) as other, other.writing():
            with pytest.raises(TryLater, match=f"{WHERE} is locked by another program; nothing was written"):
                write_candles(database, KEY, *bars(9))
            assert len(read_candles(database, KEY)) == 3
        assert write_candles(database, KEY, *bars(9)) == (6, 3, 0)


def test_a_table_that_another_program_locks_is_waited_for_and_then_given_up(postgresql_location: str) -> None:
    with (
        open_database(postgresql_location, busy_timeout_ms=50) as database,
        psycopg.connect(postgresql_location) as other,
    ):
        other.execute("LOCK TABLE candles IN EXCLUSIVE MODE")
        with pytest.raises(TryLater, match="is locked by another program; nothing was written"):
            write_candles(database, KEY, *bars(9))
        other.rollback()
        assert write_candles(database, KEY, *bars(9)) == (9, 0, 0)


def test_a_writer_sees_what_was_written_while_it_waited(postgresql_location: str) -> None:
    with (
        open_database(postgresql_location) as database,
        open_database(postgresql_location) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        with other.writing() as connection:
            waiting = pool.submit(write_candles, database, KEY, *ONE)
            connection.exec_driver_sql("INSERT INTO series VALUES (7, 'kraken', 'BTC/USD', '1m', 'official')")
            connection.exec_driver_sql("INSERT INTO candles VALUES (7, 0, 1, 1, 1, 1, 1)")
            assert not waiting.done()
        assert waiting.result() == (0, 1, 0)


def test_a_reader_sees_one_state_while_another_writes(postgresql_location: str) -> None:
    with open_database(postgresql_location) as database, database.reading() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM candles").scalar()
        write_candles(database, KEY, *ONE)
        assert connection.exec_driver_sql("SELECT count(*) FROM candles").scalar() == before == 0


# ---- where it lies --------------------------------------------------------------------------------------------------
def test_what_is_shown_of_a_server_holds_no_password(postgresql_location: str) -> None:
    with open_database(postgresql_location + "?sslmode=prefer") as database:
        assert database.url == postgresql_location.replace(f":{PASSWORD}", "")
        assert repr(database) == f"Database('{database.url}')"
        assert PASSWORD not in database.where + str(database.folder)
        assert database.engine.dialect.name == "postgresql"
        folder = database.folder
    with open_database(postgresql_location) as again:
        assert again.folder == folder


def test_two_stores_in_two_schemas_of_one_database_do_not_meet(postgresql_location: str) -> None:
    with another_program(postgresql_location) as other:
        other.execute("CREATE TABLE photos (id INTEGER)")
        other.execute("CREATE SCHEMA a")
        other.execute("CREATE SCHEMA b")
    for schema, rows in (("a", 3), ("b", 5)):
        with open_database(f"{postgresql_location}?options=-csearch_path={schema}") as database:
            write_candles(database, KEY, *bars(rows))
    with open_database(f"{postgresql_location}?options=-csearch_path=a") as database:
        assert len(read_candles(database, KEY)) == 3
    with pytest.raises(FixConfiguration, match="has none of the schemas of its search path"):
        open_database(f"{postgresql_location}?options=-csearch_path=missing")


def test_a_table_whose_columns_stand_in_another_order_takes_each_value_in_its_own(postgresql_location: str) -> None:
    values = np.arange(5.0)[:, None] + np.arange(300.0)
    with open_database(postgresql_location) as database:
        with another_program(postgresql_location) as connection:
            connection.execute("ALTER TABLE candles DROP COLUMN open CASCADE")
            connection.execute("ALTER TABLE candles ADD COLUMN open double precision NOT NULL")
        write_candles(database, KEY, bars(300)[0], values)
        assert (values == read_candles(database, KEY).to_numpy().T).all()


def test_names_are_ordered_by_their_bytes_in_any_language(postgresql_server: Server, postgresql_location: str) -> None:
    with another_program(postgresql_location) as other:
        if other.info.server_version < 150_000:
            pytest.skip("ordering by ICU for a whole database needs PostgreSQL 15")
        other.execute("CREATE DATABASE english TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'")
    with open_database(postgresql_server.url("english")) as database:
        for symbol in ("a/USD", "B/USD", "A/USD", "b/USD", "é/USD"):
            write_candles(database, KEY._replace(symbol=symbol), *ONE)
        listed = [info.key.symbol for info in list_series(database)]
        assert listed == [info.key.symbol for info in list_spans(database)]
        assert listed == ["A/USD", "B/USD", "a/USD", "b/USD", "é/USD"]
    with another_program(postgresql_location) as other:
        other.execute("DROP DATABASE english WITH (FORCE)")


# ---- the connection goes --------------------------------------------------------------------------------------------
def end_all_connections(location: str) -> None:
    with another_program(location) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_connection_that_died_while_nobody_used_it_is_replaced(postgresql_location: str) -> None:
    with open_database(postgresql_location) as database:
        write_candles(database, KEY, *bars(3))
        end_all_connections(postgresql_location)
        assert write_candles(database, KEY, *bars(5)) == (2, 3, 0)
        end_all_connections(postgresql_location)
        assert len(read_candles(database, KEY)) == 5


@pytest.mark.parametrize("rows", [1, 20_000])
def test_a_write_whose_connection_dies_is_not_stored_and_can_be_repeated(postgresql_location: str, rows: int) -> None:
    def write_and_lose_it(database: Database, last_words: Callable[[psycopg.Cursor], object]) -> None:
        with database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO checks VALUES ('a', '{}')")
            end_all_connections(postgresql_location)
            last_words(connection.connection.cursor())  # type: ignore[arg-type]

    insert = "INSERT INTO checks VALUES (%s, '{}')"
    with open_database(postgresql_location) as database:
        write_candles(database, KEY, *bars(3))
        for last_words in (
            lambda cursor: cursor.executemany(insert, [(str(row),) for row in range(rows)]),
            lambda _cursor: None,  # it is lost at the commit
        ):
            with pytest.raises(TryLater, match=f"the connection to {WHERE} was lost"):
                write_and_lose_it(database, last_words)
            with database.reading() as connection:
                assert connection.exec_driver_sql("SELECT count(*) FROM checks").scalar() == 0
        assert write_candles(database, KEY, *bars(5)) == (2, 3, 0)


def test_a_server_that_stops_in_the_middle_of_a_write_and_comes_back_has_lost_nothing(
    postgresql_server: Server, postgresql_location: str
) -> None:
    def write_while_it_stops(database: Database) -> None:
        with database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM candles")
            postgresql_server.stop("fast")
            connection.exec_driver_sql("DELETE FROM series")

    with open_database(postgresql_location) as database:
        write_candles(database, KEY, *bars(1000))
        try:
            with pytest.raises(TryLater, match=f"the connection to {WHERE} was lost; .* as a whole or not at all"):
                write_while_it_stops(database)
            with pytest.raises(CheckConnection, match=f"{WHERE} cannot be reached: Connection refused"):
                read_candles(database, KEY)
        finally:
            postgresql_server.start()
        assert len(read_candles(database, KEY)) == 1000
        assert write_candles(database, KEY, *bars(1001)) == (1, 1000, 0)


def test_the_candles_of_a_live_session_wait_for_a_server_that_is_down(
    postgresql_server: Server, postgresql_location: str
) -> None:
    closed = [CandleClosed(KEY.symbol, minute * 60_000, 1.0, 2.0, 0.5, 1.5, 10.0) for minute in range(4)]
    with open_database(postgresql_location) as database:
        keeper = CandleKeeper(database, KEY, [])
        assert keeper.keep(closed[:1]) == ""
        postgresql_server.stop("fast")
        try:
            for candle in closed[1:3]:
                assert "cannot be reached: Connection refused; the candles are in the journal" in keeper.keep([candle])
        finally:
            postgresql_server.start()
        assert keeper.keep(closed[3:]) == ""
        assert len(read_candles(database, KEY)) == 4


def test_a_statement_that_takes_too_long_is_given_up(postgresql_location: str) -> None:
    with open_database(postgresql_location + "?options=-c statement_timeout=50") as database:
        with pytest.raises(TryLater, match=f"{WHERE} took too long"), database.reading() as connection:
            connection.exec_driver_sql("SELECT pg_sleep(30)")
        assert list_series(database) == []


def test_a_lock_that_is_released_in_time_is_waited_for(postgresql_location: str) -> None:
    with open_database(postgresql_location) as database, open_database(postgresql_location) as slow:
        writing = slow.writing()
        writing.__enter__()
        release = Timer(0.2, lambda: writing.__exit__(None, None, None))
        release.start()
        assert write_candles(database, KEY, *ONE).added == 1
        release.join()


# ---- what servers say -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("code", "kind", "sentence"),
    [
        ("53100", FixConfiguration, "the disk of X is full: nothing was written"),
        ("53200", TryLater, "X has no room for more"),
        ("58030", FixConfiguration, "the disk of X refused to read or write"),
        ("XX001", FixData, "X is damaged"),
        ("XX002", FixData, "X has a damaged index"),
        ("40001", TryLater, "X is written by another program"),
        ("57P01", TryLater, "the connection to X was lost"),
        ("08006", TryLater, "the connection to X was lost"),
    ],
)
def test_what_a_server_cannot_do_is_a_sentence(code: str, kind: type[AlgotradeError], sentence: str) -> None:
    known = explain(psycopg.errors.lookup(code)("the server's words"), "X")
    assert isinstance(known, kind)
    assert sentence in known.message


def test_a_text_with_a_zero_byte_is_refused_as_data(postgresql_location: str) -> None:
    with open_database(postgresql_location) as database:
        with pytest.raises(FixData, match=f"{WHERE} cannot keep what came: .*NUL"):
            write_candles(database, KEY._replace(symbol="BTC\0/USD"), *ONE)
        assert list_series(database) == []


def test_our_own_mistakes_are_not_blamed_on_the_server(postgresql_location: str) -> None:
    def break_a_constraint() -> None:
        with open_database(postgresql_location) as database, database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO candles VALUES (77, 0, 1, 1, 1, 1, 1)")

    with pytest.raises(DBAPIError, match="foreign key"):
        break_a_constraint()
    assert explain(psycopg.ProgrammingError("cannot adapt type"), "X") is None
    assert explain(ValueError("x"), "X") is None
