"""The core is pure: nothing of it loads a network, a database, a screen, an event loop or a source of randomness."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import algotrade

ROOT = Path(algotrade.__file__).parent
CORE = ("market", "engine", "strategy", "evaluate", "backtest")
HEAVY = (
    "ccxt",
    "sqlalchemy",
    "alembic",
    "rich",
    "typer",
    "click",
    "dotenv",
    "bokeh",
    "aiohttp",
    "numba",
    "dask",
    "pydantic",
)
FORBIDDEN = {
    "asyncio",
    "socket",
    "subprocess",
    "logging",
    "sqlite3",
    "random",
    "secrets",
    "threading",
    "multiprocessing",
}


def core_files() -> list[Path]:
    return sorted([*(path for room in CORE for path in (ROOT / room).rglob("*.py")), ROOT / "errors.py"])


def core_modules() -> list[str]:
    rooms = [str(ROOT / room) for room in CORE]
    return [
        module.name
        for room, path in zip(CORE, rooms, strict=True)
        for module in pkgutil.iter_modules([path], f"algotrade.{room}.")
    ]


def test_the_whole_core_loads_without_anything_of_the_world() -> None:
    code = (
        f"import importlib, sys\nfor name in {core_modules()!r}: importlib.import_module(name)\n"
        f"print(*(name for name in {HEAVY!r} if name in sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT.parent)}, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == ""


@pytest.mark.parametrize("path", core_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_of_the_core_imports_a_clock_a_network_or_randomness(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    tops = {name.split(".")[0] for name in imported}
    assert not tops & (FORBIDDEN | set(HEAVY) - {"numba"})
    assert "time" not in tops
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not {name for name in called if name.endswith((".now", ".utcnow", ".today")) or name in {"open", "print"}}


@pytest.mark.parametrize("path", core_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_randomness_comes_from_numpy_either(path: Path) -> None:
    assert "np.random" not in path.read_text(encoding="utf-8")
