"""What a run was: strategies, candles, costs, and the machine that it ran on.

A run document is the mapping that `algotrade backtest --json` prints and the store keeps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.console import Group
from rich.text import Text

from algotrade.market.instrument import Instrument
from algotrade.show import format as fmt
from algotrade.show.tables import pairs

Document = Mapping[str, Any]

SIMULATED: Final = " - SIMULATED MARKET"
MOST_NAMED: Final = 3  # symbols in a title; more are counted


def title(document: Document) -> str:
    """Which strategy on what; says SIMULATED where the market is not real."""
    data, symbols = document["data"], symbols_of(document)
    named = data["symbol"] if len(symbols) <= MOST_NAMED else f"{fmt.count(len(symbols))} symbols"
    name = fmt.plain(f"{document['strategy']['name']} on {named} {data['timeframe']}")
    return name + SIMULATED if data["simulated"] else name


def what_was_run(document: Document) -> Group:
    """Strategy, data, costs: all that a reader needs to know what the figures are about."""
    style = "bold yellow" if document["data"]["simulated"] else "bold"
    return Group(Text(title(document), style=style), pairs(conditions(document)))


def conditions(document: Document) -> list[tuple[str, str]]:
    """What was run, as names and their values."""
    data, costs = document["data"], document["costs"]
    missing = f"{fmt.count(data['gaps'])} missing" if data["gaps"] else "none missing"
    why = f" ({fmt.kinds(data['gap_kinds'])})" if data.get("gap_kinds") else ""
    made = f", made of its {data['resampled_from']} bars" if data.get("resampled_from") else ""
    symbols = ", ".join(symbols_of(document))
    fills = "; ".join(_execution(document["execution"]))
    return [
        *_strategies(document),
        ("Data", fmt.plain(f"{data['exchange']} {symbols} {data['timeframe']}, origin {data['origin']}{made}")),
        ("Span", f"{fmt.span(data['start'], data['end'])}, {fmt.count(data['bars'])} bars, {missing}{why}"),
        ("Cash", fmt.money(costs["cash"], currency(document))),
        ("Costs", ", ".join(_costs(costs))),
        *([("Orders", fills)] if fills else []),
        ("Ran on", _machine(document["ran_on"])),
        ("Run", fmt.plain(document.get("run") or "not kept")),
    ]


def symbols_of(document: Document) -> list[str]:
    """What was traded."""
    return [market["data"]["symbol"] for market in document["markets"]] or [document["data"]["symbol"]]


def currency(document: Document) -> str:
    """The quote currency, "USD"; empty where a symbol names none, or the symbols differ in it."""
    symbols = symbols_of(document)
    quotes = {Instrument(symbol).quote if "/" in symbol else "" for symbol in symbols}
    return fmt.plain(quotes.pop()) if len(quotes) == 1 else ""


def _strategies(document: Document) -> list[tuple[str, str]]:
    several = document["strategies"]
    if several:
        return [
            ("Strategy", fmt.plain(f"{each['book']}: {fmt.parameters(each['parameters']) or 'no parameters'}"))
            for each in several
        ]
    strategy = document["strategy"]
    return [
        ("Strategy", fmt.plain(strategy["name"])),
        ("Parameters", fmt.parameters(strategy["parameters"]) or "none"),
    ]


def _costs(costs: Document) -> Iterator[str]:
    """The costs that there were; fee and slippage always."""
    schedule = costs["fee_schedule"]
    if schedule:
        (_, *first), (_, *last) = schedule[0], schedule[-1]
        yield f"fee by volume, taker {fmt.rate(first[1])} to {fmt.rate(last[1])}"
        yield f"maker {fmt.rate(first[0])} to {fmt.rate(last[0])}"
    else:
        yield f"fee {fmt.rate(costs['fee_rate'])}"
        if costs["maker_fee_rate"] is not None and costs["maker_fee_rate"] != costs["fee_rate"]:
            yield f"maker {fmt.rate(costs['maker_fee_rate'])}"
    yield f"slippage {fmt.rate(costs['slippage_rate'])}"
    rates = {"spread_rate": "spread", "impact_rate": "impact", "borrow_rate": "borrowing a year"}
    yield from (f"{word} {fmt.rate(costs[name])}" for name, word in rates.items() if costs[name])
    if costs["max_volume_share"]:
        yield f"at most {fmt.percent(costs['max_volume_share'])} of a bar's volume"
    if costs["fee_in_base"]:
        yield "fees of buys taken from what was bought"
    if costs["latency_bars"] or costs["latency_ms"]:
        parts = (("latency_bars", "bars"), ("latency_ms", "ms"))
        yield "latency " + " and ".join(f"{fmt.count(costs[name])} {unit}" for name, unit in parts if costs[name])
    if costs["leverage"] > 1.0:
        yield f"leverage {fmt.number(costs['leverage'])}"


def _execution(execution: Document) -> Iterator[str]:
    """How orders were sized and filled, where it was not as always."""
    sizing = execution["sizing"]
    if sizing is not None:
        yield f"size {sizing['kind']}={sizing['amount']:g}"
    if execution["rebalance_band"]:
        yield f"rebalanced beyond {fmt.percent(execution['rebalance_band'])} of drift"
    if execution["trades"]:
        yield "bars walked along public trades"
    if execution["detail"] is not None:
        yield f"bars walked along their {execution['detail']} candles"
    if execution["path"] != "worst":
        yield "the better way taken through every ambiguous bar"
    if execution["touch"]:
        yield "limits filled at a touch"
    if execution["funding"]:
        yield "funding charged"


def _machine(ran_on: Document) -> str:
    reason = f": {ran_on['reason']}" if ran_on["reason"] else ""
    return fmt.plain(f"{ran_on['machine']}{reason}")
