"""Errors a person can act on, and the exit codes of every command.

Each class is named by what the person does next. The text says what was wrong and what was given; the hint is the
command to type next. Nothing here knows how an error is shown: that is the command line's part.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit codes of the command line; stable, documented in the README."""

    DONE = 0
    BUG = 1
    USAGE = 2
    CONFIGURATION = 3
    DATA = 4
    GATE_FAILED = 5
    UNREACHABLE = 69
    TRY_LATER = 75
    REFUSED = 77
    INTERRUPTED = 130
    PIPE_CLOSED = 141
    TERMINATED = 143


class AlgotradeError(Exception):
    """Base of every error that is the world's fault and not a bug of ours.

    Args:
        message: what was wrong and what was given, one sentence, no final full stop needed.
        hint: the command to type next, without a leading "try:"; None if there is none.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.BUG
    kind: ClassVar[str] = "bug"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class FixCommand(AlgotradeError):
    """An argument is unknown or makes no sense: type the command again."""

    exit_code = ExitCode.USAGE
    kind = "usage"


class FixConfiguration(AlgotradeError):
    """algotrade.toml, the environment or a folder's rights need a change."""

    exit_code = ExitCode.CONFIGURATION
    kind = "configuration"


class FixStrategy(AlgotradeError):
    """The strategy file is invalid, or its code raised."""

    exit_code = ExitCode.CONFIGURATION
    kind = "strategy"


class FixData(AlgotradeError):
    """Data is missing, too short, or bad."""

    exit_code = ExitCode.DATA
    kind = "data"


class ReviewResult(AlgotradeError):
    """A gate failed: a replay differs, a check failed under --strict."""

    exit_code = ExitCode.GATE_FAILED
    kind = "gate"


class CheckConnection(AlgotradeError):
    """The exchange, or the server of the database, cannot be reached."""

    exit_code = ExitCode.UNREACHABLE
    kind = "unreachable"


class TryLater(AlgotradeError):
    """Someone else holds the lock, or the exchange asks for patience."""

    exit_code = ExitCode.TRY_LATER
    kind = "busy"


class AskLess(TryLater):
    """The exchange asks for fewer requests."""


class AwaitMaintenance(TryLater):
    """The exchange says that it is down for maintenance."""


class NotAllowed(AlgotradeError):
    """Refused for safety, or credentials are missing."""

    exit_code = ExitCode.REFUSED
    kind = "refused"


class Terminated(SystemExit):
    """The program itself is being ended by a signal; told apart from a `sys.exit()` in a strategy's code.

    Args:
        code: exit code of the process.
    """


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """' Did you mean 'x'?' for the nearest known name, else the empty string."""
    names = list(known)
    folded = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(given.casefold(), folded, n=1, cutoff=0.6)
    return f" Did you mean '{folded[near[0]]}'?" if near else ""
