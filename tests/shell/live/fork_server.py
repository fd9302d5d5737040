"""Runs commands in children that begin with everything imported, so that a test can kill many of them.

Reads a JSON object a line: {"arguments": [...], "output": path, "kill_at_row": n or null}. Answers with the child's
process id. With `kill_at_row` the child kills itself inside the transaction that writes that row of the journal, or
right after the one that ends with it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator

import algotrade.live.trader  # noqa: F401 (the heaviest import of the children)
from algotrade.cli.main import main
from algotrade.store.journal import Journal, JournalRow

append = Journal.append


class Killing:
    """Wraps `Journal.append`, which is where a kill hurts most."""

    def __init__(self, row: int) -> None:
        self.row, self.written = row, 0

    def rows(self, rows: Iterable[JournalRow]) -> Iterator[JournalRow]:
        for row in rows:
            yield row
            self.written += 1
            if self.written == self.row and self.row % 2:
                os.kill(os.getpid(), signal.SIGKILL)  # SQLite holds the row, the transaction is open

    def append(self, journal: Journal, rows: Iterable[JournalRow]) -> None:
        append(journal, self.rows(rows))
        if self.written >= self.row:
            os.kill(os.getpid(), signal.SIGKILL)  # durable, and the session has not taken it in yet


def run(order: dict[str, object]) -> int:
    arguments, row = order["arguments"], order["kill_at_row"]
    assert isinstance(arguments, list)
    output = os.open(str(order["output"]), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(output, stream)
    if isinstance(row, int):
        killing = Killing(row)
        Journal.append = lambda journal, rows: killing.append(journal, rows)  # type: ignore[method-assign]
    return main(arguments)


def serve() -> None:
    for line in sys.stdin:
        child = os.fork()
        if not child:
            os._exit(run(json.loads(line)))
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
