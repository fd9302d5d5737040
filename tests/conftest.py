"""Fixtures for more than one folder: the kinds of database that the store's suites run on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from algotrade.store.database import Database, open_database

# No deadlines: a loaded machine is not a bug. In CI the examples are the same every time; elsewhere they are new ones.
settings.register_profile("suite", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("suite")


def new_sqlite(folder: Path) -> str:
    return str(folder / "store" / "algotrade.sqlite")


# A further kind of database joins every suite by one entry: a function that gives the location of a new, empty one.
DATABASE_KINDS: dict[str, Callable[[Path], str]] = {"sqlite": new_sqlite}


@pytest.fixture(params=DATABASE_KINDS)
def database_location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new, empty database of each kind may be opened."""
    return DATABASE_KINDS[request.param](tmp_path)


@pytest.fixture
def database(database_location: str) -> Iterator[Database]:
    """A new, empty, open database of each kind."""
    with open_database(database_location) as opened:
        yield opened
