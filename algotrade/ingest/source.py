"""Which candles a run reads: what is stored, else what the exchange gives, else the demo market.

`algotrade backtest --symbol BTC/USD` must always give a first result. So a run that names no exchange, with nothing
stored and no exchange in reach, goes on with simulated candles and says so.
"""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple

import pandas as pd

from algotrade.config import Settings
from algotrade.errors import AlgotradeError, CheckConnection, FixData, TryLater
from algotrade.exchange.base import Exchange, open_exchange
from algotrade.ingest.fetch import FetchRequest, fetch_candles
from algotrade.market.candles import ORIGINS, SeriesKey
from algotrade.market.instrument import Instrument
from algotrade.market.simulate import SYMBOLS, instrument_of, simulate_candles
from algotrade.market.span import Span, parse_span
from algotrade.market.timeframe import timeframe_ms
from algotrade.store.candles import SeriesInfo, list_series, read_candles, read_instrument
from algotrade.store.database import Database

DEFAULT_EXCHANGE: Final = "kraken"
DEMO: Final = "demo"
REACH_S: Final = 10.0  # in all, for reaching an exchange that a person is waiting for
DEMO_SPAN: Final = parse_span("2018-01-01", "2024-12-31")
DEMO_BARS: Final = 20_000  # at most, where the span holds more


class DataRequest(NamedTuple):
    """What a run asks for.

    Attributes:
        symbol: ccxt's unified symbol.
        timeframe: of the bars.
        exchange: as named by flag or settings; None leaves the choice to us.
        span: first and last moment, both inclusive.
    """

    symbol: str
    timeframe: str
    exchange: str | None = None
    span: Span = Span()


class MarketData(NamedTuple):
    """Candles and where they come from.

    Attributes:
        key: the series.
        candles: closed candles in the span.
        instrument: the market, as far as it is known.
        simulated: the demo market.
        notes: sentences that a person should read.
    """

    key: SeriesKey
    candles: pd.DataFrame
    instrument: Instrument
    simulated: bool
    notes: tuple[str, ...] = ()


def load_candles(request: DataRequest, database: Database, settings: Settings) -> MarketData:
    """Candles for a run: from the store without touching the network, else fetched, else simulated.

    Raises:
        FixCommand: unknown symbol, timeframe or exchange.
        FixData: nothing is stored for the request, or nothing in its span; with what is stored.
        CheckConnection: a named exchange cannot be reached.
    """
    timeframe_ms(request.timeframe)
    stored = list_series(database)
    key = choose_series(request, stored)
    if key is not None:
        return _stored(request, key, database)
    if request.exchange == DEMO:
        return _simulated(request)
    try:
        asyncio.run(_fetch(request, database, settings))
    except (CheckConnection, TryLater) as error:
        if request.exchange is not None or (not stored and request.symbol not in SYMBOLS):
            raise
        if stored:
            raise _not_stored(request, stored, error) from None
        return _simulated(request, f"{error.message}, and nothing is stored")
    return _stored(request, SeriesKey(_exchange(request), request.symbol, request.timeframe), database)


def reload_candles(request: DataRequest, key: SeriesKey, database: Database) -> pd.DataFrame:
    """The candles of an earlier run: those of its very series, stored or simulated."""
    candles = read_candles(database, key, start=request.span.start, end=request.span.end)
    return _simulated(request).candles if key.exchange == DEMO and not len(candles) else candles


def choose_series(request: DataRequest, stored: list[SeriesInfo]) -> SeriesKey | None:
    """The stored series that a request means: the named exchange, else kraken's, else the only one.

    Within an exchange official candles come first, then imported ones, then those made from trades. Candles fetched
    from the demo exchange are read only where it is named.
    """
    fitting = [info.key for info in stored if info.key[1:3] == (request.symbol, request.timeframe)]
    if request.exchange is not None:
        exchanges = {request.exchange}
    else:
        exchanges = {key.exchange for key in fitting if key.exchange != DEMO}
        if DEFAULT_EXCHANGE in exchanges:
            exchanges = {DEFAULT_EXCHANGE}
    if len(exchanges) > 1:
        raise FixData(
            f"{request.symbol} {request.timeframe} is stored from {', '.join(sorted(exchanges))}; say which",
            hint=f"algotrade backtest --symbol {request.symbol} --exchange {min(exchanges)}",
        )
    found = [key for key in fitting if key.exchange in exchanges]
    return min(found, key=lambda key: ORIGINS.index(key.origin), default=None)


def _not_stored(request: DataRequest, stored: list[SeriesInfo], error: AlgotradeError) -> FixData:
    """What to say when the network is away and only other candles are stored."""
    listed = [f"{info.key.symbol} {info.key.timeframe} from {info.key.exchange}" for info in stored[:5]]
    more = f" and {len(stored) - 5} more" if len(stored) > 5 else ""
    return FixData(
        f"no candles of {request.symbol} {request.timeframe} are stored, and {error.message[:1].lower()}"
        f"{error.message[1:]}; stored are {', '.join(listed)}{more}",
        hint="algotrade list data",
    )


def _exchange(request: DataRequest) -> str:
    return request.exchange or DEFAULT_EXCHANGE


def _stored(request: DataRequest, key: SeriesKey, database: Database) -> MarketData:
    candles = read_candles(database, key, start=request.span.start, end=request.span.end)
    if not len(candles):
        raise FixData(
            f"no candles of {key.symbol} {key.timeframe} are stored from {key.exchange} in that span",
            hint="algotrade list data",
        )
    instrument = read_instrument(database, key.exchange, key.symbol) or Instrument(key.symbol)
    return MarketData(key, candles, instrument, simulated=key.exchange == DEMO)


def _simulated(request: DataRequest, reason: str = "") -> MarketData:
    """Candles of the demo market: the asked span, else the fixed one, cut to its newest part where bars are short."""
    first = request.span.start if request.span.start is not None else DEMO_SPAN.start
    last = request.span.end if request.span.end is not None else DEMO_SPAN.end
    assert first is not None
    assert last is not None
    if request.span.start is None:
        first = max(first, last - (DEMO_BARS * timeframe_ms(request.timeframe)) + 1)
    instrument = instrument_of(request.symbol)
    candles = simulate_candles(request.symbol, request.timeframe, first, last)
    if not len(candles):
        raise FixData("the span holds no bar", hint="algotrade backtest --start 2020-01-01 --end 2024-12-31")
    notes = (f"{reason}: running on SIMULATED candles of the demo exchange",) if reason else ()
    key = SeriesKey(DEMO, request.symbol, request.timeframe, DEMO)
    return MarketData(key, candles, instrument, simulated=True, notes=notes)


async def _fetch(request: DataRequest, database: Database, settings: Settings) -> None:
    """Fetch what the run needs; reaching the exchange may take ten seconds in all."""
    name = _exchange(request)
    async with open_exchange(name, options=settings.ccxt_options(name)) as exchange:
        try:
            async with asyncio.timeout(REACH_S):
                await exchange.instrument(request.symbol)
        except TimeoutError:
            raise CheckConnection(f"Cannot reach {name} within {REACH_S:.0f} s") from None
        await _store(exchange, request, database)


async def _store(exchange: Exchange, request: DataRequest, database: Database) -> None:
    asked = FetchRequest((request.symbol,), request.timeframe, request.span.start, request.span.end)
    reports = await fetch_candles(exchange, database, asked)
    error: AlgotradeError | None = reports[0].error
    if error is not None and not reports[0].added:
        raise error
