"""`algotrade evaluate`: judge a kept run or a live session again, in more depth, or two of them side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from algotrade.cli.invocation import Invocation, invocation_of

if TYPE_CHECKING:
    from rich.console import RenderableType

    from algotrade.evaluate.portfolio import Outcome
    from algotrade.market.revisions import Revision

app = typer.Typer(add_completion=False, rich_help_panel="Test")


class Judged(NamedTuple):
    """A result with its document, and the fee rate at which its profit is gone."""

    result: Outcome
    document: dict[str, Any]
    profit_ends_at: float


@app.command()
def evaluate(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="RUN|SESSION|latest", help="One to judge, or two to compare.")
    ] = None,
    all_round_trips: Annotated[bool, typer.Option("--all-round-trips", help="Show every round trip.")] = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write one page with charts; it opens offline.")] = None,
    save: Annotated[
        Path | None, typer.Option("--save", help="Write the run to a file that `algotrade verify` proves.")
    ] = None,
) -> None:
    """Judge a kept run or a live session from what is stored; with two names, compare them.

    [bold]Examples[/bold]
      algotrade evaluate
      algotrade evaluate latest --all-round-trips
      algotrade list runs
    """
    from algotrade.errors import FixCommand

    invocation = invocation_of(context)
    wanted = names or ["latest"]
    if len(wanted) > 2:
        raise FixCommand(f"evaluate takes one name, or two to compare; given {len(wanted)}", hint="algotrade list runs")
    if len(wanted) == 2 and (html is not None or save is not None or all_round_trips):
        option = "--save result.json" if save is not None else "--all-round-trips"
        option = option if html is None else "--html report.html"
        raise FixCommand(
            f"{option.split(maxsplit=1)[0]} is for one run, not for a comparison of two",
            hint=f"algotrade evaluate {wanted[0]} {option}",
        )
    judged = [_judge(name, invocation) for name in wanted]
    if len(judged) == 2:
        _compare(judged[0], judged[1], invocation)
        return
    if html is not None:
        from algotrade.cli.kept import result_with_indicators
        from algotrade.show.report import write_report

        write_report(result_with_indicators(wanted[0], invocation), judged[0].document, html)
        invocation.output.note(f"wrote {html}")
    if save is not None:
        _save(judged[0].document["run"], save, invocation)
    _show(judged[0], invocation, all_round_trips=all_round_trips)


def _save(run_id: str, path: Path, invocation: Invocation) -> None:
    from algotrade.errors import FixCommand
    from algotrade.store.database import open_database
    from algotrade.store.runs import find_run
    from algotrade.verification.result_file import result_of_kept, result_of_run, write_result

    with open_database(invocation.settings().database) as database:
        kept = find_run(database, run_id)
    if kept is None:
        raise FixCommand("--save is for runs; a session is proved by replaying it", hint=f"algotrade replay {run_id}")
    result_of_kept(kept.document, kept.created_ms)  # refuses what an early version kept
    write_result(result_of_run(kept.document, kept.created_ms), path)
    invocation.output.note(f"wrote {path}")


def _judge(name: str, invocation: Invocation) -> Judged:
    from algotrade.cli.kept import find_kept
    from algotrade.live.results import session_result
    from algotrade.pipeline import kept_run, profit_ends_at
    from algotrade.store.database import open_database

    settings = invocation.settings()
    with open_database(settings.database) as database:
        kept = find_kept(name, settings.sessions_folder, database)
        if isinstance(kept, Path):
            result, document = session_result(kept)
            return Judged(result, document, profit_ends_at(document, result))
        run = kept_run(kept, database)
    _note_revised(run.revised, invocation)
    return Judged(run.result, kept, profit_ends_at(kept, run.result))


def _note_revised(revised: tuple[Revision, ...], invocation: Invocation) -> None:
    if revised:
        from algotrade.show.verification import revised_sentence

        invocation.output.note(f"{revised_sentence(revised)}. It is judged on the bars as they were")


def _depth(judged: Judged) -> dict[str, Any]:
    """The tables of more depth, as plain values."""
    from algotrade.evaluate import breakdown
    from algotrade.evaluate.rows import plain_rows, without_nan

    result = judged.result
    months = breakdown.by_month(result.equity_values, result.times, cash=result.cash)
    years = breakdown.by_year(result.equity_values, result.times, cash=result.cash)
    drawdowns = breakdown.drawdown_table(result.equity_values, result.times)
    plain: dict[str, Any] = without_nan(
        {
            "by_month": months.reset_index().to_dict("records"),
            "by_year": years.reset_index().to_dict("records"),
            "drawdowns": plain_rows(drawdowns),
            "round_trip_distribution": breakdown.round_trip_distribution(result.round_trips),
            "break_even_fee": judged.profit_ends_at,
        }
    )
    return plain


def _show(judged: Judged, invocation: Invocation, *, all_round_trips: bool) -> None:
    from algotrade.evaluate.document import public_document

    document = {name: value for name, value in public_document(judged.document).items() if name != "schema"}
    invocation.output.document("algotrade.evaluate/1", {**document, **_depth(judged)})
    if not invocation.output.json:
        invocation.output.show(*_pages(judged, all_round_trips=all_round_trips))


def _pages(judged: Judged, *, all_round_trips: bool) -> list[RenderableType]:
    from algotrade.evaluate import breakdown
    from algotrade.show import depth
    from algotrade.show.chart import Curve
    from algotrade.show.run import run_page

    result = judged.result
    equity, times, cash = result.equity_values, result.times, result.cash
    return [
        *run_page(judged.document, Curve(times, equity), all_round_trips=all_round_trips),
        depth.month_grid(breakdown.by_month(equity, times, cash=cash)),
        depth.year_table(breakdown.by_year(equity, times, cash=cash)),
        depth.drawdown_table(breakdown.drawdown_table(equity, times)),
        depth.distribution_table(breakdown.round_trip_distribution(result.round_trips)),
        depth.holding_table(breakdown.by_holding_time(result.round_trips)),
        depth.break_even_line(judged.profit_ends_at, result.costs.fee_rate),
    ]


def _compare(first: Judged, second: Judged, invocation: Invocation) -> None:
    from algotrade.show.depth import comparison

    both = {"a": _brief(first), "b": _brief(second)}
    invocation.output.document("algotrade.comparison/1", both)
    invocation.output.show(*comparison(first.document, second.document))


def _brief(judged: Judged) -> dict[str, Any]:
    from algotrade.evaluate.document import public_document

    kept, document = ("run", "data", "costs", "summary"), public_document(judged.document)
    return {name: document[name] for name in kept} | {"break_even_fee": judged.profit_ends_at}
