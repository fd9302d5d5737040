"""What an exchange sends by itself over its websocket, through ccxt's pro classes.

ccxt notices a connection that breaks and one that answers no ping. It does not notice one that answers pings and sends
nothing else, so a silence is handed on and never taken for a market in which nothing happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple, Self

import ccxt.pro
import numpy as np

from algotrade.errors import FixCommand, did_you_mean
from algotrade.exchange.ccxt_answers import number
from algotrade.exchange.ccxt_client import check_options, host_of
from algotrade.exchange.ccxt_errors import nonsense, translate, unreachable
from algotrade.market.candles import Floats

Read = Callable[[Any, str, str], Awaitable[Floats]]


class Channel(NamedTuple):
    """Something that an exchange streams: ccxt's name for the ability, what it is in a sentence, and how to read it."""

    ability: str
    words: str
    read: Read


class CcxtStream:
    """The websocket of one exchange, read only; see Stream.

    Args:
        name: ccxt's id, "kraken".
        options: for ccxt's constructor, from [exchange.NAME.ccxt] of algotrade.toml.

    Raises:
        FixCommand: ccxt knows no stream of that exchange.
        FixConfiguration: an option is unknown.
    """

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        if name not in ccxt.pro.exchanges:
            near = did_you_mean(name, ccxt.pro.exchanges)
            raise FixCommand(f"ccxt knows no stream of '{name}'.{near}", hint=f"algotrade fetch --exchange {name}")
        self.name = name
        self._kind = getattr(ccxt.pro, name)
        example = self._kind()
        check_options(name, options, example)
        self._options = dict(options)
        self._where = f"{name} ({host_of(example)})"
        self._channel = next((channel for channel in CHANNELS if example.has.get(channel.ability)), None)
        if self._channel is None:
            raise FixCommand(f"{name} streams neither candles, trades nor prices", hint="algotrade fetch -h")
        # ccxt tells the candles of a symbol apart by nothing but the symbol, so each timeframe has its own connection.
        self._clients: dict[str, Any] = {}
        self._given_up: list[Any] = []  # those whose closing is not over: it may be cut off, and is then begun again
        self._waiting: dict[tuple[str, str], asyncio.Task[Floats]] = {}

    @property
    def what(self) -> str:
        """What it streams, for a sentence: "candles", "trades" or "prices"."""
        assert self._channel is not None
        return self._channel.words

    async def wait(self, symbol: str, timeframe: str, *, timeout_s: float) -> Floats | None:
        """The next candles; see Stream."""
        series = (symbol, timeframe)
        if series not in self._waiting:
            self._waiting[series] = asyncio.create_task(self._read(symbol, timeframe))
        task = self._waiting[series]
        done, _ = await asyncio.wait({task}, timeout=max(timeout_s, 0.0))  # one that is cut off would lose an update
        if not done:
            return None
        self._waiting.pop(series, None)
        if task.cancelled():
            raise unreachable(self._where, "the connection was given up")
        return task.result()

    async def reconnect(self, timeframe: str) -> None:
        """Give up the connection for a timeframe; the next `wait` makes a new one."""
        for series in [series for series in self._waiting if series[1] == timeframe]:
            await _end(self._waiting.pop(series))
        await self._give_up(timeframe)

    async def close(self) -> None:
        """Let go of every connection."""
        for timeframe in {*self._clients, *(timeframe for _, timeframe in self._waiting)}:
            await self.reconnect(timeframe)
        for client in list(self._given_up):
            await self._close(client)

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Close it."""
        await self.close()

    async def _read(self, symbol: str, timeframe: str) -> Floats:
        assert self._channel is not None
        if timeframe not in self._clients:
            self._clients[timeframe] = self._kind(self._options)
        client = self._clients[timeframe]
        try:
            return await self._channel.read(client, symbol, timeframe)
        except Exception as error:  # ccxt indexes into what it receives, so anything may rise from a bad message
            if self._clients.get(timeframe) is client:  # the first of its series to see it; the others share the next
                await self._give_up(timeframe)
            raise translate(error, self._where) from error

    async def _give_up(self, timeframe: str) -> None:
        client = self._clients.pop(timeframe, None)
        if client is not None:
            self._given_up.append(client)
            await self._close(client)

    async def _close(self, client: Any) -> None:
        await client.close()
        self._given_up.remove(client)


async def _read_candles(client: Any, symbol: str, timeframe: str) -> Floats:
    return _table([row[:6] for row in await client.watch_ohlcv(symbol, timeframe)], client.id)


async def _read_trades(client: Any, symbol: str, _timeframe: str) -> Floats:
    return _times([trade.get("timestamp") for trade in await client.watch_trades(symbol)], client.id)


async def _read_ticker(client: Any, symbol: str, _timeframe: str) -> Floats:
    ticker = await client.watch_ticker(symbol)
    return _times([ticker.get("timestamp")] if ticker.get("timestamp") else [], client.id)


def _times(times: list[Any], where: str) -> Floats:
    return _table([[time, *[None] * 5] for time in times], where)


def _table(rows: list[Any], where: str) -> Floats:
    try:
        table = np.array([[number(value) for value in row] for row in rows], np.float64).reshape(len(rows), 6)
    except (TypeError, ValueError):
        raise nonsense(where, "updates that are not numbers") from None
    return table[np.argsort(table[:, 0], kind="stable")]


async def _end(task: asyncio.Task[Floats]) -> None:
    """End a task whose answer nobody waits for any more, whatever it has become."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


CHANNELS: Final = (  # the first that an exchange has
    Channel("watchOHLCV", "candles", _read_candles),
    Channel("watchTrades", "trades", _read_trades),
    Channel("watchTicker", "prices", _read_ticker),
)
