"""Every command that the README shows runs, in the order in which it is shown, as a newcomer would type them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = [
    line.removeprefix("$ ")
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ ")
]


@pytest.fixture(scope="module")
def kraken_port() -> Iterator[int]:
    """A Kraken on loopback, in a process of its own: the README's network commands go there."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.shell.loopback.kraken", "--port", "0", "--print-port", "--now", now],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield int(server.stdout.readline())
    finally:
        server.kill()
        server.wait()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, kraken_port: int) -> Path:
    """A newcomer's folder, with a home of its own."""
    folder = tmp_path_factory.mktemp("newcomer")
    url = f"http://127.0.0.1:{kraken_port}"
    (folder / "algotrade.toml").write_text(f'[exchange.kraken.ccxt.urls.api]\npublic = "{url}"\nprivate = "{url}"\n')
    return folder


def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ALGOTRADE_", "XDG_"))}
    return kept | {"HOME": str(folder), "PYTHONPATH": str(ROOT), "COLUMNS": "100"}


def run_python(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_readme_shows_commands() -> None:
    assert len(SHOWN) > 12


def test_every_command_of_the_readme_runs(place: Path) -> None:
    for command in SHOWN:
        words = shlex.split(command)
        if words[0] == "make":
            continue
        assert words[0] == "algotrade", command
        ended = run_python(["-m", "algotrade", *words[1:]], place)
        assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"
        assert ended.stdout.strip() or "live" in words, command


def test_make_knows_the_targets_of_the_readme() -> None:
    targets = [shlex.split(command)[1] for command in SHOWN if command.startswith("make ")]
    assert targets[:2] == ["backtest", "test"]
    for target in targets:
        planned = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True)
        assert planned.stdout.strip()


def test_ci_runs_what_a_person_types() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith(("make", "pytest", "ruff", "mypy", ".venv"))] == ["make test"]
    assert lines[-1] == "make test"


def test_the_python_of_the_readme_runs(place: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    ended = run_python(["-c", "\n".join(blocks)], place)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip()


def test_the_settings_of_the_readme_are_read(tmp_path: Path) -> None:
    from algotrade.config import load_settings

    (shown,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "algotrade.toml").write_text(shown)
    settings = load_settings(config_file=tmp_path / "algotrade.toml")
    assert (settings.costs.maker_fee, settings.risk.cooldown_bars) == (0.0016, 3)


def test_the_exit_codes_of_the_readme_are_those_of_the_program() -> None:
    from algotrade.errors import ExitCode

    shown = {int(code) for cell in re.findall(r"^\| ([\d, ]+) \|", TEXT, re.MULTILINE) for code in cell.split(",")}
    assert shown == {code.value for code in ExitCode}
