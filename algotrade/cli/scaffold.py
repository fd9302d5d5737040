"""The files that `algotrade new strategy` writes, and `algotrade new project` among others."""

from __future__ import annotations

import builtins
import keyword
import re
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from algotrade.discover import shipped_names
from algotrade.errors import FixCommand, FixConfiguration, did_you_mean
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


PORTFOLIO: Final = '''"""{title}: say here what the idea is, and where it comes from."""

from collections.abc import Mapping

import pandas as pd

from algotrade import PortfolioStrategy, closes, hold, param, rebalance_on, top


class {class_name}(PortfolioStrategy):
    """Each week, hold the `most` symbols that rose most over the last `window` bars."""

    window: int = param(20, low=2, high=200)
    most: int = param(2, low=1, high=50)

    def generate_weights(self, candles: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        prices = closes(candles)
        weekly = rebalance_on(prices.index, "1w")
        best = top(prices / prices.shift(self.window), self.most)
        return hold(best, weekly).assign(rebalance=weekly)
'''

PORTFOLIO_TEST: Final = '''"""Tests of {name}; run them with `pytest {test}`."""

from pathlib import Path

from algotrade.testing import assert_honest, demo_candles, strategy_from_file

{class_name} = strategy_from_file(Path(__file__).parents[1] / "strategies" / "{name}.py")
CANDLES = {{symbol: demo_candles(symbol, end="2020-12-31") for symbol in ("BTC/USD", "ETH/USD", "SOL/USD")}}


def test_it_never_looks_ahead():
    assert_honest({class_name}(), CANDLES)


def test_it_holds_two_at_most():
    weights = {class_name}(window=20, most=2).generate_weights(CANDLES)
    assert (weights[list(CANDLES)] > 0).sum(axis=1).max() == 2
'''

SIGNALS_KIND: Final = "signals"
KINDS: Final = MappingProxyType({SIGNALS_KIND: (STRATEGY, TEST), "portfolio": (PORTFOLIO, PORTFOLIO_TEST)})


class NewStrategy(NamedTuple):
    """A strategy that was started: what `--strategy` takes, and its two files."""

    name: str
    strategy: Path
    test: Path


def write_strategy(given: str, folder: Path, kind: str = SIGNALS_KIND) -> NewStrategy:
    """Write strategies/NAME.py and tests/test_NAME.py, both or neither, over nothing that exists.

    Args:
        given: the name, like my_idea or MyIdea.
        folder: the project's.
        kind: "signals" for one symbol after the other, "portfolio" for the weights of several.

    Raises:
        FixCommand: not a kind, not a name, the name of a shipped strategy, or one of the files exists.
        FixConfiguration: the folder cannot be written.
    """
    if kind not in KINDS:
        raise FixCommand(
            f"unknown kind of strategy '{kind}' (known: {', '.join(KINDS)}).{did_you_mean(kind, KINDS)}", hint=HINT
        )
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
    for path, template in zip(new[1:], KINDS[kind], strict=True):
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
