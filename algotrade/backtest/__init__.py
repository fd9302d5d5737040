"""Running a strategy over candles: a compiled loop for signals, and the event loop through the engine as reference.

`algotrade.backtest(...)` is a function of the Python API as well. Python puts this package in the place of that name as
soon as it is imported, so the package can be called too and passes the call on.
"""

import importlib
import sys
from types import ModuleType
from typing import Any


class CallablePackage(ModuleType):
    """This package, callable as the function that shares its name."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """`algotrade.notebook.backtest`; looked up by name, because this room knows nothing of the rooms above."""
        return importlib.import_module("algotrade.notebook").backtest(*arguments, **named)


sys.modules[__name__].__class__ = CallablePackage
