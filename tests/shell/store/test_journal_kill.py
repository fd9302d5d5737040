"""kill -9 while appending: no acknowledged row is lost, no transaction is half there, the lock is free at once."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from algotrade.store.journal import Journal

KILLS = 20
ROWS = 7

WRITER = f"""
import sys
from pathlib import Path
from algotrade.store.journal import Journal, JournalRow
path = Path(sys.argv[1])
journal = Journal.open(path) if path.exists() else Journal.create(path, {{"session": "killed"}})
last = journal.last_row()
step = last.time + 1 if last else 0
while True:
    journal.append(JournalRow("event", "Step", step, "x" * (step % 900)) for part in range({ROWS}))
    print(step, flush=True)
    step += 1
"""


def kill_a_writer(path: Path, seconds: float, *, after_first_row: bool) -> int:
    """Start a writer, kill it after a while, and return the last step it said was stored (-1: none)."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = [process.stdout.readline()] if after_first_row else []
    time.sleep(seconds)
    process.kill()
    rest, errors = process.communicate()
    assert errors == ""
    whole_lines = "".join([*said, rest]).split("\n")[:-1]
    return int(whole_lines[-1]) if whole_lines else -1


def test_no_acknowledged_row_is_lost_and_no_transaction_is_half_there(tmp_path: Path) -> None:
    chance = random.Random(20261120)
    stored = -1
    restarts_that_wrote = 0
    for kill in range(KILLS):
        path = tmp_path / f"session-{kill // 5}.sqlite"  # five kills each, so that creating is hit too
        stored = stored if kill % 5 else -1
        in_the_middle = kill % 2 == 1
        acknowledged = kill_a_writer(path, chance.uniform(0, 0.1), after_first_row=in_the_middle)
        restarts_that_wrote += acknowledged > stored
        if not path.exists():
            assert acknowledged == -1
            continue
        with Journal.open(path) as journal:
            steps = [row.time for row in journal.rows()]
        assert steps == [step for step in range(len(steps) // ROWS) for _ in range(ROWS)]
        assert len(steps) // ROWS > max(acknowledged, stored)
        stored = max(acknowledged, stored)
    assert restarts_that_wrote >= KILLS // 2
