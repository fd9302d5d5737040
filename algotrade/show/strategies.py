"""The list of strategies: a line each where the screen is wide enough, else a short paragraph each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from rich.console import Group
from rich.text import Text

from algotrade.show.tables import FirstThatFits, heading, listing, pairs

COLUMNS: Final = ("strategy", "parameters", "idea", "origin")


def strategy_list(rows: Sequence[Mapping[str, Any]]) -> FirstThatFits:
    """Strategies as `algotrade list strategies` prints them.

    Args:
        rows: of the document: strategy, parameters (by name, each with its default), idea, origin.
    """
    flat = [{**row, "parameters": _defaults(row["parameters"])} for row in rows]
    paragraphs = [
        Group(heading(origin), pairs((row["strategy"], _paragraph(row)) for row in together))
        for origin, together in groupby(flat, key=lambda row: str(row["origin"]))
    ]
    return FirstThatFits(listing(flat, COLUMNS), Group(*paragraphs))


def _paragraph(row: Mapping[str, Any]) -> Text:
    """The idea, and beneath it the parameters."""
    parameters = Text(f"\n{row['parameters']}" if row["parameters"] else "", style="dim")
    return Text(str(row["idea"])).append_text(parameters)


def _defaults(parameters: Mapping[str, Any]) -> str:
    """The parameters with their defaults: "fast=10 slow=20"."""
    return " ".join(f"{name}={parameter['default']}" for name, parameter in parameters.items())
