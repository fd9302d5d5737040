"""The frame around every command: help, options, errors, exit codes, streams."""

from __future__ import annotations

import errno
import itertools
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import typer

import algotrade as package
from algotrade.cli import commands
from algotrade.cli import list as list_commands
from algotrade.cli.failure import failure_of
from algotrade.cli.main import main
from algotrade.cli.output import LineFormatter, Output, json_text
from algotrade.errors import CheckConnection, FixData

HEAVY = ("pandas", "numpy", "ccxt", "sqlalchemy", "numba", "pydantic", "bokeh", "talib", "alembic")


def loaded_after(*arguments: str) -> list[str]:
    """Heavy packages that a fresh process has loaded after a command."""
    code = (
        "import contextlib, io, sys\nfrom algotrade.cli.main import main\n"
        f"with contextlib.redirect_stdout(io.StringIO()): main({list(arguments)!r})\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return list(json.loads(done.stdout.replace("'", '"')))


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_help_and_version_load_nothing_heavy(arguments: list[str]) -> None:
    assert loaded_after(*arguments) == []


@pytest.mark.parametrize("name", list(commands.COMMANDS))
def test_the_help_of_a_command_loads_nothing_heavy_but_typers_own(name: str) -> None:
    assert set(loaded_after(name, "-h")) <= {"pydantic"}


def test_help_says_where_to_start_and_names_every_command(algotrade: Any) -> None:
    run = algotrade("--help")
    assert run.code == 0
    assert "Start here:  algotrade backtest --symbol BTC/USD" in run.out
    for name in commands.COMMANDS:
        assert f" {name} " in run.out


def test_no_arguments_show_the_help(algotrade: Any) -> None:
    run = algotrade()
    assert (run.code, run.err) == (2, "")
    assert "Start here" in run.out


@pytest.mark.parametrize("name", list(commands.COMMANDS))
def test_every_command_explains_itself(algotrade: Any, name: str) -> None:
    run = algotrade(name, "-h")
    assert run.code == 0
    assert "--json" in run.out


def every_command(root: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words that call each command, groups left out."""
    if not hasattr(root, "list_commands"):
        yield names
        return
    context = typer.Context(root)
    for name in root.list_commands(context):
        yield from every_command(root.get_command(context, name), (*names, name))


def test_the_examples_of_every_command_are_indented_alike_and_fit_eighty_columns(algotrade: Any) -> None:
    examples = {}
    for names in every_command(typer.main.get_command(commands.app)):
        _, heading, below = algotrade(*names, "-h").out.partition("Examples")
        if heading:
            examples[names] = list(takewhile(str.strip, below.splitlines()[1:]))
    assert len(examples) > 12
    assert [line for lines in examples.values() for line in lines if not line.startswith("   algotrade ")] == []


@pytest.mark.parametrize("columns", [80, 120])
def test_the_paragraphs_of_the_help_fill_the_screen(terminal: Any, columns: int) -> None:
    shown = [line.rstrip() for line in terminal("verify", "-h", columns=columns).splitlines()]
    first = next(number for number, line in enumerate(shown) if line.startswith(" Which code runs"))
    paragraph = list(takewhile(bool, shown[first:]))
    for line, following in itertools.pairwise(paragraph):
        assert len(f"{line} {following.split()[0]} ") > columns, "the next word would have fitted"
    assert "   algotrade verify result.json" in shown
    assert not [line for line in shown if "<bool>" in line or "[[" in line]


def test_the_version_is_the_packages(algotrade: Any) -> None:
    assert algotrade("--version").out == f"algotrade {package.__version__}\n"


@pytest.mark.parametrize("arguments", [("--json", "list", "timeframes"), ("list", "--json", "timeframes"),
                                       ("list", "timeframes", "--json")])  # fmt: skip
def test_the_options_of_every_command_stand_anywhere(algotrade: Any, arguments: tuple[str, ...]) -> None:
    run = algotrade(*arguments)
    assert run.code == 0
    assert run.document["schema"] == "algotrade.list_timeframes/1"


def test_a_failure_under_json_is_one_object_on_stdout(algotrade: Any) -> None:
    run = algotrade("list", "--json", "timeframs")
    assert run.code == 2
    assert run.err == ""
    assert run.document == {
        "schema": "algotrade.error/1",
        "error": {
            "code": 2,
            "kind": "usage",
            "message": "there is no command 'algotrade list timeframs'. Did you mean 'timeframes'?",
            "hint": "algotrade list -h",
        },
    }


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let `algotrade list timeframes` end in an error from below."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(list_commands, "_print", fail)


def test_a_bug_is_a_short_message_and_a_saved_traceback(
    algotrade: Any, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raising(monkeypatch, KeyError("x"))
    run = algotrade("list", "timeframes")
    assert run.code == 1
    assert "Traceback" not in run.err
    (saved,) = (place.parent / "home" / "STATE" / "algotrade" / "errors").iterdir()
    assert run.err.splitlines() == [
        f"error: a bug in algotrade: KeyError: 'x' (the traceback is in {saved})",
        "try: algotrade --debug list timeframes",
    ]
    assert "raise error" in saved.read_text()
    assert saved.stat().st_mode & 0o777 == 0o600


def test_debug_prints_the_traceback(algotrade: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, FixData("nothing there"))
    assert "Traceback" in algotrade("list", "timeframes", "--debug").err
    assert algotrade("list", "timeframes").err == "error: nothing there\n"


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (BrokenPipeError(), 141, "pipe"),
        (OSError(errno.ENOSPC, "No space left on device"), 3, "configuration"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 3, "configuration"),
        (CheckConnection("no"), 69, "unreachable"),
        (BaseExceptionGroup("many", [ExceptionGroup("few", [FixData("deep")])]), 4, "data"),
        (OSError(errno.ENOTTY, "odd"), 1, "bug"),
        (MemoryError(), 1, "bug"),
    ],
)
def test_whatever_ends_a_command_has_an_exit_code(place: Path, error: BaseException, code: int, kind: str) -> None:
    failure = failure_of(error, ["fetch"])
    assert (failure.code, failure.kind) == (code, kind)


def test_an_unreachable_exchange_is_worth_the_same_command_again() -> None:
    assert failure_of(CheckConnection("no"), ["fetch", "--symbol", "A B"]).hint == "algotrade fetch --symbol 'A B'"


def test_text_from_outside_can_neither_colour_nor_break_a_line(algotrade: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(
        monkeypatch,
        FixData("\x1b[31mred\x1b[0m [bold]x[/bold] [/nope]\r\nerror: false \u202egnp.\u2069 \x00" + "y" * 9000),
    )
    run = algotrade("list", "timeframes")
    assert run.err.count("\n") == 1
    assert "\x1b" not in run.err
    assert "[bold]x[/bold] [/nope]" in run.err
    assert "\u202e" not in run.err
    assert len(run.err) < 2200


def test_a_closed_pipe_ends_a_command_quietly(place: Path) -> None:
    command = f"{sys.executable} -m algotrade list strategies --json"
    done = subprocess.run(
        ["bash", "-c", f"{command} | true; echo ${{PIPESTATUS[0]}}"],
        check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout in ("141\n", "0\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_the_output_is_a_sentence(place: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "algotrade", "list", "timeframes"],
            check=False, stdout=full, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr == "error: cannot write the output: No space left on device\n"


def test_a_termination_closes_in_order_and_ends_with_143(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    closed = []

    def wait(*_: object, **__: object) -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        finally:
            closed.append(True)

    monkeypatch.setattr(list_commands, "_print", wait)
    assert main(["list", "timeframes"]) == 143
    assert closed
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_log_lines_are_whole_utc_and_plain() -> None:
    record = logging.LogRecord(
        "algotrade.cli.fetch", logging.INFO, "", 0, "kraken %s +3 candles", ("BTC/USD\x1b[0m\n",), None
    )
    record.created = 1_795_165_200.0
    assert LineFormatter().format(record) == "2026-11-20T09:00:00Z INFO fetch kraken BTC/USD[0m  +3 candles"


def test_numbers_that_json_does_not_know_are_null() -> None:
    assert json.loads(json_text({"a": [float("nan"), 1.5], "b": {"c": float("-inf")}, "d": (1, None)})) == {
        "a": [None, 1.5],
        "b": {"c": None},
        "d": [1, None],
    }


def test_quiet_tells_nothing_beside_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    Output(quiet=True).note("by the way")
    Output(quiet=False).note("by the way")
    assert capsys.readouterr().err == "by the way\n"


def test_a_pipe_gets_no_progress_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with Output().progress() as progress:
        progress.add_task("[/red] a task", total=2)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("arguments", [("fetch", "--bogus", "--json"), ("--bogus", "--json"), ("nothing", "--json")])
def test_json_is_obeyed_even_where_the_arguments_cannot_be_parsed(algotrade: Any, arguments: tuple[str, ...]) -> None:
    run = algotrade(*arguments)
    assert (run.code, run.err) == (2, "")
    assert run.document["error"]["kind"] == "usage"


def test_completion_of_a_shell_names_the_commands(process: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_ALGOTRADE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "algotrade f")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert process().out.split() == ["fetch"]
