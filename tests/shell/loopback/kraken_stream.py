"""The loopback Kraken with its websocket, version 2: the ohlc and trade channels as documented."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import WSMsgType, web

from tests.shell.loopback.kraken import INTERVALS, PAIRS, LoopbackKraken
from tests.shell.loopback.server import Candle, Clock, candles_between, iso_time, run

TICK_S = 0.01
SYMBOLS = {pair.symbol for pair in PAIRS}


class StreamingKraken(LoopbackKraken):
    """The server.

    Attributes:
        deaf: pings are answered, nothing else is sent.
        dumb: not even those are.
        noise: sent before every update as it is: broken JSON, an unknown channel.
        connections: how many there have been.
        updates: how many were sent.
    """

    def __init__(self, clock: Clock, port: int = 0) -> None:
        super().__init__(clock, port)
        self.deaf = self.dumb = False
        self.noise: str | None = None
        self.connections = 0
        self.updates = 0
        self._open: set[web.WebSocketResponse] = set()

    @property
    def ccxt_options(self) -> dict[str, Any]:
        options = super().ccxt_options
        options["urls"]["api"]["ws"] = {"publicV2": f"ws://127.0.0.1:{self.port}/v2"}
        return options

    async def drop(self) -> None:
        """Cut every connection off, without a word."""
        for socket in set(self._open):
            transport = socket._req.transport if socket._req else None
            if transport is not None:
                transport.abort()

    async def __aexit__(self, *exception: object) -> None:
        await self.drop()
        await super().__aexit__(*exception)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        return await self._talk(request) if request.path == "/v2" else await super()._serve(request)

    async def _talk(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.connections += 1
        self._open.add(socket)
        tellers: list[asyncio.Task[None]] = []
        try:
            async for message in socket:
                if message.type != WSMsgType.TEXT:
                    if message.type == WSMsgType.PING and not self.dumb:
                        await socket.pong(message.data)
                    continue
                asked = json.loads(message.data)
                if asked["method"] == "ping" and not self.dumb:
                    await socket.send_json({"method": "pong", "req_id": asked.get("req_id")})
                if asked["method"] == "subscribe":
                    tellers += await self._subscribe(socket, asked)
        finally:
            self._open.discard(socket)
            for teller in tellers:
                teller.cancel()
        return socket

    async def _subscribe(self, socket: web.WebSocketResponse, asked: dict[str, Any]) -> list[asyncio.Task[None]]:
        wanted = asked["params"]
        if unknown := set(wanted["symbol"]) - SYMBOLS:
            words = f"Currency pair not supported {unknown.pop()}"
            await socket.send_json({"method": "subscribe", "success": False, "error": words, "req_id": asked["req_id"]})
            return []
        await socket.send_json({"method": "subscribe", "success": True, "result": wanted, "req_id": asked["req_id"]})
        interval = int(wanted["interval"])
        return [asyncio.create_task(self._tell(socket, symbol, interval)) for symbol in wanted["symbol"]]

    async def _tell(self, socket: web.WebSocketResponse, symbol: str, interval: int) -> None:
        """Send a candle whenever it changes, the last state of one before the first of the next."""
        timeframe = INTERVALS[interval]
        told = candles_between(symbol, timeframe, (self.clock() - interval * 60_000, self.clock()), self.clock())[-1]
        await self._send(socket, symbol, interval, [told], "snapshot")
        while not socket.closed:
            await asyncio.sleep(TICK_S)
            now = self.clock()
            for candle in candles_between(symbol, timeframe, (told.time, now), now):
                if candle != told:
                    await self._send(socket, symbol, interval, [candle], "update")
                    told = candle

    async def _send(
        self, socket: web.WebSocketResponse, symbol: str, interval: int, candles: list[Candle], kind: str
    ) -> None:
        if self.deaf or self.dumb or socket.closed:
            return
        if self.noise is not None:
            await socket.send_str(self.noise)
        data = [
            {
                "symbol": symbol,
                **{name: getattr(candle, name) for name in ("open", "high", "low", "close", "volume")},
                "trades": 1,
                "vwap": candle.close,
                "interval_begin": iso_time(candle.time),
                "interval": interval,
                "timestamp": iso_time(candle.time + interval * 60_000),
            }
            for candle in candles
        ]
        self.updates += 1
        await socket.send_json({"channel": "ohlc", "type": kind, "timestamp": iso_time(self.clock()), "data": data})


if __name__ == "__main__":
    run(StreamingKraken)
