"""kill -9 at any moment, then the same command again: nothing is lost, nothing comes twice, nothing differs."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from algotrade.store.journal import CANONICAL, Journal, list_sessions
from tests.shell.live.everything import write_strategies
from tests.shell.live.processes import PLAN, command, finish, project, rows_written, wait_for_rows

SEED = 20261120
QUIET = (*PLAN, "--quiet")
KILLED = -signal.SIGKILL


def canonical(folder: Path) -> list[tuple[str, str, int, str]]:
    """The canonical rows of the only session in a project."""
    (session,) = list_sessions(folder / ".algotrade" / "sessions")
    with Journal.open(session.path, read_only=True) as journal:
        return [row[:4] for row in journal.rows() if row.kind in CANONICAL]


def status(folder: Path) -> str:
    found = list_sessions(folder / ".algotrade" / "sessions")
    return found[-1].status if found else "none"


def uninterrupted(folder: Path, environment: dict[str, str], *arguments: str) -> list[tuple[str, str, int, str]]:
    assert finish(command(folder, environment, *QUIET, "--speed", "100000", *arguments)) == (0, "")
    return canonical(folder)


def test_ten_kills_at_random_moments_change_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    whole = uninterrupted(project(tmp_path, "whole"), environment, "--bars", "3000")
    folder, chance = project(tmp_path, "killed"), random.Random(SEED)
    print(f"seed {SEED}")
    for kill in range(10):
        process = command(folder, environment, *QUIET, "--speed", "600")
        if kill % 3:
            wait_for_rows(folder, rows_written(folder) + chance.randint(2, 6), process)
        time.sleep(chance.uniform(0.0, 0.3))
        process.kill()
        code, errors = finish(process)
        print(f"kill {kill + 1}: {rows_written(folder)} rows in the journal")
        assert (code, errors) == (KILLED, "")
    process = command(folder, environment, *QUIET, "--speed", "600")
    wait_for_rows(folder, rows_written(folder) + 5, process)
    process.send_signal(signal.SIGINT)
    assert finish(process) == (130, "")
    assert status(folder) == "stopped"
    rows = canonical(folder)
    assert len(rows) > 50
    assert rows == whole[: len(rows)]
    assert finish(command(folder, environment, "replay", "latest", "--quiet")) == (0, "")


class ForkServer:
    """Commands in children that have everything imported already."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.input: IO[str] = process.stdin
        self.answers: IO[str] = process.stdout
        self.log = folder / "log"

    def run(self, *arguments: str, kill_after_s: float | None = None, kill_at_row: int | None = None) -> int:
        order = {"arguments": arguments, "output": str(self.log), "kill_at_row": kill_at_row}
        self.input.write(json.dumps(order) + "\n")
        self.input.flush()
        child = int(self.answers.readline())
        timer = threading.Timer(kill_after_s or 0, os.kill, (child, signal.SIGKILL))
        if kill_after_s is not None:
            timer.start()
        code = int(self.answers.readline())
        timer.cancel()
        return code


@pytest.fixture
def server(tmp_path: Path, environment: dict[str, str]) -> Iterator[ForkServer]:
    folder = project(tmp_path, "forked")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.shell.live.fork_server"],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield ForkServer(process, folder)
        assert process.stdin is not None
        process.stdin.close()


def test_kills_inside_and_right_after_the_transactions_of_the_journal_change_nothing(
    tmp_path: Path, environment: dict[str, str], server: ForkServer
) -> None:
    whole = uninterrupted(project(tmp_path, "whole"), environment, "--bars", "120")
    folder, chance = server.log.parent, random.Random(SEED)
    plan = (*QUIET, "--speed", "1200", "--bars", "120")
    rows = [chance.randint(1, 9) for _ in range(12)]
    print(f"seed {SEED}: killed at rows {rows}")
    for row in rows:
        assert server.run(*plan, kill_at_row=row) == KILLED, server.log.read_text()
        assert canonical(folder) == whole[: len(canonical(folder))]
    assert server.run(*plan) == 0, server.log.read_text()
    assert status(folder) == "complete"
    assert canonical(folder) == whole
    assert server.run("replay", "latest") == 0


EVERYTHING = (
    *("--symbol", "BTC/USD", "--symbol", "ETH/USD", "--strategy", "everything", "--strategy", "listens"),
    *("--fee", "0.0001", "--allow-short", "--borrow-rate", "0.2", "--max-volume-share", "0.0005", "--spread", "0.0001"),
)
TAPE = ("--symbol", "BTC/USD", "--symbol", "ETH/USD", "--strategy", "tape", "--fee", "0.0001")


@pytest.mark.parametrize(
    ("given", "bars", "speed"), [(EVERYTHING, "40", "1200"), (TAPE, "10", "300")], ids=["every order", "trades"]
)
def test_kills_in_the_middle_of_everything_change_nothing(
    tmp_path: Path, environment: dict[str, str], server: ForkServer, given: tuple[str, ...], bars: str, speed: str
) -> None:
    whole_folder, folder = project(tmp_path, "whole"), server.log.parent
    for each in (whole_folder, folder):
        write_strategies(each)
    whole = uninterrupted(whole_folder, environment, *given, "--bars", bars)
    chance = random.Random(SEED)
    plan = (*QUIET, *given, "--bars", bars, "--speed", speed)
    rows = [chance.randint(1, 60) for _ in range(10)]
    print(f"seed {SEED}: killed at rows {rows}")
    for row in rows:
        code = server.run(*plan, kill_at_row=row)
        assert code in (KILLED, 0), server.log.read_text()
        assert canonical(folder) == whole[: len(canonical(folder))]
        if code == 0:
            break
    else:
        assert server.run(*plan, "--speed", "100000") == 0, server.log.read_text()
    assert canonical(folder) == whole
    assert server.run("replay", "latest") == 0


def test_kills_while_a_session_begins_leave_none_or_a_whole_one(tmp_path: Path, server: ForkServer) -> None:
    folder, chance = server.log.parent, random.Random(SEED)
    plan = (*QUIET, "--speed", "6000", "--bars", "20")
    for _ in range(20):
        assert server.run(*plan, kill_after_s=chance.uniform(0.0, 0.12)) == KILLED
    assert len(list_sessions(folder / ".algotrade" / "sessions")) <= 1
    assert server.run(*plan) == 0, server.log.read_text()
    (session,) = list_sessions(folder / ".algotrade" / "sessions")
    assert session.status == "complete"
    assert server.run("replay", "latest") == 0
