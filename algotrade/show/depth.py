"""A run in depth: month by month, drawdowns, round trips, the fee that would end the profit; and two runs compared.

The tables come from evaluate/breakdown.py; here they only become text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
from rich.console import Group
from rich.text import Text

from algotrade.evaluate.breakdown import compare
from algotrade.show import format as fmt
from algotrade.show.conditions import Document, conditions
from algotrade.show.run import METRICS, Metric
from algotrade.show.tables import Cell, left, right, table, tinted

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DISTRIBUTION: Final = (
    Metric("count", "Closed", fmt.count),
    Metric("wins", "Won", fmt.count),
    Metric("losses", "Lost", fmt.count),
    Metric("win_rate", "Share won", fmt.percent),
    Metric("mean_return", "Mean return", fmt.percent),
    Metric("median_return", "Median return", fmt.percent),
    Metric("best_return", "Best return", fmt.percent),
    Metric("worst_return", "Worst return", fmt.percent),
    Metric("profit_factor", "Profit factor (won / lost)", fmt.number),
    Metric("longest_winning_streak", "Longest row of wins", fmt.count),
    Metric("longest_losing_streak", "Longest row of losses", fmt.count),
    Metric("mean_bars", "Mean length in bars", fmt.number),
)


def month_grid(months: pd.DataFrame) -> Group:
    """Returns with a row for each year and a column for each month.

    Args:
        months: from `by_month`: index "2024-01", column return.
    """
    years: dict[str, list[Text]] = {}
    for period, gain in months["return"].items():
        year, month = str(period).split("-")
        row = years.setdefault(year, [Text("") for _ in MONTHS])
        row[int(month) - 1] = tinted(fmt.percent_figure(gain), gain)
    columns = [left("year"), *map(right, MONTHS)]
    return table("Returns by month, in percent", columns, ([year, *row] for year, row in years.items()), gap=1)


def year_table(years: pd.DataFrame) -> Group:
    """Return, drawdown and equity of each year.

    Args:
        years: from `by_year`: index "2024", columns return, max_drawdown, end_equity, bars.
    """
    rows: list[list[Cell]] = [
        [
            str(year),
            tinted(fmt.percent(gain, signed=True), gain),
            fmt.percent(deepest),
            fmt.money(equity),
            fmt.count(bars),
        ]
        for year, gain, deepest, equity, bars in zip(
            years.index, years["return"], years["max_drawdown"], years["end_equity"], years["bars"], strict=True
        )
    ]
    columns = [left("year"), right("return"), right("max drawdown"), right("equity at end"), right("bars")]
    return table("Returns by year", columns, rows)


def drawdown_table(drawdowns: pd.DataFrame) -> Group:
    """The deepest drawdowns, deepest first.

    Args:
        drawdowns: from breakdown's `drawdown_table`: start, trough, recovery, depth, bars.
    """
    start, trough = _times(drawdowns["start"]), _times(drawdowns["trough"])
    recovery = ["not yet" if text == fmt.NOT_AVAILABLE else text for text in _times(drawdowns["recovery"])]
    depth = [Text(fmt.percent(value), style="red") for value in drawdowns["depth"]]
    rows = zip(depth, start, trough, recovery, map(fmt.count, drawdowns["bars"]), strict=True)
    columns = [right("depth"), left("from the high of"), left("lowest"), left("recovered"), right("bars")]
    return table("Deepest drawdowns", columns, rows)


def distribution_table(distribution: Mapping[str, float]) -> Group:
    """What round trips are like, from `round_trip_distribution`."""
    rows = [(label, text(distribution.get(key))) for key, label, text in DISTRIBUTION]
    return table("Round trips", [left("figure"), right("value")], rows)


def holding_table(classes: pd.DataFrame) -> Group:
    """Round trips by how long they lasted, from `by_holding_time`."""
    rows: list[list[Cell]] = [
        [
            str(first) if first == last else f"{first}-{last}",
            fmt.count(count),
            fmt.percent(won),
            tinted(fmt.percent(mean, signed=True), mean),
            tinted(fmt.money(profit, signed=True), profit),
        ]
        for first, last, count, won, mean, profit in classes.itertuples(index=False)
    ]
    columns = [right("bars held"), right("closed"), right("won"), right("mean return"), right("profit")]
    return table("Round trips by length", columns, rows)


def break_even_line(fee_rate: float, paid: float) -> Text:
    """At which fee the profit is gone.

    Args:
        fee_rate: from `break_even_fee`: a fraction, NaN without profit, 1 if profit outlives every fee.
        paid: the fee rate of the run.
    """
    if math.isnan(fee_rate):
        return Text("\nThere is no profit, whatever the fee.")
    if fee_rate >= 1:
        return Text("\nNo fee takes the profit away.")
    return Text(f"\nThe profit is gone at a fee of {fmt.rate(round(fee_rate, 6))}; the run paid {fmt.rate(paid)}.")


def comparison(first: Document, second: Document) -> list[Group]:
    """Two runs side by side: what was run, and every figure with its difference."""
    one, other = _settings(first), _settings(second)
    pairs = [(name, one.get(name, ""), other.get(name, "")) for name in {**one, **other}]
    settings = [(name, *both, "" if both[0] == both[1] else "differs") for name, *both in pairs]
    compared = compare(first["summary"], second["summary"]).set_index("metric")
    figures = [(label, *map(text, compared.loc[key])) for key, label, text in METRICS if key in compared.index]
    return [
        table("Two runs", [left(""), left("A"), left("B"), left("")], settings),
        table("Figures", [left("metric"), right("A"), right("B"), right("B less A")], figures),
    ]


def _settings(document: Document) -> dict[str, str]:
    """What was run by name; of several strategies one in each line."""
    market = "SIMULATED" if document["data"]["simulated"] else "real"
    found: dict[str, str] = {"Market": market}
    for name, value in conditions(document):
        found[name] = f"{found[name]}\n{value}" if name in found else value
    return found


def _times(column: pd.Series[Any]) -> list[str]:
    return fmt.times(None if pd.isna(moment) else moment.isoformat() for moment in column)
