"""Other backtesters, each run in an environment of its own, on the same candles and by the same rules.

A peer is a script in this folder. It gets a file of candles and a list of tasks, and prints one JSON object a task.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from algotrade.market.candles import COLUMNS, times_ms

HERE = Path(__file__).parent
TIMEOUT_S = 600


class Task(NamedTuple):
    """Long while the fast mean of the closes is above the slow one, all in, filled at the next open."""

    fast: int
    slow: int
    cash: float
    fee_rate: float


class BracketTask(NamedTuple):
    """Long when the signals begin to be, all in at the next open, until they end or a stop or a target is reached."""

    cash: float
    fee_rate: float
    stop_loss: float
    take_profit: float


class Outcome(NamedTuple):
    """What a peer made of a task.

    Attributes:
        seconds: CPU time from candles and signals in memory to its metrics, nothing compiled any more.
        final_equity: quote units, at the last close, an open position marked.
        fills: [bar, side, quantity, price], in order.
    """

    seconds: float
    final_equity: float
    fills: list[list[float]]


class Peer(NamedTuple):
    """A backtester: its name as pip and its own pages have it; its script; its environment, where named otherwise."""

    name: str
    script: str
    environment: str = ""

    @property
    def python(self) -> Path:
        """Of its environment, in the folder that ALGOTRADE_PEERS names, else bench/.peers."""
        folder = os.environ.get("ALGOTRADE_PEERS") or HERE.parent / ".peers"
        return Path(folder) / (self.environment or self.script) / "bin" / "python"

    @property
    def installed(self) -> bool:
        """Whether it can be run."""
        return self.python.exists()

    @property
    def how_to_install(self) -> str:
        """What to say where it cannot be."""
        return f"not installed: bench/install_peers.sh {self.name}"

    def run(self, candles: pd.DataFrame, tasks: Sequence[Task]) -> list[Outcome]:
        """Run tasks over candles in one process of the peer's own Python."""
        return self._run({}, candles, tasks)

    def run_brackets(self, candles: pd.DataFrame, want: npt.NDArray[np.bool_], task: BracketTask) -> Outcome:
        """The same for one task and signals that are given: whether to be long at each close, shape (bars,)."""
        return self._run({"want": want}, candles, [task])[0]

    def _run(
        self, given: Mapping[str, npt.NDArray[Any]], candles: pd.DataFrame, tasks: Sequence[Task | BracketTask]
    ) -> list[Outcome]:
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "candles.npz"
            np.savez(path, time=times_ms(candles), **{name: candles[name].to_numpy() for name in COLUMNS}, **given)
            arguments: list[Any] = [self.python, HERE / f"{self.script}_peer.py", path, json.dumps(tasks)]
            done = subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=TIMEOUT_S)
        return [Outcome(*json.loads(line)) for line in done.stdout.splitlines() if line.startswith("[")]


BACKTESTING_PY = Peer("backtesting", "backtesting")
VECTORBT = Peer("vectorbt", "vectorbt")
BACKTESTING_PY_STOPS = Peer("backtesting", "backtesting_stops", environment="backtesting")
VECTORBT_STOPS = Peer("vectorbt", "vectorbt_stops", environment="vectorbt")
NAUTILUS = Peer("nautilus_trader", "nautilus")  # fills at another price: its speed is compared, its figures are not
PEERS = (BACKTESTING_PY, VECTORBT)
PEERS_WITH_STOPS = (BACKTESTING_PY_STOPS, VECTORBT_STOPS)
