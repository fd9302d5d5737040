from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from algotrade.sources import code_hash, source_of, sources_of
from algotrade.strategy.base import Strategy

SOURCE = '''from algotrade.strategy.base import Strategy


class Tiny(Strategy):
    """Does nothing."""
'''


def test_the_source_is_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "tiny.py"
    path.write_text(SOURCE, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("tiny_for_source", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
        assert source_of(module.Tiny()) == SOURCE
    finally:
        del sys.modules[spec.name]


def test_a_class_typed_into_a_session_says_that_there_is_no_file() -> None:
    typed: dict[str, type[Strategy]] = {}
    exec("class Typed(Base): pass", {"Base": Strategy, "__name__": "nowhere"}, typed)
    assert source_of(typed["Typed"]()) == "# Typed: source not available\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the import path; what is loaded from it is forgotten at the end."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def strategy_in(project: Path, code: str, **helpers: str) -> Strategy:
    for name, text in helpers.items():
        path = project / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (project / "mine.py").write_text(f"{code}\nclass Mine(Base):\n    pass\n")
    importlib.invalidate_caches()
    found: Strategy = importlib.import_module("mine").Mine()
    return found


BASE = "from algotrade.strategy.base import Strategy as Base"


@pytest.mark.parametrize(
    ("code", "helpers", "seen"),
    [
        (BASE, {}, set()),
        (f"import json, pandas\n{BASE}", {}, set()),
        (f"import helper\n{BASE}", {"helper": "N = 1"}, {"helper"}),
        (f"from helper import N\n{BASE}", {"helper": "N = 1"}, {"helper"}),
        (f"def f():\n    import helper\n{BASE}", {"helper": "N = 1"}, {"helper"}),
        (f"import first\n{BASE}", {"first": "import second", "second": "import first"}, {"first", "second"}),
        (f"from kit import one\n{BASE}", {"kit/one": "from . import two", "kit/two": ""}, {"kit.one", "kit.two"}),
        (f"def f():\n    from kit.one import N\n{BASE}", {"kit/__init__": "", "kit/one": ""}, {"kit", "kit.one"}),
        ("from bases import Base", {"bases": f"import helper\n{BASE}", "helper": ""}, {"bases", "helper"}),
        (f"import bought\n{BASE}", {"site-packages/bought": ""}, set()),
    ],
)
def test_the_code_is_every_module_of_the_project_that_is_imported(
    project: Path, monkeypatch: pytest.MonkeyPatch, code: str, helpers: dict[str, str], seen: set[str]
) -> None:
    monkeypatch.syspath_prepend(str(project / "site-packages"))
    assert set(sources_of(strategy_in(project, code, **helpers))) == {"mine", *seen}


def test_a_changed_helper_is_changed_code(project: Path) -> None:
    strategy = strategy_in(project, f"import helper\n{BASE}", helper="N = 1")
    before = code_hash(strategy)
    assert code_hash(strategy) == before
    (project / "helper.py").write_text("N = 2")
    assert code_hash(strategy) != before


def test_a_class_typed_into_a_session_is_its_text_and_its_bases(project: Path) -> None:
    base = type(strategy_in(project, BASE))
    typed: dict[str, type[Strategy]] = {}
    exec("class Typed(Base): pass", {"Base": base, "__name__": "nowhere"}, typed)
    assert set(sources_of(typed["Typed"]())) == {"Typed", "mine"}
