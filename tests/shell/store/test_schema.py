"""Two ways lead to the schema, at once and by revisions; both end in the same place, and nothing stored is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, inspect
from sqlalchemy.exc import DBAPIError

from algotrade.errors import FixConfiguration
from algotrade.market.candles import SeriesKey
from algotrade.market.instrument import Instrument
from algotrade.store import migrations
from algotrade.store.arrivals import write_candles
from algotrade.store.candles import read_candles
from algotrade.store.corrections import read_quarantine
from algotrade.store.coverage import read_coverage
from algotrade.store.database import open_database
from algotrade.store.funding import put_funding
from algotrade.store.markets import read_instrument
from algotrade.store.runs import list_runs, load_run, read_check
from algotrade.store.tables import SCHEMA, metadata

FOLDER = Path(migrations.__file__).parent
RELEASED = Path(__file__).parent / "released"
BEFORE_THE_FIRST = "CREATE TABLE algotrade_schema (version_num VARCHAR(32) NOT NULL, CONSTRAINT algotrade_schema_pkc PRIMARY KEY (version_num))"  # noqa: E501
KEY = SeriesKey("kraken", "BTC/USD", "1d")
ROWID_LESS = ("candles", "revisions", "trades", "funding")
ROWS_0002 = """
INSERT INTO quarantine VALUES (1, 'f1', 1578096000000, 1.0, NULL, 2.0, 1.0, 1.0, 'high is no number', 1795176000000);
INSERT INTO revisions VALUES
    (1, 1577923200000, 1795176000000, 7175.0, 7192.7, 6914.9, 6945.1, 1.5, 7175.0, 7192.7, 6914.9, 6945.1, 2742.0);
INSERT INTO snapshots VALUES (2, 'ab', 1577836800000, 1577836800000, 1);
INSERT INTO trades VALUES (2, 1577836800000000001, 0, 't1', 0.1, 0.30000000000000004, 'buy');
INSERT INTO trade_progress VALUES (2, '{"cursor": "7"}');
INSERT INTO trade_days VALUES (2, 1577836800000, 1, 1, '0', '7', 'ab', 1);
INSERT INTO outages VALUES ('kraken', 1577836800000, NULL, 'down for maintenance');
"""


def script(location: str, sql: str) -> None:
    """Run statements as another program would."""
    if location.startswith("postgresql"):
        with psycopg.connect(location, autocommit=True) as server:
            server.execute(sql)  # type: ignore[call-overload]
        return
    Path(location).parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(location)) as connection:
        connection.executescript(sql)


@contextmanager
def engine_of(location: str) -> Iterator[Engine]:
    """An engine of the test's own."""
    url = location.replace("postgresql://", "postgresql+psycopg://") if "://" in location else f"sqlite:///{location}"
    engine = create_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def schema_of(location: str) -> dict[str, Any]:
    """Every table, index and view: what the database says of itself."""
    with engine_of(location) as engine:
        found = inspect(engine)
        tables = {
            name: (
                [{**column, "type": str(column["type"])} for column in found.get_columns(name)],
                found.get_pk_constraint(name),
                found.get_foreign_keys(name),
                found.get_unique_constraints(name),
                found.get_indexes(name),
            )
            for name in found.get_table_names()
        }
        views = {name: found.get_view_definition(name) for name in found.get_view_names()}
        exact = {}
        if engine.dialect.name == "sqlite":
            with engine.connect() as connection:
                rows = connection.exec_driver_sql("SELECT type, name, sql FROM sqlite_master").fetchall()
            exact = {(kind, name): "".join((sql or "").split()) for kind, name, sql in rows}
    return {"tables": tables, "views": views, "exact": exact}


def rows_of(location: str) -> dict[str, list[Any]]:
    """Every row of every table."""
    with engine_of(location) as engine, engine.connect() as connection:
        return {
            name: sorted(map(tuple, connection.exec_driver_sql(f'SELECT * FROM "{name}"')), key=repr)
            for name in inspect(engine).get_table_names()
        }


def upgrade_to(connection: Connection, revision: str) -> None:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER))
    command.upgrade(config, revision)


@pytest.fixture
def released_location(database_location: str) -> str:
    """A database as the first release left it. That one knew SQLite only: there the dump of a real one is taken."""
    if database_location.startswith("postgresql"):
        with engine_of(database_location) as engine, engine.begin() as connection:
            upgrade_to(connection, "0001")
    else:
        script(database_location, (RELEASED / "schema_0001.sql").read_text())
    script(database_location, (RELEASED / "rows_0001.sql").read_text())
    return database_location


def test_creating_and_upgrading_give_the_same_schema(released_location: str, tmp_path: Path) -> None:
    open_database(released_location).close()
    upgraded = schema_of(released_location)
    if released_location.startswith("postgresql"):
        script(released_location, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        created_location = released_location
    else:
        created_location = str(tmp_path / "created.sqlite")
    open_database(created_location).close()
    created = schema_of(created_location)
    assert created == upgraded
    assert set(created["tables"]) == set(metadata.tables)
    assert set(created["views"]) == {"candle_view"}
    assert all("WITHOUTROWID" in created["exact"]["table", name] for name in ROWID_LESS if created["exact"])


def test_a_database_from_before_the_first_release_is_upgraded(database_location: str) -> None:
    script(database_location, BEFORE_THE_FIRST)
    with open_database(database_location) as database:
        write_candles(database, KEY, np.array([0], np.int64), np.ones((5, 1)))
        assert len(read_candles(database, KEY)) == 1
    assert rows_of(database_location)["algotrade_schema"] == [(SCHEMA,)]


def test_what_the_first_release_stored_is_all_there_after_the_upgrade(released_location: str) -> None:
    before = rows_of(released_location)
    assert {name: len(rows) for name, rows in before.items()} == {
        "algotrade_schema": 1, "series": 2, "candles": 4, "coverage": 1, "markets": 2, "runs": 2, "checks": 1,
    }  # fmt: skip
    with open_database(released_location) as database:
        candles = read_candles(database, KEY)
        assert candles["close"].tolist() == [7174.4, 6945.1, 7314.8]
        assert read_coverage(database, KEY) == [(1577836800000, 1578096000000)]
        assert read_instrument(database, "kraken", "BTC/USD") == Instrument(
            "BTC/USD", 1e-8, 0.1, 5e-5, 0.5, 0.004, 0.0025, can_short=False
        )
        assert [run.id for run in list_runs(database)] == ["r20261120-120001-0b7c", "r20261120-120000-3f2a"]
        assert load_run(database, "r20261120-120000-3f2a")["summary"] == {"final_equity": 11000.5}
        assert read_check(database, "4f2e") == {"covered": 214, "passed": True}
        with database.reading() as connection:
            view = connection.exec_driver_sql("SELECT symbol, close FROM candle_view WHERE exchange = 'demo'").all()
        assert view == [("ETH/USD", 0.1 + 0.2)]
    after = rows_of(released_location)
    assert {name: after[name] for name in before} == {**before, "algotrade_schema": [(SCHEMA,)]}
    assert not any(rows for name, rows in after.items() if name not in before)


def test_an_upgraded_database_takes_new_series(released_location: str) -> None:
    with open_database(released_location) as database:
        times = np.array([1577836800000], np.int64)
        assert write_candles(database, KEY, times, np.ones((5, 1))) == (0, 0, 1)
        assert write_candles(database, KEY._replace(symbol="SOL/USD"), times, np.ones((5, 1))) == (1, 0, 0)


def test_what_the_second_schema_stored_is_all_there_after_the_upgrade(database_location: str) -> None:
    script(database_location, BEFORE_THE_FIRST)
    with engine_of(database_location) as engine, engine.begin() as connection:
        upgrade_to(connection, "0002")
    script(database_location, (RELEASED / "rows_0001.sql").read_text() + ROWS_0002)
    before = rows_of(database_location)
    assert all(before.values())
    with open_database(database_location) as database:
        assert len(read_quarantine(database, KEY)) == 1
        put_funding(database, "kraken", "BTC/USD:USD", np.array([8 * 3_600_000], np.int64), np.array([0.0001]))
    after = rows_of(database_location)
    assert after == {
        **before,
        "algotrade_schema": [(SCHEMA,)],
        "funding": [("kraken", "BTC/USD:USD", 8 * 3_600_000, 0.0001)],
    }


@pytest.mark.parametrize("in_the_way", ["quarantine", "outages", "funding"])  # the first and the last of each revision
def test_an_upgrade_that_fails_leaves_everything_as_it_was(released_location: str, in_the_way: str) -> None:
    script(released_location, f"CREATE TABLE {in_the_way} (precious TEXT); INSERT INTO {in_the_way} VALUES ('kept')")
    schema, rows = schema_of(released_location), rows_of(released_location)
    with pytest.raises(DBAPIError, match=f'"?{in_the_way}"? already exists'):
        open_database(released_location)
    assert schema_of(released_location) == schema
    assert rows_of(released_location) == rows


def test_a_newer_schema_is_refused_and_stays_as_it_is(released_location: str) -> None:
    open_database(released_location).close()
    script(released_location, "UPDATE algotrade_schema SET version_num = '9999'")
    schema, rows = schema_of(released_location), rows_of(released_location)
    with pytest.raises(FixConfiguration, match=r"newer version of algotrade \(schema 9999, known up to"):
        open_database(released_location)
    assert schema_of(released_location) == schema
    assert rows_of(released_location) == rows


def test_the_newest_revision_is_the_one_the_code_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [SCHEMA]
    names = [revision.revision for revision in scripts.walk_revisions("base", "heads")]
    assert names == sorted(names, reverse=True)
    assert {len(name) for name in names} == {4}


def test_the_migrations_lie_inside_the_package() -> None:
    assert (FOLDER / "env.py").is_file()
    assert (FOLDER / "versions" / f"revision_{SCHEMA}.py").is_file()
