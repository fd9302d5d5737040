"""A Binance on 127.0.0.1: its public spot REST as documented, fed from the simulated market. See server.py."""

from __future__ import annotations

from typing import Any, ClassVar

from algotrade.market.simulate import SYMBOLS, forming_candle, instrument_of, price_at, spread_at
from algotrade.market.timeframe import timeframe_ms
from tests.shell.loopback.server import (
    FIRST_TRADE,
    LoopbackExchange,
    Query,
    Refusal,
    candles_between,
    newest_span,
    next_number,
    number_at,
    price_text,
    run,
    trades_from,
)

ROWS = 1000
HOUR_MS = 3_600_000
IDS = {symbol.replace("/", ""): symbol for symbol in SYMBOLS}
PATHS = {
    "api/v3/time": "time",
    "api/v3/exchangeInfo": "exchangeInfo",
    "fapi/v1/exchangeInfo": "contracts",
    "dapi/v1/exchangeInfo": "contracts",
    "api/v3/klines": "klines",
    "api/v3/aggTrades": "aggTrades",
    "api/v3/ticker/24hr": "ticker",
}


class LoopbackBinance(LoopbackExchange):
    """The server."""

    name = "binance"
    apis: ClassVar = {"public": "/api/v3", "fapiPublic": "/fapi/v1", "dapiPublic": "/dapi/v1"}

    def method_of(self, path: str) -> tuple[str, Query]:
        if path not in PATHS:
            raise Refusal("unknown path")
        return PATHS[path], {}

    def refusal(self, words: str) -> tuple[int, Any]:
        return 400, {"code": -1121, "msg": words}

    def answer(self, method: str, query: Query) -> Any:
        answers = {
            "time": lambda query: {"serverTime": self.clock()},
            "exchangeInfo": _markets,
            "contracts": lambda query: {"symbols": []},
            "klines": self._klines,
            "aggTrades": self._trades,
            "ticker": self._ticker,
        }
        return answers[method](query)

    def _klines(self, query: Query) -> list[Any]:
        """At most `limit` rows from `startTime` on, or the newest."""
        symbol, timeframe, now = _find(query), query["interval"], self.clock()
        limit = min(int(query.get("limit", 500)), ROWS)
        span = newest_span(timeframe, limit, now)
        if "startTime" in query:
            start = int(query["startTime"])
            span = start, min(int(query.get("endTime", now)), start + limit * timeframe_ms(timeframe))
        rows = candles_between(symbol, timeframe, span, now)[:limit]
        return [
            [row.time, *map(price_text, row[1:]), row.time + timeframe_ms(timeframe) - 1, "0", 4, "0", "0", "0"]
            for row in rows
        ]

    def _trades(self, query: Query) -> list[Any]:
        """At most `limit` from an id on, or of a time up to an hour long, or the newest. Ids are without a hole."""
        symbol, now, limit = _find(query), self.clock(), min(int(query.get("limit", 500)), ROWS)
        number, end = next_number(symbol, now) - limit, now
        if "fromId" in query:
            number = FIRST_TRADE + int(query["fromId"])
        elif "startTime" in query:
            number, end = number_at(symbol, int(query["startTime"]), now), int(query["endTime"])
            if end - int(query["startTime"]) > HOUR_MS:
                raise Refusal("More than 1 hours between startTime and endTime.")
        return [
            {
                "a": row.number - FIRST_TRADE,
                "p": price_text(row.price),
                "q": price_text(row.quantity),
                "f": row.number,
                "l": row.number,
                "T": row.time,
                "m": row.side < 0,
                "M": True,
            }
            for row in trades_from(symbol, number, limit, min(now, end))
        ]

    def _ticker(self, query: Query) -> Any:
        symbol, now = _find(query), self.clock()
        (bid, ask), day = spread_at(symbol, now), forming_candle(symbol, "1d", now)
        prices = {"lastPrice": price_at(symbol, now), "bidPrice": bid, "askPrice": ask, "openPrice": day[1]}
        others = {"highPrice": day[2], "lowPrice": day[3], "volume": day[5], "bidQty": 1.0, "askQty": 1.0}
        texts = {name: price_text(value) for name, value in (prices | others).items()}
        return texts | {"symbol": query["symbol"], "closeTime": now}


def _markets(query: Query) -> Any:
    return {
        "symbols": [
            {
                "symbol": name,
                "status": "TRADING",
                "baseAsset": symbol.split("/")[0],
                "quoteAsset": symbol.split("/")[1],
                "baseAssetPrecision": 8,
                "quotePrecision": 8,
                "isSpotTradingAllowed": True,
                "permissions": ["SPOT"],
                "filters": [
                    {
                        "filterType": "PRICE_FILTER",
                        "minPrice": "0.00001",
                        "maxPrice": "1000000",
                        "tickSize": price_text(instrument_of(symbol).price_tick),
                    },
                    {
                        "filterType": "LOT_SIZE",
                        "minQty": price_text(instrument_of(symbol).min_quantity),
                        "maxQty": "9000",
                        "stepSize": price_text(instrument_of(symbol).quantity_step),
                    },
                    {"filterType": "NOTIONAL", "minNotional": str(instrument_of(symbol).min_notional)},
                ],
            }
            for name, symbol in IDS.items()
        ]
    }


def _find(query: Query) -> str:
    if query["symbol"] not in IDS:
        raise Refusal("Invalid symbol.")
    return IDS[query["symbol"]]


if __name__ == "__main__":
    run(LoopbackBinance)
