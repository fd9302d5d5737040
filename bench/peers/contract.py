"""The peer's side: runs in the peer's Python, which has numpy and pandas but knows nothing of algotrade."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

Run = Callable[[pd.DataFrame, Any, float, float], tuple[float, float, list[list[float]]]]


def answer(run: Run) -> None:
    """Read candles and tasks from the command line; print [seconds, final equity, fills] for each task.

    `run` gets the candles, whether to be long at each close, the cash and the fee rate.
    """
    stored = np.load(sys.argv[1])
    index = pd.DatetimeIndex(stored["time"].view("datetime64[ms]"))
    candles = pd.DataFrame({name: stored[name] for name in stored.files if name != "time"}, index=index)
    for fast, slow, cash, fee_rate in json.loads(sys.argv[2]):
        quick, calm = (candles["close"].rolling(bars).mean().to_numpy() for bars in (fast, slow))
        print(json.dumps(run(candles, quick > calm, cash, fee_rate)))
