"""Parameters of a strategy: typed class attributes with an optional range."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from algotrade.errors import FixCommand, FixStrategy, did_you_mean

KINDS = (bool, int, float, str)
Value = bool | int | float | str


class Parameter(NamedTuple):
    """A parameter's default and, for numbers, the range it must lie in (both ends inclusive)."""

    default: Value
    low: float | None = None
    high: float | None = None

    @property
    def kind(self) -> type[Any]:
        """bool, int, float or str: the type of the default."""
        return type(self.default)

    def check(self, name: str, value: Any) -> Value:
        """The value in the parameter's type.

        Raises:
            FixCommand: of another type, not finite, or outside the range.
        """
        given: Any = value.item() if isinstance(value, np.generic) else value  # a sweep over np.arange is fine
        given = float(given) if self.kind is float and type(given) is int else given
        if not isinstance(given, self.kind) or (isinstance(given, bool) and self.kind is not bool):
            raise FixCommand(f"parameter {name} must be of type {self.kind.__name__}, given {value!r}")
        if isinstance(given, float) and not math.isfinite(given):
            raise FixCommand(f"parameter {name} must be a finite number, given {value}")
        if (self.low is not None and given < self.low) or (self.high is not None and given > self.high):
            raise FixCommand(f"parameter {name} must lie {self._range()}, given {value}")
        typed: Value = given
        return typed

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
            return f"at {self.high} or below"
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
    """Parameters of a class, its bases' first: public attributes with a default that are annotated or made by `param`.

    An inherited parameter that is only given a new value (`fast = 5`) keeps its type and range.

    Raises:
        FixStrategy: a default of a type that cannot be a parameter's, or outside the range.
    """
    found: dict[str, Parameter] = dict(getattr(cls, "parameters", {}))
    annotations = inspect.get_annotations(cls)
    for name, value in cls.__dict__.items():
        annotation = annotations.get(name)
        is_declared = name in annotations or name in found or isinstance(value, Parameter)
        if not is_declared or name.startswith("_") or name in reserved or "ClassVar" in str(annotation):
            continue
        parameter = value if isinstance(value, Parameter) else found.get(name, Parameter(value))._replace(default=value)
        if type(parameter.default) is int and annotation in (float, "float"):
            parameter = parameter._replace(default=float(parameter.default))
        found[name] = parameter._replace(default=_sound_default(f"{cls.__name__}.{name}", parameter, found.get(name)))
    return found


def refuse_taken(cls: type, base: type) -> None:
    """Refuse a parameter named like something that every strategy has."""
    taken = [name for name in getattr(cls, "parameters", ()) if hasattr(base, name)]
    if taken:
        raise FixStrategy(
            f"{cls.__name__}.{taken[0]}: every strategy has a '{taken[0]}'; give the parameter another name"
        )


def _sound_default(name: str, parameter: Parameter, inherited: Parameter | None) -> Value:
    """The default, in the type that an inherited parameter has, once it is known to be a legal value."""
    if parameter.kind not in KINDS:
        raise FixStrategy(
            f"{name}: a default is a bool, int, float or str, given {parameter.default!r}"
            " (a name that begins with _ is no parameter)"
        )
    kind_of = parameter if inherited is None else parameter._replace(default=inherited.default)
    try:
        return kind_of.check(name, parameter.default)
    except FixCommand as error:
        raise FixStrategy(f"the default of {error.message}") from None


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


def snake_case(class_name: str) -> str:
    """SmaCross as "sma_cross", RSIReversion as "rsi_reversion"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", class_name).lower()
