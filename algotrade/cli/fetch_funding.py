"""`algotrade fetch --funding`: funding rates of perpetual contracts into the store, from exchanges or a file."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from algotrade.cli.fetch_asked import Asked, check_funding
from algotrade.cli.fetch_file import Reading, parse_columns
from algotrade.cli.fetch_jobs import BUSY_TIMEOUT_MS, open_named
from algotrade.cli.fetched import leave, show_bad_rows, worst_of
from algotrade.cli.invocation import Invocation
from algotrade.cli.output import Output
from algotrade.cli.stopping import stopping_on_signals
from algotrade.errors import AlgotradeError, ExitCode, FixCommand, FixData
from algotrade.show.format import plain

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from algotrade.config import Settings
    from algotrade.ingest.funding.report import FundingReport
    from algotrade.ingest.funding.several import Market
    from algotrade.ingest.report import FetchProgress
    from algotrade.market.span import Span

COLUMNS: Final = ("exchange", "symbol", "added", "revised", "first", "last", "gaps", "complete")
log = logging.getLogger("algotrade.fetch")


def fetch_funding_rates(invocation: Invocation, settings: Settings, asked: Asked) -> None:
    """Fetch the funding of every symbol that was named from every exchange, print what became of it.

    Raises:
        AlgotradeError: the most urgent reason why one is not complete.
        typer.Exit: a signal ended it, or --json has said it all.
    """
    from algotrade.ingest.funding.several import Market

    span = check_funding(asked)
    exchanges = dict.fromkeys(asked.exchanges or (_default_exchange(settings),))
    markets = [Market(exchange, symbol) for exchange in exchanges for symbol in dict.fromkeys(asked.symbols)]
    reports, ended_by = asyncio.run(_run(invocation, settings, markets, span))
    failed = [
        (market.label, report.error or FixData(report.note, hint="algotrade list data"))
        for market, report in zip(markets, reports, strict=True)
        if not report.complete
    ]
    output, many = invocation.output, len(markets) > 1
    error = worst_of(failed, len(markets), reason=not many or invocation.quiet)
    if not many and ended_by is ExitCode.DONE and reports[0].error is not None:
        raise reports[0].error  # nothing but the error to show
    _print(output, reports, reasons=many and (output.interactive or invocation.quiet))
    leave(invocation, reports, error, ended_by)


def import_funding_file(invocation: Invocation, settings: Settings, asked: Asked, reading: Reading) -> None:
    """Import the file and print what became of it, bad rows included.

    Raises:
        FixCommand: it was asked for what a file of funding rates does not have.
    """
    from algotrade.exchange.base import system_ms
    from algotrade.ingest.files.open_rows import ImportOptions
    from algotrade.ingest.funding.file import import_funding
    from algotrade.store.database import open_database

    check_funding(asked)
    if reading.close_only:
        raise FixCommand("--close-only is about candles, not about funding rates", hint="algotrade fetch -h")
    options = ImportOptions(
        parse_columns(reading.columns), reading.time_format, skip_bad=reading.skip_bad, replace=reading.replace
    )
    market = (next(iter(asked.exchanges), _default_exchange(settings)), asked.symbols[0])
    output = invocation.output  # which starts the log
    with open_database(settings.database) as database:
        try:
            report, skipped = import_funding(database, reading.file, market, options, now_ms=system_ms())
        except AlgotradeError as error:
            error.hint = error.hint or "algotrade fetch -h"  # how else a file can be read
            raise
    log.info("%s %s funding +%d rates from %s", *market, report.added, reading.file)
    _print(output, [report], [row._asdict() for row in skipped])


def _default_exchange(settings: Settings) -> str:
    from algotrade.exchange.base import DEFAULT_EXCHANGE

    return settings.defaults.exchange or DEFAULT_EXCHANGE


async def _run(
    invocation: Invocation, settings: Settings, markets: Sequence[Market], span: Span
) -> tuple[list[FundingReport], ExitCode]:
    from algotrade.ingest.funding.several import fetch_several
    from algotrade.store.database import open_database

    output = invocation.output
    with (
        open_database(settings.database, busy_timeout_ms=BUSY_TIMEOUT_MS) as database,
        output.progress() as bars,
        stopping_on_signals() as stopping,
    ):
        reports = await fetch_several(
            markets,
            database,
            span,
            open_named=partial(open_named, settings),
            watcher=_Watcher(bars, logging.INFO if output.interactive else logging.WARNING, reasons=len(markets) > 1),
            stopping=stopping,
        )
        return reports, stopping.exit_code


class _Watcher:
    """Shows a bar of the market whose turn it is, and logs each that is over.

    Args:
        bars: where it is shown.
        failed: level of those that are not complete.
        reasons: say why one is not complete; of a single one the error at the end says it.
    """

    def __init__(self, bars: Progress, failed: int, *, reasons: bool) -> None:
        self.bars = bars
        self.failed = failed
        self.reasons = reasons
        self.task: TaskID | None = None

    def began(self, market: Market) -> None:
        """Show a bar that does not know its end yet."""
        self.task = self.bars.add_task(market.label, total=None)

    def advanced(self, step: FetchProgress) -> None:
        """Move it."""
        if self.task is not None:
            self.bars.update(self.task, total=step.end - step.start, completed=step.reached - step.start)

    def ended(self, market: Market, report: FundingReport) -> None:
        """Take it away, and say what became of the market."""
        from algotrade.market.candles import iso

        if self.task is not None:
            self.bars.remove_task(self.task)
            self.task = None
        reached = "nothing stored" if report.last is None else f"to {iso(report.last)}"
        if report.complete:
            log.info("%s +%d rates, complete %s", market.label, report.added, reached)
        else:
            why = f": {_note(report)}" if self.reasons else ""
            log.log(self.failed, "%s +%d rates, not complete (%s)%s", market.label, report.added, reached, why)


def _print(
    output: Output,
    reports: Sequence[FundingReport],
    skipped: Sequence[Mapping[str, Any]] = (),
    *,
    reasons: bool = False,
) -> None:
    """The result: a table with what there is to know below, or one algotrade.fetch_funding/1.

    Args:
        output: where to.
        reports: a row each.
        skipped: rows of a file that were not stored.
        reasons: say below the table why a market is not complete, because nothing else does.
    """
    from algotrade.show.tables import listing

    rows = [_row(report) for report in reports]
    shown = {"revised": any(row["revised"] for row in rows), "complete": not all(row["complete"] for row in rows)}
    notes = [
        plain(f"{row['exchange']} {row['symbol']}: {row['note']}" if len(rows) > 1 else row["note"])
        for row in rows
        if row["note"] and (reasons or row["complete"])
    ]
    output.show(listing(rows, [name for name in COLUMNS if shown.get(name, True)]), *(["", *notes] if notes else []))
    show_bad_rows(output, skipped)
    output.document("algotrade.fetch_funding/1", {"funding": rows, "skipped": skipped})


def _row(report: FundingReport) -> dict[str, Any]:
    """A report as plain values; the error of a market that failed among them."""
    from algotrade.market.candles import iso

    return {
        **report._asdict(),
        "first": None if report.first is None else iso(report.first),
        "last": None if report.last is None else iso(report.last),
        "note": _note(report),
        "error": report.error.kind if report.error else None,
    }


def _note(report: FundingReport) -> str:
    return report.error.message if report.error else report.note
