"""Keep series current in front of somebody: a line a candle, until a signal ends it; then one summary."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import typer

from algotrade.cli.fetch_jobs import BUSY_TIMEOUT_MS, open_named
from algotrade.cli.fetched import most_urgent, print_reports
from algotrade.cli.invocation import Invocation
from algotrade.cli.proofs import Proofs, proofs_of
from algotrade.cli.stopping import stopping_on_signals
from algotrade.errors import ExitCode

if TYPE_CHECKING:
    from algotrade.config import Settings
    from algotrade.exchange.base import Stream
    from algotrade.ingest.jobs import Job
    from algotrade.ingest.report import FetchReport
    from algotrade.ingest.stream import StreamEvent

log = logging.getLogger("algotrade.fetch")


def stream_jobs(invocation: Invocation, settings: Settings, jobs: Sequence[Job]) -> None:
    """Keep the series of the jobs current until a signal comes, then print what was added.

    Raises:
        AlgotradeError: the most urgent reason why a series ended before.
        typer.Exit: a signal ended it, or --json has said it all.
    """
    if invocation.output.interactive:
        invocation.output.note(f"keeping {len(jobs)} series current; Ctrl-C ends it")
    reports, proofs, ended_by = asyncio.run(_run(invocation, settings, jobs))
    error = most_urgent(jobs, reports)
    if error is not None and len(jobs) == 1 and not reports[0].added:
        raise error  # nothing but the error to show
    print_reports(invocation.output, reports, proofs=proofs)
    if error is not None:
        raise typer.Exit(error.exit_code) if invocation.json else error
    if ended_by is not ExitCode.DONE:
        raise typer.Exit(ended_by)


async def _run(
    invocation: Invocation, settings: Settings, jobs: Sequence[Job]
) -> tuple[list[FetchReport], Proofs, ExitCode]:
    from algotrade.ingest.streams import Doors, run_streams
    from algotrade.store.database import open_database

    with (
        open_database(settings.database, busy_timeout_ms=BUSY_TIMEOUT_MS) as database,
        stopping_on_signals() as stopping,
    ):
        reports = await run_streams(
            jobs,
            database,
            doors=Doors(partial(open_named, settings), partial(_open_stream, settings)),
            tell=partial(_tell, invocation),
            stopping=stopping,
        )
        proofs = await asyncio.to_thread(proofs_of, database, [report.key for report in reports])
        return reports, proofs, stopping.exit_code


def _open_stream(settings: Settings, name: str) -> Stream:
    from algotrade.exchange.opening import open_stream

    return open_stream(name, options=settings.ccxt_options(name))


def _tell(invocation: Invocation, event: StreamEvent) -> None:
    """A line: for a person what is new, for a log the same with its time."""
    from algotrade.market.candles import iso

    series = " ".join(event.key[:3])
    words = event.words or f"+{event.added} candles, complete to {iso(event.last) if event.last is not None else '-'}"
    if invocation.output.interactive:
        invocation.output.note(f"{series} {words}")
    else:
        log.log(logging.WARNING if event.words else logging.INFO, "%s %s", series, words)
