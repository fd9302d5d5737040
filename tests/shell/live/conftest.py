from __future__ import annotations

from pathlib import Path

import pytest

from tests.shell.live.processes import isolated


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return isolated(tmp_path)
