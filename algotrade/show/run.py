"""The screen of one run: what was run, whether to believe it, how it did, and what to type next.

A run document is the mapping that `algotrade backtest --json` prints and the store keeps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rich.console import Group, RenderableType
from rich.text import Text

from algotrade.engine.orders import NOTHING_TO_TRADE
from algotrade.evaluate.explain import words_of
from algotrade.market.instrument import Instrument
from algotrade.show import format as fmt
from algotrade.show.chart import Curve, LineChart
from algotrade.show.tables import FirstThatFits, heading, left, pairs, right, table, tinted

Document = Mapping[str, Any]

SIMULATED: Final = " - SIMULATED MARKET"
SHOWN_ROUND_TRIPS: Final = 10
WORRYING_GAP_SHARE: Final = 0.01  # of the bars
VERDICTS: Final = {True: ("passed", "green"), False: ("FAILED", "bold red"), None: ("not run", "yellow")}


class Verdict(NamedTuple):
    """A check and what came of it; `passed` is None where it did not run."""

    check: str
    passed: bool | None
    covered: str
    detail: str


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


def title(document: Document) -> str:
    """Which strategy on what; says SIMULATED where the market is not real."""
    data = document["data"]
    name = fmt.plain(f"{document['strategy']['name']} on {data['symbol']} {data['timeframe']}")
    return name + SIMULATED if data["simulated"] else name


def what_was_run(document: Document) -> Group:
    """Strategy, data, costs: all that a reader needs to know what the figures are about."""
    style = "bold yellow" if document["data"]["simulated"] else "bold"
    return Group(Text(title(document), style=style), pairs(conditions(document)))


def conditions(document: Document) -> list[tuple[str, str]]:
    """What was run, as names and their values."""
    data, costs, strategy = document["data"], document["costs"], document["strategy"]
    missing = f"{fmt.count(data['gaps'])} missing" if data["gaps"] else "none missing"
    why = f" ({fmt.kinds(data['gap_kinds'])})" if data.get("gap_kinds") else ""
    made = f", made of its {data['resampled_from']} bars" if data.get("resampled_from") else ""
    return [
        ("Strategy", fmt.plain(strategy["name"])),
        ("Parameters", fmt.parameters(strategy["parameters"]) or "none"),
        ("Data", fmt.plain(f"{data['exchange']} {data['symbol']} {data['timeframe']}, origin {data['origin']}{made}")),
        ("Span", f"{fmt.span(data['start'], data['end'])}, {fmt.count(data['bars'])} bars, {missing}{why}"),
        ("Cash", fmt.money(costs["cash"], currency(document))),
        ("Costs", f"fee {fmt.rate(costs['fee_rate'])}, slippage {fmt.rate(costs['slippage_rate'])}"),
        ("Run", fmt.plain(document.get("run") or "not kept")),
    ]


def portfolio_table(document: Document) -> Group:
    """Portfolio evaluation: the strategy beside buying at the first chance and holding."""
    columns = [left("metric"), right("strategy"), right("buy & hold")]
    return table(portfolio_title(document), columns, portfolio_rows(document))


def portfolio_title(document: Document) -> str:
    """Names the currency that amounts are in."""
    unit = currency(document)
    return f"Portfolio evaluation ({unit})" if unit else "Portfolio evaluation"


def portfolio_rows(document: Document) -> list[tuple[str, str, str]]:
    """Metric, the strategy's figure, and the figure of buying and holding where the document has it."""
    summary = document["summary"]
    held = {"total_return": summary.get("buy_and_hold_return"), **document.get("buy_and_hold", {})}
    return [(label, text(summary.get(key)), text(held[key]) if key in held else "") for key, label, text in METRICS]


def trade_table(document: Document, *, all_round_trips: bool = False) -> Group:
    """Trade evaluation: the last ten round trips, or all; in two lines each where the screen is narrow."""
    trips = document["round_trips"]
    name = "Trade evaluation"
    held = open_position_line(document.get("open_position"))
    if not trips:
        return Group(heading(name), Text("no round trip was closed", style="dim"), *held)
    shown = trips if all_round_trips else trips[-SHOWN_ROUND_TRIPS:]
    hidden = f"{fmt.count(len(trips) - len(shown))} earlier ones are hidden: --all-round-trips shows every one"
    note = hidden if len(shown) < len(trips) else ""
    layouts = (_trades_in_one_line, _trades_abridged, _trades_in_two_lines)
    return Group(FirstThatFits(*(layout(name, shown, note) for layout in layouts)), *held)


def open_position_line(held: Document | None) -> list[Text]:
    """What is still held at the end, in a sentence; nothing when flat."""
    if held is None:
        return []
    entry = f"{fmt.quantity(held['quantity'])} since {fmt.time(held['entry_time'])} at {fmt.price(held['entry_price'])}"
    profit = tinted(fmt.money(held["profit"], signed=True), held["profit"])
    return [Text.assemble(f"still open: {fmt.plain(held['side'])} {entry}, ", profit, " at the last close before fees")]


def checks_table(document: Document) -> Group:
    """Each check with its verdict, how much it covered, and what it found."""
    rows = [(name, Text(*VERDICTS[passed]), covered, detail) for name, passed, covered, detail in verdicts(document)]
    if not rows:
        return Group(heading("Checks"), Text("none were run", style="yellow"))
    return table("Checks", [left("check"), left("verdict"), left("covered"), left("detail")], rows)


def verdicts(document: Document) -> list[Verdict]:
    """Every check of the document, in its order."""
    return [
        Verdict(
            check=fmt.plain(name).replace("_", "-"),
            passed=check["passed"],
            covered=_coverage(check),
            detail=fmt.plain(check.get("detail") or ""),
        )
        for name, check in document["checks"].items()
    ]


def _coverage(check: Document) -> str:
    """How many bars of how many it looked at: "214 of 10,000"; empty where it did not run."""
    if check["passed"] is None:
        return ""
    return f"{fmt.count(check['covered'])} of {fmt.count(check['total'])}"


def failed_checks(document: Document) -> list[RenderableType]:
    """What stands above the figures when they cannot be believed."""
    lines = [Text(f"{sentence}", style="bold red") for sentence in accusations(document)]
    return [*lines, Text("")] if lines else []


def accusations(document: Document) -> list[str]:
    """A sentence for every failed check, and what follows from it."""
    failed = [
        f"CHECK FAILED: {verdict.check}: {verdict.detail or 'no detail'}"
        for verdict in verdicts(document)
        if verdict.passed is False
    ]
    return [*failed, "The figures below cannot be believed."] if failed else []


def warnings(document: Document) -> list[RenderableType]:
    """What weakens the figures without making them wrong, a line each."""
    lines = [Text(f"warning: {sentence}", style="yellow") for sentence in cautions(document)]
    return [Text(""), *lines] if lines else []


def cautions(document: Document) -> list[str]:
    """What the run itself warns of, refused orders, missing bars, and a market that is not real."""
    data = document["data"]
    sentences = [fmt.plain(sentence) for sentence in document.get("warnings", ())]
    sentences += _refusals(document)
    if data["gaps"] > WORRYING_GAP_SHARE * data["bars"]:
        sentences.append(f"{fmt.count(data['gaps'])} bars are missing beside the {fmt.count(data['bars'])} there are")
    if data["simulated"]:
        sentences.append("the market is SIMULATED: these figures say nothing about a real one")
    return sentences


def _refusals(document: Document) -> list[str]:
    """How many orders were refused and why; one that found nothing to trade changed nothing and is not counted."""
    reasons = Counter(row["reason"] for row in document["rejections"] if row["reason"] != NOTHING_TO_TRADE)
    if not reasons:
        return []
    whole = "1 order was refused" if reasons.total() == 1 else f"{fmt.count(reasons.total())} orders were refused"
    parts = [f"{fmt.count(count)} because {fmt.plain(words_of(reason))}" for reason, count in reasons.most_common()]
    return [f"{whole}: {', '.join(parts)}"]


def currency(document: Document) -> str:
    """The quote currency, "USD"; empty where the symbol names none."""
    symbol = str(document["data"]["symbol"])
    return fmt.plain(Instrument(symbol).quote) if "/" in symbol else ""


def _trades_in_one_line(name: str, trips: Sequence[Document], note: str, *, abridged: bool = False) -> Group:
    columns = [left("entry"), right("price"), left("exit"), right("price"), right("quantity")]
    columns += [right("profit"), right("return"), right("bars")]
    columns += [] if abridged else [left("side"), left("exit reason")]
    entries, exits = _times(trips, "entry_time"), _times(trips, "exit_time")
    rows = [
        [entry, fmt.price(trip["entry_price"]), leave, fmt.price(trip["exit_price"]), *_outcome(trip)][: len(columns)]
        for trip, entry, leave in zip(trips, entries, exits, strict=True)
    ]
    return table(name, columns, rows, note=note, gap=1 if abridged else 2)


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
