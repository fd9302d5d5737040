"""The peer's side: runs in the peer's Python, which has numpy and pandas but knows nothing of algotrade."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

Run = Callable[..., tuple[float, float, list[list[float]]]]


def answer(run: Run) -> None:
    """Read candles and tasks from the command line; print [seconds, final equity, fills] for each task.

    `run` gets the candles, whether to be long at each close, the cash and the fee rate; and where signals are given
    the stop loss and the take-profit, as fractions of the entry price.
    """
    stored = np.load(sys.argv[1])
    index = pd.DatetimeIndex(stored["time"].view("datetime64[ms]"))
    candles = pd.DataFrame({name: stored[name] for name in stored.files if name not in ("time", "want")}, index=index)
    for task in json.loads(sys.argv[2]):
        want, terms = (stored["want"], task) if "want" in stored.files else (_crossed(candles, *task[:2]), task[2:])
        print(json.dumps(run(candles, want, *terms)))


def _crossed(candles: pd.DataFrame, fast: int, slow: int) -> Any:
    """Whether the fast mean of the closes is above the slow one, shape (bars,)."""
    quick, calm = (candles["close"].rolling(bars).mean().to_numpy() for bars in (fast, slow))
    return quick > calm
