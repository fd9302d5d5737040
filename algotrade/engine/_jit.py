"""Compiling on demand: the same functions run plain, and compiled where the work is worth it.

Scalar rules (fills, sizing, account) are marked with `@scalar` and stay ordinary Python functions. `compiled(kernel)`
imports numba, teaches it the scalars and returns the machine-code form of `kernel`. Both forms give the same bits:
fastmath stays off and division by zero raises as it does in Python. Importing numba costs about half a second, so
nothing here does it before `compiled` is called.
"""

from __future__ import annotations

import hashlib
import inspect
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def scalar(function: Function) -> Function:
    """Mark a scalar rule as usable from compiled kernels; the function itself stays as it is."""
    function.__dict__["compiled_inline"] = True
    return function


@cache
def compiled(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The machine-code form of a kernel; its first call compiles, or loads what an earlier process compiled.

    Raises:
        ImportError: numba is not installed.
    """
    import numba

    rules = _rules_of(kernel)
    for rule in rules:
        _teach(rule)
    options: dict[str, Any] = {"fastmath": False, "error_model": "python", "nogil": True}
    try:
        with _cache_folder([kernel, *rules]):
            machine: Callable[..., Any] = numba.njit(cache=True, **options)(kernel)
    except (RuntimeError, OSError):  # nowhere to keep machine code: compile for this process only
        machine = numba.njit(**options)(kernel)
    return machine


@cache
def _teach(rule: Callable[..., Any]) -> None:
    """Let compiled code call a plain scalar function."""
    from numba.extending import register_jitable

    register_jitable(rule)


def _rules_of(function: Callable[..., Any]) -> list[Callable[..., Any]]:
    """The scalar rules that a function calls, the called before the callers."""
    found: list[Callable[..., Any]] = []
    for name in inspect.unwrap(function).__code__.co_names:
        called = function.__globals__.get(name)
        if inspect.isfunction(called) and called.__dict__.get("compiled_inline"):
            deeper: list[Callable[..., Any]] = [*_rules_of(called), called]
            found += [rule for rule in deeper if rule not in found]
    return found


@contextmanager
def _cache_folder(functions: list[Callable[..., Any]]) -> Iterator[None]:
    """Point numba's cache to a folder named by the hash of all the code that is compiled into a kernel.

    Numba itself looks at the kernel's own file only, and would go on using machine code of a rule that has changed.

    Raises:
        OSError: the folder cannot be made or written to; numba would silently take the folder of the source instead.
    """
    from numba.core import config

    settings: Any = config  # numba makes its settings at import, out of a type checker's sight
    digest = hashlib.sha256()
    for path in sorted({inspect.getsourcefile(function) or "" for function in functions}):
        digest.update(Path(path).read_bytes())
    before = settings.CACHE_DIR  # what NUMBA_CACHE_DIR says
    folder = (Path(before) if before else _machine_code_folder()) / digest.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        settings.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        settings.CACHE_DIR = before


def _machine_code_folder() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("algotrade") / "machine-code"
