"""Find a strategy by name: ./strategies, a file's path, the ones we ship, an installed package's entry point.

A strategy is code: naming it runs it. So only local files and installed packages are looked at, never an address, and
a name is compared with what is there, never made into a path.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import re
import shlex
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.abc import ExecutionLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from algotrade.config import Settings
from algotrade.errors import AlgotradeError, FixCommand, FixStrategy, NotAllowed, Terminated, did_you_mean
from algotrade.strategy.base import Strategy
from algotrade.strategy.parameters import Parameter, Value, checked, snake_case
from algotrade.strategy.signals import SignalStrategy

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINTS: Final = "algotrade.strategies"
LIST_HINT: Final = "algotrade list strategies"


class Source(NamedTuple):
    """A folder that strategies lie in, and whose it is: "project" or "shipped"."""

    folder: Path
    origin: str


class StrategyInfo(NamedTuple):
    """One line of the list of strategies.

    Attributes:
        name: what `--strategy` takes.
        idea: first line of the docstring.
        parameters: name -> default and range.
        origin: "project", "shipped" or "installed".
        path: the file.
        error: why it cannot be used; empty when it can.
    """

    name: str
    idea: str
    parameters: Mapping[str, Parameter]
    origin: str
    path: str
    error: str = ""


def strategy_sources(settings: Settings) -> list[Source]:
    """Folders that strategies lie in, in the order in which a name is looked up; each once, only those that exist."""
    shipped = _shipped_folder()
    own = [Path.cwd() / "strategies", settings.project_folder / "strategies"]
    folders = [folder.resolve() for folder in own if folder.is_dir() and folder.resolve() != shipped]
    return [*(Source(folder, "project") for folder in dict.fromkeys(folders)), Source(shipped, "shipped")]


def shipped_names() -> set[str]:
    """Names of the strategies that come with this program."""
    return {name for name, _, _ in _defined(_shipped_folder())}


def find_strategy(name: str, sources: Sequence[Source]) -> type[Strategy]:
    """The strategy class of a name.

    Args:
        name: "sma_cross" or "SmaCross"; a file "path/to/file.py", with ":Class" where it defines several.
        sources: from `strategy_sources`.

    Raises:
        FixCommand: unknown, with the nearest name; or a file defines several.
        FixStrategy: the file does not parse, raises on import, or defines no strategy.
        NotAllowed: the address of a file elsewhere.
    """
    if "://" in name:
        raise NotAllowed(f"a strategy is code and is run from a local file only, given {name}", hint=LIST_HINT)
    if "/" in name or re.search(r"\.py(:\w*)?$", name):
        return _from_path(name)
    for source in sources:
        found = _from_folder(name, source.folder)
        if found is not None:
            return found
    for entry in _entry_points():
        if entry.name == name:
            return _from_entry_point(entry)
    known = [known for source in sources for known, _, _ in _defined(source.folder)]
    known += [entry.name for entry in _entry_points()]
    raise FixCommand(f"there is no strategy '{name}'.{did_you_mean(name, known)}", hint=LIST_HINT)


def list_strategies(sources: Sequence[Source]) -> list[StrategyInfo]:
    """All strategies that can be named, in the order of look-up; a broken file is listed with its error."""
    found: dict[str, StrategyInfo] = {}
    for source in sources:
        for path in _files(source.folder):
            for info in _described(path, source.origin):
                found.setdefault(info.name, info)
    for entry in _entry_points():
        try:
            cls = _from_entry_point(entry)
            info = StrategyInfo(entry.name, cls.idea(), cls.parameters, "installed", entry.value)
        except AlgotradeError as error:
            info = StrategyInfo(entry.name, "", {}, "installed", entry.value, error.message)
        found.setdefault(entry.name, info)
    return list(found.values())


def parse_parameters(cls: type[Strategy], texts: Iterable[str]) -> dict[str, Value]:
    """Values that a person gave as `-p fast=12`.

    Args:
        cls: the strategy they are for.
        texts: "name=value", each.

    Raises:
        FixCommand: not of that form, given twice, an unknown name, not of the parameter's type, or out of its range.
    """
    values: dict[str, Value] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals:
            raise FixCommand(f"a parameter is given as name=value, given '{text}'", hint=LIST_HINT)
        if name in values:
            raise FixCommand(f"parameter {name} is given twice", hint=LIST_HINT)
        try:
            known = cls.parameters.get(name)
            values[name] = known.parse(name, value.strip()) if known else value
            checked(cls.name(), cls.parameters, values)
        except FixCommand as error:
            raise FixCommand(error.message, hint=LIST_HINT) from None
    return values


def load_file(path: Path) -> list[type[Strategy]]:
    """Run a strategy file; the strategies that it defines, in order.

    Raises:
        FixStrategy: it cannot be read, does not parse, or raises; with its line.
    """
    name = f"algotrade_strategy_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    return _strategies_in(sys.modules.get(name) or _run(name, path))


def _strategies_in(module: ModuleType) -> list[type[Strategy]]:
    own = [value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__]
    return [cls for cls in own if issubclass(cls, Strategy)]


def _is_abstract(cls: type[Strategy]) -> bool:
    """Whether a class can decide nothing, so that it is there for others to extend."""
    if issubclass(cls, SignalStrategy) and cls.follow_signal is SignalStrategy.follow_signal:
        return cls.generate_signals is SignalStrategy.generate_signals
    return not cls.handlers and cls.handle is Strategy.handle


def strategy_from_source(kept: Mapping[str, Any]) -> Strategy:
    """A strategy as a journal or a kept run has it.

    What is kept is the strategy's own file. A module that it imports is taken as it is now.

    Args:
        kept: `source`, `file` (its name, for messages), `class` and `parameters`.

    Raises:
        FixStrategy: the source does not load any more, imports what is not there any more, or does not define the
            class.
    """
    try:
        classes = {cls.__name__: cls for cls in _load_text(Path(kept["file"]).name, kept["source"])}
    except FixStrategy as error:
        if not isinstance(error.__cause__, ImportError):
            raise
        raise FixStrategy(
            f"{kept['name']} imports what is not kept with it and cannot be found: {error.__cause__}", hint=LIST_HINT
        ) from error
    if kept["class"] not in classes:
        raise FixStrategy(f"the kept source of {kept['name']} does not define {kept['class']}", hint=LIST_HINT)
    return classes[kept["class"]].made(kept["parameters"])


class _KeptText(ExecutionLoader):
    """Loads a module from a text, without a file: a traceback shows its lines, and nothing is left on the disk."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text

    def get_filename(self, fullname: str) -> str:
        return self.file

    def get_source(self, fullname: str) -> str:
        return self.text

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.text.encode(), self.file, "exec", dont_inherit=True)

    def is_package(self, fullname: str) -> bool:
        return False


def _load_text(file: str, text: str) -> list[type[Strategy]]:
    """Run the text of a strategy file, which need not exist any more; the strategies that it defines, in order."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    path = Path(f"<kept {digest}>", file)  # one for each text: tracebacks look its lines up by this
    name = f"algotrade_strategy_{path.stem}_{digest}"
    return _strategies_in(sys.modules.get(name) or _run(name, path, _KeptText(str(path), text)))


def _run(name: str, path: Path, loader: ExecutionLoader | None = None) -> ModuleType:
    """Run a file, or what a loader has in its place.

    Raises:
        FixStrategy: as `load_file`.
    """
    # a loader names its file itself: given here, the name would be taken for one in the folder we stand in
    spec = importlib.util.spec_from_file_location(name, path if loader is None else None, loader=loader)
    if spec is None or spec.loader is None:
        raise FixStrategy(f"{path} is not a Python file", hint=LIST_HINT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except OSError as error:
        raise _forgotten(name, FixStrategy(f"cannot read {path}: {error.strerror}", hint=LIST_HINT)) from None
    except SyntaxError as error:
        line = (error.text or "").strip()
        message = f"{path} line {error.lineno}: {error.msg}: {line}"
        raise _forgotten(name, FixStrategy(message, hint=LIST_HINT)) from error
    except Terminated:
        raise
    except AlgotradeError as error:
        message = f"{path}{_line_of(error, path)}: {error.message}"
        raise _forgotten(name, FixStrategy(message, hint=LIST_HINT)) from error
    except (Exception, SystemExit) as error:  # the boundary to a person's own code: anything may come out of it
        message = f"{path}{_line_of(error, path)}: raised {type(error).__name__}: {error}"
        raise _forgotten(name, FixStrategy(message, hint=LIST_HINT)) from error
    return module


def _forgotten(name: str, error: FixStrategy) -> FixStrategy:
    """The error, with the half-made module taken out again."""
    sys.modules.pop(name, None)
    return error


def _line_of(error: BaseException, path: Path) -> str:
    """' line 3: the code' for the innermost line of the file on the way to the error."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f" line {own[-1].lineno}: {(own[-1].line or '').rstrip(':')}" if own else ""


def _shipped_folder() -> Path:
    package = Path(__file__).resolve().parent
    return package / "shipped" if (package / "shipped").is_dir() else package.parent / "strategies"


def _from_path(name: str) -> type[Strategy]:
    file, _, wanted = name.partition(":")
    path = Path(file).expanduser().absolute()
    if not os.path.isfile(path):  # unlike the method of Path, False for a name that no file system takes
        raise FixCommand(f"there is no strategy file {file}", hint=LIST_HINT)
    found = load_file(path)
    usable = [cls for cls in found if not _is_abstract(cls)] or found  # one by itself is refused when it is run
    chosen = [cls for cls in found if wanted in (cls.__name__, cls.name())] if wanted else usable
    names = ", ".join(cls.__name__ for cls in found)
    if not found:
        raise FixStrategy(f"{file} defines no strategy: a class that extends SignalStrategy", hint=LIST_HINT)
    if not chosen:
        near = did_you_mean(wanted, [cls.__name__ for cls in found])
        raise FixCommand(f"{file} defines no strategy '{wanted}' (it defines: {names}).{near}", hint=LIST_HINT)
    if len(chosen) > 1:
        hint = f"algotrade backtest --strategy {shlex.quote(f'{file}:{chosen[0].__name__}')}"
        raise FixCommand(f"{file} defines several strategies: {names}", hint=hint)
    return chosen[0]


def _from_folder(name: str, folder: Path) -> type[Strategy] | None:
    """The strategy that a file of the folder defines under this name, or whose file has it."""
    places = [(path, cls) for known, cls, path in _defined(folder) if name in (known, cls)]
    if not places:
        places = [(path, "") for path in _files(folder) if path.stem == name]
    if len(places) > 1:
        files = " and ".join(str(path) for path, _ in places)
        path, cls = places[0]
        raise FixCommand(
            f"'{name}' is defined in {files}", hint=f"algotrade backtest --strategy {shlex.quote(f'{path}:{cls}')}"
        )
    return _from_path(f"{places[0][0]}:{places[0][1]}") if places else None


def _defined(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """(name, class name, file) of what looks like a strategy in the folder's files, without running any of them."""
    for path in _files(folder):
        try:
            tree = ast.parse(path.read_bytes())
        except (OSError, SyntaxError, ValueError):
            continue  # reported when it is the one that is asked for
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.bases:
                yield snake_case(node.name), node.name, path


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))


def _described(path: Path, origin: str) -> list[StrategyInfo]:
    try:
        found = load_file(path)
    except FixStrategy as error:
        return [StrategyInfo(path.stem, "", {}, origin, str(path), error.message)]
    return [
        StrategyInfo(cls.name(), cls.idea(), cls.parameters, origin, str(path))
        for cls in found
        if not _is_abstract(cls)
    ]


def _entry_points() -> list[EntryPoint]:
    from importlib.metadata import entry_points

    return list(entry_points(group=ENTRY_POINTS))


def _from_entry_point(entry: EntryPoint) -> type[Strategy]:
    try:
        found = entry.load()
    except Terminated:
        raise
    except (Exception, SystemExit) as error:  # the boundary to an installed package's own code
        raise FixStrategy(
            f"{entry.name} ({entry.value}) raised {type(error).__name__}: {error}", hint=LIST_HINT
        ) from error
    if not (isinstance(found, type) and issubclass(found, Strategy)):
        raise FixStrategy(f"{entry.name} ({entry.value}) is no strategy class", hint=LIST_HINT)
    return found
