"""A Coinbase on 127.0.0.1: its public REST (Advanced Trade) as documented, fed from the simulated market."""

from __future__ import annotations

from typing import Any, ClassVar

from algotrade.market.simulate import SYMBOLS, instrument_of, spread_at
from algotrade.market.timeframe import timeframe_ms
from tests.shell.loopback.server import (
    LoopbackExchange,
    Query,
    Refusal,
    candles_between,
    iso_time,
    next_number,
    price_text,
    run,
    trades_from,
)

MOST_ROWS = 350
TIMEFRAMES = {
    "ONE_MINUTE": "1m",
    "FIVE_MINUTE": "5m",
    "FIFTEEN_MINUTE": "15m",
    "ONE_HOUR": "1h",
    "SIX_HOUR": "6h",
    "ONE_DAY": "1d",
}
IDS = {symbol.replace("/", "-"): symbol for symbol in SYMBOLS}
PRODUCTS = "api/v3/brokerage/market/products"


class LoopbackCoinbase(LoopbackExchange):
    """The server."""

    name = "coinbase"
    apis: ClassVar = {"rest": ""}

    def method_of(self, path: str) -> tuple[str, Query]:
        match path.split("/"):
            case ["v2", "time"]:
                return "time", {}
            case ["v2", "currencies" | "exchange-rates", *_]:
                return "currencies", {"path": path}
            case [*start, "products"] if "/".join([*start, "products"]) == PRODUCTS:
                return "products", {}
            case [*_, product, ("candles" | "ticker") as method] if path.startswith(PRODUCTS):
                return method, {"product": product}
        raise Refusal("unknown path")

    def refusal(self, words: str) -> tuple[int, Any]:
        return 400, {"error": "INVALID_ARGUMENT", "error_details": words, "message": words}

    def answer(self, method: str, query: Query) -> Any:
        answers = {
            "time": self._time,
            "currencies": _currencies,
            "products": _products,
            "candles": self._candles,
            "ticker": self._ticker,
        }
        return answers[method](query)

    def _time(self, query: Query) -> Any:
        now = self.clock()
        return {"data": {"iso": iso_time(now), "epoch": now // 1000}}

    def _candles(self, query: Query) -> Any:
        """Every candle from `start` to `end`, both needed and both inclusive, the newest first."""
        timeframe, now = TIMEFRAMES[query["granularity"]], self.clock()
        start, end = int(query["start"]) * 1000, int(query["end"]) * 1000
        if (end - start) // timeframe_ms(timeframe) >= MOST_ROWS:
            raise Refusal(f"number of candles requested should be less than {MOST_ROWS}")
        rows = candles_between(_find(query), timeframe, (start, end), now)
        names = ("open", "high", "low", "close", "volume")
        listed = [
            {"start": str(row.time // 1000)} | dict(zip(names, map(price_text, row[1:]), strict=True)) for row in rows
        ]
        return {"candles": listed[::-1]}

    def _ticker(self, query: Query) -> Any:
        """The newest trades, the newest first, and the best prices."""
        symbol, now = _find(query), self.clock()
        count = min(int(query.get("limit", 100)), 1000)
        rows = trades_from(symbol, next_number(symbol, now) - count, count, now)
        bid, ask = spread_at(symbol, now)
        trades = [
            {
                "trade_id": str(row.number),
                "product_id": query["product"],
                "price": price_text(row.price),
                "size": price_text(row.quantity),
                "time": iso_time(row.time),
                "side": "BUY" if row.side > 0 else "SELL",
            }
            for row in rows[::-1]
        ]
        return {"trades": trades, "best_bid": price_text(bid), "best_ask": price_text(ask)}


def _currencies(query: Query) -> Any:
    return {"data": {"currency": "USD", "rates": {}} if query["path"].endswith("exchange-rates") else []}


def _products(query: Query) -> Any:
    if query.get("product_type") == "FUTURE":
        return {"products": [], "num_products": 0}
    return {
        "products": [
            {
                "product_id": name,
                "product_type": "SPOT",
                "base_currency_id": symbol.split("/")[0],
                "quote_currency_id": symbol.split("/")[1],
                "base_increment": price_text(instrument_of(symbol).quantity_step),
                "price_increment": price_text(instrument_of(symbol).price_tick),
                "quote_increment": price_text(instrument_of(symbol).price_tick),
                "base_min_size": price_text(instrument_of(symbol).min_quantity),
                "quote_min_size": str(instrument_of(symbol).min_notional),
                "trading_disabled": False,
                "status": "online",
            }
            for name, symbol in IDS.items()
        ],
        "num_products": len(IDS),
    }


def _find(query: Query) -> str:
    if query["product"] not in IDS:
        raise Refusal("unknown product")
    return IDS[query["product"]]


if __name__ == "__main__":
    run(LoopbackCoinbase)
