"""The most memory that a fetch takes, by how much it fetches."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from bench.imports import STARTER
from bench.measure import Figure, environment, python

START = "2019-01-01"
SPANS = {"a month": "2019-01-31", "five years": "2023-12-31"}
LONGEST_S = 1800


def fetch_memory(_rounds: int) -> list[Figure]:
    """The whole command, minutes of the demo exchange into a new database, snapshot included. Once: it repeats."""
    peaks = {span: _peak_mb(end) for span, end in SPANS.items()}
    detail = ", ".join(f"{span} {peak:.0f} MB" for span, peak in peaks.items())
    grown = peaks["five years"] - peaks["a month"]
    return [
        Figure("memory that a fetch of five years of minutes takes more than a month", grown, "MB", 100, detail=detail)
    ]


def _peak_mb(end: str) -> float:
    fetch = ("-m", "algotrade", "fetch", "--exchange", "demo", "--symbol", "BTC/USD", "--timeframe", "1m")
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "algotrade.toml").write_text("")
        command = python("-c", STARTER, *python(*fetch, "--start", START, "--end", end))
        done = subprocess.run(
            command, check=True, cwd=place, env=environment(), stdout=subprocess.PIPE, timeout=LONGEST_S
        )
    return int(done.stdout.split()[1]) / 1024
