from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from algotrade.cli.main import main
from tests.published import check_output

ROOT = Path(__file__).parents[3]


class Run(NamedTuple):
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.out))

    @property
    def hint(self) -> str:
        lines = [line for line in self.err.splitlines() if line.startswith("try: ")]
        return lines[0].removeprefix("try: ") if lines else ""


Command = Callable[..., Run]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project to stand in; nothing of the machine's own settings is seen."""
    for name in [name for name in os.environ if name.startswith("ALGOTRADE_")]:
        monkeypatch.delenv(name)
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / "home" / name))
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "algotrade.toml").write_text("")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def algotrade(place: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process: `algotrade("list", "data")`."""

    def run(*arguments: str) -> Run:
        capsys.readouterr()
        code = main(arguments)
        out, err = capsys.readouterr()
        if "--json" in arguments:
            check_output(out)
        return Run(code, out, err)

    return run


@pytest.fixture
def process(place: Path) -> Command:
    """Run a command in a process of its own."""

    def run(*arguments: str) -> Run:
        command = [sys.executable, "-m", "algotrade", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment)
        return Run(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def terminal(place: Path) -> Callable[..., str]:
    """What a command writes, stdout and stderr, on a terminal of 80 columns, or of `columns`."""

    def run(*arguments: str, columns: int = 80) -> str:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "NO_COLOR": "1"}
        for overruling in ("COLUMNS", "LINES", "TERMINAL_WIDTH"):
            environment.pop(overruling, None)
        command = [sys.executable, "-m", "algotrade", *arguments]
        started = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
        os.close(theirs)
        written = b""
        while part := _read_terminal(ours):
            written += part
        os.close(ours)
        started.wait(timeout=60)
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written.decode().replace("\r\n", "\n"))

    return run


def _read_terminal(descriptor: int) -> bytes:
    """What a terminal has to say; nothing once its last program has left, which Linux reports as an error."""
    try:
        return os.read(descriptor, 65_536)
    except OSError:
        return b""
