"""A perpetual contract for exchanges on 127.0.0.1: as Binance describes it, and what it has paid every eight hours."""

from __future__ import annotations

from typing import Any

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


def settlements(first: int, last: int) -> list[tuple[int, float]]:
    """Time and rate of each settlement from one time to another, both inclusive: some milliseconds after the hour."""
    numbers = range(max(0, (first - LISTED) // STEP - 1), max(0, (last - LISTED) // STEP + 1))
    rows = [(LISTED + number * STEP + number * 7 % 23, (number * 37 % 101 - 40) * 1e-5) for number in numbers]
    return [row for row in rows if first <= row[0] <= last]
