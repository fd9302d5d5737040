"""A user without the superuser's powers, because read-only means nothing to root."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

NOBODY = 65534


@pytest.fixture
def ordinary_folder() -> Iterator[Path]:
    """A folder of our own, while the test runs as an ordinary user (files keep the rights the test gives them)."""
    folder = Path(tempfile.mkdtemp())
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        for inner in (folder, *folder.rglob("*")):
            inner.chmod(0o700)
        shutil.rmtree(folder)
