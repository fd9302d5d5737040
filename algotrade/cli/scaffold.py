"""The files that `algotrade new strategy` writes, and `algotrade new project` among others."""

from __future__ import annotations

import builtins
import keyword
import re
from pathlib import Path
from typing import Final, NamedTuple

from algotrade.discover import shipped_names
from algotrade.errors import FixCommand, FixConfiguration
from algotrade.strategy.parameters import snake_case

NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*")
LONGEST_NAME: Final = 40
HINT: Final = "algotrade new strategy my_idea"

STRATEGY: Final = '''"""{title}: say here what the idea is, and where it comes from."""

import pandas as pd

from algotrade import SignalStrategy, param, sma


class {class_name}(SignalStrategy):
    """Long while the close is above its average of the last `window` bars."""

    window: int = param(20, low=2, high=200)

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        signals = candles[["close"]].assign(average=sma(candles["close"], self.window))
        signals["signal"] = (signals["close"] > signals["average"]).astype(float)
        return signals
'''

TEST: Final = '''"""Tests of {name}; run them with `pytest {test}`."""

from pathlib import Path

from algotrade.testing import assert_honest, demo_candles, strategy_from_file

{class_name} = strategy_from_file(Path(__file__).parents[1] / "strategies" / "{name}.py")


def test_it_never_looks_ahead():
    assert_honest({class_name}(), demo_candles("BTC/USD", "1d"))


def test_it_is_long_when_the_close_is_above_its_average():
    candles = demo_candles("BTC/USD", "1d", start="2023-01-01", end="2023-12-31")
    signals = {class_name}(window=20).generate_signals(candles)
    last = candles["close"].iloc[-20:]
    assert signals["signal"].iloc[-1] == float(last.iloc[-1] > last.mean())
'''


class NewStrategy(NamedTuple):
    """A strategy that was started: what `--strategy` takes, and its two files."""

    name: str
    strategy: Path
    test: Path


def write_strategy(given: str, folder: Path) -> NewStrategy:
    """Write strategies/NAME.py and tests/test_NAME.py, both or neither, over nothing that exists.

    Args:
        given: the name, like my_idea or MyIdea.
        folder: the project's.

    Raises:
        FixCommand: not a name, the name of a shipped strategy, or one of the files exists.
        FixConfiguration: the folder cannot be written.
    """
    name = strategy_name(given)
    if name in shipped_names():
        raise FixCommand(
            f"'{name}' is a strategy that comes with algotrade; yours would stand in its place",
            hint=f"algotrade new strategy my_{name}",
        )
    new = NewStrategy(name, folder / "strategies" / f"{name}.py", folder / "tests" / f"test_{name}.py")
    for path in new[1:]:
        if path.exists() or path.is_symlink():
            raise FixCommand(f"{path} exists already and is left as it is", hint=f"algotrade new strategy {name}2")
    fields = {
        "name": name,
        "class_name": class_name(name),
        "title": name.replace("_", " ").capitalize(),
        "test": f"tests/{new.test.name}",
    }
    for path, template in ((new.strategy, STRATEGY), (new.test, TEST)):
        write_new(path, template.format(**fields), HINT)
    return new


def strategy_name(given: str) -> str:
    """The name in the form of a file's: my_idea.

    Raises:
        FixCommand: it cannot be the name of a Python file and class.
    """
    name = snake_case(given) if given.isidentifier() and given.isascii() else given
    taken = {name, class_name(name), given} & {*keyword.kwlist, *dir(builtins)}  # the file's, the class's
    readable = NAME.fullmatch(name) and not taken and len(name) <= LONGEST_NAME
    if not readable or snake_case(class_name(name)) != name:
        raise FixCommand(f"'{given}' is not a name for a strategy; use words like my_idea", hint=HINT)
    return name


def class_name(name: str) -> str:
    """my_idea as MyIdea."""
    return "".join(word.capitalize() for word in name.split("_"))


def write_new(path: Path, text: str, hint: str) -> None:
    """Write a file that is not there yet, with the folders above it.

    Raises:
        FixConfiguration: it is there, or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise FixConfiguration(f"cannot write {path}: {error.strerror}", hint=hint) from None
