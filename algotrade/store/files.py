"""Private files and folders, and a lock that dies with its holder."""

from __future__ import annotations

import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from algotrade.errors import TryLater


def create_private_file(path: Path) -> None:
    """Make sure that the file exists: new files are 0600, new folders above it 0700; existing ones stay as they are.

    SQLite gives its -wal and -shm files the rights of the file they belong to.
    """
    _create_private_folder(path.parent)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _create_private_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _create_private_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a new or renamed file's name survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def hold_lock(path: Path, owner: str, hint: str | None = "algotrade list sessions") -> IO[str]:
    """Hold an exclusive lock until the returned file is closed or the process ends, however it ends.

    The file holds the process id and the time since when, and stays behind: deleting it would let two in.

    Args:
        path: the lock's own file, created where missing.
        owner: what runs under the lock, for the message: "session 2026-btc".
        hint: what to type when it is held; None for the same command again.

    Raises:
        TryLater: another process, or another part of this one, holds it; with its id and since when.
    """
    create_private_file(path)
    lock = path.open("r+", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with lock:
            held_by = lock.read().strip()
        raise TryLater(f"{owner} is already running" + (f" ({held_by})" if held_by else ""), hint=hint) from None
    os.utime(lock.fileno())
    since = datetime.fromtimestamp(int(os.fstat(lock.fileno()).st_mtime), UTC)
    lock.truncate()
    lock.write(f"pid {os.getpid()}, since {since:%Y-%m-%dT%H:%M:%SZ}\n")
    lock.flush()
    return lock


def is_held(path: Path) -> bool:
    """Whether a process holds the lock now; the file stays as it is."""
    try:
        with path.open("r", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # let go at once, with the file
    except BlockingIOError:
        return True
    except OSError:  # no such file, or not ours to read
        return False
    return False


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, whatever happens; one of that name is replaced.

    A link stays and its file is replaced. What is no file, a device or a pipe, is written to and never replaced.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    path = path.resolve()
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
