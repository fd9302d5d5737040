"""All figures of speed, one command:  python bench/run.py [--only NAME ...] [--rounds 5]"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # `bench` is no installed package

from bench.measure import ROUNDS, Figure

MEASUREMENTS = {  # name -> module and function, imported when it is its turn
    "start-up": ("bench.processes", "start_up"),
    "backtest": ("bench.processes", "backtest"),
    "kernel": ("bench.memory", "kernel"),
    "protective-kernel": ("bench.protective", "protective_kernel"),
    "vectorbt-stops": ("bench.protective", "against_vectorbt_with_stops"),
    "weights": ("bench.portfolio", "weights"),
    "backtesting.py": ("bench.memory", "against_backtesting_py"),
    "vectorbt": ("bench.memory", "against_vectorbt"),
    "event-kind": ("bench.event_kind", "callbacks"),
    "storage": ("bench.storage", "rows_per_second"),
    "fetch-memory": ("bench.fetch_memory", "fetch_memory"),
    "imports": ("bench.imports", "file_imports"),
    "fetch-many": ("bench.fetch_many", "fetch_many"),
    "live-step": ("bench.live_step", "live_step"),
    "agreement": ("bench.agreement", "agreement"),
    "brackets": ("bench.brackets", "brackets"),
}


def main() -> None:
    """Measure what was asked for; print each figure beside its goal as soon as it is known."""
    known = ", ".join(MEASUREMENTS)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", nargs="+", choices=MEASUREMENTS, default=list(MEASUREMENTS), metavar="NAME", help=known
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="an odd number; the median counts")
    given = parser.parse_args()
    for name in given.only:
        module, function = MEASUREMENTS[name]
        for figure in getattr(importlib.import_module(module), function)(given.rounds):
            print(described(figure), flush=True)
    print(f"\n{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")


def described(figure: Figure) -> str:
    """The figure in two lines: what it is; what was seen, what was hoped for, and the times behind it."""
    seen = "not measured" if figure.seen is None else f"{figure.seen:.3g} {figure.unit}"
    bound = "at least" if figure.more_is_better else "at most"
    goal = "no goal" if figure.goal is None else f"goal {bound} {figure.goal:g}"
    verdict = {True: "reached", False: "MISSED", None: ""}[figure.met]
    return f"{figure.name}\n    {seen:<18} {goal:<20} {verdict:<8} {figure.detail}"


if __name__ == "__main__":
    main()
