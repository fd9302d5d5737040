"""Options that several commands share, and the run that they describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from algotrade.config import Settings
    from algotrade.engine.risk import Limits
    from algotrade.market.span import Span

SymbolOption = Annotated[str | None, typer.Option("--symbol", help='What to trade, "BTC/USD".')]
ExchangeOption = Annotated[str | None, typer.Option("--exchange", help="Whose candles; `demo` needs no network.")]
TimeframeOption = Annotated[str | None, typer.Option("--timeframe", help='Length of a bar: "1m", "4h", "1d".')]
StartOption = Annotated[str | None, typer.Option("--start", help="First day or moment, UTC, inclusive.")]
EndOption = Annotated[str | None, typer.Option("--end", help="Last day or moment, UTC, inclusive.")]


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
