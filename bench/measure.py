"""Timing side by side: rounds in which every contestant runs once, so that a busy machine slows them all alike.

Times are CPU seconds, of this process or of whole child processes: they repeat where wall time does not.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROUNDS = 5
TIMEOUT_S = 300
ROOT = Path(__file__).parents[1]


class Figure(NamedTuple):
    """One line of the table.

    Attributes:
        name: what was measured.
        seen: the figure; None where it could not be measured.
        unit: of the figure and of its goal.
        goal: the number that it is held against; None for a figure that only informs.
        more_is_better: the goal is a floor, not a ceiling.
        detail: the times behind the figure, or why there is none.
    """

    name: str
    seen: float | None
    unit: str
    goal: float | None = None
    more_is_better: bool = False
    detail: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None where there is no figure or no goal."""
        if self.seen is None or self.goal is None:
            return None
        return self.seen >= self.goal if self.more_is_better else self.seen <= self.goal


def side_by_side(contestants: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Seconds of each contestant in each round; a round more comes first and does not count, it fills the caches."""
    for measured in contestants.values():
        measured()
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, measured in contestants.items():
            seconds[name].append(measured())
    return seconds


def ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """Median over the rounds of the quotient within each round."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def cpu_seconds(work: Callable[[], Any]) -> float:
    """CPU time of a call, all threads of this process."""
    began = time.process_time()
    work()
    return time.process_time() - began


def process_seconds(command: Sequence[str | Path], folder: Path | None = None) -> float:
    """CPU time of a whole process, from start to end; its standard output is thrown away."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, env=environment(), timeout=TIMEOUT_S)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def python(*arguments: str) -> list[str]:
    """The command line of this Python."""
    return [sys.executable, *arguments]


def environment() -> dict[str, str]:
    """What a person's shell would hand down: no settings of ours, and modules compiled once are kept."""
    skipped = ("ALGOTRADE_", "PYTHONDONTWRITEBYTECODE", "XDG_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(skipped)}
    nowhere = str(Path(tempfile.gettempdir()) / "algotrade-bench-settings")
    return {**kept, "PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": nowhere, "XDG_DATA_HOME": nowhere}


def milliseconds(seconds: Sequence[float]) -> str:
    """The median as text."""
    return f"{statistics.median(seconds) * 1e3:,.1f} ms"
