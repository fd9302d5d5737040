"""Whole processes: what a person waits for after pressing return."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench import material
from bench.measure import Figure, milliseconds, process_seconds, python, ratio, side_by_side

BARS = 10_000
BACKTEST = ("-m", "algotrade", "backtest", "--exchange", material.KEY.exchange, "--timeframe", material.KEY.timeframe)


def start_up(rounds: int) -> list[Figure]:
    """`--help` and `--version` against the import of what they cannot do without."""
    base = "import typer, rich"
    seconds = side_by_side(
        {
            base: partial(process_seconds, python("-c", base)),
            "--help": partial(process_seconds, python("-m", "algotrade", "--help")),
            "--version": partial(process_seconds, python("-m", "algotrade", "--version")),
        },
        rounds,
    )
    return [
        Figure(
            f"algotrade {flag}, against {base}",
            ratio(seconds[flag], seconds[base]),
            "x",
            2.5,
            detail=f"{milliseconds(seconds[flag])} : {milliseconds(seconds[base])}",
        )
        for flag in ("--help", "--version")
    ]


def backtest(rounds: int) -> list[Figure]:
    """A backtest of stored candles, without checks and with those that have not been kept from an earlier run."""
    base = "import pandas, sqlalchemy"
    with tempfile.TemporaryDirectory() as place:
        project = material.project(Path(place) / "project", BARS)
        seconds = side_by_side(
            {
                base: partial(process_seconds, python("-c", base)),
                "no checks": _on_a_copy(project, python(*BACKTEST, "--check", "none")),
                "checks": _on_a_copy(project, python(*BACKTEST)),
            },
            rounds,
        )
    added = sorted(with_ - without for with_, without in zip(seconds["checks"], seconds["no checks"], strict=True))
    return [
        Figure(
            f"backtest --check none of {BARS:,} stored candles, against {base}",
            ratio(seconds["no checks"], seconds[base]),
            "x",
            1.5,
            detail=f"{milliseconds(seconds['no checks'])} : {milliseconds(seconds[base])}",
        ),
        Figure("the default checks add", added[len(added) // 2], "s", 1.0, detail=f"{added[0]:.2f} to {added[-1]:.2f}"),
    ]


def _on_a_copy(project: Path, command: list[str]) -> Callable[[], float]:
    """Measures a command in a fresh copy of the project: verdicts kept by one run must not spare the next."""

    def measured() -> float:
        with tempfile.TemporaryDirectory() as place:
            return process_seconds(command, Path(shutil.copytree(project, Path(place) / "copy")))

    return measured
