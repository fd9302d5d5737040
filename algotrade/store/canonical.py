"""JSON that is the same bytes for the same value, so that stored text can be compared and hashed."""

from __future__ import annotations

import json
import math
from typing import Any


def canonical_json(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, floats as repr (they survive exactly), ASCII only.

    Args:
        value: dicts with string keys, lists, strings, numbers (numpy's too), booleans, None. NaN becomes null. A
            NamedTuple would become a bare list: pass its `_asdict()`.

    Raises:
        ValueError: an infinite number; JSON has no word for it.
    """
    try:
        return _dump(value)
    except (TypeError, ValueError):
        return _dump(_plain(value))  # rare: NaN or a numpy number inside, or an error that this raises again


def _dump(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _plain(value: Any) -> Any:
    """The value with NaN as None and numpy's scalars and arrays as Python's."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    return None if isinstance(value, float) and math.isnan(value) else value
