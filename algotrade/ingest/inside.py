"""What a run reads besides its candles: finer candles, public trades, and the funding of perpetual contracts.

All of it comes from the store: a run that asks for what is not there is told how to bring it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from algotrade.backtest.feed import NOTHING, Inside, Prints, coverage
from algotrade.config import Settings
from algotrade.errors import FixCommand, FixData
from algotrade.exchange.base import DEFAULT_EXCHANGE
from algotrade.ingest.source import DataRequest, MarketData, choose_finer, choose_series, load_candles, read_series
from algotrade.market.candles import SeriesKey, divides, iso, times_ms
from algotrade.market.funding import FundingRates, is_perpetual
from algotrade.market.simulate import simulate_candles
from algotrade.market.span import Span
from algotrade.market.timeframe import timeframe_ms
from algotrade.market.trades import NS_PER_MS
from algotrade.store.candles import SeriesSpan, list_spans
from algotrade.store.database import Database
from algotrade.store.funding import read_funding
from algotrade.store.trades import read_trades

TRADES: Final = "trades"  # origin of candles that were made of public trades
WHOLE: Final = 0.9995  # share of the bars from which on nothing is said of the others


class Wish(NamedTuple):
    """What a person wants to be known of the markets besides the candles of the run.

    Attributes:
        detail: timeframe of finer candles that the bars are walked along; None: none.
        trades: walk the bars along the stored public trades.
        funding: charge the stored funding of perpetual contracts.
    """

    detail: str | None = None
    trades: bool = False
    funding: bool = True


class Markets(NamedTuple):
    """All that a run reads.

    Attributes:
        series: the candles of each symbol, in the order given.
        inside: what is known besides.
        notes: sentences that a person should read.
    """

    series: tuple[MarketData, ...]
    inside: Inside = NOTHING
    notes: tuple[str, ...] = ()


def check_wish(wish: Wish, timeframe: str, origin: str | None = None) -> None:
    """Refuse what cannot be, before anything is read.

    Raises:
        FixCommand: finer candles that do not divide the bars, or trades together with something else.
    """
    if wish.trades and wish.detail is not None:
        raise FixCommand(
            "--trades and --detail each say how the price moved inside the bars; give one of them",
            hint="algotrade backtest --trades",
        )
    if wish.trades and origin not in (None, TRADES):
        raise FixCommand(
            f"--trades runs over the candles that trades make, given --origin {origin}",
            hint="algotrade backtest --trades",
        )
    if wish.detail is None:
        return
    if timeframe_ms(wish.detail) >= timeframe_ms(timeframe) or not divides(wish.detail, timeframe):
        raise FixCommand(
            f"--detail is a timeframe that divides the bars of {timeframe}, given {wish.detail}",
            hint="algotrade list timeframes",
        )


def load_series(
    requests: Sequence[DataRequest], wish: Wish, database: Database, settings: Settings
) -> list[MarketData]:
    """The candles of each symbol: those that trades make, where the bars are to be walked along trades.

    Raises:
        FixData: no candles of trades are stored; with the command that brings them and the trades. And as for
            `load_candles`.
    """
    found = []
    for request in requests:
        try:
            asked = request._replace(origin=TRADES) if wish.trades else request
            found.append(load_candles(asked, database, settings))
        except FixData as error:
            if not wish.trades:
                raise
            exchange = request.exchange or DEFAULT_EXCHANGE
            raise FixData(error.message, hint=_fetch_trades(exchange, request.symbol, request.timeframe)) from None
    return found


def read_inside(series: Sequence[MarketData], wish: Wish, database: Database) -> Markets:
    """What a person wants to be known of these markets.

    Args:
        series: the candles of the run.
        wish: checked, see `check_wish`.
        database: the store.

    Raises:
        FixData: finer candles or trades are not stored; with the command that brings them.
    """
    stored = list_spans(database)
    detail = {each.key.symbol: _detail(each, wish.detail, stored, database) for each in series if wish.detail}
    prints = {each.key.symbol: _prints(each, stored, database) for each in series} if wish.trades else {}
    perpetual = [each for each in series if wish.funding and is_perpetual(each.key.symbol)]
    funding = {each.key.symbol: _funding(each, database) for each in perpetual}
    notes = [note for each in series for note in _coverage_notes(each, detail.get(each.key.symbol), prints)]
    notes += [note for each in perpetual for note in _funding_notes(each, funding[each.key.symbol])]
    found = {symbol: rates for symbol, rates in funding.items() if len(rates.times)}
    return Markets(tuple(series), Inside(detail, prints, found), tuple(notes))


# ---- finer candles --------------------------------------------------------------------------------------------------
def _detail(market: MarketData, timeframe: str, stored: list[SeriesSpan], database: Database) -> pd.DataFrame:
    """The finer candles inside the bars of a market: stored ones, or the demo market's."""
    exchange, symbol, own, origin = market.key
    first, last = _first_and_last(market)
    request = DataRequest(symbol, timeframe, exchange, Span(first, last))
    of_same = request._replace(origin=origin)
    key = choose_series(of_same, stored) or choose_series(request, stored) or choose_finer(request, stored)
    if key is None and market.simulated:
        return simulate_candles(symbol, timeframe, first, last)
    try:
        if key is not None:
            return read_series(request, key, database).candles
    except FixData:
        pass  # what is stored lies outside the span
    raise FixData(
        f"no {timeframe} candles of {symbol} from {exchange} are stored along which its {own} bars could be walked",
        hint=f"algotrade fetch --exchange {exchange} --symbol {symbol} --timeframe {timeframe}"
        f" --start {iso(first)[:10]} --end {iso(last)[:10]}",
    )


# ---- trades ---------------------------------------------------------------------------------------------------------
def _prints(market: MarketData, stored: list[SeriesSpan], database: Database) -> Prints:
    """The kept public trades inside the bars of a market."""
    exchange, symbol, own, _ = market.key
    first, last = _first_and_last(market)
    keys = [info.key for info in stored if info.key._replace(timeframe=own) == SeriesKey(exchange, symbol, own, TRADES)]
    for key in sorted(keys, key=lambda each: (each.timeframe != own, timeframe_ms(each.timeframe))):
        blocks = list(read_trades(database, key, start_ns=first * NS_PER_MS, end_ns=(last + 1) * NS_PER_MS))
        if blocks:
            columns = zip(*((each.times_ns, each.prices, each.quantities, each.sides) for each in blocks), strict=True)
            return Prints(*(np.concatenate(column) for column in columns))
    command = _fetch_trades(exchange, symbol, own)
    raise FixData(
        f"no trades of {symbol} from {exchange} are stored in that span",
        hint=f"{command} --start {iso(first)[:10]} --end {iso(last)[:10]}",
    )


def _fetch_trades(exchange: str, symbol: str, timeframe: str) -> str:
    return f"algotrade fetch --via trades --keep-trades --exchange {exchange} --symbol {symbol} --timeframe {timeframe}"


# ---- funding --------------------------------------------------------------------------------------------------------
def _funding(market: MarketData, database: Database) -> FundingRates:
    return read_funding(database, market.key.exchange, market.key.symbol, *_first_and_last(market))


def _funding_notes(market: MarketData, rates: FundingRates) -> list[str]:
    """What is to be said of the funding rates of a market: that there are none, or that they leave an end open."""
    symbol, times = market.key.symbol, times_ms(market.candles)
    if not len(rates.times):
        return [
            f"no funding rates of {symbol} are stored, so none are charged; algotrade fetch --funding --exchange"
            f" {market.key.exchange} --symbol {symbol} brings them"
        ]
    apart = max(2 * int(np.diff(rates.times).max(initial=0)), timeframe_ms(market.key.timeframe))
    notes = []
    if rates.times[0] - times[0] > apart:
        notes.append(f"the funding of {symbol} is stored from {iso(int(rates.times[0]))} on; before, none is charged")
    if times[-1] - rates.times[-1] > apart:
        notes.append(f"the funding of {symbol} is stored until {iso(int(rates.times[-1]))}; after, none is charged")
    return notes


# ---- what both have in common ---------------------------------------------------------------------------------------
def _coverage_notes(market: MarketData, detail: pd.DataFrame | None, prints: Mapping[str, Prints]) -> list[str]:
    """A sentence where some of the bars are not walked along what was asked for."""
    moves = prints.get(market.key.symbol, detail)
    if moves is None:
        return []
    share = coverage(market.candles, market.key.timeframe, moves)
    if share >= WHOLE:
        return []
    told = "trades" if isinstance(moves, Prints) else "finer candles"
    return [f"{told} of {market.key.symbol} cover {share:.1%} of the bars; the others are walked as they are"]


def _first_and_last(market: MarketData) -> tuple[int, int]:
    """The opening of the first bar and the last moment of the last one, milliseconds."""
    times = times_ms(market.candles)
    return int(times[0]), int(times[-1]) + timeframe_ms(market.key.timeframe) - 1
