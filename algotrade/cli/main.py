"""`algotrade`: run the command that the arguments name, and turn whatever ends it into an exit code."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType

import typer

from algotrade.cli.commands import app
from algotrade.cli.failure import failure_of, print_failure, traceback_text
from algotrade.cli.invocation import Invocation
from algotrade.cli.output import Output
from algotrade.errors import ExitCode, Terminated

COMPLETION = "_ALGOTRADE_COMPLETE"  # set by the completion script of a shell
GARBAGE_FROM = 50_000  # new objects; Python's own 700 has it search the lasting ones of every import, again and again


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code.

    Args:
        arguments: what follows the program's name; None takes them from the process.
    """
    gc.set_threshold(GARBAGE_FROM)
    given = list(sys.argv[1:] if arguments is None else arguments)
    _open_missing_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if COMPLETION in os.environ:  # noqa: TID251 (no setting: shells speak this way)
        app(given, prog_name="algotrade")
    with _terminated_as_exit():
        return _flushed(_run(given, Invocation()))


def _open_missing_streams() -> None:
    """A program that was started with a stream closed writes it nowhere, instead of failing."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (until the process ends)


def _run(arguments: list[str], invocation: Invocation) -> int:
    """Parse and invoke; every way to end is an exit code."""
    command = typer.main.get_command(app)
    try:
        with command.make_context("algotrade", arguments.copy(), obj=invocation) as context, _stdout_given_back():
            command.invoke(context)
    except typer.Exit as leaving:
        return leaving.exit_code
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else ExitCode.BUG
    except BaseException as error:  # the outermost boundary: nothing may leave as a traceback
        return _failed(error, arguments, invocation)
    return ExitCode.DONE


def _failed(error: BaseException, arguments: list[str], invocation: Invocation) -> int:
    # Arguments that could not be parsed have not reached the invocation: look for the two flags that matter here.
    output = Output(json=invocation.json or "--json" in arguments, quiet=invocation.quiet)
    failure = failure_of(error, arguments)
    with contextlib.suppress(OSError):  # the stream may be what failed
        if invocation.debug or "--debug" in arguments:
            sys.stderr.write(traceback_text(error))
        print_failure(failure, output)
    return failure.code


def _flushed(code: int) -> int:
    """The exit code after the last byte of output is out, or could not be written."""
    try:
        sys.stdout.flush()
    except OSError as error:
        with contextlib.suppress(OSError, io.UnsupportedOperation):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python tries once more at exit
        failure = failure_of(error, [])
        print_failure(failure, Output())
        return failure.code
    return code


@contextlib.contextmanager
def _stdout_given_back() -> Iterator[None]:
    """Undo at the end what the invocation does to sys.stdout."""
    stdout = sys.stdout
    try:
        yield
    finally:
        sys.stdout = stdout


@contextlib.contextmanager
def _terminated_as_exit() -> Iterator[None]:
    """SIGTERM unwinds the stack, so that everything is closed in order, and ends with 143."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(signal_number: int, frame: FrameType | None) -> None:
        raise Terminated(ExitCode.TERMINATED)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
