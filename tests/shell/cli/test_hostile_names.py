"""Names from outside: of symbols, files and columns. None becomes a path, and none a code that a terminal obeys."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HOSTILE = {
    "a terminal code": "\x1b[31mBTC/USD\x1b[0m",
    "a cleared screen": "\x1b[2J",
    "a window title": "\x1b]0;owned\x07",
    "a C1 code": "\x9b31m",
    "a bell": "BTC\a/USD",
    "a carriage return": "good\rbad",
    "a line more": "x\nerror: all is well",
    "a parent folder": "../../../escaped",
    "an absolute path": "/etc/passwd",
    "mark-up": "[/red][bold]x[/bold]",
    "10 kB": "A" * 10_000,
    "look-alikes": "ВТС/USD",
    "right to left": "BTC\u202e/USD",
    "a blank that is none": "BTC\u200b/USD",
    "a lone surrogate": "BTC\udcff/USD",
    "a shell command": "$(touch escaped)",
}
ROWS = "time,open,high,low,close,volume\n" + "".join(f"2024-01-0{day},10,12,9,11,5\n" for day in range(1, 10))


@pytest.fixture
def files(place: Path) -> Path:
    (place / "good.csv").write_text(ROWS)
    (place / "bad.csv").write_text(ROWS.replace("2024-01-05,10", "2024-01-05,x"))
    return place


def all_files(place: Path) -> set[Path]:
    """Everything but the store's own folder."""
    return {path for path in place.parent.rglob("*") if ".algotrade" not in path.parts}


def hold(run: Any, given: str) -> None:
    """Two short lines of printable text that do not run what was given."""
    for text in (run.out, run.err):
        assert all(line.isprintable() for line in text.splitlines()), text
        assert "\r" not in text
    assert run.err.count("\nerror:") == 0
    assert len(run.err) < 2_500  # what is too long is cut
    assert given not in run.err or given.isprintable()
    assert "Traceback" not in run.err


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_symbol_is_refused(algotrade: Callable[..., Any], files: Path, name: str) -> None:
    before = all_files(files)
    run = algotrade("fetch", "--from", "good.csv", "--symbol", HOSTILE[name])
    assert run.code == 2
    assert "is not a symbol like BTC/USD" in run.err
    hold(run, HOSTILE[name])
    assert all_files(files) == before


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_column_name_is_refused(algotrade: Callable[..., Any], files: Path, name: str) -> None:
    for columns in (f"close={HOSTILE[name]}", f"{HOSTILE[name]}=close", HOSTILE[name]):
        run = algotrade("fetch", "--from", "good.csv", "--symbol", "BTC/USD", "--columns", columns)
        assert run.code in (2, 4)
        hold(run, HOSTILE[name])


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_in_the_file_is_shown_harmless(algotrade: Callable[..., Any], files: Path, name: str) -> None:
    text = HOSTILE[name].replace("\n", " ").replace("\r", " ").encode("utf-8", "surrogateescape")
    (files / "named.csv").write_bytes(ROWS.replace("close", "CLOSE-NAME").encode().replace(b"CLOSE-NAME", text))
    (files / "symbols.csv").write_bytes(
        b"symbol,time,open,high,low,close\nA/B,2024-01-01,1,1,1,1\n" + text + b",2024-01-02,1,1,1,1\n"
    )
    for file in ("named.csv", "symbols.csv"):
        run = algotrade("fetch", "--from", file, "--symbol", "BTC/USD")
        assert run.code == 4
        hold(run, HOSTILE[name])


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "10 kB"])
def test_a_hostile_file_name_is_shown_harmless(algotrade: Callable[..., Any], files: Path, name: str) -> None:
    there = (HOSTILE[name].replace("/", "_")) + ".csv"
    (files / there).write_bytes((files / "bad.csv").read_bytes())
    before = all_files(files)
    for path, code in ((there, 4), ("missing" + HOSTILE[name], 4)):
        run = algotrade("fetch", "--from", path, "--symbol", "BTC/USD")
        assert run.code == code
        hold(run, path)
    assert all_files(files) == before
    good = files / f"2{there}"
    good.write_text(ROWS)
    run = algotrade("fetch", "--from", good.name, "--symbol", "BTC/USD")
    assert run.code == 0
    hold(run, good.name)


@pytest.mark.skipif(sys.platform == "win32", reason="needs names of any bytes")
@pytest.mark.parametrize("path", ["BTC\0.csv", "A" * 10_000, "x/" * 3_000 + "y.csv", ""])
def test_a_path_that_none_can_be_is_no_crash(algotrade: Callable[..., Any], files: Path, path: str) -> None:
    run = algotrade("fetch", "--from", path, "--symbol", "BTC/USD")
    assert run.code in (2, 4)
    hold(run, path)
