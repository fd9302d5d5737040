"""The tables of algotrade.toml: their keys, types, ranges and defaults."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from algotrade.errors import FixCommand
from algotrade.market.span import parse_time
from algotrade.market.timeframe import timeframe_ms

STRICT: Final = ConfigDict(frozen=True, extra="forbid", strict=True)


def _is_timeframe(text: str) -> str:
    try:
        timeframe_ms(text)
    except FixCommand as error:
        raise ValueError(error.message) from None
    return text


def _is_moment(text: str) -> str:
    try:
        parse_time(text)
    except FixCommand as error:
        raise ValueError(error.message) from None
    return text


def _several(value: object) -> object:
    """One value or a list of them, as a tuple."""
    if value == []:
        raise ValueError("names nothing")
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


def _dated(value: object) -> object:
    """TOML has dates and times of its own."""
    return value.isoformat() if isinstance(value, date) else value


def _tables(value: object) -> object:
    if not isinstance(value, list | tuple) or not all(isinstance(item, Mapping | BaseModel) for item in value):
        raise ValueError("must be written as [[fetch]], in double brackets: there can be several")
    return tuple(value)


def _steps(value: object) -> object:
    """Rows of a table as tuples; a variable has them as in the file: [[0, 0.0025, 0.004], [50000, 0.002, 0.0035]]."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise ValueError("must be written as [[0, 0.0025, 0.004], [50000, 0.002, 0.0035]]") from None
    if not isinstance(value, list | tuple) or not all(isinstance(row, list | tuple) and len(row) == 3 for row in value):
        raise ValueError("must be rows of [volume of 30 days, maker fee, taker fee]")
    return tuple(tuple(row) for row in value)


def _rising(schedule: tuple[tuple[float, float, float], ...]) -> tuple[tuple[float, float, float], ...]:
    volumes = [volume for volume, *_ in schedule]
    if any(later <= earlier for earlier, later in itertools.pairwise(volumes)):
        raise ValueError("must rise in volume from row to row")
    return schedule


Name = Annotated[str, Field(min_length=1, max_length=100)]
Location = Annotated[str, Field(min_length=1, max_length=4096)]  # a path or URL
LARGEST_AMOUNT: Final = 1e15  # quote units; beyond, a float holds no cents
Amount = Annotated[float, Field(gt=0, le=LARGEST_AMOUNT, allow_inf_nan=False)]
Rate = Annotated[float, Field(ge=0, lt=1)]
Part = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
FeeStep = tuple[Annotated[float, Field(ge=0, le=LARGEST_AMOUNT)], Rate, Rate]
Schedule = Annotated[tuple[FeeStep, ...], BeforeValidator(_steps), AfterValidator(_rising)]
Timeframe = Annotated[str, AfterValidator(_is_timeframe)]
Moment = Annotated[str, BeforeValidator(_dated), AfterValidator(_is_moment)]


class Defaults(BaseModel):
    """[defaults]: what a command takes when its flag is not given.

    Attributes:
        exchange: None lets the command choose: kraken, or the one that has the data.
        symbol: ccxt's unified symbol.
        timeframe: None means 1d for backtests and 1m for live trading.
        strategy: a name that `algotrade list strategies` knows.
        cash: at the start, quote units.
        fee: fraction of the notional; None means the market's own taker fee, 0.004 where that is unknown.
        slippage: fraction of the price.
    """

    model_config = STRICT
    exchange: Name | None = None
    symbol: Name = "BTC/USD"
    timeframe: Timeframe | None = None
    strategy: Name = "sma_cross"
    cash: Amount = 10_000.0
    fee: Rate | None = None
    slippage: Rate = 0.0005


class Costs(BaseModel):
    """[costs]: what a backtest charges besides the fee and the slippage of [defaults], as fractions.

    Attributes:
        maker_fee: of the notional of each fill of an order that rested; None: the market's own, or as the fee.
        spread: between bid and ask, of the price; market and stop orders pay the half of it.
        impact: by which an order as large as a bar's volume moves the price.
        max_volume_share: of a bar's volume that our orders fill at most, 0 for no bound.
        latency_bars: opens that an order lets pass before it works.
        latency_ms: until an order works; needs trades or finer candles.
        borrow_rate: of a short's notional, a year.
        maintenance_rate: of a position's notional; with less margin a leveraged one is liquidated.
        fee_in_base: fees of buys are taken from what is bought.
        schedule: rows of volume of 30 days in quote units, maker fee, taker fee: the fees that hold from it on.
    """

    model_config = STRICT
    maker_fee: Rate | None = None
    spread: Rate = 0.0
    impact: Fraction = 0.0
    max_volume_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    latency_bars: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    latency_ms: Annotated[int, Field(ge=0, le=86_400_000)] = 0
    borrow_rate: Fraction = 0.0
    maintenance_rate: Rate = 0.005
    fee_in_base: bool = False
    schedule: Schedule = ()


class Risk(BaseModel):
    """[risk]: limits on orders, in quote units unless said; None means no limit. See engine/risk.py for their rules.

    Attributes:
        max_order_notional: of one order.
        max_position_notional: of a symbol's position.
        max_orders_per_day: a count, by UTC days.
        max_daily_loss: since the day before.
        max_orders_per_minute: a count, in 60 seconds.
        max_drawdown: fraction of the highest equity.
        max_open_positions: symbols held at one time.
        cooldown_bars: after a losing round trip.
        max_consecutive_losses: losing round trips in a row, which lock their symbol.
        lock_bars: for so many bars; None locks it for good.
    """

    model_config = STRICT
    max_order_notional: Amount | None = None
    max_position_notional: Amount | None = None
    max_orders_per_day: Count | None = None
    max_daily_loss: Amount | None = None
    max_orders_per_minute: Count | None = None
    max_drawdown: Part | None = None
    max_open_positions: Count | None = None
    cooldown_bars: Count | None = None
    max_consecutive_losses: Count | None = None
    lock_bars: Count | None = None


class Store(BaseModel):
    """[store]: where the database is, a path or a URL; None means in the data folder."""

    model_config = STRICT
    database: Location | None = None


class Live(BaseModel):
    """[live]: how often the exchange is asked for new candles, seconds."""

    model_config = STRICT
    poll_seconds: Annotated[float, Field(ge=0.05, le=3600)] = 5.0


class FetchEntry(BaseModel):
    """[[fetch]]: what `algotrade fetch` without arguments brings; there can be several.

    Attributes:
        exchange: None means the default's.
        symbol: one or a list.
        timeframe: one or a list; empty means the default's.
        start: first day or moment, UTC; None continues from the last stored bar.
        via: "candles" are the exchange's own, "trades" makes them from its public trades.
        keep_trades: store those trades too.
    """

    model_config = STRICT
    exchange: Name | None = None
    symbol: Annotated[tuple[Name, ...], BeforeValidator(_several)]
    timeframe: Annotated[tuple[Timeframe, ...], BeforeValidator(_several)] = ()
    start: Moment | None = None
    via: Literal["candles", "trades"] = "candles"
    keep_trades: bool = False

    @model_validator(mode="after")
    def _keeps_what_it_reads(self) -> FetchEntry:
        if self.keep_trades and self.via != "trades":
            raise ValueError('keep_trades needs via = "trades"')
        return self


class ExchangeOptions(BaseModel):
    """[exchange.NAME]: `ccxt` is handed to ccxt as it is (urls, proxies, timeout, options)."""

    model_config = STRICT
    ccxt: dict[str, Any] = {}


class Values(BaseModel):
    """All tables of algotrade.toml."""

    model_config = STRICT
    defaults: Defaults = Defaults()
    exchange: dict[Name, ExchangeOptions] = {}
    costs: Costs = Costs()
    risk: Risk = Risk()
    store: Store = Store()
    live: Live = Live()
    fetch: Annotated[tuple[FetchEntry, ...], BeforeValidator(_tables)] = ()


SECTIONS: Final[Mapping[str, type[BaseModel]]] = {
    "defaults": Defaults,
    "costs": Costs,
    "risk": Risk,
    "store": Store,
    "live": Live,
}
