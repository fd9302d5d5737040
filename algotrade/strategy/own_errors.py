"""What a strategy's own code raises, as a sentence with the line that raised it."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from algotrade.errors import AlgotradeError, FixStrategy, Terminated

if TYPE_CHECKING:
    from algotrade.strategy.base import Strategy

UNNAMED: Final = re.compile(r"^Strategy\.\w+\(\) takes .*positional argument")  # self.buy(1)


@contextmanager
def own_errors(strategy: Strategy | type[Strategy]) -> Iterator[None]:
    """Turn whatever a strategy's own code raises into FixStrategy with the line of code that raised."""
    try:
        yield
    except Terminated:
        raise
    except AlgotradeError as error:
        raise with_line(strategy, error)  # noqa: B904 - it is the same error
    except (Exception, SystemExit) as error:  # the boundary to a person's own code: anything may come out of it
        raise explained(strategy, error) from error


def explained(strategy: Strategy | type[Strategy], error: BaseException) -> FixStrategy:
    """An error of a strategy's own code as a sentence."""
    frames = traceback.extract_tb(error.__traceback__)
    unnamed = isinstance(error, TypeError) and UNNAMED.search(str(error))
    advice = "; give each word by its name, like quantity=1" if unnamed else ""
    return FixStrategy(f"{strategy.name()} raised {type(error).__name__}: {error}{advice}{_line(strategy, frames)}")


def with_line(strategy: Strategy | type[Strategy], error: AlgotradeError) -> AlgotradeError:
    """The same error, with the line of the strategy's code that led to it."""
    line = _line(strategy, traceback.extract_tb(error.__traceback__))
    if not error.message.endswith(line):
        error.message += line
    return error


def calling_line(strategy: Strategy) -> str:
    """' (file.py line 12: the code)' of the strategy's line that is being run; empty if it is none of its."""
    return _line(strategy, traceback.extract_stack())


def _line(strategy: Strategy | type[Strategy], frames: traceback.StackSummary) -> str:
    """The innermost line in a file that the strategy's methods come from."""
    methods = [
        method
        for cls in (strategy if isinstance(strategy, type) else type(strategy)).__mro__
        if not cls.__module__.startswith("algotrade.strategy.")
        for method in vars(cls).values()
        if inspect.isfunction(method)
    ]
    files = {method.__code__.co_filename for method in methods}
    own = [frame for frame in frames if frame.filename in files]
    if not own:
        return ""
    return f" ({Path(own[-1].filename).name} line {own[-1].lineno}: {own[-1].line})"
