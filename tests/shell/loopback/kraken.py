"""A Kraken on 127.0.0.1: its public REST as documented, fed from the simulated market. See server.py."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple

from algotrade.market.instrument import Instrument
from algotrade.market.simulate import forming_candle, instrument_of, price_at, spread_at
from algotrade.market.timeframe import bar_start, timeframe_ms
from tests.shell.loopback.server import (
    Candle,
    Clock,
    LoopbackExchange,
    Query,
    Refusal,
    Trade,
    candles_between,
    newest_span,
    next_number,
    number_at,
    run,
    trades_from,
)

__all__ = ["Clock", "LoopbackKraken"]

ROWS = 720
TRADES = 1000
INTERVALS = {1: "1m", 5: "5m", 15: "15m", 30: "30m", 60: "1h", 240: "4h", 1440: "1d", 10080: "1w"}


class Pair(NamedTuple):
    """One market under Kraken's three names: XXBTZUSD, XBTUSD and XBT/USD are our BTC/USD."""

    id: str
    altname: str
    wsname: str
    base: str
    quote: str
    symbol: str
    status: str = "online"


PAIRS = (
    Pair("XXBTZUSD", "XBTUSD", "XBT/USD", "XXBT", "ZUSD", "BTC/USD"),
    Pair("XETHZUSD", "ETHUSD", "ETH/USD", "XETH", "ZUSD", "ETH/USD"),
    Pair("SOLUSD", "SOLUSD", "SOL/USD", "SOL", "ZUSD", "SOL/USD"),
    Pair("XXRPZUSD", "XRPUSD", "XRP/USD", "XXRP", "ZUSD", "XRP/USD", status="cancel_only"),
)
ASSETS = {"XXBT": "XBT", "XETH": "ETH", "SOL": "SOL", "XXRP": "XRP", "ZUSD": "USD"}


class LoopbackKraken(LoopbackExchange):
    """The server.

    Attributes:
        with_fees: False leaves the fees out, as Kraken does since 2026.
        repeats_boundary: a page of trades begins with the trade that `since` names, as it now and then does.
    """

    name = "kraken"
    apis: ClassVar = {"public": ""}

    def __init__(self, clock: Clock, port: int = 0) -> None:
        super().__init__(clock, port)
        self.with_fees = True
        self.repeats_boundary = False

    def method_of(self, path: str) -> tuple[str, Query]:
        return path.removeprefix("0/public/"), {}

    def refusal(self, words: str) -> tuple[int, Any]:
        return 200, {"error": [words]}

    def answer(self, method: str, query: Query) -> Any:
        answers = {
            "Time": self._time,
            "SystemStatus": self._status,
            "Assets": self._assets,
            "AssetPairs": self._asset_pairs,
            "Ticker": self._ticker,
            "OHLC": self._ohlc,
            "Trades": self._trades,
        }
        if method not in answers:
            raise Refusal("EGeneral:Unknown method")
        return {"error": [], "result": answers[method](query)}

    def _time(self, query: Query) -> dict[str, Any]:
        seconds = self.clock() // 1000
        return {"unixtime": seconds, "rfc1123": f"{datetime.fromtimestamp(seconds, UTC):%a, %d %b %y %H:%M:%S +0000}"}

    def _status(self, query: Query) -> dict[str, Any]:
        return {
            "status": "online",
            "timestamp": f"{datetime.fromtimestamp(self.clock() // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}",
        }

    def _assets(self, query: Query) -> dict[str, Any]:
        return {
            name: {
                "aclass": "currency",
                "altname": alternative,
                "decimals": 10,
                "display_decimals": 5,
                "status": "enabled",
            }
            for name, alternative in ASSETS.items()
        }

    def _asset_pairs(self, query: Query) -> dict[str, Any]:
        return {pair.id: _describe(pair, instrument_of(pair.symbol), self.with_fees) for pair in PAIRS}

    def _ticker(self, query: Query) -> dict[str, Any]:
        pair, now = _find(query), self.clock()
        last, (bid, ask) = price_at(pair.symbol, now), spread_at(pair.symbol, now)
        day = forming_candle(pair.symbol, "1d", now)
        return {
            pair.id: {
                "a": [f"{ask:.5f}", "1", "1.000"],
                "b": [f"{bid:.5f}", "1", "1.000"],
                "c": [f"{last:.5f}", "0.00100000"],
                "v": [f"{day[5]:.8f}"] * 2,
                "p": [f"{last:.5f}"] * 2,
                "t": [1, 1],
                "l": [f"{day[3]:.5f}"] * 2,
                "h": [f"{day[2]:.5f}"] * 2,
                "o": f"{day[1]:.5f}",
            }
        }

    def _ohlc(self, query: Query) -> dict[str, Any]:
        """At most 720 rows after `since`, always the newest ones, the forming candle last."""
        pair, timeframe, now = _find(query), INTERVALS.get(int(query.get("interval", 1))), self.clock()
        if timeframe is None:
            raise Refusal("EGeneral:Invalid arguments")
        rows = candles_between(pair.symbol, timeframe, newest_span(timeframe, ROWS, now), now)
        since = int(query.get("since", 0))
        kept = [_row(row) for row in rows if row.time // 1000 > since]
        return {pair.id: kept, "last": (bar_start(now, timeframe) - timeframe_ms(timeframe)) // 1000}

    def _trades(self, query: Query) -> dict[str, Any]:
        """At most 1000 trades after `since`, oldest first; without it the newest. `last` is the time of the last."""
        pair, now, count = _find(query), self.clock(), min(int(query.get("count", TRADES)), TRADES)
        if "since" not in query:
            rows = trades_from(pair.symbol, next_number(pair.symbol, now) - count, count, now)
        else:
            since = int(query["since"]) if len(query["since"]) > 12 else int(query["since"]) * 10**9
            number = number_at(pair.symbol, since // 10**6, now)
            later = trades_from(pair.symbol, number, count + 1, now)
            rows = [row for row in later if time_ns(row) > since or (self.repeats_boundary and time_ns(row) == since)]
        rows = rows[:count]
        last = str(time_ns(rows[-1])) if rows else query.get("since", "0")
        return {pair.id: [_trade_row(row) for row in rows], "last": last}


def time_ns(trade: Trade) -> int:
    """The time of a print to the nanosecond; `last` says it like this, a trade rounded to seven decimals."""
    return trade.time * 10**6 + trade.number * 104_729 % 10**6


def _find(query: Query) -> Pair:
    for pair in PAIRS:
        if query.get("pair") in (pair.id, pair.altname, pair.wsname):
            return pair
    raise Refusal("EQuery:Unknown asset pair")


def _describe(pair: Pair, instrument: Instrument, with_fees: bool) -> dict[str, Any]:
    assert instrument.taker_fee is not None
    assert instrument.maker_fee is not None
    return {
        "altname": pair.altname,
        "wsname": pair.wsname,
        "aclass_base": "currency",
        "base": pair.base,
        "aclass_quote": "currency",
        "quote": pair.quote,
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": len(f"{instrument.price_tick:.10f}".rstrip("0").split(".")[1]),
        "lot_decimals": 8,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, round(instrument.taker_fee * 100, 6)]] if with_fees else [],
        "fees_maker": [[0, round(instrument.maker_fee * 100, 6)]] if with_fees else [],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": f"{instrument.min_quantity:.8f}".rstrip("0"),
        "costmin": f"{instrument.min_notional}",
        "tick_size": f"{instrument.price_tick:.6f}".rstrip("0"),
        "status": pair.status,
    }


def _row(candle: Candle) -> list[Any]:
    prices, volume = [f"{price:.5f}" for price in candle[1:5]], f"{candle.volume:.8f}"
    return [candle.time // 1000, *prices, prices[3], volume, 1]


def _trade_row(trade: Trade) -> list[Any]:
    seconds, fraction = divmod((time_ns(trade) + 50) // 100, 10**7)
    side = "b" if trade.side > 0 else "s"
    return [f"{trade.price:.5f}", f"{trade.quantity:.10f}", f"#{seconds}.{fraction:07}", side, "m", "", trade.number]


if __name__ == "__main__":
    run(LoopbackKraken)
