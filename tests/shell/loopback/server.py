"""What the exchanges on 127.0.0.1 have in common: a clock, counted requests, a rate limit, faults on demand.

They serve an unmodified ccxt. In a test: `async with LoopbackKraken(clock) as kraken: ... kraken.url`. As a program of
its own, `python -m tests.shell.loopback.kraken --port 0 --print-port [--now 2024-01-31T12:00:30Z] [--speed 60]`, one
is steered by POST /control with JSON, {"now_ms": 1706702430000, "speed": 60} or {"fault": {"name": "503", "times": 2}},
and read by GET /control, which gives the time and the counted requests.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter, deque
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

from aiohttp import web

from algotrade.market.candles import COLUMNS, times_ms
from algotrade.market.simulate import FIRST_MS, forming_candle, simulate_candles, simulate_trades
from algotrade.market.timeframe import bar_start, timeframe_ms
from tests.shell.loopback.faults import FAULTS, Fault, as_json

MINUTE = 60_000
FIRST_TRADE = FIRST_MS // MINUTE * 4  # its number in the simulated market

Query = dict[str, str]


class Refusal(Exception):
    """An answer of the exchange's own kind that says no."""


class Candle(NamedTuple):
    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Trade(NamedTuple):
    """A print; its number is rising by one, its time in milliseconds."""

    number: int
    time: int
    price: float
    quantity: float
    side: int


class Clock:
    """The exchange's clock: stands still at `now_ms`, or runs `speed` times as fast as ours from there on."""

    def __init__(self, now_ms: int, speed: float = 0.0) -> None:
        self.set(now_ms, speed)

    def set(self, now_ms: int, speed: float) -> None:
        self._anchor_ms, self.speed, self._since = now_ms, speed, time.monotonic()

    def __call__(self) -> int:
        return self._anchor_ms + int((time.monotonic() - self._since) * 1000 * self.speed)


class LoopbackExchange:
    """A server. Each exchange says which of its calls a path is, and what it answers.

    Attributes:
        name: ccxt's id.
        clock: the exchange's time; a test may set it.
        requests: how often each method was asked.
        queries: every request, its method and its parameters.
        recorded: answers to give in the place of a method's own.
        calls_per_second: more of them are refused with 429; None for no limit.
        refused: how many were.
    """

    name: ClassVar[str]
    apis: ClassVar[dict[str, str]]  # ccxt's names for the exchange's hosts, and the path that each begins with

    def __init__(self, clock: Clock, port: int = 0) -> None:
        self.clock = clock
        self.requests: Counter[str] = Counter()
        self.queries: list[tuple[str, Query]] = []
        self.recorded: dict[str, Any] = {}
        self.calls_per_second: int | None = None
        self.refused = 0
        self._recent: deque[float] = deque()
        self._fault: Fault | None = None
        self._port = port
        self._runner: web.AppRunner | None = None

    def method_of(self, path: str) -> tuple[str, Query]:
        """The method that a path names, and the parameters in it; Refusal where there is none."""
        raise NotImplementedError

    def answer(self, method: str, query: Query) -> Any:
        """The right answer; "#1.5" in it stands for the number 1.5 in just these digits."""
        raise NotImplementedError

    def refusal(self, words: str) -> tuple[int, Any]:
        """Status and answer that say no."""
        raise NotImplementedError

    @property
    def port(self) -> int:
        assert self._runner is not None
        return int(self._runner.addresses[0][1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ccxt_options(self) -> dict[str, Any]:
        """What [exchange.NAME.ccxt] must say to come here; without ccxt's own waiting."""
        apis = {api: self.url + path for api, path in self.apis.items()}
        return {"urls": {"api": apis}, "enableRateLimit": False, "timeout_on_exit": 0}

    def fail(self, name: str, method: str | None = None, times: int | None = None) -> None:
        """Let a fault of FAULTS happen from the next request on."""
        assert name in FAULTS, name
        self._fault = Fault(name, method, times)

    def heal(self) -> None:
        self._fault = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/control", self._read_control)
        app.router.add_post("/control", self._control)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        try:
            method, within = self.method_of(request.match_info["path"])
        except Refusal as refusal:
            return self._respond(*self.refusal(str(refusal)))
        query = dict(request.query) | within
        self.requests[method] += 1
        self.queries.append((method, query))
        if self._over_the_limit():
            self.refused += 1
            return web.Response(status=429, text="slow down")
        try:
            status, answer = 200, self.recorded.get(method) or self.answer(method, query)
        except Refusal as refusal:
            status, answer = self.refusal(str(refusal))
        fault = self._take_fault(method)
        return self._respond(status, answer) if fault is None else await FAULTS[fault](request, answer)

    def _respond(self, status: int, answer: Any) -> web.Response:
        return web.Response(
            status=status,
            text=as_json(answer),
            content_type="application/json",
            headers={"Date": formatdate(self.clock() / 1000, usegmt=True)},
        )

    def _over_the_limit(self) -> bool:
        now = time.monotonic()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        self._recent.append(now)
        return self.calls_per_second is not None and len(self._recent) > self.calls_per_second

    def _take_fault(self, method: str) -> str | None:
        fault = self._fault
        if fault is None or fault.method not in (None, method) or fault.times == 0:
            return None
        if fault.times is not None:
            self._fault = fault._replace(times=fault.times - 1)
        return fault.name

    async def _read_control(self, request: web.Request) -> web.Response:
        return web.json_response({"now_ms": self.clock(), "requests": self.requests})

    async def _control(self, request: web.Request) -> web.Response:
        orders = await request.json()
        if "now_ms" in orders or "speed" in orders:
            self.clock.set(orders.get("now_ms", self.clock()), orders.get("speed", self.clock.speed))
        if "fault" in orders:
            self._fault = Fault(**orders["fault"]) if orders["fault"] else None
        return await self._read_control(request)


def candles_between(symbol: str, timeframe: str, span: tuple[int, int], now: int) -> list[Candle]:
    """The candles that open from one time to another, both inclusive, the forming one as it stands now."""
    length = timeframe_ms(timeframe)
    first = bar_start(max(span[0], FIRST_MS) + length - 1, timeframe)
    forming, last = bar_start(now, timeframe), bar_start(span[1], timeframe)
    table = simulate_candles(symbol, timeframe, first, min(last, forming - length))
    values = table[list(COLUMNS)].to_numpy().tolist()
    rows = [Candle(int(time), *row) for time, row in zip(times_ms(table), values, strict=True)]
    return [*rows, Candle(*forming_candle(symbol, timeframe, now))] if first <= forming <= last else rows


def newest_span(timeframe: str, rows: int, now: int) -> tuple[int, int]:
    """First and last open time of the newest candles."""
    return bar_start(now, timeframe) - (rows - 1) * timeframe_ms(timeframe), now


def trades_from(symbol: str, number: int, count: int, now: int) -> list[Trade]:
    """The prints from a number on; the market's first is numbered FIRST_TRADE."""
    start = max(number, FIRST_TRADE) // 4 * MINUTE
    if start > now:
        return []
    made = simulate_trades(symbol, start, min(start + (count // 4 + 2) * MINUTE, now))
    rows = [Trade(*row) for row in zip(*(column.tolist() for column in made), strict=True)]
    return [row for row in rows if row.number >= number and row.time <= now][:count]


def number_at(symbol: str, time_ms: int, now: int) -> int:
    """The number of the first print at or after a time; of the next to come where there is none yet."""
    start = bar_start(max(time_ms, FIRST_MS), "1m")
    later = [row for row in trades_from(symbol, start // MINUTE * 4, 8, 2**53) if row.time >= time_ms]
    return min(later[0].number, next_number(symbol, now))


def next_number(symbol: str, now: int) -> int:
    """The number of the next print to come."""
    made = [row.number for row in trades_from(symbol, (now // MINUTE - 1) * 4, 8, now)]
    return made[-1] + 1


def price_text(price: float) -> str:
    """A number as text with no more digits than it has, and no exponent."""
    return f"{price:.10f}".rstrip("0").rstrip(".")


def iso_time(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


async def serve(kind: type[LoopbackExchange], arguments: argparse.Namespace) -> None:
    now = int(datetime.fromisoformat(arguments.now).timestamp() * 1000) if arguments.now else int(time.time() * 1000)
    exchange = kind(Clock(now, arguments.speed), arguments.port)
    exchange.calls_per_second = arguments.calls_per_second
    exchange.recorded = {method: json.loads(Path(file).read_text()) for method, file in arguments.recorded}
    async with exchange:
        if arguments.print_port:
            print(exchange.port, flush=True)
        await asyncio.Event().wait()


def run(kind: type[LoopbackExchange]) -> None:
    parser = argparse.ArgumentParser(description=f"{kind.__name__}: an exchange on 127.0.0.1 for tests.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--print-port", action="store_true")
    parser.add_argument("--now", help="ISO time at which the clock starts, with its offset; else this machine's")
    parser.add_argument("--speed", type=float, default=1.0, help="0 makes the clock stand still")
    parser.add_argument("--calls-per-second", type=int, help="refuse more than so many")
    parser.add_argument("--recorded", nargs=2, action="append", default=[], metavar=("METHOD", "FILE"))
    asyncio.run(serve(kind, parser.parse_args()))
