"""Two ways lead to the schema, at once and by revisions; both end in the same place."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable

from algotrade.market.candles import SeriesKey
from algotrade.store import migrations
from algotrade.store.arrivals import write_candles
from algotrade.store.candles import read_candles
from algotrade.store.database import open_database
from algotrade.store.tables import SCHEMA, metadata

FOLDER = Path(migrations.__file__).parent
BEFORE_THE_FIRST = "CREATE TABLE algotrade_schema (version_num VARCHAR(32) NOT NULL, CONSTRAINT algotrade_schema_pkc PRIMARY KEY (version_num))"  # noqa: E501


def script(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(sql)


def schema_of(path: Path) -> dict[tuple[str, str], str]:
    """Every table, index and view with its SQL, white space aside."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    return {(kind, name): "".join((sql or "").split()) for kind, name, sql in rows}


def versions(path: Path) -> list[tuple[str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT version_num FROM algotrade_schema").fetchall()


def test_creating_and_upgrading_give_the_same_schema(tmp_path: Path) -> None:
    created, upgraded = tmp_path / "created.sqlite", tmp_path / "upgraded.sqlite"
    open_database(created).close()
    script(upgraded, BEFORE_THE_FIRST)
    with open_database(upgraded) as database:
        write_candles(database, SeriesKey("kraken", "BTC/USD", "1d"), np.array([0], np.int64), np.ones((5, 1)))
        assert len(read_candles(database, SeriesKey("kraken", "BTC/USD", "1d"))) == 1
    assert schema_of(created) == schema_of(upgraded)
    assert ("view", "candle_view") in schema_of(created)
    assert "WITHOUTROWID" in schema_of(created)["table", "candles"]
    assert versions(created) == versions(upgraded) == [(SCHEMA,)]


def test_an_upgrade_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    script(path, f"{BEFORE_THE_FIRST}; CREATE TABLE runs (precious TEXT); INSERT INTO runs VALUES ('kept')")
    before = schema_of(path)
    with pytest.raises(DBAPIError, match="table runs already exists"):
        open_database(path)
    assert schema_of(path) == before
    assert versions(path) == []


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


def test_the_tables_have_words_in_another_database_too() -> None:
    sql = {
        table.name: str(CreateTable(table).compile(dialect=postgresql.dialect())) for table in metadata.sorted_tables
    }
    assert "open DOUBLE PRECISION NOT NULL" in sql["candles"]
    assert "time BIGINT NOT NULL" in sql["candles"]
    assert "id SERIAL NOT NULL" in sql["series"]
