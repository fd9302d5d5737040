"""Fixtures for more than one folder: the kinds of database that the store's suites run on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from algotrade.store.database import Database, open_database
from tests.postgresql import DATABASE, HOW_TO_INSTALL, Server, find_programs, running_server

# No deadlines: a loaded machine is not a bug. In CI the examples are the same every time; elsewhere they are new ones.
settings.register_profile("suite", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("suite")

DATABASE_KINDS = ("sqlite", "postgresql")


def pytest_configure(config: pytest.Config) -> None:
    """In CI nothing may be left out unseen."""
    if "CI" in os.environ and find_programs() is None:
        raise pytest.UsageError(f"the tests need PostgreSQL in CI: {HOW_TO_INSTALL}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if find_programs() is None:
        terminalreporter.write_line(f"PostgreSQL is not installed: its tests were left out ({HOW_TO_INSTALL})")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """A server of this process; tests that stop it start it again."""
    programs = find_programs()
    if programs is None:
        pytest.skip(f"PostgreSQL is not installed: {HOW_TO_INSTALL}")
    with running_server(programs) as server:
        yield server


@pytest.fixture
def postgresql_location(postgresql_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty database; what belongs beside it lies in the test's own folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    postgresql_server.empty()
    return postgresql_server.url(DATABASE)


@pytest.fixture(params=DATABASE_KINDS)
def database_location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new, empty database of each kind may be opened."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_location"))
    return str(tmp_path / "store" / "algotrade.sqlite")


@pytest.fixture
def database(database_location: str) -> Iterator[Database]:
    """A new, empty, open database of each kind."""
    with open_database(database_location) as opened:
        yield opened
