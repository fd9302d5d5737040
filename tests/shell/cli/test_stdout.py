"""stdout is the result's alone, whatever a strategy prints."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from tests.shell.cli.conftest import Command

TALKATIVE = '''
from algotrade import SignalStrategy


class Talkative(SignalStrategy):
    """Prints what it sees."""

    warmup = 1

    def generate_signals(self, candles):
        print("I see", len(candles), "candles")
        return candles.assign(signal=1.0)
'''


def test_what_a_strategy_prints_goes_to_stderr(place: Path, algotrade: Command) -> None:
    (place / "talkative.py").write_text(TALKATIVE)
    run = algotrade("backtest", "--exchange", "demo", "--start", "2024-01-01", "--strategy", "talkative.py", "--json")
    assert run.code == 0
    assert run.document["schema"] == "algotrade.backtest/1"
    assert "I see 366 candles" in run.err


def test_stdout_is_given_back_after_a_command(place: Path, algotrade: Command) -> None:
    algotrade("list", "strategies")
    run = algotrade("--version")
    assert run.out.startswith("algotrade ")


def test_a_closed_stream_is_no_bug(place: Path) -> None:
    for closed in (">&-", "2>&-"):
        ended = subprocess.run(
            f"{shlex.quote(sys.executable)} -m algotrade list timeframes {closed}", shell=True, cwd=place, check=False
        )
        assert ended.returncode == 0
