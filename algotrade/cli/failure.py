"""Whatever ended a command, as two lines for a person, one object for a machine, and an exit code."""

from __future__ import annotations

import errno
import os
import platform
import shlex
import time
import traceback
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import typer

import algotrade
from algotrade.cli.output import Output
from algotrade.errors import AlgotradeError, ExitCode, did_you_mean
from algotrade.show.format import plain

# Typer keeps its own base of usage errors private; it is the parent of the one it shows.
UsageError: Final[type[Exception]] = typer.BadParameter.__bases__[0]
OF_THE_MACHINE: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM, errno.EMFILE}
)
WORTH_REPEATING: Final = (ExitCode.UNREACHABLE, ExitCode.TRY_LATER)


class Failure(NamedTuple):
    """How a command ended.

    Attributes:
        code: exit code.
        kind: one word for machines.
        message: what was wrong and what was given; empty if there is nothing to say.
        hint: the command to type next; None if there is none.
    """

    code: int
    kind: str
    message: str
    hint: str | None = None


def failure_of(error: BaseException, arguments: Sequence[str]) -> Failure:
    """What an exception means to the person who typed the command.

    Args:
        error: anything that a command may raise.
        arguments: what was typed, for the command that shows a bug's traceback.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, AlgotradeError):
        again = f"algotrade {_repeated(arguments)}" if error.exit_code in WORTH_REPEATING else None
        return Failure(error.exit_code, error.kind, error.message, error.hint or again)
    if isinstance(error, UsageError):
        return _usage_failure(error)
    if isinstance(error, KeyboardInterrupt):
        return Failure(ExitCode.INTERRUPTED, "interrupted", "interrupted")
    if isinstance(error, BrokenPipeError):
        return Failure(ExitCode.PIPE_CLOSED, "pipe", "")
    if isinstance(error, OSError) and error.errno in OF_THE_MACHINE:
        place = f" {error.filename}" if error.filename else " the output"
        return Failure(ExitCode.CONFIGURATION, "configuration", f"cannot write{place}: {error.strerror}")
    return _bug(error, arguments)


def print_failure(failure: Failure, output: Output) -> None:
    """Two lines on stderr; with --json one object on stdout instead, on one line: it may follow those of `live`."""
    if output.json:
        said = {"code": failure.code, "kind": failure.kind, "message": plain(failure.message), "hint": failure.hint}
        output.document_line("algotrade.error/1", {"error": said})
    elif failure.message:
        output.write_line(failure.message, heading="error: ", style="bold red")
        if failure.hint:
            output.write_line(failure.hint, heading="try: ", style="bold", whole=True)


def _usage_failure(error: Any) -> Failure:
    """Typer's complaint about the arguments, in our words."""
    context = error.ctx
    command = context.command_path if context else "algotrade"
    message = error.format_message().rstrip(".")
    if hasattr(error, "possibilities"):
        known = (
            [name for parameter in context.command.get_params(context) for name in parameter.opts] if context else []
        )
        message = f"'{command}' has no option '{error.option_name}'.{did_you_mean(error.option_name, known)}"
    return Failure(ExitCode.USAGE, "usage", message[:1].lower() + message[1:], f"{command} -h")


def _bug(error: BaseException, arguments: Sequence[str]) -> Failure:
    """Keep the traceback in a file: a bug report needs it, a person does not."""
    from algotrade.config import masked

    saved = _save_traceback(error)
    where = f"the traceback is in {saved}" if saved else "the traceback could not be saved"
    message = f"a bug in algotrade: {type(error).__name__}: {masked(str(error))} ({where})"
    again = _repeated([word for word in arguments if word != "--debug"])
    return Failure(ExitCode.BUG, "bug", message, f"algotrade --debug {again}")


def traceback_text(error: BaseException) -> str:
    """The traceback with the passwords of URLs masked."""
    from algotrade.config import masked

    return str(masked("".join(traceback.format_exception(error))))


def _repeated(arguments: Sequence[str]) -> str:
    """What was typed, to be typed again; a password is not repeated."""
    from algotrade.config import masked

    return shlex.join(masked(word) for word in arguments)


def _save_traceback(error: BaseException) -> str:
    """Path of the new file, readable by its owner only; empty where none can be written."""
    import platformdirs

    folder = platformdirs.user_state_path("algotrade", appauthor=False) / "errors"
    path = folder / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}.txt"
    head = f"algotrade {algotrade.__version__}, Python {platform.python_version()}, {platform.platform()}\n\n"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(head + traceback_text(error))
    except OSError:
        return ""
    return str(path)
