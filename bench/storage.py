"""A million candles into the store and out of it again. Wall time: writing waits for the disk."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from algotrade.store.candles import read_candles
from algotrade.store.database import open_database
from bench import material
from bench.measure import Figure


def rows_per_second(rounds: int) -> list[Figure]:
    """Each round writes a new database, closes it, opens it and reads all of it into a DataFrame."""
    candles = material.minutes(material.MILLION)
    written: list[float] = []
    read: list[float] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "candles.db"
            began = time.perf_counter()
            with open_database(path) as database:
                material.store(database, candles)
            written.append(len(candles) / (time.perf_counter() - began) / 1e6)
            began = time.perf_counter()
            with open_database(path) as database:
                table = read_candles(database, material.KEY)
            read.append(len(table) / (time.perf_counter() - began) / 1e6)
    name = f"{len(candles):,} candles, "
    return [
        _figure(name + "store to DataFrame", read, 0.5),
        _figure(name + "written to a new database", written, 0.2),
    ]


def _figure(name: str, speeds: list[float], goal: float) -> Figure:
    detail = f"{min(speeds):.2f} to {max(speeds):.2f}, wall time"
    return Figure(name, statistics.median(speeds), "M rows/s", goal, more_is_better=True, detail=detail)
