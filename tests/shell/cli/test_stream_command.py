"""`algotrade fetch --stream` as a process of its own, ended by a signal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shell.cli.conftest import ROOT, Command

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def kraken() -> Iterator[int]:
    """The port of a streaming Kraken that is a hundred times as fast as ours."""
    command = [sys.executable, "-m", "tests.shell.loopback.kraken_stream", "--print-port"]
    command += ["--now", "2024-01-31T12:00:00+00:00", "--speed", "100"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=ROOT) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_goes_on_until_a_signal_and_then_says_what_came(
    place: Path, kraken: int, algotrade: Command, number: signal.Signals, code: int
) -> None:
    (place / "algotrade.toml").write_text(
        f'[exchange.kraken.ccxt]\nenableRateLimit = false\nurls.api.public = "http://127.0.0.1:{kraken}"\n'
        f'urls.api.ws.publicV2 = "ws://127.0.0.1:{kraken}/v2"\n'
    )
    command = [sys.executable, "-m", "algotrade", "fetch", "--symbol", "BTC/USD", "--timeframe", "1m", "--stream"]
    with subprocess.Popen(
        [*command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        assert process.stderr is not None
        lines = [process.stderr.readline() for _ in range(5)]
        process.send_signal(number)
        out, rest = process.communicate(timeout=30)
    assert process.returncode == code, rest
    assert all("INFO fetch kraken BTC/USD 1m +" in line for line in lines), lines
    (row,) = json.loads(out)["series"]
    assert row["added"] >= 720 + 3
    assert (row["complete"], row["error"], row["gaps"]) == (True, None, 0)
    assert algotrade("data", "verify").code == 0


@pytest.mark.parametrize("flags", [["--start", "2024-01-01"], ["--end", "2024-01-02"], ["--repair"]])
def test_a_stream_has_no_beginning_and_no_end(algotrade: Command, flags: list[str]) -> None:
    run = algotrade("fetch", "--symbol", "BTC/USD", "--stream", *flags)
    assert run.code == 2
    assert f"leave out {flags[0]}" in run.err


def test_the_demo_exchange_has_no_stream(algotrade: Command) -> None:
    run = algotrade("fetch", "--exchange", "demo", "--symbol", "BTC/USD", "--stream")
    assert run.code == 2
    assert "error: the demo exchange has no stream: it has nothing to wait for" in run.err.splitlines()
