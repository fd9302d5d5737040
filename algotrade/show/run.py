"""The screen of one run: what was run, whether to believe it, how it did, and what to type next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from rich.console import Group, RenderableType
from rich.text import Text

from algotrade.show import format as fmt
from algotrade.show.chart import Curve, LineChart
from algotrade.show.conditions import Document, currency, what_was_run
from algotrade.show.outcome import costs_table, parts_table, path_sentences
from algotrade.show.tables import heading, left, pairs, right, table
from algotrade.show.trades import exit_reasons_table, path_dependent_table, trade_table
from algotrade.show.verdicts import alarms, checks_table, warnings


class Metric(NamedTuple):
    """A line of the portfolio table: the key in `summary`, its label, and how its figure reads."""

    key: str
    label: str
    text: Callable[[float | None], str]


METRICS: Final = (
    Metric("final_equity", "Final equity", fmt.money),
    Metric("total_return", "Cumulative return", fmt.percent),
    Metric("annual_return", "Annual return", fmt.percent),
    Metric("annual_volatility", "Annual volatility", fmt.percent),
    Metric("sharpe", "Sharpe ratio", fmt.number),
    Metric("sortino", "Sortino ratio", fmt.number),
    Metric("max_drawdown", "Maximum drawdown", fmt.percent),
    Metric("calmar", "Calmar ratio", fmt.number),
    Metric("exposure", "Exposure (share of bars)", fmt.percent),
    Metric("round_trips", "Round trips", fmt.count),
    Metric("win_rate", "Round trips won", fmt.percent),
    Metric("fees_paid", "Fees paid", fmt.money),
)


def run_page(
    document: Document,
    equity: Curve,
    *,
    all_round_trips: bool = False,
    see_more: Sequence[tuple[str, str]] = (),
) -> list[RenderableType]:
    """The parts of the screen, in order, for `print_result`.

    Args:
        document: the run document.
        equity: account value at each close.
        all_round_trips: every round trip instead of the last ten.
        see_more: what a further command shows, and the command.
    """
    parts = [
        *alarms(document),
        what_was_run(document),
        portfolio_table(document),
        *parts_table(document),
        *costs_table(document),
        Group(heading("Equity"), LineChart(equity)),
        trade_table(document, all_round_trips=all_round_trips),
        *exit_reasons_table(document),
        *path_dependent_table(document, all_round_trips=all_round_trips),
        checks_table(document),
        *warnings(document),
    ]
    return [*parts, Group(heading("See more"), pairs(see_more))] if see_more else parts


def portfolio_table(document: Document) -> Group:
    """Portfolio evaluation: the strategy beside buying at the first chance and holding; and how sure its equity is."""
    columns = [left("metric"), right("strategy"), right("buy & hold")]
    figures = table(portfolio_title(document), columns, portfolio_rows(document))
    return Group(figures, *(Text(sentence, style="yellow") for sentence in path_sentences(document)))


def portfolio_title(document: Document) -> str:
    """Names the currency that amounts are in."""
    unit = currency(document)
    return f"Portfolio evaluation ({unit})" if unit else "Portfolio evaluation"


def portfolio_rows(document: Document) -> list[tuple[str, str, str]]:
    """Metric, the strategy's figure, and the figure of buying and holding where the document has it."""
    summary = document["summary"]
    held = {"total_return": summary.get("buy_and_hold_return"), **document.get("buy_and_hold", {})}
    return [(label, text(summary.get(key)), text(held[key]) if key in held else "") for key, label, text in METRICS]
