"""`algotrade why`: what the strategy saw, wanted and did at one bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from algotrade.cli.invocation import invocation_of

if TYPE_CHECKING:
    from algotrade.evaluate.portfolio import Outcome
    from algotrade.evaluate.result import Result

app = typer.Typer(add_completion=False, rich_help_panel="Test")


@app.command()
def why(
    context: typer.Context,
    bar: Annotated[
        str, typer.Argument(metavar="BAR", help="A moment of the bar, UTC: 2024-03-01 or 2024-03-01T04:00.")
    ],
    name: Annotated[str, typer.Argument(metavar="RUN|SESSION|latest", help="Of which run or session.")] = "latest",
    symbol: Annotated[str | None, typer.Option("--symbol", help="Which symbol, where the run has several.")] = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", help="Which strategy, where the run has several.")
    ] = None,
) -> None:
    """Explain one bar of a kept run or a live session, also when nothing happened there.

    [bold]Examples[/bold]
      algotrade why 2024-03-01
      algotrade why 2024-03-01 --symbol ETH/USD
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
    result = _one_part(result_with_indicators(name, invocation), symbol, strategy, bar)
    row = int(np.searchsorted(result.times, moment, side="right")) - 1
    if row < 0 or moment >= result.times[-1] + _length(result):
        first, last = iso(int(result.times[0])), iso(int(result.times[-1]))
        raise FixCommand(
            f"{bar} is not in that run, which goes from {first} to {last}", hint=f"algotrade why {last} {name}"
        )
    document = explain_bar(result, row)
    invocation.output.document("algotrade.why/1", document)
    invocation.output.show(why_panel(document))


def _one_part(result: Outcome, symbol: str | None, strategy: str | None, bar: str) -> Result:
    """The part that is asked about: a run of several symbols or strategies has no single answer."""
    import dataclasses

    from algotrade.errors import FixCommand, did_you_mean
    from algotrade.evaluate.portfolio import PortfolioResult

    if not isinstance(result, PortfolioResult):
        return result
    found = [
        part
        for part in result.parts
        if (symbol is None or part.symbol == symbol) and (strategy is None or part.strategy == strategy)
    ]
    if len(found) == 1:
        return dataclasses.replace(found[0].result, simulated=result.simulated)
    symbols = dict.fromkeys(part.symbol for part in result.parts)
    strategies = dict.fromkeys(part.strategy for part in result.parts)
    of = f" and {len(strategies)} strategies ({', '.join(strategies)})" if len(strategies) > 1 else ""
    near = did_you_mean(symbol, symbols) if symbol is not None and symbol not in symbols else ""
    raise FixCommand(
        f"that run has {len(symbols)} symbols ({', '.join(symbols)}){of}; say which one.{near}",
        hint=f"algotrade why {bar} --symbol {result.parts[0].symbol}"
        + (f" --strategy {result.parts[0].strategy}" if len(strategies) > 1 else ""),
    )


def _length(result: Result) -> int:
    from algotrade.market.timeframe import timeframe_ms

    return timeframe_ms(result.timeframe)
