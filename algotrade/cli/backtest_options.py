"""The options of `algotrade backtest`, in the groups of its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

STRATEGY: Final = "Strategy"
MARKET: Final = "Markets and time"
ACCOUNT: Final = "Account and sizes"
COSTS: Final = "Costs"
ORDERS: Final = "How orders fill"
OUTPUT: Final = "Checks and output"


def _option(panel: str, flag: str, help_text: str, *more: str, **named: Any) -> Any:
    return typer.Option(flag, *more, help=help_text, rich_help_panel=panel, **named)


Strategies = Annotated[
    list[str] | None,
    _option(STRATEGY, "--strategy", "A name of `algotrade list strategies`, or a file; repeat it for several."),
]
Parameters = Annotated[
    list[str] | None,
    _option(
        STRATEGY,
        "--param",
        "A parameter of the strategy; repeat it. Of several: strategy.name=value.",
        "-p",
        metavar="NAME=VALUE",
    ),
]
Symbols = Annotated[
    list[str] | None, _option(MARKET, "--symbol", 'What to trade, "BTC/USD"; repeat it for one account of several.')
]
Timeframe = Annotated[str | None, _option(MARKET, "--timeframe", 'Length of a bar: "1m", "4h", "1d".')]
Exchange = Annotated[str | None, _option(MARKET, "--exchange", "Whose candles; `demo` needs no network.")]
Start = Annotated[str | None, _option(MARKET, "--start", "First day or moment, UTC, inclusive.")]
End = Annotated[str | None, _option(MARKET, "--end", "Last day or moment, UTC, inclusive.")]
Origin = Annotated[str | None, _option(MARKET, "--origin", "Whose candles: official, import, trades, ticker, demo.")]
Detail = Annotated[str | None, _option(MARKET, "--detail", "Walk each bar along stored candles of this length, 1m.")]
Trades = Annotated[bool, _option(MARKET, "--trades", "Walk each bar along the stored public trades.")]

Cash = Annotated[float | None, _option(ACCOUNT, "--cash", "Quote units at the start.")]
Size = Annotated[
    str | None,
    _option(ACCOUNT, "--size", "What a signal of 1 means: risk=0.01, notional=500.", metavar="KIND=AMOUNT"),
]
RebalanceBand = Annotated[
    float,
    _option(ACCOUNT, "--rebalance-band", "Trade again where a share of equity drifts by more; 0: never."),
]
AllowShort = Annotated[
    bool, _option(ACCOUNT, "--allow-short", "Simulate targets below zero although a spot market has none.")
]
Leverage = Annotated[float, _option(ACCOUNT, "--leverage", "Largest exposure, as a multiple of equity.", min=0.0)]

Fee = Annotated[
    float | None, _option(COSTS, "--fee", "Fraction of each fill that takes; else the market's own taker fee.")
]
MakerFee = Annotated[float | None, _option(COSTS, "--maker-fee", "The same of fills of orders that rested.")]
Slippage = Annotated[float | None, _option(COSTS, "--slippage", "Fraction by which a market order's price is worse.")]
Spread = Annotated[float | None, _option(COSTS, "--spread", "Between bid and ask, fraction of the price.")]
Impact = Annotated[
    float | None, _option(COSTS, "--impact", "Fraction by which an order as large as the bar's volume moves it.")
]
BorrowRate = Annotated[float | None, _option(COSTS, "--borrow-rate", "Fraction of a short's value, a year.")]
FeeInBase = Annotated[
    bool | None, _option(COSTS, "--fee-in-base/--fee-in-quote", "Take fees of buys from what is bought.")
]
Funding = Annotated[bool, _option(COSTS, "--funding/--no-funding", "Charge stored funding of perpetual contracts.")]

FillPath = Annotated[
    str, _option(ORDERS, "--path", "Which way through an ambiguous bar: worst or best for us.", metavar="worst|best")
]
Touch = Annotated[bool, _option(ORDERS, "--touch", "A limit fills where the price reaches it, not only beyond.")]
VolumeShare = Annotated[
    float | None, _option(ORDERS, "--max-volume-share", "Of a bar's volume that orders fill at most.")
]
LatencyBars = Annotated[int | None, _option(ORDERS, "--latency-bars", "Opens that an order lets pass before it works.")]
LatencyMs = Annotated[int | None, _option(ORDERS, "--latency-ms", "Until an order works; with --detail or --trades.")]
MaintenanceRate = Annotated[
    float | None, _option(ORDERS, "--maintenance-rate", "Margin below which a leveraged position is liquidated.")
]

Check = Annotated[str, _option(OUTPUT, "--check", "Honesty checks: budget (1 s), full (every bar), none.")]
Strict = Annotated[bool, _option(OUTPUT, "--strict", "Exit with 5 when a check fails.")]
AllRoundTrips = Annotated[bool, _option(OUTPUT, "--all-round-trips", "Show every round trip.")]
Html = Annotated[Path | None, _option(OUTPUT, "--html", "Write one page with charts; it opens offline.")]
ExportCsv = Annotated[
    Path | None, _option(OUTPUT, "--export-csv", "Write fills, round trips and equity into this folder.")
]
Save = Annotated[Path | None, _option(OUTPUT, "--save", "Write the result to a file that `algotrade verify` proves.")]
