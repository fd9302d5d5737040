"""Where a store lies, whatever kind of database it is: what messages call it, and how its failures are said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL

from algotrade.errors import AlgotradeError


class Place(NamedTuple):
    """A database that can be opened.

    Attributes:
        engine: SQLAlchemy's engine, its transactions begun by the execution option WRITES.
        where: what messages call it: a file's path, or "the PostgreSQL database NAME at HOST:PORT". Never a password.
        url: for showing, without password and options.
        folder: where files that belong to the database lie (snapshots, locks); it may not exist yet.
        explain: the error for a person, or None where the failure is a bug of ours (a broken constraint, wrong SQL).
        set_up: what has to be done once to a database that is ours, before its schema is made.
    """

    engine: Engine
    where: str
    url: URL
    folder: Path
    explain: Callable[[BaseException | None], AlgotradeError | None]
    set_up: Callable[[Engine], None]


WRITES: Final = "algotrade_writes"


def writes(connection: Connection) -> bool:
    """Whether the transaction that is about to begin will write."""
    return bool(connection.get_execution_options().get(WRITES, False))
