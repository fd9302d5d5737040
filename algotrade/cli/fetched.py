"""What became of a fetch: a table for people, an object for machines, a line a series for a log, one exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol

import typer

from algotrade.cli.invocation import Invocation
from algotrade.cli.output import Output
from algotrade.cli.proofs import Proofs, proof_document
from algotrade.errors import AlgotradeError, ExitCode, FixData
from algotrade.show.format import plain

if TYPE_CHECKING:
    from algotrade.ingest.files.importing import ImportReport
    from algotrade.ingest.jobs import Job
    from algotrade.ingest.report import FetchReport

COLUMNS: Final = ("exchange", "symbol", "timeframe", "origin", "added", "revised", "first", "last", "gaps", "done")
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


class Completed(Protocol):
    """A report of something that was fetched."""

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for and can exist is stored."""


def print_reports(
    output: Output,
    reports: Sequence[FetchReport | ImportReport],
    skipped: Sequence[Mapping[str, Any]] = (),
    proofs: Proofs = MappingProxyType({}),
    *,
    reasons: bool = True,
) -> None:
    """The result: a table with what there is to know below, or one algotrade.fetch/1.

    Args:
        output: where to.
        reports: a row each.
        skipped: rows of a file that were not stored.
        proofs: of the series that were made of trades.
        reasons: say below the table why a series is not complete, because nothing else does.
    """
    from algotrade.show.tables import listing

    rows = [_row(report) | {"proof": proof_document(proofs.get(report.key))} for report in reports]
    complete = sum(row["complete"] for row in rows)
    added = sum(row["added"] for row in rows)
    summary = f"\n{complete:,} of {len(rows):,} series complete, {added:,} candles added" if len(rows) > 1 else ""
    shown = [{**row, "done": row["complete"]} for row in rows]
    output.show(
        listing(shown, _columns(rows), note=summary), *_below(_notes(rows, reasons=reasons)), *_below(_proven(proofs))
    )
    show_bad_rows(output, skipped)
    output.document("algotrade.fetch/1", {"series": rows, "skipped": skipped})


def show_bad_rows(output: Output, skipped: Sequence[Mapping[str, Any]]) -> None:
    """The rows of a file that were not stored, the first of them."""
    from algotrade.show.tables import listing

    if skipped:
        more = f"{len(skipped) - SHOWN_BAD_ROWS} more" if len(skipped) > SHOWN_BAD_ROWS else ""
        output.show(listing(skipped[:SHOWN_BAD_ROWS], ["line", "reason"], title="Bad rows", note=more))


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns in which there is something to see: an exchange's own candles need no name for their origin."""
    shown = {
        "origin": len({(row["exchange"], row["origin"]) for row in rows}) > len({row["exchange"] for row in rows}),
        "revised": any(row["revised"] for row in rows),
        "done": not all(row["complete"] for row in rows),
    }
    return [name for name in COLUMNS if shown.get(name, True)]


def _notes(rows: Sequence[Mapping[str, Any]], *, reasons: bool) -> list[str]:
    """A line for each thing to know, however many series it is about."""
    about: dict[str, list[str]] = {}
    for row in rows:
        if row["note"] and (reasons or row["complete"]):
            about.setdefault(row["note"], []).append(_name(row))
    lines = []
    for note, series in about.items():
        more = f" and {len(series) - 1} more" if len(series) > 1 else ""
        lines.append(plain(f"{series[0]}{more}: {note}" if len(rows) > 1 else note))
    return lines


def _proven(proofs: Proofs) -> list[str]:
    """A line for each series that was made of trades."""
    return [
        plain(f"{_name(key._asdict()) if len(proofs) > 1 else 'proof'}: {proof.in_a_line()}")
        for key, proof in proofs.items()
    ]


def _below(lines: list[str]) -> list[str]:
    return ["", *lines] if lines else []


def _name(row: Mapping[str, Any]) -> str:
    """The series in a few words, like the label of a job."""
    made_of = " trades" if row["origin"] == "trades" else ""
    return f"{row['exchange']} {row['symbol']} {row['timeframe']}{made_of}"


def sentence(job: Job, report: FetchReport, *, reason: bool = True) -> str:
    """The line of a log: which series, what came, and how far it is complete or, if wanted, why it is not."""
    from algotrade.market.candles import iso

    reached = "nothing stored" if report.last is None else f"to {iso(report.last)}"
    if is_complete(report):
        return f"{job.label} +{report.added} candles, complete {reached}"
    why = f": {_note(report)}" if reason else ""
    return f"{job.label} +{report.added} candles, not complete ({reached}){why}"


def is_complete(report: FetchReport | ImportReport) -> bool:
    """Whether everything that was asked for and can exist is stored; a file was read whole or it is an error."""
    return bool(getattr(report, "complete", True))


def most_urgent(jobs: Sequence[Job], reports: Sequence[FetchReport], *, reason: bool = True) -> AlgotradeError | None:
    """The error that the command ends with: None when every series is complete.

    Of many series it says which one it is about and, if wanted, why; the kind, and with it the exit code, is the most
    urgent.
    """
    failed = [
        (job.label, report.error or FixData(report.note, hint=_hint(job, report)))
        for job, report in zip(jobs, reports, strict=True)
        if not report.complete
    ]
    return worst_of(failed, len(jobs), reason=reason)


def worst_of(failed: Sequence[tuple[str, AlgotradeError]], count: int, *, reason: bool = True) -> AlgotradeError | None:
    """The most urgent of some errors, each with what it is about, of so many fetched; see `most_urgent`."""
    if not failed:
        return None
    label, worst = min(failed, key=lambda pair: URGENCY.index(pair[1].exit_code))
    if count == 1:
        return worst
    text = f"{len(failed):,} of {count:,} series not complete, first of all {label}"
    return type(worst)(f"{text}: {worst.message}" if reason else text, hint=worst.hint)


def leave(
    invocation: Invocation, reports: Sequence[Completed], error: AlgotradeError | None, ended_by: ExitCode
) -> None:
    """End the command after its result is printed, unless all is well.

    Raises:
        AlgotradeError: the error.
        typer.Exit: a signal ended it, or --json has said it all.
    """
    if ended_by is not ExitCode.DONE:
        missing = sum(not report.complete for report in reports)
        invocation.output.note(
            f"interrupted: {missing} of {len(reports)} series not complete, what came is stored; "
            "the same command goes on from there"
        )
        raise typer.Exit(ended_by)
    if error is not None:
        raise typer.Exit(error.exit_code) if invocation.json else error  # the one object that --json prints is out


def _hint(job: Job, report: FetchReport) -> str:
    """The command that may bring what the exchange did not give."""
    from algotrade.market.candles import iso

    series = f"algotrade fetch --exchange {job.exchange} --symbol {job.symbol} --timeframe {job.timeframe}"
    if "--via trades" in report.note and job.span.start is not None:
        return f"{series} --start {iso(job.span.start)} --via trades"
    if report.refused and not job.repair:
        return f"{series} --repair"
    return "algotrade list data --gaps" if report.last is not None else "algotrade list exchanges"


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
