"""The source text of a strategy: what a fingerprint, a cache key and a journal keep of it."""

from __future__ import annotations

import hashlib
import inspect
import sys
from pathlib import Path

from algotrade.strategy.base import Strategy


def source_of(strategy: Strategy) -> str:
    """Text of the file that defines the strategy; of the class alone where it was typed into a session."""
    cls = type(strategy)
    module = sys.modules.get(cls.__module__)
    path = getattr(module, "__file__", None)
    if path and cls.__module__ != "__main__":
        return Path(path).read_text(encoding="utf-8")
    try:
        return inspect.getsource(cls)
    except (OSError, TypeError):
        return f"# {cls.__qualname__}: source not available\n"


def source_hash(source: str) -> str:
    """SHA-256 of the text, hexadecimal."""
    return hashlib.sha256(source.encode()).hexdigest()


def file_name_of(strategy: Strategy) -> str:
    """Name of the file that defines the strategy, without its folder; "strategy.py" where there is none."""
    path = getattr(sys.modules.get(type(strategy).__module__), "__file__", None)
    return Path(path).name if path else "strategy.py"
