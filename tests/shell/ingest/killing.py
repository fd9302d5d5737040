"""Children that begin with everything imported, so that a test can kill many of them at moments of chance."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[3]


def serve(work: Callable[[str], int]) -> None:
    """For each line on stdin, do the work in a child and tell of its end. Runs in a process of its own."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            os._exit(work(line.strip()))
        say(f"child {child}")
        _, status = os.waitpid(child, 0)
        say(f"ended {os.waitstatus_to_exitcode(status)}")


def begin() -> None:
    """Tell, from within the work, that from now on a kill meets something under way."""
    say("begun")


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


class Killer:
    """A process that runs `serve`; its children are given work and killed."""

    def __init__(self, questions: IO[str], answers: IO[str]) -> None:
        self._questions, self._answers = questions, answers

    def run(self, order: str, kill_after_s: float | None) -> int:
        """Let a child work, and kill it so long after it has begun; its exit code."""
        self._questions.write(f"{order}\n")
        self._questions.flush()
        child = 0
        for line in self._answers:
            word, _, value = line.strip().partition(" ")
            if word == "ended":
                return int(value)
            child = int(value) if word == "child" else child
            if word == "begun" and kill_after_s is not None:
                time.sleep(kill_after_s)
                with suppress(ProcessLookupError):  # it has ended by itself
                    os.kill(child, signal.SIGKILL)
        raise AssertionError("the server is gone")


@contextmanager
def killer(module: str) -> Iterator[Killer]:
    """A server that runs `module.main()`, which calls `serve`."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"from {module} import main; main()"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Killer(process.stdin, process.stdout)
    finally:
        process.stdin.close()
        process.wait()
