"""What a command writes, and where: the result on stdout, everything else on stderr.

With --json the result is one JSON object. Where a stream is not a terminal it gets whole lines: no colour, no wrapping,
no progress bar. NO_COLOR, FORCE_COLOR, TERM and COLUMNS are obeyed.
"""

from __future__ import annotations

import json
import logging
import math
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TextIO

from algotrade.show.format import plain

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.progress import Progress

MESSAGE_LENGTH: Final = 2000  # characters of somebody else's text that one line may carry


@dataclass(frozen=True)
class Output:
    """The streams of one command.

    Attributes:
        json: print the result as one JSON object.
        quiet: print the result and errors only.
        verbose: log details.
        stdout: where the result goes.
    """

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    stdout: TextIO = field(default_factory=lambda: sys.stdout)

    @cached_property
    def console(self) -> Console:
        """Where results go, unless --json is given."""
        return _console(self.stdout)

    @cached_property
    def notes(self) -> Console:
        """Where everything else goes."""
        return _console(sys.stderr)

    @property
    def interactive(self) -> bool:
        """Whether a person watches: stderr is a terminal, and neither --json nor --quiet is given."""
        return sys.stderr.isatty() and not self.json and not self.quiet

    def show(self, *renderables: RenderableType) -> None:
        """Print a result for people; nothing under --json."""
        if not self.json:
            from algotrade.show.tables import print_result

            print_result(self.console, *renderables)

    def verbatim(self, *texts: str) -> None:
        """Print texts that are to be pasted elsewhere: their lines as they are, however wide; nothing under --json."""
        if not self.json:
            lines = [plain(line) for text in texts for line in text.split("\n")]
            self.stdout.write("\n".join(lines) + "\n")

    def document(self, schema: str, body: Mapping[str, Any]) -> None:
        """Print a result for machines, one object; nothing without --json.

        Args:
            schema: its name and version, "algotrade.fetch/1".
            body: the object; NaN and infinity become null, tuples lists, anything unknown its text.
        """
        if self.json:
            self.stdout.write(json_text({"schema": schema, **body}) + "\n")

    def document_line(self, schema: str, body: Mapping[str, Any]) -> None:
        """Print one of many objects, on a line of its own and at once; nothing without --json."""
        if self.json:
            self.stdout.write(json.dumps(_finite({"schema": schema, **body}), default=str) + "\n")
            self.stdout.flush()

    def note(self, text: str, *, command: str = "") -> None:
        """Tell something beside the result, and the command that it ends in; nothing under --quiet."""
        if not self.quiet:
            self.write_line(command or text, heading=f"{text}: " if command else "", whole=bool(command))

    def write_line(self, text: str, *, heading: str = "", style: str = "", whole: bool = False) -> None:
        """A styled heading and a text that may come from outside: one line on stderr, wrapped in a terminal.

        Args:
            text: the line.
            heading: before it.
            style: of the heading.
            whole: never wrapped, because it is to be pasted.
        """
        from rich.text import Text

        line = Text.assemble((heading, style), shortened(plain(text)))
        self.notes.print(line, soft_wrap=whole or not self.notes.is_terminal)

    def progress(self) -> Progress:
        """A progress bar on stderr, disabled where nobody watches."""
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
        )
        return Progress(*columns, console=self.notes, disable=not self.interactive, transient=True)

    def start_log(self) -> None:
        """Send the log to stderr, one whole line an entry: INFO under cron, warnings only where a person watches."""
        level = logging.WARNING if self.interactive else logging.INFO
        log = logging.getLogger("algotrade")
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(LineFormatter())
        log.handlers[:] = [handler]
        log.propagate = False
        log.setLevel(logging.ERROR if self.quiet else logging.DEBUG if self.verbose else level)


class LineFormatter(logging.Formatter):
    """ "2026-11-20T09:00:00Z INFO fetch kraken BTC/USD 1h +3 candles": UTC, level, who, what."""

    def format(self, record: logging.LogRecord) -> str:
        """The entry as one line, with nothing in it that a terminal would obey."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        who = record.name.rsplit(".", 1)[-1]
        return f"{moment} {record.levelname} {who} {shortened(plain(record.getMessage()))}"


def json_text(value: Any) -> str:
    """The value as JSON; NaN and infinity, which JSON does not know, become null."""
    return json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False, default=str)


def shortened(text: str) -> str:
    """The text, cut where somebody else made it endless."""
    return text if len(text) <= MESSAGE_LENGTH else f"{text[:MESSAGE_LENGTH]}... ({len(text)} characters)"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    class PipedConsole(Console):
        """Leaves a closed pipe to the program's end, where Rich would exit with 1 at once."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return PipedConsole(file=stream, markup=False, emoji=False, highlight=False)
