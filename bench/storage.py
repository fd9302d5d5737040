"""Candles into the store and out of it again, each task in a process of its own.

python bench/storage.py write sqlite:////tmp/new.db      # one task alone, for a database of any kind
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))  # `bench` is no installed package

from algotrade.market.candles import times_ms
from algotrade.store.arrivals import write_candles
from algotrade.store.candles import read_candles
from algotrade.store.database import open_database
from algotrade.store.snapshots import refresh_snapshot
from bench import material
from bench.measure import TIMEOUT_S, Figure, environment, python

STORED = 5 * material.MILLION
OVERLAP = 100_000


class Speed(NamedTuple):
    """Rows a second, in millions: by the clock, and by the CPU time of the process."""

    wall: float
    cpu: float


def rows_per_second(rounds: int) -> list[Figure]:
    """Each round reads five million candles as rows, then from the snapshot, and writes a million to a new database."""
    speeds: dict[str, list[Speed]] = {}
    with tempfile.TemporaryDirectory() as place:
        rows, with_snapshot, new = (Path(place) / name / "candles.db" for name in ("rows", "snapshot", "new"))
        _measured("fill", rows)
        shutil.copytree(rows.parent, with_snapshot.parent)
        _measured("refresh", with_snapshot)
        for _ in range(rounds):
            seen = {**_measured("read", rows), **_measured("map", with_snapshot), **_measured("write", new)}
            shutil.rmtree(new.parent)
            for name, speed in seen.items():
                speeds.setdefault(name, []).append(speed)
    goals = {"read": 0.5, "map": 20, "touch": 20, "write": 0.25, "upsert same": 0.2, "upsert other": 0.2}
    names = {
        "read": f"{STORED:,} candles, rows to DataFrame",
        "map": f"{STORED:,} candles, snapshot to DataFrame",
        "touch": f"{STORED:,} candles, snapshot to DataFrame and every value summed",
        "write": f"{material.MILLION:,} candles written to a new database",
        "upsert same": f"{OVERLAP:,} candles written again with the same values",
        "upsert other": f"{OVERLAP:,} candles written again with other values, the old ones kept as revisions",
    }
    return [_figure(name, speeds[task], goals.get(task)) for task, name in names.items()]


def _figure(name: str, speeds: list[Speed], goal: float | None) -> Figure:
    cpus = [speed.cpu for speed in speeds]
    wall = statistics.median(speed.wall for speed in speeds)
    detail = f"{min(cpus):.3g} to {max(cpus):.3g} by the CPU, {wall:.3g} by the clock"
    return Figure(name, statistics.median(cpus), "M rows/s", goal, more_is_better=True, detail=detail)


def _measured(task: str, location: Path) -> dict[str, Speed]:
    """What a new process says of a task."""
    command = python(__file__, task, str(location))
    done = subprocess.run(command, check=True, capture_output=True, env=environment(), timeout=TIMEOUT_S)
    return {name: Speed(*speed) for name, speed in json.loads(done.stdout).items()}


def fill(location: str) -> dict[str, Speed]:
    """Store the five million, year by year."""
    candles = material.minutes(STORED)
    with open_database(location) as database:
        for begin in range(0, STORED, 500_000):
            material.store(database, candles.iloc[begin : begin + 500_000])
    return {}


def refresh(location: str) -> dict[str, Speed]:
    """Make the snapshot."""
    with open_database(location) as database:
        refresh_snapshot(database, material.KEY)
    return {}


def read(location: str) -> dict[str, Speed]:
    """Opening included; the database holds no snapshot."""
    return {"read": _speed(STORED, lambda: _table(location))}


def map_(location: str) -> dict[str, Speed]:
    """The same where there is one; then again with a look at every value, which is when the file is read."""
    return {
        "map": _speed(STORED, lambda: _table(location)),
        "touch": _speed(STORED, lambda: [column.to_numpy().sum() for _, column in _table(location).items()]),
    }


def write(location: str) -> dict[str, Speed]:
    """Into a new database, closing included; then some of them twice more."""
    candles = material.minutes(material.MILLION)
    times, columns = times_ms(candles), candles.to_numpy().T.copy()
    middle = slice(material.MILLION // 2, material.MILLION // 2 + OVERLAP)
    again, same = times[middle], columns[:, middle]

    def put(*given: Any) -> None:
        with open_database(location) as database:
            write_candles(database, material.KEY, *given)

    return {
        "write": _speed(len(times), lambda: put(times, columns)),
        "upsert same": _speed(OVERLAP, lambda: put(again, same)),
        "upsert other": _speed(OVERLAP, lambda: put(again, same * 1.5)),
    }


def _table(location: str) -> Any:
    with open_database(location) as database:
        table = read_candles(database, material.KEY)
    assert len(table) == STORED
    return table


def _speed(rows: int, work: Callable[[], object]) -> Speed:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Speed(rows / wall / 1e6, rows / cpu / 1e6)


TASKS = {"fill": fill, "refresh": refresh, "read": read, "map": map_, "write": write}

if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[1]](sys.argv[2])))
