"""Round trips on the screen: the last ones, why they were left, and those that hang on the way through a bar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Group
from rich.text import Text

from algotrade.show import format as fmt
from algotrade.show.conditions import Document
from algotrade.show.tables import Cell, FirstThatFits, heading, left, right, table, tinted

SHOWN_ROUND_TRIPS: Final = 10
SHOWN_PATH_DEPENDENT: Final = 5
EXIT_HEADS: Final = ("exit reason", "round trips", "won", "profit", "mean")


def trade_table(document: Document, *, all_round_trips: bool = False) -> Group:
    """Trade evaluation: the last ten round trips, or all; in two lines each where the screen is narrow."""
    trips = document["round_trips"]
    name = "Trade evaluation"
    held = open_position_lines(document)
    if not trips:
        return Group(heading(name), Text("no round trip was closed", style="dim"), *held)
    shown = trips if all_round_trips else trips[-SHOWN_ROUND_TRIPS:]
    hidden = f"{fmt.count(len(trips) - len(shown))} earlier ones are hidden: --all-round-trips shows every one"
    return Group(_table_of(name, shown, hidden if len(shown) < len(trips) else ""), *held)


def path_dependent_table(document: Document, *, all_round_trips: bool = False) -> list[Group]:
    """Round trips with an ambiguous bar in them, the last five or all; nothing without any."""
    trips = [trip for trip in document["round_trips"] if trip["path_dependent"]]
    if not trips:
        return []
    shown = trips if all_round_trips else trips[-SHOWN_PATH_DEPENDENT:]
    hidden = f"{fmt.count(len(trips) - len(shown))} earlier ones are hidden: --all-round-trips shows every one"
    name = "Round trips that hang on the way through a bar"
    return [Group(_table_of(name, shown, hidden if len(shown) < len(trips) else ""))]


def exit_reasons_table(document: Document) -> list[Group]:
    """Why round trips were left, and what each way brought; nothing where there was only the signal."""
    rows = exit_rows(document)
    columns = [(right if number else left)(head) for number, head in enumerate(EXIT_HEADS)]
    return [table("Exits", columns, rows)] if rows else []


def exit_rows(document: Document) -> list[list[Cell]]:
    """A row for each reason, the most frequent first, with the columns of EXIT_HEADS; empty for the signal alone."""
    trips = document["round_trips"]
    profits: dict[str, list[float]] = {}
    for trip in trips:
        profits.setdefault(trip["exit_reason"], []).append(trip["profit"])
    if not profits.keys() - {"signal"}:
        return []
    return [
        [
            _words(reason),
            fmt.count(len(each)),
            fmt.percent(sum(profit > 0.0 for profit in each) / len(each)),
            tinted(fmt.money(sum(each), signed=True), sum(each)),
            tinted(fmt.money(sum(each) / len(each), signed=True), sum(each)),
        ]
        for reason, each in sorted(profits.items(), key=lambda item: -len(item[1]))
    ]


def open_position_lines(document: Document) -> list[Text]:
    """What is still held at the end, a sentence for each part; nothing when flat."""
    whole = [("", document["open_position"])]
    parts = [(f"{part['symbol']} {part['strategy']}".strip(), part["open_position"]) for part in document["parts"]]
    return [_held(fmt.plain(name), held) for name, held in (*whole, *parts) if held is not None]


def _held(name: str, held: Document) -> Text:
    entry = f"{fmt.quantity(held['quantity'])} since {fmt.time(held['entry_time'])} at {fmt.price(held['entry_price'])}"
    profit = tinted(fmt.money(held["profit"], signed=True), held["profit"])
    what = f"{name} {held['side']}" if name else fmt.plain(held["side"])
    return Text.assemble(f"still open: {what} {entry}, ", profit, " at the last close before fees")


def _table_of(name: str, trips: Sequence[Document], note: str) -> FirstThatFits:
    layouts = (_in_one_line, _abridged, _in_two_lines)
    return FirstThatFits(*(layout(name, trips, note) for layout in layouts))


def _in_one_line(name: str, trips: Sequence[Document], note: str, *, abridged: bool = False) -> Group:
    columns = [left("entry"), right("price"), left("exit"), right("price"), right("quantity")]
    columns += [right("profit"), right("return"), right("bars")]
    columns += [] if abridged else [left("side"), left("exit reason")]
    entries, exits = _times(trips, "entry_time"), _times(trips, "exit_time")
    rows = [
        [entry, fmt.price(trip["entry_price"]), leave, fmt.price(trip["exit_price"]), *_outcome(trip)][: len(columns)]
        for trip, entry, leave in zip(trips, entries, exits, strict=True)
    ]
    names = _names(trips)
    if names:
        columns = [*map(left, names[0]), *columns]
        rows = [[*each, *row] for each, row in zip(names[1:], rows, strict=True)]
    return table(name, columns, rows, note=note, gap=1 if abridged else 2)


def _abridged(name: str, trips: Sequence[Document], note: str) -> Group:
    """One line each, where side and reason are the same for all and can be said once beneath."""
    words = {(fmt.plain(trip["side"]), _words(trip["exit_reason"])) for trip in trips}
    if len(words) > 1:
        return _in_two_lines(name, trips, note)
    side, reason = words.pop()
    once = f"side {side}, exit reason {reason} in every row"
    return _in_one_line(name, trips, f"{once}\n{note}" if note else once, abridged=True)


def _in_two_lines(name: str, trips: Sequence[Document], note: str) -> Group:
    columns = [left("entry\nexit"), right("price"), right("quantity"), right("profit"), right("return")]
    columns += [right("bars"), left("side\nexit reason")]
    rows: list[list[Cell]] = []
    for trip, entry, leave in zip(trips, _times(trips, "entry_time"), _times(trips, "exit_time"), strict=True):
        prices = f"{fmt.price(trip['entry_price'])}\n{fmt.price(trip['exit_price'])}"
        *figures, side, reason = _outcome(trip)
        rows.append([f"{entry}\n{leave}", prices, *figures, f"{side}\n{reason}"])
    names = _names(trips)
    if names:
        columns = [left("\n".join(names[0])), *columns]
        rows = [["\n".join(each), *row] for each, row in zip(names[1:], rows, strict=True)]
    for column in columns:
        column.no_wrap = True  # a date broken in two is no date
    return table(name, columns, rows, note=note, gap=1 if names else 2)


def _names(trips: Sequence[Document]) -> list[list[str]]:
    """Of a portfolio the columns' heads, and each trip's symbol and strategy; nothing where there is one of each."""
    keys = [key for key in ("symbol", "strategy") if any(trip.get(key) for trip in trips)]
    return [keys, *([fmt.plain(trip[key]) for key in keys] for trip in trips)] if keys else []


def _outcome(trip: Document) -> tuple[str | Text, ...]:
    """Quantity, profit, return, bars, side, exit reason."""
    return (
        fmt.quantity(trip["quantity"]),
        tinted(fmt.money(trip["profit"], signed=True), trip["profit"]),
        tinted(fmt.percent(trip["return"], signed=True), trip["return"]),
        fmt.count(trip["bars"]),
        fmt.plain(trip["side"]),
        _words(trip["exit_reason"]),
    )


def _words(reason: str) -> str:
    return fmt.plain(reason).replace("_", " ")


def _times(trips: Iterable[Document], key: str) -> list[str]:
    return fmt.times(trip[key] for trip in trips)
