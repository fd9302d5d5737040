"""The Binance on 127.0.0.1 with a perpetual contract and what that has paid every eight hours. See server.py."""

from __future__ import annotations

from typing import Any

from tests.shell.loopback.binance import ROWS, LoopbackBinance
from tests.shell.loopback.server import Query, Refusal, run

HOUR = 3_600_000
STEP = 8 * HOUR
LISTED = 1_568_102_400_000  # 2019-09-10 08:00 UTC, its first settlement
SYMBOL = "BTC/USDT:USDT"
PERPETUAL: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "pair": "BTCUSDT",
    "contractType": "PERPETUAL",
    "deliveryDate": 4133404800000,
    "onboardDate": LISTED,
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "marginAsset": "USDT",
    "pricePrecision": 2,
    "quantityPrecision": 3,
    "underlyingType": "COIN",
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.10", "maxPrice": "1000000", "tickSize": "0.10"},
        {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
        {"filterType": "MIN_NOTIONAL", "notional": "100"},
    ],
}


PATHS = {"fapi/v1/exchangeInfo": "perpetuals", "fapi/v1/fundingRate": "fundingRate"}


class LoopbackPerpetual(LoopbackBinance):
    """The server."""

    def method_of(self, path: str) -> tuple[str, Query]:
        return (PATHS[path], {}) if path in PATHS else super().method_of(path)

    def answer(self, method: str, query: Query) -> Any:
        if method == "perpetuals":
            return {"symbols": [PERPETUAL]}
        return self._funding(query) if method == "fundingRate" else super().answer(method, query)

    def _funding(self, query: Query) -> list[Any]:
        """At most `limit` settlements from `startTime` on, oldest first, both ends of the span included."""
        if query["symbol"] != PERPETUAL["symbol"]:
            raise Refusal("Invalid symbol.")
        limit = min(int(query.get("limit", 100)), ROWS)
        last = min(int(query.get("endTime", self.clock())), self.clock())
        rows = settlements(int(query["startTime"]), last)[:limit]
        return [
            {"symbol": query["symbol"], "fundingTime": time, "fundingRate": f"{rate:.8f}", "markPrice": "1.0"}
            for time, rate in rows
        ]


def settlements(first: int, last: int) -> list[tuple[int, float]]:
    """Time and rate of each settlement from one time to another, both inclusive: some milliseconds after the hour."""
    numbers = range(max(0, (first - LISTED) // STEP - 1), max(0, (last - LISTED) // STEP + 1))
    rows = [(LISTED + number * STEP + number * 7 % 23, (number * 37 % 101 - 40) * 1e-5) for number in numbers]
    return [row for row in rows if first <= row[0] <= last]


if __name__ == "__main__":
    run(LoopbackPerpetual)
