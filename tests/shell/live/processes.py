"""`algotrade` in processes of its own: start it, wait for it, see how it ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from algotrade.store.journal import list_sessions

ROOT = Path(__file__).parents[3]
PLAN = ("live", "--exchange", "demo", "--start", "2024-01-01", "--cash", "5000")


def isolated(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing of the machine's own settings is seen."""
    names = {f"XDG_{name}_HOME": str(tmp_path / "home") for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ALGOTRADE_")}
    return {**kept, **names, "PYTHONPATH": str(ROOT)}


def project(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "algotrade.toml").write_text("")
    return folder


def command(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "algotrade", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, errors = process.communicate(timeout=120)
    return process.returncode, errors


def rows_written(folder: Path) -> int:
    found = list_sessions(folder / ".algotrade" / "sessions")
    return found[-1].rows if found else 0


def wait_for_rows(folder: Path, rows: int, process: subprocess.Popen[str]) -> None:
    while rows_written(folder) < rows:
        assert process.poll() is None
        time.sleep(0.02)
