"""Failures of disks and databases, said as a sentence with the path and what the person can do."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from algotrade.errors import AlgotradeError, FixConfiguration, FixData, TryLater

_SENTENCES: Final[dict[int, tuple[type[AlgotradeError], str]]] = {
    sqlite3.SQLITE_BUSY: (TryLater, "{path} is locked by another program; nothing was written"),
    sqlite3.SQLITE_LOCKED: (TryLater, "{path} is locked by another program; nothing was written"),
    sqlite3.SQLITE_READONLY: (FixConfiguration, "{path} cannot be written: the file or its folder is read-only"),
    sqlite3.SQLITE_PERM: (FixConfiguration, "{path} cannot be opened: its rights do not allow it"),
    sqlite3.SQLITE_CANTOPEN: (
        FixConfiguration,
        "{path} cannot be opened: the folder is missing, or the rights of the file or its folder do not allow it",
    ),
    sqlite3.SQLITE_FULL: (FixConfiguration, "the disk is full: nothing was written to {path}, nothing stored is lost"),
    sqlite3.SQLITE_IOERR: (
        FixConfiguration,
        "the disk refused to read or write {path}; what was stored before is untouched",
    ),
    sqlite3.SQLITE_CORRUPT: (FixData, "{path} is damaged ({error}); it was left as it is, restore it from a copy"),
    sqlite3.SQLITE_NOTADB: (FixConfiguration, "{path} is not a database, or its beginning is damaged; left as it is"),
}
_FULL_DISK: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def explain(error: BaseException | None, path: Path) -> AlgotradeError | None:
    """The error for a person, or None where the failure is a bug of ours (a broken constraint, wrong SQL)."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0)  # absent when the driver, not the database, complains
        kind, sentence = _SENTENCES.get(code & 0xFF, (None, ""))
        return kind(sentence.format(path=path, error=error)) if kind else None
    if isinstance(error, OSError):
        if error.errno in _FULL_DISK:
            return FixConfiguration(f"the disk is full: {path} could not be written")
        return FixConfiguration(f"{path} cannot be opened or created: {(error.strerror or 'unknown reason').lower()}")
    return None


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the disk or SQLite says inside the block into an error for a person."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        known = explain(error, path)
        if known is None:
            raise
        raise known from error
