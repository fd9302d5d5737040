"""Five years of minutes out of a file: CPU time of the whole command, and how little its memory grows."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from algotrade.market.candles import times_ms
from bench import material
from bench.measure import Figure, environment, python

FIVE_YEARS = 2_630_000
ONE_MONTH = 43_200
STARTER = """\
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


class Run(NamedTuple):
    """One `algotrade fetch --from`: CPU seconds, wall seconds, and the most memory it held, megabytes."""

    cpu: float
    wall: float
    memory: float


def file_imports(rounds: int) -> list[Figure]:
    """Each round imports each file once into a database of its own."""
    candles = material.minutes(FIVE_YEARS)
    candles.index -= pd.Timedelta(days=2 * 365)  # so that none of them lies in the future
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        candles.to_parquet(folder / "years.parquet")
        _write_archive(candles, folder / "years.csv")
        _write_archive(candles.iloc[:ONE_MONTH], folder / "month.csv")
        names = ("years.parquet", "years.csv", "month.csv")
        runs: dict[str, list[Run]] = {name: [] for name in names}
        for _ in range(rounds):
            for name in names:
                runs[name].append(_import(folder / name))
    grown = statistics.median(
        long.memory - short.memory for long, short in zip(runs["years.csv"], runs["month.csv"], strict=True)
    )
    return [
        _cpu(f"import of a Parquet file of {FIVE_YEARS:,} candles", runs["years.parquet"]),
        _cpu(f"import of a CSV file of {FIVE_YEARS:,} candles", runs["years.csv"]),
        Figure("memory that five years of minutes in CSV take more than a month", grown, "MB", 100),
    ]


def _cpu(name: str, runs: list[Run]) -> Figure:
    wall, memory = (statistics.median(values) for values in ([run.wall for run in runs], [run.memory for run in runs]))
    cpu = statistics.median(run.cpu for run in runs)
    return Figure(name, cpu, "s of CPU", 15, detail=f"{wall:.1f} s wall time, {memory:.0f} MB at most")


def _write_archive(candles: pd.DataFrame, path: Path) -> None:
    """Rows as exchanges give them out: seconds, prices, volume and a number of trades, without names."""
    rows = candles.assign(seconds=times_ms(candles) // 1000, trades=1)
    order = ["seconds", "open", "high", "low", "close", "volume", "trades"]
    rows[order].to_csv(path, header=False, index=False)


def _import(path: Path) -> Run:
    """Run the command from a small process: a child counts the memory of the one that starts it as its own."""
    with tempfile.TemporaryDirectory() as place:
        flags = ("--symbol", material.KEY.symbol, "--exchange", "file", "--timeframe", material.KEY.timeframe)
        database = ("--database", str(Path(place) / "candles.db"))
        command = python("-m", "algotrade", "fetch", "--from", str(path), *flags, *database)
        began = time.perf_counter()
        done = subprocess.run(
            python("-c", STARTER, *command), check=True, stdout=subprocess.PIPE, text=True, env=environment()
        )
        cpu, memory = done.stdout.split()
        return Run(float(cpu), time.perf_counter() - began, int(memory) / 1024)
