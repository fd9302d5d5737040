"""`algotrade live` as a program: signals, screens, lines, full disks."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import resource
import select
import signal
import sqlite3
import struct
import subprocess
import sys
import termios
import time
from contextlib import closing
from pathlib import Path

import pytest

from algotrade.store.journal import list_sessions
from tests.published import check_output
from tests.shell.live.processes import PLAN, command, finish, project, rows_written, wait_for_rows
from tests.shell.live.sessions import START, new_project
from tests.shell.loopback.kraken import Clock, LoopbackKraken

HANGING = """
from algotrade import SignalStrategy

class Hanging(SignalStrategy):
    "Never comes back once it trades."
    warmup = 3

    def generate_signals(self, candles):
        while candles.index[-1].year == 2024:
            pass
        return candles[["close"]].assign(signal=1.0)
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_session_and_keeps_it(
    tmp_path: Path, environment: dict[str, str], number: signal.Signals, code: int
) -> None:
    folder = project(tmp_path, "project")
    process = command(folder, environment, *PLAN, "--speed", "600")
    wait_for_rows(folder, 5, process)
    process.send_signal(number)
    ended, errors = finish(process)
    assert ended == code
    assert "STOPPED the session has stopped" in errors
    assert "Traceback" not in errors
    (session,) = list_sessions(folder / ".algotrade" / "sessions")
    assert session.status == "stopped"
    assert finish(command(folder, environment, "replay", "latest"))[0] == 0


def test_a_command_of_another_plan_says_that_an_unfinished_session_stays(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    folder = project(tmp_path, "project")
    process = command(folder, environment, *PLAN, "--speed", "600")
    wait_for_rows(folder, 5, process)
    process.send_signal(signal.SIGINT)
    finish(process)
    (first,) = list_sessions(folder / ".algotrade" / "sessions")
    bounded = (*PLAN, "--speed", "6000", "--bars", "2", "--fee", "0.001")
    _, other = finish(command(folder, environment, *bounded))
    assert f"session {first.id} is unfinished too" in other
    _, again = finish(command(folder, environment, *bounded, "--symbol", "ETH/USD"))
    assert "unfinished too" not in again


def test_a_signal_while_a_session_begins_leaves_nothing_behind(tmp_path: Path, environment: dict[str, str]) -> None:
    folder = project(tmp_path, "project")
    process = command(folder, environment, *PLAN, "--speed", "600")
    while not (folder / ".algotrade" / "sessions").exists():
        assert process.poll() is None, finish(process)
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    code, errors = finish(process)
    assert code == 143
    assert "Traceback" not in errors
    assert list_sessions(folder / ".algotrade" / "sessions") == []


def test_the_second_signal_ends_a_strategy_that_hangs(tmp_path: Path, environment: dict[str, str]) -> None:
    folder = project(tmp_path, "project")
    (folder / "strategies").mkdir()
    (folder / "strategies" / "hanging.py").write_text(HANGING)
    process = command(folder, environment, *PLAN, "--speed", "600", "--strategy", "hanging")
    wait_for_rows(folder, 1, process)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    code, errors = finish(process)
    assert code == 130
    assert "ended at once by a second signal" in errors
    assert "raised" not in errors  # the signal is not taken for an error of the strategy
    (session,) = list_sessions(folder / ".algotrade" / "sessions")
    assert session.status == "stopped"


def test_json_is_a_line_per_event_and_quiet_says_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    folder = project(tmp_path, "project")
    fast = (*PLAN, "--speed", "60000", "--bars", "5")
    process = command(folder, environment, *fast, "--json")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    check_output(out)
    events = [json.loads(line) for line in out.splitlines()]
    assert {event["schema"] for event in events} == {"algotrade.live/1"}
    assert events[0]["event"] == "session"
    assert not events[0]["resumed"]
    assert events[0]["simulated"] is True
    assert not [event for event in events if "late" in event.get("message", "")]  # at this speed nearly every bar is
    assert [event["event"] for event in events].count("CandleClosed") == 5
    assert events[-1]["message"] == "the session is complete"
    process = command(folder, environment, *fast, "--quiet")
    assert process.communicate(timeout=60) == ("", "")
    process = command(folder, environment, *fast)
    out, errors = process.communicate(timeout=60)
    assert out == ""
    told = [line for line in errors.splitlines() if " close " in line]
    assert len(told) == 5
    assert all("PAPER SIMULATED demo BTC/USD 1m" in line for line in told)
    assert "late" not in errors


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--leverage", "1e9"), "--leverage is above 0 and at most 100"),
        (("--leverage", "0"), "--leverage is above 0 and at most 100"),
        (("--until", "2020-01-01"), "lies before the first bar closes"),
        (("--path", "wurst"), "--path is one of worst, best, given 'wurst'. Did you mean 'worst'?"),
        (("--rebalance-band", "1.5"), "--rebalance-band is a fraction of equity from 0 on and below 1, given 1.5"),
        (("--size", "risc=0.01"), "Did you mean 'risk'?"),
        (("--source", "trade"), "--source is candles, trades or ticker, given 'trade'. Did you mean 'trades'?"),
        (("--source", "ticker", "--symbol", "BTC/USD", "--symbol", "ETH/USD"), "--source ticker watches one symbol"),
        (("--symbol", "BTC/USD", "--symbol", "BTC/USD"), "--symbol BTC/USD is given twice"),
        (("--symbol", "BTC/USD", "--symbol", "ETH/EUR"), "one account holds one currency"),
        (("--symbol", "BTC/USD", "--symbol", "ETC/USD"), "no symbol 'ETC/USD'. Did you mean 'ETH/USD'?"),
        (("--strategy", "sma_cross", "--strategy", "sma_cross"), "--strategy sma_cross is given twice"),
        (("--strategy", "sma_cross", "--strategy", "macd_trend", "-p", "fast=3"), "a parameter says whose it is"),
        (("--strategy", "momentum_rotation", "--size", "risk=0.01"), "a sizing has no meaning beside them"),
        (("--latency-ms", "50"), "a latency of 50 ms lies inside a bar, where only trades say what happened"),
        (("--spread", "-1"), "--spread"),
        (("--speed", "nan"), "--speed is a positive number"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_a_session_begins(
    tmp_path: Path, environment: dict[str, str], options: tuple[str, ...], said: str
) -> None:
    folder = project(tmp_path, "project")
    code, errors = finish(command(folder, environment, "live", "--exchange", "demo", *options))
    assert code == 2
    assert said in errors
    assert list_sessions(folder / ".algotrade" / "sessions") == []


def test_a_changed_row_is_shown_with_all_that_is_compared(tmp_path: Path, environment: dict[str, str]) -> None:
    folder = project(tmp_path, "project")
    assert finish(command(folder, environment, *PLAN, "--speed", "60000", "--bars", "2", "--quiet"))[0] == 0
    listed, _ = command(folder, environment, "list", "sessions", "--json").communicate(timeout=60)
    (told,) = json.loads(listed)["sessions"]
    assert (told["status"], told["simulated"]) == ("complete", True)
    (session,) = list_sessions(folder / ".algotrade" / "sessions")
    with closing(sqlite3.connect(session.path)) as connection, connection:
        connection.execute("UPDATE journal SET time = 7 WHERE name = 'Decided'")
    process = command(folder, environment, "replay", "latest", "--json")
    out, _ = process.communicate(timeout=60)
    check_output(out)
    difference = json.loads(out)["difference"]
    assert process.returncode == 5
    assert (difference["recorded"]["kind"], difference["recorded"]["time"]) == ("effect", 7)
    assert difference["replayed"]["time"] > 7
    out, _ = command(folder, environment, "replay", "latest").communicate(timeout=60)
    assert "recorded: effect Decided at 7 {" in out
    assert f"replayed: effect Decided at {difference['replayed']['time']} {{" in out


def test_a_full_disk_is_a_sentence_and_the_session_goes_on_when_there_is_room(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    folder = project(tmp_path, "project")
    plan = (*PLAN, "--speed", "60000", "--bars", "600", "--quiet")
    warm = (*PLAN, "--speed", "60000", "--bars", "1", "--quiet")
    assert finish(command(folder, environment, *warm)) == (0, "")  # the checks are stored now
    process = subprocess.Popen(
        [sys.executable, "-m", "algotrade", *plan],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
    )
    code, errors = finish(process)
    assert code == 3
    assert errors.startswith("error: ")
    assert "disk" in errors
    assert "Traceback" not in errors
    before = rows_written(folder)
    assert finish(command(folder, environment, *plan)) == (0, "")
    assert rows_written(folder) > before
    assert finish(command(folder, environment, "replay", "latest", "--quiet")) == (0, "")


def test_a_sessions_folder_that_is_none_is_a_sentence(tmp_path: Path, environment: dict[str, str]) -> None:
    folder = project(tmp_path, "project")
    (folder / ".algotrade").mkdir()
    (folder / ".algotrade" / "sessions").write_text("not a folder")
    code, errors = finish(command(folder, environment, *PLAN, "--speed", "600"))
    assert code == 3
    assert errors.startswith("error: ")
    assert "sessions" in errors


def read_terminal(master: int, seconds: float) -> bytes:
    """What the program writes to its terminal in that time."""
    written, end = b"", time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([master], [], [], 0.05)[0]:
            try:
                written += os.read(master, 65536)
            except OSError:
                break
    return written


async def test_the_screen_goes_on_while_the_exchange_hangs_and_leaves_the_terminal_clean(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    async with LoopbackKraken(Clock(START, 60.0)) as kraken:
        folder = new_project(tmp_path / "project", kraken).folder
        text = (folder / "algotrade.toml").read_text().replace("timeout = 300", "timeout = 20000")
        (folder / "algotrade.toml").write_text(text)
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        process = subprocess.Popen(
            [sys.executable, "-m", "algotrade", "live", "--exchange", "kraken", "--every", "1s"],
            cwd=folder,
            env={**environment, "TERM": "xterm-256color"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        while not rows_written(folder):
            assert process.poll() is None
            await asyncio.to_thread(read_terminal, master, 0.1)
        kraken.fail("hang")
        await asyncio.to_thread(read_terminal, master, 1.5)
        written = await asyncio.to_thread(read_terminal, master, 3.0)
        frames = written.count(b"feed")
        print(f"{frames} frames in 3 s while the exchange hangs")
        assert frames >= 6
        process.send_signal(signal.SIGINT)
        rest = await asyncio.to_thread(read_terminal, master, 2.0)
        assert process.wait(timeout=20) == 130
        rest += await asyncio.to_thread(read_terminal, master, 0.2)
        os.close(master)
    assert b"\x1b[?1049l" in rest  # back from the alternate screen
    assert b"\x1b[?25h" in rest  # with a cursor
