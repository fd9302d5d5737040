"""Which series to fetch: as typed, as written under [[fetch]] in algotrade.toml, or whatever is stored already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Final, NamedTuple

from algotrade.config import Settings
from algotrade.errors import FixCommand, FixConfiguration
from algotrade.exchange.base import DEFAULT_EXCHANGE, DEMO
from algotrade.market.candles import SeriesKey
from algotrade.market.span import Span, parse_span
from algotrade.market.timeframe import UNIT_MS
from algotrade.store.candles import list_spans, span
from algotrade.store.database import Database
from algotrade.store.trades import read_days, read_state

CANDLES: Final = "candles"
TRADES: Final = "trades"
DEFAULT_TIMEFRAME: Final = "1d"
CONTINUED: Final = ("official", TRADES, DEMO)  # origins that an exchange can add to


class Job(NamedTuple):
    """One series to bring up to date.

    Attributes:
        exchange: where from.
        symbol: ccxt's unified symbol.
        timeframe: of the bars.
        span: first and last bar wanted; without a start, from the last stored bar on.
        via: "candles" asks for the exchange's own, "trades" makes them from its public trades.
        keep_trades: whether those trades are stored too.
        repair: ask again for the holes of what is stored, instead of going on.
    """

    exchange: str
    symbol: str
    timeframe: str
    span: Span = Span()
    via: str = CANDLES
    keep_trades: bool = False
    repair: bool = False

    @property
    def key(self) -> SeriesKey:
        """The series that it writes."""
        official = DEMO if self.exchange == DEMO else "official"
        return SeriesKey(self.exchange, self.symbol, self.timeframe, TRADES if self.via == TRADES else official)

    @property
    def label(self) -> str:
        """How people are told of it: "kraken BTC/USD 1m", and " trades" where it is made of them."""
        made_of = f" {TRADES}" if self.via == TRADES else ""
        return f"{self.exchange} {self.symbol} {self.timeframe}{made_of}"


def jobs_as_typed(
    exchanges: Sequence[str], symbols: Sequence[str], timeframes: Sequence[str], pattern: Job
) -> list[Job]:
    """Every symbol in every timeframe from every exchange, with the span and the way of `pattern`."""
    return distinct(
        pattern._replace(exchange=exchange, symbol=symbol, timeframe=timeframe)
        for exchange, symbol, timeframe in product(exchanges, symbols, timeframes)
    )


def jobs_of_settings(settings: Settings) -> list[Job]:
    """What the [[fetch]] entries of algotrade.toml ask for, in their order.

    Raises:
        FixConfiguration: two entries ask for the same series in different ways.
    """
    defaults = settings.defaults
    jobs: list[Job] = []
    for entry in settings.values.fetch:
        exchange = entry.exchange or defaults.exchange or DEFAULT_EXCHANGE
        timeframes = entry.timeframe or (defaults.timeframe or DEFAULT_TIMEFRAME,)
        pattern = Job(exchange, "", "", parse_span(entry.start, None), entry.via, entry.keep_trades)
        jobs += jobs_as_typed([exchange], entry.symbol, timeframes, pattern)
    try:
        return distinct(jobs)
    except FixCommand as error:
        raise FixConfiguration(f"{settings.project_file or settings.user_file}: {error.message}") from None


def jobs_of_store(database: Database, exchanges: Sequence[str] = ()) -> list[Job]:
    """Every stored series that an exchange can continue; of the named exchanges only, where any are named."""
    found = [
        Job(key.exchange, key.symbol, key.timeframe, via=TRADES if key.origin == TRADES else CANDLES)
        for key, *_ in list_spans(database)
        if key.origin in CONTINUED and (not exchanges or key.exchange in exchanges)
    ]
    return [_continued(database, job) if job.via == TRADES else job for job in found]


def _continued(database: Database, job: Job) -> Job:
    """A series made of trades goes on as it is: with them kept or not, and from its end if it came from a file."""
    stored = span(database, job.key)
    assert stored is not None
    if read_state(database, job.key) is None:
        return job._replace(span=Span(stored.last))
    days = read_days(database, job.key, start=stored.last - UNIT_MS["w"])
    return job._replace(keep_trades=bool(days and days[-1].kept))


def repairs(jobs: Iterable[Job]) -> list[Job]:
    """The jobs as repairs, without those whose candles are made of trades: their downloads have no holes."""
    return [job._replace(repair=True, span=Span()) for job in jobs if job.via == CANDLES]


def distinct(jobs: Iterable[Job]) -> list[Job]:
    """The jobs, each once.

    Raises:
        FixCommand: two of them would write one series, in different ways.
    """
    unique: dict[SeriesKey, Job] = {}
    for job in jobs:
        if unique.setdefault(job.key, job) != job:
            raise FixCommand(f"{job.label} is asked for twice, with different spans or trades kept once only")
    return list(unique.values())
