from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import pytest

from algotrade.errors import FixCommand, FixStrategy
from algotrade.strategy.base import Strategy, param
from algotrade.strategy.parameters import Parameter, Value


class Example(Strategy):
    window: int = param(10, low=2, high=100)
    share: float = 0.5
    eager: bool = False
    mode: str = "close"
    _state: int = 3
    plain = 4
    NOTE: ClassVar[str] = "no parameter"
    warmup: int | None = 50


def test_parameters_are_annotated_public_attributes_with_a_default() -> None:
    assert Example.parameters == {
        "window": Parameter(10, 2, 100),
        "share": Parameter(0.5),
        "eager": Parameter(False),
        "mode": Parameter("close"),
    }


def test_values_are_the_defaults_and_what_was_given() -> None:
    example = Example(window=20, share=1)
    assert example.values == {"window": 20, "share": 1.0, "eager": False, "mode": "close"}
    assert (example.window, example.share) == (20, 1.0)
    assert type(example.share) is float


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("window", "12", 12),
        ("window", " 12 ", 12),
        ("share", "0.25", 0.25),
        ("share", "1e-3", 0.001),
        ("share", "2", 2.0),
        ("eager", "true", True),
        ("eager", "No", False),
        ("eager", "1", True),
        ("mode", "open", "open"),
        ("mode", "12", "12"),
    ],
)
def test_what_a_person_types_is_read_in_the_parameters_type(name: str, text: str, value: Value) -> None:
    read = Example.parameters[name].parse(name, text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("window", "abc", "parameter window must be a whole number, given 'abc'"),
        ("window", "12.5", "parameter window must be a whole number, given '12.5'"),
        ("window", "", "parameter window must be a whole number, given ''"),
        ("window", "1", "parameter window must lie between 2 and 100, given 1"),
        ("window", "101", "parameter window must lie between 2 and 100, given 101"),
        ("share", "half", "parameter share must be a number, given 'half'"),
        ("share", "nan", "parameter share must be a finite number, given nan"),
        ("share", "inf", "parameter share must be a finite number, given inf"),
        ("eager", "maybe", "parameter eager must be true or false, given 'maybe'"),
    ],
)
def test_what_cannot_be_read_says_what_is_wanted_and_what_was_given(name: str, text: str, complaint: str) -> None:
    with pytest.raises(FixCommand, match=complaint):
        Example.parameters[name].parse(name, text)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"window": 10.0}, "must be of type int, given 10.0"),
        ({"window": True}, "must be of type int, given True"),
        ({"window": "10"}, "must be of type int, given '10'"),
        ({"window": None}, "must be of type int, given None"),
        ({"share": True}, "must be of type float, given True"),
        ({"share": math.inf}, "finite"),
        ({"eager": 1}, "must be of type bool, given 1"),
        ({"mode": 5}, "must be of type str, given 5"),
    ],
)
def test_values_given_in_code_must_have_the_type(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FixCommand, match=complaint):
        Example(**given)


def test_numbers_of_numpy_are_numbers() -> None:
    example = Example(window=np.int64(7), share=np.float64(0.25), eager=np.bool_(True))
    assert example.values == {"window": 7, "share": 0.25, "eager": True, "mode": "close"}
    assert type(example.window) is int


def test_both_ends_of_a_range_are_allowed_and_either_may_be_missing() -> None:
    assert Parameter(5, 2, 9).check("n", 2) == 2
    assert Parameter(5, 2, 9).check("n", 9) == 9
    with pytest.raises(FixCommand, match="must lie at 2 or above, given 1"):
        Parameter(5, low=2).check("n", 1)
    with pytest.raises(FixCommand, match="must lie at 9 or below, given 10"):
        Parameter(5, high=9).check("n", 10)


def test_an_unknown_parameter_names_those_there_are_and_the_nearest() -> None:
    with pytest.raises(FixCommand, match=r"no parameter 'windw' \(it has: window, .*Did you mean 'window'\?"):
        Example(windw=3)

    class Bare(Strategy):
        pass

    with pytest.raises(FixCommand, match=r"it has: none"):
        Bare(fast=3)


def test_a_subclass_adds_parameters_after_those_of_its_base() -> None:
    class Longer(Example):
        extra: int = 1

    assert list(Longer.parameters) == ["window", "share", "eager", "mode", "extra"]
    assert "extra" not in Example.parameters


def test_a_subclass_that_only_gives_a_new_value_keeps_type_and_range() -> None:
    class Wider(Example):
        window = 50
        share = 2

    assert Wider.parameters["window"] == Parameter(50, 2, 100)
    assert Wider().values["window"] == 50
    assert repr(Wider().values["share"]) == "2.0"
    with pytest.raises(FixStrategy, match=r"Wrong\.window must lie between 2 and 100, given 500"):

        class Wrong(Example):
            window = 500


def test_a_parameter_made_by_param_needs_no_annotation() -> None:
    class Loose(Strategy):
        window = param(5, low=1)

    assert Loose().values == {"window": 5}


def test_a_whole_default_of_a_float_parameter_is_a_float() -> None:
    class Whole(Strategy):
        share: float = param(1, low=0)

    assert Whole.parameters["share"].kind is float
    assert Whole(share=0.5).values == {"share": 0.5}


@pytest.mark.parametrize("default", [None, [1], (1, 2), 1j])
def test_a_default_that_a_command_line_cannot_give_is_refused(default: Any) -> None:
    with pytest.raises(FixStrategy, match=r"a default is a bool, int, float or str"):
        type("Odd", (Strategy,), {"__annotations__": {"odd": Any}, "odd": default})


def test_a_default_outside_its_own_range_is_refused() -> None:
    with pytest.raises(FixStrategy, match=r"the default of parameter Odd\.window must lie at 2 or above, given 1"):

        class Odd(Strategy):
            window: int = param(1, low=2)


@pytest.mark.parametrize("name", ["cash", "position", "buy", "name"])
def test_a_parameter_may_not_hide_what_every_strategy_has(name: str) -> None:
    with pytest.raises(FixStrategy, match=f"every strategy has a '{name}'"):
        type("Hides", (Strategy,), {"__annotations__": {name: float}, name: 1.0})
