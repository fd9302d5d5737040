"""What came of a run beside its figures: how far it hangs on the way through bars, what it paid, and each part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import Group

from algotrade.show import format as fmt
from algotrade.show.conditions import Document, currency
from algotrade.show.tables import Cell, left, right, table, tinted

FEE, MAKER = 4, 7  # columns of a fill's row
REASON, AMOUNT = 1, 2  # columns of a charge's row
DIVERGES: Final = 3  # column of an ambiguous bar's row
KINDS_OF_CHARGE: Final = {"borrow": "Borrowing what was sold short", "funding": "Funding"}


def path_sentences(document: Document) -> list[str]:
    """How much of the result depends on which way the price went inside bars; nothing where none of it does."""
    bars = document["summary"].get("ambiguous_bars")
    if not bars:
        return []
    hanging = sum(trip["path_dependent"] for trip in document["round_trips"])
    could = "1 bar could have gone either way" if bars == 1 else f"{fmt.count(bars)} bars could have gone either way"
    trips = "1 round trip hangs on that" if hanging == 1 else f"{fmt.count(hanging)} round trips hang on that"
    bounds = document["bounds"]
    if bounds is None:
        taken = "worse" if document["execution"]["path"] == "worst" else "better"
        return [f"{could}, {trips}: the {taken} way for us was taken through each."]
    worst, best = (fmt.money(bounds[name]) for name in ("worst", "best"))
    if worst == best:
        return [f"Final equity {worst} either way: {could}, {trips}."]
    diverging = sum(row[DIVERGES] for row in document["ambiguous_bars"])
    if not diverging:
        return [f"Final equity {worst} in the worst case, {best} in the best: {could}, {trips}."]
    them = "1 of them" if diverging == 1 else f"{fmt.count(diverging)} of them"
    return [
        f"Final equity {worst} or {best}: {could}, {trips}.",
        f"After {them} the two ways hold different positions: these are two possible outcomes, not limits.",
    ]


def costs_table(document: Document) -> list[Group]:
    """What was paid, by kind; nothing where there were only the fees that the summary has."""
    rows = list(cost_rows(document))
    if len(rows) < 2:
        return []
    whole = sum(amount for _, amount in rows)
    cells: list[list[Cell]] = [[name, fmt.money(amount)] for name, amount in (*rows, ("All", whole))]
    unit = currency(document)
    return [table(f"Costs paid ({unit})" if unit else "Costs paid", [left("cost"), right("amount")], cells)]


def cost_rows(document: Document) -> Iterator[tuple[str, float]]:
    """Kinds of cost that were paid, quote units; slippage is part of the prices."""
    for name, maker in (("Fees of fills that took", False), ("Fees of fills that rested", True)):
        fees = [row[FEE] for row in document["fills"] if row[MAKER] is maker]
        if any(fees):
            yield name, sum(fees)
    for reason, name in KINDS_OF_CHARGE.items():
        amounts = [row[AMOUNT] for row in document["charges"] if row[REASON] == reason]
        if amounts:
            yield name, sum(amounts)


def parts_table(document: Document) -> list[Group]:
    """A row for each symbol, and each strategy where there are several, and one for the whole; nothing for one part."""
    if not document["parts"]:
        return []
    words = 2 if _several(document) else 1
    columns = [(left if number < words else right)(head) for number, head in enumerate(part_heads(document))]
    note = "each part is judged as if its trades had been the only ones of its account"
    return [table("Parts", columns, part_rows(document), note=note)]


def part_heads(document: Document) -> list[str]:
    """The heads of the columns of `part_rows`."""
    heads = ["symbol", "strategy"] if _several(document) else ["symbol"]
    return [*heads, "profit", "share of cash", "round trips", "won", "exposure", "max drawdown", "fees"]


def part_rows(document: Document) -> list[list[Cell]]:
    """A row for each part of a portfolio, and the whole; empty where there is one part."""
    parts = document["parts"]
    if not parts:
        return []
    several = _several(document)
    rows = [
        [fmt.plain(part["symbol"]), *([fmt.plain(part["strategy"])] if several else []), *_part(part, document)]
        for part in parts
    ]
    summary, cash = document["summary"], document["costs"]["cash"]
    profit = None if summary["final_equity"] is None else summary["final_equity"] - cash
    return [*rows, ["All", *([""] if several else []), *_part({"profit": profit, "summary": summary}, document)]]


def _several(document: Document) -> bool:
    return len({part["strategy"] for part in document["parts"]}) > 1


def _part(part: Document, document: Document) -> list[Cell]:
    summary, profit, cash = part["summary"], part["profit"], document["costs"]["cash"]
    return [
        tinted(fmt.money(profit, signed=True), profit),
        tinted(fmt.percent(None if profit is None else profit / cash, signed=True), profit),
        fmt.count(summary["round_trips"]),
        fmt.percent(summary["win_rate"]),
        fmt.percent(summary["exposure"]),
        fmt.percent(summary["max_drawdown"]),
        fmt.money(summary["fees_paid"]),
    ]
