"""The code of a strategy: the text that runs and journals keep, and the hash that tells whether any of it changed.

Beside it the versions of what it runs with.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import platform
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.abc import InspectLoader
from importlib.machinery import PathFinder
from importlib.util import resolve_name
from pathlib import Path
from typing import Final, NamedTuple

from algotrade.strategy.base import Strategy

INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
LIBRARIES: Final = ("algotrade", "numpy", "pandas", "numba", "TA-Lib")  # that can change a figure


def versions() -> dict[str, str]:
    """Of Python, of this program and of the libraries that can change a figure."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in LIBRARIES}}


def source_of(strategy: Strategy) -> str:
    """Text of the file that defines the strategy; of the class alone where it was typed into a session."""
    cls = type(strategy)
    code = None if cls.__module__ == "__main__" else _code(cls.__module__)
    return _class_text(cls) if code is None else code.decode("utf-8")


def code_hash(strategy: Strategy) -> str:
    """SHA-256, hexadecimal, of all of `sources_of`; where the files lie and what they are called does not matter."""
    each = sorted(hashlib.sha256(code).hexdigest() for code in sources_of(strategy).values())
    return hashlib.sha256("".join(each).encode()).hexdigest()


def sources_of(strategy: Strategy) -> dict[str, bytes]:
    """The code that decides what a strategy does: name of a module -> content of its file.

    The files of the strategy and of its base classes, and every module that one of them imports, anywhere in its text,
    and that is not installed. What is installed, this program too, is identified by its version. Not seen is a module
    that is loaded by other means than an import statement; of a class that was typed into a session, all but its text.
    """
    classes = [cls for cls in type(strategy).__mro__ if cls is not object and not _is_ours(cls.__module__)]
    typed = [cls for cls in classes if _code(cls.__module__) is None]
    found = {cls.__qualname__: _class_text(cls).encode() for cls in typed}
    waiting = [cls.__module__ for cls in classes if cls not in typed]
    while waiting:
        name = waiting.pop()
        code = None if name in found else _code(name)
        if code is not None:
            found[name] = code
            waiting += [used for used in _imports(code, name) if not _is_installed(used)]
    return found


def _code(name: str) -> bytes | None:
    """Content of a module's file, or what it was loaded from instead; None where there is neither."""
    file = _place(name).file
    if file is not None:
        return file.read_bytes()
    module = sys.modules.get(name)
    loader = getattr(module, "__loader__", None)
    if getattr(module, "__file__", None) is None or not isinstance(loader, InspectLoader):
        return None
    text = loader.get_source(name)
    return None if text is None else text.encode()


class Place(NamedTuple):
    """Where a module lies: its file, None where it has none, and the folders of the modules in it."""

    file: Path | None
    folders: list[str]


def _place(name: str) -> Place:
    """Where a module lies, without loading it; nowhere for a name that is no module."""
    module = sys.modules.get(name)
    if module is not None:
        file, folders = getattr(module, "__file__", None), list(getattr(module, "__path__", ()))
    else:
        parent = name.rpartition(".")[0]
        spec = PathFinder.find_spec(name, _place(parent).folders if parent else None)
        file, folders = (spec.origin, list(spec.submodule_search_locations or ())) if spec else (None, [])
    return Place(Path(file) if isinstance(file, str) and Path(file).is_file() else None, folders)


def _imports(code: bytes, module: str) -> Iterator[str]:
    """Names of the modules that a text may load: `from a import b` names a, and b in case it is a module in a."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):  # edited since it was loaded, or compiled: its own bytes tell
        return
    for node in ast.walk(tree):
        for name in _imported(node, module):
            parts = name.split(".")
            yield from (".".join(parts[:count]) for count in range(1, len(parts) + 1))


def _imported(node: ast.AST, module: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    package = module if _place(module).folders else module.rpartition(".")[0]
    try:
        base = resolve_name("." * node.level + (node.module or ""), package)
    except ImportError:  # from above all packages: it fails when it is run
        return []
    return [base, *(f"{base}.{alias.name}" for alias in node.names)]


def _is_installed(name: str) -> bool:
    """Whether a module belongs to Python, to an installed package or to this program."""
    file = _place(name).file
    of_python = name.partition(".")[0] in sys.stdlib_module_names
    return _is_ours(name) or of_python or (file is not None and not INSTALLED.isdisjoint(file.parts))


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] == "algotrade"


def _class_text(cls: type) -> str:
    try:
        return inspect.getsource(cls)
    except (OSError, TypeError):
        return f"# {cls.__qualname__}: source not available\n"


def file_name_of(strategy: Strategy) -> str:
    """Name of the file that defines the strategy, without its folder; "strategy.py" where there is none."""
    path = getattr(sys.modules.get(type(strategy).__module__), "__file__", None)
    return Path(path).name if path else "strategy.py"
