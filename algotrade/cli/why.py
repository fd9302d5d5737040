"""`algotrade why`: what the strategy saw, wanted and did at one bar."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from algotrade.cli.invocation import Invocation, invocation_of

if TYPE_CHECKING:
    from algotrade.evaluate.result import Result

app = typer.Typer(add_completion=False, rich_help_panel="Test")


@app.command()
def why(
    context: typer.Context,
    bar: Annotated[
        str, typer.Argument(metavar="BAR", help="A moment of the bar, UTC: 2024-03-01 or 2024-03-01T04:00.")
    ],
    name: Annotated[str, typer.Argument(metavar="[RUN|SESSION|latest]", help="Of which run or session.")] = "latest",
) -> None:
    """Explain one bar of a kept run or a live session, also when nothing happened there.

    [bold]Examples[/bold]
      algotrade why 2024-03-01
      algotrade list runs
    """
    import numpy as np

    from algotrade.errors import FixCommand
    from algotrade.evaluate.explain import explain_bar
    from algotrade.market.candles import iso
    from algotrade.market.span import parse_time
    from algotrade.show.why import why_panel

    invocation = invocation_of(context)
    try:
        moment = parse_time(bar)
    except FixCommand as error:
        raise FixCommand(error.message, hint="algotrade why 2024-03-01") from None
    result = _result(name, invocation)
    row = int(np.searchsorted(result.times, moment, side="right")) - 1
    if row < 0 or moment >= result.times[-1] + _length(result):
        first, last = iso(int(result.times[0])), iso(int(result.times[-1]))
        raise FixCommand(
            f"{bar} is not in that run, which goes from {first} to {last}", hint=f"algotrade why {last} {name}"
        )
    document = explain_bar(result, row)
    invocation.output.document("algotrade.why/1", document)
    invocation.output.show(why_panel(document))


def _length(result: Result) -> int:
    from algotrade.market.timeframe import timeframe_ms

    return timeframe_ms(result.timeframe)


def _result(name: str, invocation: Invocation) -> Result:
    from algotrade.cli.kept import find_kept
    from algotrade.discover import strategy_from_source
    from algotrade.live.results import session_with_indicators
    from algotrade.pipeline import generate_signals, kept_result
    from algotrade.store.database import open_database
    from algotrade.strategy.signals import Bounds

    settings = invocation.settings()
    with open_database(settings.database) as database:
        kept = find_kept(name, settings.sessions_folder, database)
        if isinstance(kept, Path):
            return session_with_indicators(kept)
        result = kept_result(kept, database)
    strategy = strategy_from_source(kept["strategy"])
    strategy.bounds = Bounds(kept["costs"]["leverage"], kept["costs"]["allow_short"])
    return dataclasses.replace(result, signals=generate_signals(strategy, result.candles))
