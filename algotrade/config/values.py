"""The tables of algotrade.toml: their keys, types, ranges and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from algotrade.errors import FixCommand
from algotrade.market.timeframe import timeframe_ms

STRICT: Final = ConfigDict(frozen=True, extra="forbid", strict=True)


def _is_timeframe(text: str) -> str:
    try:
        timeframe_ms(text)
    except FixCommand as error:
        raise ValueError(error.message) from None
    return text


Name = Annotated[str, Field(min_length=1, max_length=100)]
Location = Annotated[str, Field(min_length=1, max_length=4096)]  # a path or URL
LARGEST_AMOUNT: Final = 1e15  # quote units; beyond, a float holds no cents
Amount = Annotated[float, Field(gt=0, le=LARGEST_AMOUNT, allow_inf_nan=False)]
Rate = Annotated[float, Field(ge=0, lt=1)]
Timeframe = Annotated[str, AfterValidator(_is_timeframe)]


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


class Risk(BaseModel):
    """[risk]: limits on orders, in quote units (orders a day: a count); None means no limit."""

    model_config = STRICT
    max_order_notional: Amount | None = None
    max_position_notional: Amount | None = None
    max_orders_per_day: Annotated[int, Field(gt=0)] | None = None
    max_daily_loss: Amount | None = None


class Store(BaseModel):
    """[store]: where the database is, a path or a URL; None means in the data folder."""

    model_config = STRICT
    database: Location | None = None


class Live(BaseModel):
    """[live]: how often the exchange is asked for new candles, seconds."""

    model_config = STRICT
    poll_seconds: Annotated[float, Field(ge=0.05, le=3600)] = 5.0


class ExchangeOptions(BaseModel):
    """[exchange.NAME]: `ccxt` is handed to ccxt as it is (urls, proxies, timeout, options)."""

    model_config = STRICT
    ccxt: dict[str, Any] = {}


class Values(BaseModel):
    """All tables of algotrade.toml."""

    model_config = STRICT
    defaults: Defaults = Defaults()
    exchange: dict[Name, ExchangeOptions] = {}
    risk: Risk = Risk()
    store: Store = Store()
    live: Live = Live()


SECTIONS: Final[Mapping[str, type[BaseModel]]] = {
    "defaults": Defaults,
    "risk": Risk,
    "store": Store,
    "live": Live,
}
