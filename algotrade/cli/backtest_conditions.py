"""From what was typed after `algotrade backtest` to the strategies, markets and conditions of the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from algotrade.cli import options

if TYPE_CHECKING:
    from algotrade.backtest.setup import Setup
    from algotrade.config import Settings
    from algotrade.ingest.inside import Markets, Wish
    from algotrade.ingest.source import DataRequest
    from algotrade.store.database import Database
    from algotrade.strategy.base import Strategy

HINT: Final = "algotrade backtest --help"
COST_FLAGS: Final = frozenset(
    {
        "maker_fee",
        "spread",
        "impact",
        "max_volume_share",
        "latency_bars",
        "latency_ms",
        "borrow_rate",
        "maintenance_rate",
        "fee_in_base",
    }
)


class Wanted(NamedTuple):
    """What is no setting: it belongs to one run.

    Attributes:
        path: way through an ambiguous bar.
        touch: a limit fills where the price reaches it.
        size: what a signal of 1 means, as typed.
        rebalance_band: by which a share of equity may drift.
        leverage: largest exposure.
        allow_short: simulate shorts on spot.
        wish: what is to be known of the markets besides.
    """

    path: str
    touch: bool
    size: str | None
    rebalance_band: float
    leverage: float
    allow_short: bool
    wish: Wish


class Asked(NamedTuple):
    """Strategies, markets and time as they were typed."""

    symbols: Sequence[str] | None
    strategies: Sequence[str] | None
    parameters: Sequence[str] | None
    start: str | None
    end: str | None
    origin: str | None


def wish_of(detail: str | None, *, trades: bool, funding: bool) -> Wish:
    """What is to be known of the markets besides their candles."""
    from algotrade.ingest.inside import Wish

    return Wish(detail, trades, funding)


def check_wanted(wanted: Wanted, timeframe: str, origin: str | None) -> None:
    """Refuse what makes no sense, before anything is read.

    Raises:
        FixCommand: with what was given and what belongs there.
    """
    from algotrade.engine.rules import PATHS
    from algotrade.errors import FixCommand, did_you_mean
    from algotrade.ingest.inside import check_wish
    from algotrade.strategy.sizes import parse_sizing

    options.check_leverage(wanted.leverage)
    if wanted.path not in PATHS:
        raise FixCommand(
            f"--path is one of {', '.join(PATHS)}, given '{wanted.path}'.{did_you_mean(wanted.path, PATHS)}",
            hint="algotrade backtest --path best",
        )
    options.check_rebalance_band(wanted.rebalance_band)
    if wanted.size is not None:
        parse_sizing(wanted.size)
    check_wish(wanted.wish, timeframe, origin)


def chosen_symbols(given: Sequence[str] | None, settings: Settings) -> tuple[str, ...]:
    """The symbols of the run.

    Raises:
        FixCommand: one is there twice, or they are not paid for in the same currency.
    """
    from algotrade.errors import FixCommand

    symbols = tuple(given or (settings.defaults.symbol,))
    twice = [symbol for symbol in symbols if symbols.count(symbol) > 1]
    if twice:
        raise FixCommand(f"--symbol {twice[0]} is given twice", hint=HINT)
    currencies = {symbol: (symbol.partition(":")[2] or symbol.rpartition("/")[2]) for symbol in symbols}
    first, *others = currencies.items()
    for symbol, currency in others:
        if currency != first[1]:
            raise FixCommand(
                f"one account holds one currency: {first[0]} is paid for in {first[1]}, {symbol} in {currency}",
                hint=f"algotrade backtest --symbol {first[0]}",
            )
    return symbols


def chosen_strategies(
    given: Sequence[str] | None, parameters: Sequence[str] | None, settings: Settings
) -> dict[str, Strategy]:
    """The strategies of the run by their names, with their parameters.

    Raises:
        FixCommand: there is no such one, it is there twice, or a parameter does not say whose it is.
    """
    from algotrade.discover import find_strategy, parse_parameters, strategy_sources
    from algotrade.errors import FixCommand

    names = list(given or (settings.defaults.strategy,))
    classes = [find_strategy(name, strategy_sources(settings)) for name in names]
    known = [cls.name() for cls in classes]
    twice = [name for name in known if known.count(name) > 1]
    if twice:
        raise FixCommand(f"--strategy {twice[0]} is given twice", hint=HINT)
    texts = {known[0]: list(parameters or ())} if len(known) == 1 else _by_owner(known, parameters or ())
    return {cls.name(): cls.made(parse_parameters(cls, texts[cls.name()])) for cls in classes}


def _by_owner(known: Sequence[str], parameters: Sequence[str]) -> dict[str, list[str]]:
    """Parameters of several strategies, "sma_cross.fast=10", by strategy."""
    from algotrade.errors import FixCommand, did_you_mean

    found: dict[str, list[str]] = {name: [] for name in known}
    for text in parameters:
        owner, dot, _ = text.partition("=")[0].partition(".")
        if not dot:
            raise FixCommand(
                f"with several strategies a parameter says whose it is: {known[0]}.{text}, given '{text}'", hint=HINT
            )
        if owner not in found:
            raise FixCommand(
                f"-p {text}: there is no strategy '{owner}' in this run (there are: {', '.join(known)})."
                f"{did_you_mean(owner, known)}",
                hint=HINT,
            )
        found[owner].append(text[len(owner) + 1 :])
    return found


def data_request(asked: Asked, symbols: Sequence[str], settings: Settings) -> DataRequest:
    """The candles of the first symbol; those of the others are asked for alike."""
    from algotrade.ingest.source import DataRequest

    span = options.typed_span(asked.start, asked.end, "algotrade backtest --start 2020-01-01 --end 2024-12-31")
    defaults = settings.defaults
    return DataRequest(symbols[0], defaults.timeframe or "1d", defaults.exchange, span, asked.origin)


def read_markets(
    request: DataRequest, symbols: Sequence[str], wish: Wish, database: Database, settings: Settings
) -> Markets:
    """The candles of every symbol, and what is to be known besides."""
    from algotrade.pipeline import fetch_markets

    requests = [request._replace(symbol=symbol) for symbol in symbols]
    return fetch_markets(requests, wish, database, settings)


def run_setup(wanted: Wanted, markets: Markets, strategies: dict[str, Strategy], settings: Settings) -> Setup:
    """The conditions of the run."""
    from algotrade.backtest.setup import Setup
    from algotrade.config.costs import costs_of
    from algotrade.strategy.signals import Bounds
    from algotrade.strategy.sizes import parse_sizing

    instruments = tuple(market.instrument for market in markets.series)
    can_short = wanted.allow_short or all(instrument.can_short for instrument in instruments)
    return Setup(
        instruments=instruments,
        timeframe=markets.series[0].key.timeframe,
        cash=settings.defaults.cash,
        costs=costs_of(
            settings.costs,
            fee_rate=settings.defaults.fee,
            slippage_rate=settings.defaults.slippage,
            instruments=instruments,
        ),
        bounds=Bounds(wanted.leverage, can_short),
        limits=options.risk_limits(settings),
        path=wanted.path,
        touch=wanted.touch,
        rebalance_band=wanted.rebalance_band,
        sizing=None if wanted.size is None else parse_sizing(wanted.size),
        detail=wanted.wish.detail,
        books=tuple(strategies) if len(strategies) > 1 else (),
    )


def setting_flags(**given: Any) -> dict[str, Any]:
    """Flags by the dotted keys of their settings."""
    return {f"{'costs' if name in COST_FLAGS else 'defaults'}.{name}": value for name, value in given.items()}
