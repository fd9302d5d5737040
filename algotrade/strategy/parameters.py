"""Parameters of a strategy: typed class attributes with an optional range."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from algotrade.errors import FixCommand, FixStrategy, did_you_mean

KINDS = (bool, int, float, str)
Value = bool | int | float | str


class Parameter(NamedTuple):
    """A parameter's default and, for numbers, the range it must lie in (both ends inclusive)."""

    default: Value
    low: float | None = None
    high: float | None = None

    @property
    def kind(self) -> type:
        """bool, int, float or str: the type of the default."""
        return type(self.default)

    def check(self, name: str, value: Any) -> Value:
        """The value in the parameter's type.

        Raises:
            FixCommand: of another type, not finite, or outside the range.
        """
        typed: Any = float(value) if self.kind is float and type(value) is int else value
        if type(typed) is not self.kind or (self.kind is float and not math.isfinite(typed)):
            raise FixCommand(f"parameter {name} must be of type {self.kind.__name__}, given {value!r}")
        if (self.low is not None and typed < self.low) or (self.high is not None and typed > self.high):
            raise FixCommand(f"parameter {name} must lie {self._range()}, given {value}")
        checked_value: Value = typed
        return checked_value

    def parse(self, name: str, text: str) -> Value:
        """The value that a person typed after `name=`.

        Raises:
            FixCommand: it cannot be read as the parameter's type, or is outside the range.
        """
        if self.kind is bool:
            known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
            if text.casefold() not in known:
                raise FixCommand(f"parameter {name} must be true or false, given '{text}'")
            return known[text.casefold()]
        try:
            return self.check(name, self.kind(text))
        except ValueError:
            wanted = "a whole number" if self.kind is int else "a number"
            raise FixCommand(f"parameter {name} must be {wanted}, given '{text}'") from None

    def _range(self) -> str:
        if self.low is None:
            return f"at most at {self.high}"
        return f"at {self.low} or above" if self.high is None else f"between {self.low} and {self.high}"


def param(default: Value, *, low: float | None = None, high: float | None = None) -> Any:
    """Declare a parameter: `fast: int = param(10, low=2, high=100)`.

    Args:
        default: its type is the parameter's type: bool, int, float or str.
        low: smallest value allowed; also where sweeps begin.
        high: largest value allowed; also where sweeps end.
    """
    return Parameter(default, low, high)


def collect(cls: type, reserved: frozenset[str]) -> dict[str, Parameter]:
    """Parameters of a class, its bases' first: annotated public attributes with a default.

    Raises:
        FixStrategy: a default of a type that cannot be a parameter's.
    """
    found: dict[str, Parameter] = dict(getattr(cls, "parameters", {}))
    for name in inspect.get_annotations(cls):
        if name.startswith("_") or name in reserved or name not in cls.__dict__:
            continue
        value = cls.__dict__[name]
        parameter = value if isinstance(value, Parameter) else Parameter(value)
        if parameter.kind not in KINDS:
            raise FixStrategy(
                f"{cls.__name__}.{name}: a default is a bool, int, float or str, given {parameter.default!r}"
            )
        found[name] = parameter
    return found


def checked(owner: str, parameters: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, Value]:
    """Values for all parameters: those given, checked, and the defaults of the others.

    Raises:
        FixCommand: an unknown name, or a value that does not fit.
    """
    for name in given:
        if name not in parameters:
            known = ", ".join(parameters) or "none"
            raise FixCommand(
                f"{owner} has no parameter '{name}' (it has: {known}).{did_you_mean(name, parameters)}",
                hint="algotrade list strategies",
            )
    return {
        name: parameter.check(name, given[name]) if name in given else parameter.default
        for name, parameter in parameters.items()
    }
