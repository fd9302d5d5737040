"""Run the jobs of a fetch in front of somebody: bars on a terminal, whole lines in a log, one summary at the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from algotrade.cli.fetched import is_complete, leave, most_urgent, print_reports, sentence
from algotrade.cli.invocation import Invocation
from algotrade.cli.output import Output
from algotrade.cli.proofs import Proofs, proofs_of
from algotrade.cli.stopping import stopping_on_signals
from algotrade.errors import ExitCode

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from algotrade.config import Settings
    from algotrade.exchange.base import Exchange
    from algotrade.ingest.jobs import Job
    from algotrade.ingest.many import Watcher
    from algotrade.ingest.report import FetchProgress, FetchReport

BUSY_TIMEOUT_MS: Final = 60_000  # another run, or a person's SQL client, may be writing for long
log = logging.getLogger("algotrade.fetch")


def fetch_jobs(invocation: Invocation, settings: Settings, jobs: Sequence[Job]) -> None:
    """Run the jobs, print what became of them.

    Why a series is not complete is said once: of a single one by the error, of several by the lines of the log, or
    below the table where there is no log.

    Raises:
        AlgotradeError: the most urgent reason why a series is not complete.
        typer.Exit: a signal ended it, or --json has said it all.
    """
    reports, proofs, ended_by = asyncio.run(_run(invocation, settings, jobs))
    output, many = invocation.output, len(jobs) > 1
    error = most_urgent(jobs, reports, reason=not many or invocation.quiet)
    if error is not None and len(jobs) == 1 and ended_by is ExitCode.DONE and reports[0].error is not None:
        raise error  # nothing but the error to show
    print_reports(output, reports, proofs=proofs, reasons=many and (output.interactive or invocation.quiet))
    leave(invocation, reports, error, ended_by)


async def _run(
    invocation: Invocation, settings: Settings, jobs: Sequence[Job]
) -> tuple[list[FetchReport], Proofs, ExitCode]:
    from algotrade.ingest.many import run_jobs
    from algotrade.store.database import open_database

    if any(job.exchange == "demo" for job in jobs):
        invocation.output.note("SIMULATED: the demo exchange makes its prices up")
    with (
        open_database(settings.database, busy_timeout_ms=BUSY_TIMEOUT_MS) as database,
        _watching(invocation.output, len(jobs)) as watcher,
        stopping_on_signals() as stopping,
    ):
        reports = await run_jobs(
            jobs,
            database,
            open_named=partial(open_named, settings),
            watcher=watcher,
            stopping=stopping,
        )
        proofs = await asyncio.to_thread(proofs_of, database, [report.key for report in reports])
        return reports, proofs, stopping.exit_code


def open_named(settings: Settings, name: str) -> Exchange:
    """An exchange with its options from the settings."""
    from algotrade.exchange.opening import open_exchange

    return open_exchange(name, options=settings.ccxt_options(name))


@contextmanager
def _watching(output: Output, count: int) -> Iterator[Watcher]:
    """Bars where a person watches, else lines alone."""
    if not output.interactive:
        yield _Lines(logging.WARNING, reasons=count > 1)
        return
    with output.progress() as bars:
        yield _Bars(bars, count, _Lines(logging.INFO, reasons=count > 1))


class _Lines:
    """Logs each job that is over.

    Args:
        failed: level of those that are not complete.
        reasons: say why they are not; of a single one the error at the end says it.
    """

    def __init__(self, failed: int, *, reasons: bool) -> None:
        self.failed = failed
        self.reasons = reasons

    def began(self, job: Job) -> None:
        """Nothing to say yet."""

    def advanced(self, job: Job, step: FetchProgress) -> None:
        """Nothing to say yet."""

    def ended(self, job: Job, report: FetchReport) -> None:
        """Say what became of it."""
        log.log(logging.INFO if is_complete(report) else self.failed, "%s", sentence(job, report, reason=self.reasons))


class _Bars:
    """Shows the jobs under way, one bar each, under one for all of them."""

    def __init__(self, bars: Progress, count: int, lines: _Lines) -> None:
        self.bars = bars
        self.lines = lines
        self.tasks: dict[Job, TaskID] = {}
        self.whole = bars.add_task(f"{count} series", total=count, visible=count > 1)

    def began(self, job: Job) -> None:
        """Show a bar that does not know its end yet."""
        self.tasks[job] = self.bars.add_task(job.label, total=None)

    def advanced(self, job: Job, step: FetchProgress) -> None:
        """Move its bar."""
        self.bars.update(self.tasks[job], total=step.end - step.start, completed=step.reached - step.start)

    def ended(self, job: Job, report: FetchReport) -> None:
        """Take its bar away."""
        if job in self.tasks:
            self.bars.remove_task(self.tasks.pop(job))
        self.bars.advance(self.whole)
        self.lines.ended(job, report)
