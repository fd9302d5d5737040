"""What `algotrade fetch` was asked for, flag by flag: combinations that make no sense refused, the rest made jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from algotrade.cli.options import typed_span
from algotrade.errors import FixCommand, FixData, did_you_mean

if TYPE_CHECKING:
    from algotrade.config import Settings
    from algotrade.ingest.jobs import Job
    from algotrade.market.span import Span

VIAS: Final = ("candles", "trades")


class Asked(NamedTuple):
    """The flags that say which series and how; as typed, empty where not given."""

    symbols: tuple[str, ...] = ()
    exchanges: tuple[str, ...] = ()
    timeframes: tuple[str, ...] = ()
    start: str | None = None
    end: str | None = None
    all_stored: bool = False
    via: str = VIAS[0]
    keep_trades: bool = False
    repair: bool = False
    stream: bool = False
    funding: bool = False

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Asked:
        """The flags of `algotrade fetch` as they were parsed, by the names of its parameters."""
        symbols, exchanges, timeframes = (tuple(parameters[name] or ()) for name in ("symbol", "exchange", "timeframe"))
        return cls(symbols, exchanges, timeframes, **{name: parameters[name] for name in cls._fields[3:]})

    def given(self, *but: str) -> list[str]:
        """The flags that were given, other than those named."""
        flags = {
            "--symbol": self.symbols,
            "--exchange": self.exchanges,
            "--timeframe": self.timeframes,
            "--start": self.start,
            "--end": self.end,
            "--all-stored": self.all_stored,
            "--via": self.via != VIAS[0],
            "--keep-trades": self.keep_trades,
            "--repair": self.repair,
            "--stream": self.stream,
            "--funding": self.funding,
        }
        return [flag for flag, value in flags.items() if value and flag not in but]


def refuse_for_file(asked: Asked) -> None:
    """A file is one series, whole.

    Raises:
        FixCommand: what was asked for besides makes no sense.
    """
    for several, flag in ((asked.symbols, "symbol"), (asked.exchanges, "exchange"), (asked.timeframes, "timeframe")):
        if len(several) > 1:
            raise FixCommand(
                f"a file is read whole, for one {flag}, given {', '.join(several)}", hint="algotrade fetch -h"
            )
    _refuse(asked.given("--symbol", "--exchange", "--timeframe", "--funding"), "a file is read whole, as one series")


def check_funding(asked: Asked) -> Span:
    """Funding rates are of markets that are named, and have no bars; the span that is asked for.

    Raises:
        FixCommand: what was asked for besides makes no sense, or a symbol is none of a perpetual contract.
    """
    from algotrade.market.funding import validate_perpetual

    example = "algotrade fetch --funding --exchange binance --symbol BTC/USDT:USDT"
    _refuse(
        asked.given("--symbol", "--exchange", "--start", "--end", "--funding"),
        "--funding brings the funding rates of perpetual contracts, which are no candles",
    )
    if not asked.symbols:
        raise FixCommand("--funding needs --symbol: of which perpetual contract?", hint=example)
    for symbol in asked.symbols:
        validate_perpetual(symbol)
    return typed_span(asked.start, asked.end, f"{example} --start 2024-01-01")


def check_asked(settings: Settings, asked: Asked) -> None:
    """Refuse what `choose_jobs` would, without a look into the store: it may be filled before the fetch is run.

    Raises:
        FixCommand: flags that contradict each other, or values that cannot be.
        FixConfiguration: entries that contradict each other.
    """
    from algotrade.market.instrument import validate_symbol

    if asked.funding:
        check_funding(asked)
        return
    _check_how(asked)
    for job in [] if asked.all_stored else _asked_jobs(settings, asked):
        validate_symbol(job.symbol)


def choose_jobs(settings: Settings, asked: Asked) -> list[Job]:
    """The series to fetch: every stored one, those of the [[fetch]] entries where nothing was typed, else as typed.

    Raises:
        FixCommand: flags that contradict each other, or values that cannot be.
        FixConfiguration: entries that contradict each other.
        FixData: nothing is stored that an exchange could continue.
    """
    from algotrade.ingest.jobs import repairs

    _check_how(asked)
    found = _stored_jobs(settings, asked.exchanges) if asked.all_stored else _asked_jobs(settings, asked)
    if not asked.repair:
        return found
    if repairable := repairs(found):
        return repairable
    raise FixData("candles made of trades have no holes to repair", hint="algotrade list data --gaps")


def _asked_jobs(settings: Settings, asked: Asked) -> list[Job]:
    from algotrade.ingest.jobs import jobs_of_settings

    if settings.values.fetch and not asked.given("--repair", "--stream"):
        return jobs_of_settings(settings)
    return _typed_jobs(settings, asked)


def _check_how(asked: Asked) -> None:
    """Refuse what contradicts itself."""
    if asked.via not in VIAS:
        raise FixCommand(
            f"--via is one of {', '.join(VIAS)}, given '{asked.via}'.{did_you_mean(asked.via, VIAS)}",
            hint="algotrade fetch --symbol BTC/USD --via trades",
        )
    if asked.keep_trades and asked.via != "trades":
        raise FixCommand(
            "--keep-trades keeps the trades that candles are made from: give --via trades, too",
            hint="algotrade fetch --symbol BTC/USD --via trades --keep-trades",
        )
    if asked.all_stored:
        goes_on = "--all-stored goes on with each stored series as it is"
        _refuse(asked.given("--all-stored", "--exchange", "--repair", "--stream"), goes_on)
    if asked.stream:
        _refuse(
            (flag for flag in ("--start", "--end", "--repair") if flag in asked.given()),
            "--stream goes on from the last stored bar until it is ended",
        )
    if asked.repair:
        which = ("--symbol", "--exchange", "--timeframe", "--all-stored", "--repair")
        _refuse(asked.given(*which), "--repair asks again for the holes of the exchange's own candles that are stored")


def _refuse(flags: Iterable[str], why: str) -> None:
    if listed := ", ".join(flags):
        raise FixCommand(f"{why}: leave out {listed}", hint="algotrade fetch -h")


def _stored_jobs(settings: Settings, exchanges: tuple[str, ...]) -> list[Job]:
    from algotrade.ingest.jobs import jobs_of_store
    from algotrade.store.candles import list_spans
    from algotrade.store.database import open_database

    with open_database(settings.database) as database:
        found = jobs_of_store(database, exchanges)
        stored = [] if found else list_spans(database)
    if not found:
        of = f" of {', '.join(exchanges)}" if exchanges else ""
        imported = "; imported candles are continued by another import" if stored else ""
        raise FixData(
            f"nothing is stored{of} that an exchange could continue{imported}", hint="algotrade fetch --symbol BTC/USD"
        )
    return found


def _span(asked: Asked) -> Span:
    return typed_span(asked.start, asked.end, "algotrade fetch --symbol BTC/USD --start 2024-01-01 --end 2024-12-31")


def _typed_jobs(settings: Settings, asked: Asked) -> list[Job]:
    from algotrade.exchange.base import DEFAULT_EXCHANGE
    from algotrade.ingest.jobs import DEFAULT_TIMEFRAME, Job, jobs_as_typed
    from algotrade.market.timeframe import timeframe_ms

    defaults = settings.defaults
    for timeframe in asked.timeframes:
        try:
            timeframe_ms(timeframe)
        except FixCommand as error:
            raise FixCommand(f"--timeframe {timeframe}: {error.message}", hint=error.hint) from None
    return jobs_as_typed(
        asked.exchanges or (defaults.exchange or DEFAULT_EXCHANGE,),
        asked.symbols or (defaults.symbol,),
        asked.timeframes or (defaults.timeframe or DEFAULT_TIMEFRAME,),
        Job("", "", "", _span(asked), asked.via, asked.keep_trades),
    )
