"""Options that several commands share, and the run that they describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from algotrade.config import Settings
    from algotrade.engine.risk import Limits
    from algotrade.market.span import Span
    from algotrade.strategy.base import Strategy

SymbolOption = Annotated[str | None, typer.Option("--symbol", help='What to trade, "BTC/USD".')]
ExchangeOption = Annotated[str | None, typer.Option("--exchange", help="Whose candles; `demo` needs no network.")]
TimeframeOption = Annotated[str | None, typer.Option("--timeframe", help='Length of a bar: "1m", "4h", "1d".')]
StrategyOption = Annotated[
    str | None, typer.Option("--strategy", help="A name of `algotrade list strategies`, or a file's path.")
]
ParamOption = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter of the strategy; repeat it."),
]
CashOption = Annotated[float | None, typer.Option("--cash", help="Quote units at the start.")]
FeeOption = Annotated[
    float | None, typer.Option("--fee", help="Fraction of the notional of each fill; else the market's own taker fee.")
]
SlippageOption = Annotated[
    float | None, typer.Option("--slippage", help="Fraction by which a market order's price is worse than the open.")
]
StartOption = Annotated[str | None, typer.Option("--start", help="First day or moment, UTC, inclusive.")]
EndOption = Annotated[str | None, typer.Option("--end", help="Last day or moment, UTC, inclusive.")]
ShortOption = Annotated[
    bool, typer.Option("--allow-short", help="Simulate targets below zero although a spot market has none.")
]
LeverageOption = Annotated[
    float, typer.Option("--leverage", min=0.0, help="Largest exposure, as a multiple of equity.")
]

RebalanceBandOption = Annotated[
    float,
    typer.Option("--rebalance-band", help="Trade again where a share of equity drifts by more; 0: never."),
]


def typed_span(start: str | None, end: str | None, example: str) -> Span:
    """The span that a command was given.

    Args:
        start: as typed.
        end: as typed.
        example: the command with a span, for who mistyped it.

    Raises:
        FixCommand: not a date or time, or the end lies before the start.
    """
    from algotrade.errors import FixCommand
    from algotrade.market.span import parse_span

    try:
        return parse_span(start, end)
    except FixCommand as error:
        raise FixCommand(error.message, hint=example) from None


def named_strategy(name: str, parameters: list[str] | None, settings: Settings) -> Strategy:
    """The strategy of a name with its parameters, ready to run."""
    from algotrade.discover import find_strategy, parse_parameters, strategy_sources

    cls = find_strategy(name, strategy_sources(settings))
    values: dict[str, Any] = parse_parameters(cls, parameters or [])
    return cls(**values)


def risk_limits(settings: Settings) -> Limits:
    """[risk] of the settings."""
    from algotrade.engine.risk import Limits

    return Limits(**settings.risk.model_dump())


def check_leverage(leverage: float, command: str = "backtest") -> None:
    """Refuse a leverage that allows no exposure at all, or is no number."""
    from algotrade.errors import FixCommand

    if not 0 < leverage <= 100:
        raise FixCommand(
            f"--leverage is above 0 and at most 100, given {leverage:g}", hint=f"algotrade {command} --leverage 2"
        )


def check_rebalance_band(band: float, command: str = "backtest") -> None:
    """Refuse a band that no share of equity could leave, or that is none."""
    from algotrade.errors import FixCommand

    if not 0.0 <= band < 1.0:
        raise FixCommand(
            f"--rebalance-band is a fraction of equity from 0 on and below 1, given {band:g}",
            hint=f"algotrade {command} --rebalance-band 0.05",
        )
