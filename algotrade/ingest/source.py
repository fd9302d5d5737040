"""Which candles a run reads: what is stored, else what the exchange gives, else the demo market.

`algotrade backtest --symbol BTC/USD` must always give a first result. So a run that names no exchange, with nothing
stored and no exchange in reach, goes on with simulated candles and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import pandas as pd

from algotrade.config import Settings
from algotrade.errors import CheckConnection, FixCommand, FixData, TryLater, did_you_mean
from algotrade.exchange.base import DEFAULT_EXCHANGE, DEMO
from algotrade.ingest.resampled import Resampling, resample_again, resample_stored
from algotrade.ingest.stored_gaps import losses, read_with_gaps
from algotrade.market.candles import ORIGINS, SeriesKey, Times, divides, iso, times_ms
from algotrade.market.instrument import Instrument
from algotrade.market.simulate import SYMBOLS, instrument_of, simulate_candles
from algotrade.market.span import Span, parse_span
from algotrade.market.timeframe import timeframe_ms
from algotrade.store.candles import SeriesSpan, list_spans, read_candles
from algotrade.store.database import Database
from algotrade.store.markets import read_instrument

DEMO_SPAN: Final = parse_span("2018-01-01", "2024-12-31")
DEMO_BARS: Final = 20_000  # at most, where the span holds more


class DataRequest(NamedTuple):
    """What a run asks for.

    Attributes:
        symbol: ccxt's unified symbol.
        timeframe: of the bars.
        exchange: as named by flag or settings; None leaves the choice to us.
        span: first and last moment, both inclusive.
        origin: who made the candles; None leaves the choice to us.
    """

    symbol: str
    timeframe: str
    exchange: str | None = None
    span: Span = Span()
    origin: str | None = None


class MarketData(NamedTuple):
    """Candles and where they come from.

    Attributes:
        key: the series.
        candles: closed candles in the span.
        instrument: the market, as far as it is known.
        simulated: the demo market.
        notes: sentences that a person should read.
        gap_kinds: how many bars are missing between the first and the last, by kind; None where nobody knows why.
        resampling: how they were made of finer candles; None where they are stored themselves.
    """

    key: SeriesKey
    candles: pd.DataFrame
    instrument: Instrument
    simulated: bool
    notes: tuple[str, ...] = ()
    gap_kinds: Mapping[str, int] | None = None
    resampling: Resampling | None = None


def load_candles(request: DataRequest, database: Database, settings: Settings) -> MarketData:
    """Candles for a run: from the store without touching the network, else fetched, else simulated.

    Raises:
        FixCommand: unknown symbol, timeframe or exchange.
        FixData: nothing is stored for the request, or nothing in its span; with what is stored.
        CheckConnection: a named exchange cannot be reached.
    """
    timeframe_ms(request.timeframe)
    _check_origin(request.origin)
    stored = list_spans(database)
    real = [info for info in stored if info.key.exchange != DEMO]
    key = choose_series(request, stored)
    if key is not None:
        return read_series(request, key, database)
    finer = choose_finer(request, stored)
    if finer is not None:
        return read_series(request, finer, database)
    if request.exchange == DEMO and request.origin in (None, DEMO):
        return _simulated(request)
    if request.origin is not None:
        raise _not_stored(request, stored, f"of origin {request.origin}")
    try:
        from algotrade.ingest.on_demand import fetch_now  # what stands in the store needs no event loop

        notes = fetch_now(SeriesKey(_exchange(request), *request[:2]), request.span, database, settings)
    except (CheckConnection, TryLater) as error:
        if request.exchange is not None or (not real and request.symbol not in SYMBOLS):
            raise
        if real:
            raise _not_stored(request, real, f"and {error.message[:1].lower()}{error.message[1:]}") from None
        return _simulated(request, f"{error.message}, and nothing is stored")
    market = read_series(request, SeriesKey(_exchange(request), request.symbol, request.timeframe), database)
    return market._replace(notes=(*notes, *market.notes))


def _check_origin(origin: str | None) -> None:
    if origin is not None and origin not in ORIGINS:
        raise FixCommand(
            f"an origin is one of {', '.join(ORIGINS)}, given '{origin}'.{did_you_mean(origin, ORIGINS)}",
            hint="algotrade list data",
        )


def reload_candles(
    request: DataRequest, key: SeriesKey, database: Database, resampling: Resampling | None = None
) -> pd.DataFrame:
    """The candles of an earlier run: those of its very series, stored, resampled or simulated."""
    if resampling is not None:
        return resample_again(database, key, request.span, resampling)
    candles = read_candles(database, key, start=request.span.start, end=request.span.end)
    return _simulated(request).candles if key.exchange == DEMO and not len(candles) else candles


def choose_series(request: DataRequest, stored: list[SeriesSpan]) -> SeriesKey | None:
    """The stored series that a request means: the named exchange, else kraken's, else the only one.

    Within an exchange official candles come first, then imported ones, then those made from trades; but before that,
    candles that reach over the asked span, since an exchange's own may go back less far than a file. Candles fetched
    from the demo exchange are read only where it is named.
    """
    found = _of_one_exchange(request, [info for info in stored if info.key.timeframe == request.timeframe])
    best = min(found, key=lambda info: (_missing(info, request), ORIGINS.index(info.key.origin)), default=None)
    return best.key if best else None


def choose_finer(request: DataRequest, stored: list[SeriesSpan]) -> SeriesKey | None:
    """The stored series whose bars can be joined to the asked ones; the rules are those of `choose_series`.

    Of those that reach over the asked span alike, the one with the longest bars: it is the quickest to read.
    """
    finer = [info for info in stored if info.key.timeframe != request.timeframe]
    finer = [info for info in finer if divides(info.key.timeframe, request.timeframe)]

    def worth(info: SeriesSpan) -> tuple[tuple[bool, int], int, int]:
        return _missing(info, request), -timeframe_ms(info.key.timeframe), ORIGINS.index(info.key.origin)

    best = min(_of_one_exchange(request, finer), key=worth, default=None)
    return best.key if best else None


def _of_one_exchange(request: DataRequest, stored: Sequence[SeriesSpan]) -> list[SeriesSpan]:
    """Those of the asked symbol and origin, of the exchange that is named or goes without saying."""
    origins = ORIGINS if request.origin is None else (request.origin,)
    fitting = [info for info in stored if info.key.symbol == request.symbol and info.key.origin in origins]
    if request.exchange is not None:
        exchanges = {request.exchange}
    else:
        exchanges = {info.key.exchange for info in fitting if info.key.exchange != DEMO}
        if DEFAULT_EXCHANGE in exchanges:
            exchanges = {DEFAULT_EXCHANGE}
    if len(exchanges) > 1:
        raise FixData(
            f"{request.symbol} {request.timeframe} is stored from {', '.join(sorted(exchanges))}; say which",
            hint=f"algotrade backtest --symbol {request.symbol} --exchange {min(exchanges)}",
        )
    return [info for info in fitting if info.key.exchange in exchanges]


def _missing(info: SeriesSpan, request: DataRequest) -> tuple[bool, int]:
    """How little of the asked span a series has: whether nothing at all, and the bars missing at its two ends."""
    start = info.first if request.span.start is None else request.span.start
    end = info.last if request.span.end is None else request.span.end
    apart = info.last < start or info.first > end
    open_ends = max(0, info.first - start) + max(0, end - info.last)
    return apart, open_ends // timeframe_ms(request.timeframe)


def _not_stored(request: DataRequest, stored: list[SeriesSpan], why: str) -> FixData:
    """What to say when what was asked for is not there, and other candles are."""
    listed = [f"{key.symbol} {key.timeframe} from {key.exchange} ({key.origin})" for key, *_ in stored[:5]]
    more = f" and {len(stored) - 5} more" if len(stored) > 5 else ""
    there = f"; stored are {', '.join(listed)}{more}" if listed else ""
    return FixData(
        f"no candles of {request.symbol} {request.timeframe} are stored, {why}{there}", hint="algotrade list data"
    )


def _exchange(request: DataRequest) -> str:
    return request.exchange or DEFAULT_EXCHANGE


def read_series(request: DataRequest, key: SeriesKey, database: Database) -> MarketData:
    """The candles of a stored series, or coarser ones made of it.

    Raises:
        FixData: there are none in the asked span.
    """
    resampling: Resampling | None = None
    if key.timeframe == request.timeframe:
        candles, gaps, *_ = read_with_gaps(database, key, *request.span)
        done = "are stored"
    else:
        candles, gaps, resampling = resample_stored(database, key, request.timeframe, request.span)
        done = f"make a complete {request.timeframe} bar"
    if not len(candles):
        raise FixData(
            f"no candles of {key.symbol} {key.timeframe} {done} from {key.exchange} in that span",
            hint="algotrade list data",
        )
    times = times_ms(candles)
    gaps = gaps.within(int(times[0]), int(times[-1]))
    instrument = read_instrument(database, key.exchange, key.symbol) or Instrument(key.symbol)
    notes = list(_shortfalls(request, times))
    if key.origin == "ticker" and request.origin is None:
        notes.append("these candles were built from polled prices; --origin names others")
    notes += losses(gaps)
    return MarketData(
        key=key._replace(timeframe=request.timeframe),
        candles=candles,
        instrument=instrument,
        simulated=key.exchange == DEMO,
        notes=tuple(notes),
        gap_kinds=gaps.counts,
        resampling=resampling,
    )


def _shortfalls(request: DataRequest, times: Times) -> Iterator[str]:
    """Where the candles leave a part of the asked span open: a bar or more at its beginning or end."""
    start, end = request.span
    length = timeframe_ms(request.timeframe)
    if start is not None and times[0] >= start + length:
        yield f"the stored candles begin at {iso(int(times[0]))}, after the start asked for ({iso(start)})"
    if end is not None and times[-1] + length <= end:
        yield f"the stored candles end at {iso(int(times[-1]))}, before the end asked for ({iso(end)})"


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
        raise FixData(
            f"the demo exchange has no {request.timeframe} candle from {iso(first)} to {iso(last)}",
            hint="algotrade backtest --exchange demo --start 2020-01-01 --end 2024-12-31",
        )
    notes = (f"{reason}: running on SIMULATED candles of the demo exchange",) if reason else ()
    key = SeriesKey(DEMO, request.symbol, request.timeframe, DEMO)
    return MarketData(key, candles, instrument, simulated=True, notes=notes, gap_kinds={})
