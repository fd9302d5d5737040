"""A Bitstamp on 127.0.0.1: its public REST as documented, fed from the simulated market. See server.py."""

from __future__ import annotations

from typing import Any, ClassVar

from algotrade.market.simulate import SYMBOLS, forming_candle, instrument_of, price_at, spread_at
from tests.shell.loopback.server import (
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
STEPS = {"60": "1m", "300": "5m", "900": "15m", "3600": "1h", "14400": "4h", "86400": "1d", "259200": "3d"}
SPANS_MS = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
IDS = {symbol.replace("/", "").lower(): symbol for symbol in SYMBOLS}


class LoopbackBitstamp(LoopbackExchange):
    """The server."""

    name = "bitstamp"
    apis: ClassVar = {"public": "/api", "private": "/api"}

    def method_of(self, path: str) -> tuple[str, Query]:
        match path.strip("/").split("/"):
            case ["api", "v2", "markets"]:
                return "markets", {}
            case ["api", "v2", ("ohlc" | "ticker" | "transactions") as method, pair]:
                return method, {"pair": pair}
        raise Refusal("unknown path")

    def refusal(self, words: str) -> tuple[int, Any]:
        return 404, {"status": "error", "reason": words}

    def answer(self, method: str, query: Query) -> Any:
        answers = {
            "markets": _markets,
            "ohlc": self._ohlc,
            "transactions": self._transactions,
            "ticker": self._ticker,
        }
        return answers[method](query)

    def _ohlc(self, query: Query) -> Any:
        """The candles from `start` to `end`, both inclusive, at most `limit`; without a start the newest."""
        symbol, timeframe, now, limit = _find(query), STEPS[query["step"]], self.clock(), int(query["limit"])
        if not 1 <= limit <= ROWS:
            raise Refusal("limit out of range")
        span = newest_span(timeframe, limit, now)
        if "start" in query:
            span = int(query["start"]) * 1000, int(query.get("end", now)) * 1000
        rows = candles_between(symbol, timeframe, span, now)[:limit]
        names = ("open", "high", "low", "close", "volume")
        listed = [
            {"timestamp": str(row.time // 1000)} | dict(zip(names, map(price_text, row[1:]), strict=True))
            for row in rows
        ]
        return {"data": {"pair": symbol, "ohlc": listed}}

    def _transactions(self, query: Query) -> Any:
        """The trades of the last minute, hour or day, the newest first; nothing older can be had."""
        symbol, now = _find(query), self.clock()
        first = number_at(symbol, now - SPANS_MS[query.get("time", "hour")], now)
        return [
            {
                "date": str(row.time // 1000),
                "tid": str(row.number),
                "amount": price_text(row.quantity),
                "type": "0" if row.side > 0 else "1",
                "price": price_text(row.price),
            }
            for row in trades_from(symbol, first, next_number(symbol, now) - first, now)
        ][::-1]

    def _ticker(self, query: Query) -> Any:
        symbol, now = _find(query), self.clock()
        bid, ask = spread_at(symbol, now)
        _, open_, high, low, last, volume = forming_candle(symbol, "1d", now)
        assert last == price_at(symbol, now)
        values = {"open": open_, "high": high, "low": low, "last": last, "volume": volume, "vwap": last}
        texts = {name: price_text(value) for name, value in (values | {"bid": bid, "ask": ask}).items()}
        return texts | {"timestamp": str(now // 1000), "pair": symbol}


def _markets(query: Query) -> list[Any]:
    return [
        {
            "name": symbol,
            "market_symbol": name,
            "base_currency": symbol.split("/")[0],
            "base_decimals": 8,
            "counter_currency": symbol.split("/")[1],
            "counter_decimals": len(price_text(instrument_of(symbol).price_tick).split(".")[1]),
            "minimum_order_value": str(instrument_of(symbol).min_notional),
            "minimum_order_amount": price_text(instrument_of(symbol).min_quantity),
            "trading": "Enabled",
            "instant_order_counter_decimals": 2,
            "instant_and_market_orders": "Enabled",
            "description": f"{symbol.split('/')[0]} / U.S. dollar",
            "market_type": "SPOT",
        }
        for name, symbol in IDS.items()
    ]


def _find(query: Query) -> str:
    if query["pair"] not in IDS:
        raise Refusal("unknown pair")
    return IDS[query["pair"]]


if __name__ == "__main__":
    run(LoopbackBitstamp)
