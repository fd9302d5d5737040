"""What became of a fetch: a table for people, an object for machines, a line a series for a log, one exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from algotrade.cli.output import Output
from algotrade.errors import AlgotradeError, ExitCode, FixData

if TYPE_CHECKING:
    from algotrade.ingest.fetch import FetchReport
    from algotrade.ingest.files import ImportReport
    from algotrade.ingest.jobs import Job

COLUMNS: Final = ("exchange", "symbol", "timeframe", "origin", "added", "revised", "first", "last", "gaps", "note")
RARE: Final = ("revised", "note")  # shown where there is something to see
SHOWN_BAD_ROWS: Final = 20
# What needs a person comes before what another run may mend by itself.
URGENCY: Final = (
    ExitCode.REFUSED,
    ExitCode.CONFIGURATION,
    ExitCode.USAGE,
    ExitCode.DATA,
    ExitCode.UNREACHABLE,
    ExitCode.TRY_LATER,
    ExitCode.INTERRUPTED,
)


def print_reports(
    output: Output, reports: Sequence[FetchReport | ImportReport], skipped: Sequence[Mapping[str, Any]] = ()
) -> None:
    """The result: a table, or one algotrade.fetch/1."""
    from algotrade.show.tables import listing

    rows = [_row(report) for report in reports]
    rare = {name for name in RARE if not any(row[name] for row in rows)}
    if len({row["origin"] for row in rows}) == 1:
        rare.add("origin")
    complete = sum(row["complete"] for row in rows)
    summary = f"{complete:,} of {len(rows):,} series complete, {sum(row['added'] for row in rows):,} candles added"
    output.show(
        listing(rows, [name for name in COLUMNS if name not in rare], note=f"\n{summary}" if len(rows) > 1 else "")
    )
    if skipped:
        more = f"{len(skipped) - SHOWN_BAD_ROWS} more" if len(skipped) > SHOWN_BAD_ROWS else ""
        output.show(listing(skipped[:SHOWN_BAD_ROWS], ["line", "reason"], title="Bad rows", note=more))
    output.document("algotrade.fetch/1", {"series": rows, "skipped": skipped})


def sentence(job: Job, report: FetchReport) -> str:
    """The line of a log: which series, what came, and how far it is complete or why it is not."""
    from algotrade.market.candles import iso

    reached = "nothing stored" if report.last is None else f"to {iso(report.last)}"
    if is_complete(report):
        return f"{job.label} +{report.added} candles, complete {reached}"
    return f"{job.label} +{report.added} candles, not complete ({reached}): {_note(report)}"


def is_complete(report: FetchReport | ImportReport) -> bool:
    """Whether everything that was asked for and can exist is stored; a file was read whole or it is an error."""
    return bool(getattr(report, "complete", True))


def most_urgent(jobs: Sequence[Job], reports: Sequence[FetchReport]) -> AlgotradeError | None:
    """The error that the command ends with: None when every series is complete.

    Of many series it says which one it is about; the kind, and with it the exit code, is the most urgent.
    """
    failed = [
        (job, report.error or FixData(report.note, hint="algotrade list exchanges"))
        for job, report in zip(jobs, reports, strict=True)
        if not report.complete
    ]
    if not failed:
        return None
    job, worst = min(failed, key=lambda pair: URGENCY.index(pair[1].exit_code))
    if len(jobs) == 1:
        return worst
    text = f"{len(failed):,} of {len(jobs):,} series not complete, first of all {job.label}: {worst.message}"
    return type(worst)(text, hint=worst.hint)


def _row(report: FetchReport | ImportReport) -> dict[str, Any]:
    """A report as plain values; the error of a series that failed among them."""
    from algotrade.market.candles import iso

    values = report._asdict()
    error = values.get("error")
    return {
        **report.key._asdict(),
        **{name: values[name] for name in ("added", "unchanged", "revised", "gaps")},
        **{name: None if values[name] is None else iso(values[name]) for name in ("first", "last")},
        "complete": is_complete(report),
        "note": _note(report),
        "error": error.kind if error else None,
    }


def _note(report: FetchReport | ImportReport) -> str:
    error: AlgotradeError | None = getattr(report, "error", None)
    return error.message if error else report.note
