"""The screen of one run: what was run, whether to believe it, how it did, and what to type next.

A run document is the mapping that `algotrade backtest --json` prints and the store keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rich.console import Group, RenderableType
from rich.text import Text

from algotrade.market.instrument import Instrument
from algotrade.show import format as fmt
from algotrade.show.chart import Curve, LineChart
from algotrade.show.tables import FirstThatFits, heading, left, pairs, right, table, tinted

Document = Mapping[str, Any]

SHOWN_ROUND_TRIPS: Final = 10
WORRYING_GAP_SHARE: Final = 0.01  # of the bars
VERDICTS: Final = {True: ("passed", "green"), False: ("FAILED", "bold red"), None: ("not run", "yellow")}


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
        *failed_checks(document),
        what_was_run(document),
        portfolio_table(document),
        Group(heading("Equity"), LineChart(equity)),
        trade_table(document, all_round_trips=all_round_trips),
        checks_table(document),
        *warnings(document),
    ]
    return [*parts, Group(heading("See more"), pairs(see_more))] if see_more else parts


def title(document: Document) -> Text:
    """Which strategy on what; says SIMULATED where the market is not real."""
    data = document["data"]
    name = f"{document['strategy']['name']} on {data['symbol']} {data['timeframe']}"
    text = Text(fmt.plain(name), style="bold")
    return text.append("  SIMULATED MARKET", style="bold yellow") if data["simulated"] else text


def what_was_run(document: Document) -> Group:
    """Strategy, data, costs: all that a reader needs to know what the figures are about."""
    data, costs, strategy = document["data"], document["costs"], document["strategy"]
    bars = f"{fmt.count(data['bars'])} bars, {_gaps(data['gaps'])}"
    rows = [
        ("Strategy", fmt.plain(strategy["name"])),
        ("Parameters", fmt.parameters(strategy["parameters"]) or "none"),
        ("Data", fmt.plain(f"{data['exchange']} {data['symbol']} {data['timeframe']}, origin {data['origin']}")),
        ("Span", f"{fmt.span(data['start'], data['end'])}, {bars}"),
        ("Cash", fmt.money(costs["cash"], currency(document))),
        ("Costs", f"fee {fmt.rate(costs['fee_rate'])}, slippage {fmt.rate(costs['slippage_rate'])}"),
        ("Run", fmt.plain(document.get("run") or "not kept")),
    ]
    return Group(title(document), pairs(rows))


def portfolio_table(document: Document) -> Group:
    """Portfolio evaluation: the strategy beside buying at the first bar and holding."""
    summary = document["summary"]
    held = {"total_return": summary.get("buy_and_hold_return"), **document.get("buy_and_hold", {})}
    rows = [(label, text(summary.get(key)), text(held[key]) if key in held else "") for key, label, text in METRICS]
    unit = f" ({currency(document)})" if currency(document) else ""
    columns = [left("metric"), right("strategy"), right("buy & hold")]
    return table(f"Portfolio evaluation{unit}", columns, rows)


def trade_table(document: Document, *, all_round_trips: bool = False) -> Group:
    """Trade evaluation: the last ten round trips, or all; in two lines each where the screen is narrow."""
    trips = document["round_trips"]
    name = "Trade evaluation"
    if not trips:
        return Group(heading(name), Text("no round trip was closed", style="dim"))
    shown = trips if all_round_trips else trips[-SHOWN_ROUND_TRIPS:]
    hidden = f"{fmt.count(len(trips) - len(shown))} earlier ones are hidden: --all-round-trips shows every one"
    note = hidden if len(shown) < len(trips) else ""
    layouts = (_trades_in_one_line, _trades_abridged, _trades_in_two_lines)
    return Group(FirstThatFits(*(layout(name, shown, note) for layout in layouts)))


def checks_table(document: Document) -> Group:
    """Each check with its verdict, how much it covered, and what it found."""
    rows = [
        (_check_name(name), Text(*VERDICTS[check["passed"]]), _covered(check), fmt.plain(check.get("detail") or ""))
        for name, check in document["checks"].items()
    ]
    return table("Checks", [left("check"), left("verdict"), left("covered"), left("detail")], rows)


def failed_checks(document: Document) -> list[RenderableType]:
    """What stands above the figures when they cannot be believed."""
    lines = [
        Text(f"CHECK FAILED: {_check_name(name)}: {fmt.plain(check.get('detail') or 'no detail')}", style="bold red")
        for name, check in document["checks"].items()
        if check["passed"] is False
    ]
    return [*lines, Text("The figures below cannot be believed.\n", style="red")] if lines else []


def warnings(document: Document) -> list[RenderableType]:
    """What weakens the figures without making them wrong: missing bars, and what the run itself says."""
    data = document["data"]
    sentences = [fmt.plain(sentence) for sentence in document.get("warnings", ())]
    if data["gaps"] > WORRYING_GAP_SHARE * data["bars"]:
        sentences.append(f"{fmt.count(data['gaps'])} bars are missing beside the {fmt.count(data['bars'])} there are")
    if data["simulated"]:
        sentences.append("the market is SIMULATED: these figures say nothing about a real one")
    return [Text(""), *(Text(f"warning: {text}", style="yellow") for text in sentences)] if sentences else []


def currency(document: Document) -> str:
    """The quote currency, "USD"; empty where the symbol names none."""
    symbol = str(document["data"]["symbol"])
    return fmt.plain(Instrument(symbol).quote) if "/" in symbol else ""


def _gaps(missing: int) -> str:
    return "none missing" if missing == 0 else f"{fmt.count(missing)} missing"


def _check_name(name: str) -> str:
    return fmt.plain(name).replace("_", "-")


def _covered(check: Document) -> str:
    return fmt.plain(check.get("covered") or "")


def _trades_in_one_line(name: str, trips: Sequence[Document], note: str, *, abridged: bool = False) -> Group:
    columns = [left("entry"), right("price"), left("exit"), right("price"), right("quantity")]
    columns += [right("profit"), right("return"), right("bars")]
    columns += [] if abridged else [left("side"), left("exit reason")]
    entries, exits = _times(trips, "entry_time"), _times(trips, "exit_time")
    rows = [
        [entry, fmt.price(trip["entry_price"]), leave, fmt.price(trip["exit_price"]), *_outcome(trip)][: len(columns)]
        for trip, entry, leave in zip(trips, entries, exits, strict=True)
    ]
    return table(name, columns, rows, note=note)


def _trades_abridged(name: str, trips: Sequence[Document], note: str) -> Group:
    """One line each, where side and reason are the same for all and can be said once beneath."""
    words = {(fmt.plain(trip["side"]), fmt.plain(trip["exit_reason"])) for trip in trips}
    if len(words) > 1:
        return _trades_in_two_lines(name, trips, note)
    side, reason = words.pop()
    once = f"side {side}, exit reason {reason} in every row"
    return _trades_in_one_line(name, trips, f"{once}\n{note}" if note else once, abridged=True)


def _trades_in_two_lines(name: str, trips: Sequence[Document], note: str) -> Group:
    columns = [left("entry\nexit"), right("price"), right("quantity"), right("profit"), right("return")]
    columns += [right("bars"), left("side\nexit reason")]
    rows = []
    for trip, entry, leave in zip(trips, _times(trips, "entry_time"), _times(trips, "exit_time"), strict=True):
        prices = f"{fmt.price(trip['entry_price'])}\n{fmt.price(trip['exit_price'])}"
        *figures, side, reason = _outcome(trip)
        rows.append([f"{entry}\n{leave}", prices, *figures, f"{side}\n{reason}"])
    return table(name, columns, rows, note=note)


def _outcome(trip: Document) -> tuple[str | Text, ...]:
    """Quantity, profit, return, bars, side, exit reason."""
    return (
        fmt.quantity(trip["quantity"]),
        tinted(fmt.money(trip["profit"], signed=True), trip["profit"]),
        tinted(fmt.percent(trip["return"], signed=True), trip["return"]),
        fmt.count(trip["bars"]),
        fmt.plain(trip["side"]),
        fmt.plain(trip["exit_reason"]),
    )


def _times(trips: Iterable[Document], key: str) -> list[str]:
    return fmt.times(trip[key] for trip in trips)
