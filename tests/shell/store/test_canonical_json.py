"""One text for one value."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algotrade.store.canonical import canonical_json


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [1.5, True, None]}, '{"a":[1.5,true,null],"b":1}'),
        ({"x": float("nan"), "y": [float("nan"), 2]}, '{"x":null,"y":[null,2]}'),
        ((1, (2.0, "é")), '[1,[2.0,"\\u00e9"]]'),
        (0.1 + 0.2, "0.30000000000000004"),
        (-0.0, "-0.0"),
        (1e22, "1e+22"),
        (1_700_000_000_000, "1700000000000"),
        ({"n": np.int64(3), "f": np.float64(0.5), "b": np.bool_(True)}, '{"b":true,"f":0.5,"n":3}'),
        (np.array([[1.0, np.nan]]), "[[1.0,null]]"),
        (np.float64("nan"), "null"),
    ],
)
def test_values_have_one_text(value: object, text: str) -> None:
    assert canonical_json(value) == text


@pytest.mark.parametrize("value", [math.inf, [-math.inf], {"a": np.float64("inf")}])
def test_infinity_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(value)


def test_what_is_no_value_is_refused() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        canonical_json({"a": {1, 2}})


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_survive_bit_for_bit(value: float) -> None:
    read = json.loads(canonical_json([value]))[0]
    assert (read, math.copysign(1, read)) == (value, math.copysign(1, value))


@given(st.dictionaries(st.text(), st.integers() | st.text()))
def test_the_order_of_a_dictionary_does_not_matter(value: dict[str, int | str]) -> None:
    assert canonical_json(value) == canonical_json(dict(reversed(value.items())))
    assert json.loads(canonical_json(value)) == value
