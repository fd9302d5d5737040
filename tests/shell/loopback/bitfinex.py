"""A Bitfinex on 127.0.0.1: its public REST, version 2, as documented, fed from the simulated market. See server.py."""

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
    run,
    trades_from,
)

ROWS = 10_000
TIMEFRAMES = {"1D": "1d", "7D": "1w", "14D": "2w"}
IDS = {f"t{symbol.replace('/', '')}": symbol for symbol in SYMBOLS}


class LoopbackBitfinex(LoopbackExchange):
    """The server."""

    name = "bitfinex"
    apis: ClassVar = {"v1": "", "public": "", "private": ""}

    def method_of(self, path: str) -> tuple[str, Query]:
        match path.split("/"):
            case ["v2", "conf", config]:
                return "conf", {"config": config}
            case ["v2", "candles", key, "hist"]:
                return "candles", {"key": key}
            case ["v2", "trades", symbol, "hist"]:
                return "trades", {"symbol": symbol}
            case ["v2", "ticker", symbol]:
                return "ticker", {"symbol": symbol}
        raise Refusal("unknown path")

    def refusal(self, words: str) -> tuple[int, Any]:
        return 500, ["error", 10020, words]

    def answer(self, method: str, query: Query) -> Any:
        answers = {"conf": _conf, "candles": self._candles, "trades": self._trades, "ticker": self._ticker}
        return answers[method](query)

    def _candles(self, query: Query) -> list[Any]:
        """[time, open, close, high, low, volume], the newest first unless `sort` is 1."""
        _, name, symbol = query["key"].split(":")
        timeframe, now, limit = TIMEFRAMES.get(name, name), self.clock(), min(int(query.get("limit", 100)), ROWS)
        span = newest_span(timeframe, limit, now)
        if query.get("sort") == "1":
            span = int(query["start"]), int(query.get("end", now))
        rows = candles_between(_find(symbol), timeframe, span, now)[:limit]
        listed = [[row.time, row.open, row.close, row.high, row.low, row.volume] for row in rows]
        return listed if query.get("sort") == "1" else listed[::-1]

    def _trades(self, query: Query) -> list[Any]:
        """[number, time, quantity with its sign, price]; `start` counts in."""
        symbol, now, limit = _find(query["symbol"]), self.clock(), min(int(query.get("limit", 120)), ROWS)
        number = next_number(symbol, now) - limit
        if query.get("sort") == "1":
            number = number_at(symbol, int(query.get("start", 0)), now)
        rows = [
            [row.number, row.time, row.quantity * row.side, row.price]
            for row in trades_from(symbol, number, limit, now)
        ]
        return rows if query.get("sort") == "1" else rows[::-1]

    def _ticker(self, query: Query) -> list[Any]:
        symbol, now = _find(query["symbol"]), self.clock()
        last, (bid, ask), day = price_at(symbol, now), spread_at(symbol, now), forming_candle(symbol, "1d", now)
        return [bid, 1.0, ask, 1.0, last - day[1], last / day[1] - 1, last, day[5], day[2], day[3]]


def _conf(query: Query) -> list[Any]:
    answers: dict[str, list[Any]] = {
        "pub:info:pair": [
            [name[1:], [None, None, None, str(instrument_of(symbol).min_quantity), "1000"]]
            for name, symbol in IDS.items()
        ],
        "pub:list:currency": sorted({part for symbol in SYMBOLS for part in symbol.split("/")}),
    }
    return [answers.get(label, []) for label in query["config"].split(",")]


def _find(symbol: str) -> str:
    if symbol not in IDS:
        raise Refusal("symbol: invalid")
    return IDS[symbol]


if __name__ == "__main__":
    run(LoopbackBitfinex)
