"""`algotrade why`: what the strategy saw, wanted and did at one bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from algotrade.cli.invocation import invocation_of

if TYPE_CHECKING:
    from algotrade.evaluate.result import Result

app = typer.Typer(add_completion=False, rich_help_panel="Test")


@app.command()
def why(
    context: typer.Context,
    bar: Annotated[
        str, typer.Argument(metavar="BAR", help="A moment of the bar, UTC: 2024-03-01 or 2024-03-01T04:00.")
    ],
    name: Annotated[str, typer.Argument(metavar="RUN|SESSION|latest", help="Of which run or session.")] = "latest",
) -> None:
    """Explain one bar of a kept run or a live session, also when nothing happened there.

    [bold]Examples[/bold]
      algotrade why 2024-03-01
      algotrade list runs
    """
    import numpy as np

    from algotrade.cli.kept import result_with_indicators
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
    result = result_with_indicators(name, invocation)
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
