"""A Kraken on 127.0.0.1: its public REST as documented, fed from the simulated market, and faults on demand.

It serves an unmodified ccxt. In a test: `async with LoopbackKraken(clock) as kraken: ... kraken.url`. For a program
under test: `python -m tests.shell.loopback.kraken --port 0 --print-port [--now 2024-01-31T12:00:30Z] [--speed 60]`,
steered by POST /control with JSON, {"now_ms": 1706702430000, "speed": 60} or {"fault": {"name": "503", "times": 2}},
and read by GET /control, which gives the time and the counted requests.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

from aiohttp import web

from algotrade.market.candles import COLUMNS, times_ms
from algotrade.market.instrument import Instrument
from algotrade.market.simulate import (
    FIRST_MS,
    forming_candle,
    instrument_of,
    price_at,
    simulate_candles,
    spread_at,
)
from algotrade.market.timeframe import bar_start
from tests.shell.loopback.faults import FAULTS, Fault

ROWS = 720
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


class Refusal(Exception):
    """An answer of Kraken's own kind that says no: HTTP 200 with {"error": [...]}."""


class Clock:
    """The exchange's clock: stands still at `now_ms`, or runs `speed` times as fast as ours from there on."""

    def __init__(self, now_ms: int, speed: float = 0.0) -> None:
        self.set(now_ms, speed)

    def set(self, now_ms: int, speed: float) -> None:
        self._anchor_ms, self.speed, self._since = now_ms, speed, time.monotonic()

    def __call__(self) -> int:
        return self._anchor_ms + int((time.monotonic() - self._since) * 1000 * self.speed)


class LoopbackKraken:
    """The server.

    Attributes:
        clock: the exchange's time; a test may set it.
        requests: how often each method was asked.
        queries: every request, its method and its parameters.
        recorded: answers to give in the place of a method's own.
        with_fees: False leaves the fees out, as Kraken does since 2026.
    """

    def __init__(self, clock: Clock, port: int = 0) -> None:
        self.clock = clock
        self.requests: Counter[str] = Counter()
        self.queries: list[tuple[str, dict[str, str]]] = []
        self.recorded: dict[str, Any] = {}
        self.with_fees = True
        self._fault: Fault | None = None
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        assert self._runner is not None
        return int(self._runner.addresses[0][1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ccxt_options(self) -> dict[str, Any]:
        """What [exchange.kraken.ccxt] must say to come here; without ccxt's own waiting."""
        return {"urls": {"api": {"public": self.url}}, "enableRateLimit": False, "timeout_on_exit": 0}

    def fail(self, name: str, method: str | None = None, times: int | None = None) -> None:
        """Let a fault of FAULTS happen from the next request on."""
        assert name in FAULTS, name
        self._fault = Fault(name, method, times)

    def heal(self) -> None:
        self._fault = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/0/public/{method}", self._public)
        app.router.add_get("/control", self._read_control)
        app.router.add_post("/control", self._control)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _public(self, request: web.Request) -> web.StreamResponse:
        method, query = request.match_info["method"], dict(request.query)
        self.requests[method] += 1
        self.queries.append((method, query))
        answer = self._answer(method, query)
        fault = self._take_fault(method)
        if fault is None:
            return web.json_response(answer)
        return await FAULTS[fault](request, answer)

    def _take_fault(self, method: str) -> str | None:
        fault = self._fault
        if fault is None or fault.method not in (None, method) or fault.times == 0:
            return None
        if fault.times is not None:
            self._fault = fault._replace(times=fault.times - 1)
        return fault.name

    def _answer(self, method: str, query: dict[str, str]) -> dict[str, Any]:
        if method in self.recorded:
            return dict(self.recorded[method])
        answers = {
            "Time": self._time,
            "SystemStatus": self._status,
            "Assets": self._assets,
            "AssetPairs": self._asset_pairs,
            "Ticker": self._ticker,
            "OHLC": self._ohlc,
        }
        try:
            if method not in answers:
                raise Refusal("EGeneral:Unknown method")
            return {"error": [], "result": answers[method](query)}
        except Refusal as refusal:
            return {"error": [str(refusal)]}

    def _time(self, query: dict[str, str]) -> dict[str, Any]:
        seconds = self.clock() // 1000
        return {"unixtime": seconds, "rfc1123": f"{datetime.fromtimestamp(seconds, UTC):%a, %d %b %y %H:%M:%S +0000}"}

    def _status(self, query: dict[str, str]) -> dict[str, Any]:
        return {
            "status": "online",
            "timestamp": f"{datetime.fromtimestamp(self.clock() // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}",
        }

    def _assets(self, query: dict[str, str]) -> dict[str, Any]:
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

    def _asset_pairs(self, query: dict[str, str]) -> dict[str, Any]:
        return {pair.id: _describe(pair, instrument_of(pair.symbol), self.with_fees) for pair in PAIRS}

    def _ticker(self, query: dict[str, str]) -> dict[str, Any]:
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

    def _ohlc(self, query: dict[str, str]) -> dict[str, Any]:
        """At most 720 rows after `since`, always the newest ones, the forming candle last."""
        pair, timeframe, now = _find(query), INTERVALS.get(int(query.get("interval", 1))), self.clock()
        if timeframe is None:
            raise Refusal("EGeneral:Invalid arguments")
        forming = forming_candle(pair.symbol, timeframe, now)
        start = bar_start(now, timeframe)
        length = start - bar_start(start - 1, timeframe)
        oldest = max(start - (ROWS - 1) * length, bar_start(FIRST_MS + length - 1, timeframe))
        closed = simulate_candles(pair.symbol, timeframe, oldest, start - length)
        rows = [
            (time, *values) for time, values in zip(times_ms(closed), closed[list(COLUMNS)].to_numpy(), strict=True)
        ]
        since = int(query.get("since", 0))
        kept = [_row(row) for row in [*rows, forming] if row[0] // 1000 > since]
        return {pair.id: kept, "last": (start - length) // 1000}

    async def _read_control(self, request: web.Request) -> web.Response:
        return web.json_response({"now_ms": self.clock(), "requests": self.requests})

    async def _control(self, request: web.Request) -> web.Response:
        orders = await request.json()
        if "now_ms" in orders or "speed" in orders:
            self.clock.set(orders.get("now_ms", self.clock()), orders.get("speed", self.clock.speed))
        if "fault" in orders:
            self._fault = Fault(**orders["fault"]) if orders["fault"] else None
        return await self._read_control(request)


def _find(query: dict[str, str]) -> Pair:
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


def _row(candle: tuple[Any, ...]) -> list[Any]:
    seconds, prices, volume = int(candle[0]) // 1000, [f"{price:.5f}" for price in candle[1:5]], f"{candle[5]:.8f}"
    return [seconds, *prices, prices[3], volume, 1]


async def serve(arguments: argparse.Namespace) -> None:
    now = int(datetime.fromisoformat(arguments.now).timestamp() * 1000) if arguments.now else int(time.time() * 1000)
    kraken = LoopbackKraken(Clock(now, arguments.speed), arguments.port)
    for method, path in arguments.recorded:
        kraken.recorded[method] = json.loads(Path(path).read_text())
    async with kraken:
        if arguments.print_port:
            print(kraken.port, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A Kraken on 127.0.0.1 for tests.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--print-port", action="store_true")
    parser.add_argument("--now", help="ISO time at which the clock starts, with its offset; else this machine's")
    parser.add_argument("--speed", type=float, default=1.0, help="0 makes the clock stand still")
    parser.add_argument("--recorded", nargs=2, action="append", default=[], metavar=("METHOD", "FILE"))
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
