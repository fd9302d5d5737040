from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path

import pytest

from algotrade.strategy.base import Strategy
from algotrade.strategy.source import source_hash, source_of

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


@pytest.mark.parametrize("text", ["", "a", "é\n"])
def test_the_hash_is_of_the_text(text: str) -> None:
    assert source_hash(text) == hashlib.sha256(text.encode("utf-8")).hexdigest()
