"""What can go wrong on the way from an exchange: each fault takes the request and the right answer, and answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from aiohttp import web


class Fault(NamedTuple):
    """What goes wrong, for which method ("OHLC"; None for all), how many times (None for always)."""

    name: str
    method: str | None = None
    times: int | None = None


Answering = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


async def _hang(request: web.Request, answer: dict[str, Any]) -> web.StreamResponse:
    await asyncio.sleep(3600)
    raise AssertionError


async def _trickle(request: web.Request, answer: dict[str, Any]) -> web.StreamResponse:
    """A byte now and then: every single read succeeds, the answer never ends."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.05)


async def _reset(request: web.Request, answer: dict[str, Any]) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def _status(code: int) -> Answering:
    async def respond(request: web.Request, answer: dict[str, Any]) -> web.Response:
        return web.Response(
            status=code, text="<html><body>\x1b[31mnot now[/red]</body></html>", content_type="text/html"
        )

    return respond


def _body(text: Callable[[dict[str, Any]], str], kind: str = "application/json") -> Answering:
    async def respond(request: web.Request, answer: dict[str, Any]) -> web.Response:
        return web.Response(text=text(answer), content_type=kind)

    return respond


def _rows(change: Callable[[list[Any]], list[Any]]) -> Answering:
    def changed(answer: dict[str, Any]) -> str:
        result = {key: change(value) if isinstance(value, list) else value for key, value in answer["result"].items()}
        return json.dumps({**answer, "result": result})

    return _body(changed)


def _foreign(answer: dict[str, Any]) -> str:
    result = answer["result"]
    return json.dumps({**answer, "result": {name if name == "last" else "FOREIGN": result[name] for name in result}})


FAULTS: dict[str, Answering] = {
    "hang": _hang,
    "trickle": _trickle,
    "reset": _reset,
    "500": _status(500),
    "503": _status(503),
    "429": _status(429),
    "403": _status(403),
    "html": _body(lambda answer: "<html><body>Please log in to the hotel's network</body></html>", "text/html"),
    "truncated": _body(lambda answer: json.dumps(answer)[: len(json.dumps(answer)) // 2]),
    "empty": _body(lambda answer: ""),
    "no_result": _body(lambda answer: '{"error": []}'),
    "null_result": _body(lambda answer: '{"error": [], "result": null}'),
    "empty_object": _body(lambda answer: "{}"),
    "list": _body(lambda answer: "[1, 2]"),
    "foreign_key": _body(_foreign),
    "duplicate_rows": _rows(lambda rows: [*rows, *rows[-3:]]),
    "reversed_rows": _rows(lambda rows: rows[::-1]),
    "no_rows": _rows(lambda rows: []),
    "null_value": _rows(lambda rows: [*rows[:-1], [rows[-1][0], None, *rows[-1][2:]]]),
    "text_value": _rows(lambda rows: [*rows[:-1], [rows[-1][0], "high", *rows[-1][2:]]]),
    "rate_limit": _body(lambda answer: '{"error": ["EAPI:Rate limit exceeded"]}'),
    "too_many": _body(lambda answer: '{"error": ["EGeneral:Too many requests"]}'),
    "lockout": _body(lambda answer: '{"error": ["EGeneral:Temporary lockout"]}'),
    "unavailable": _body(lambda answer: '{"error": ["EService:Unavailable"]}'),
    "maintenance": _body(lambda answer: '{"error": ["EService:Market in cancel_only mode"]}'),
    "unlisted": _body(lambda answer: '{"error": ["EGeneral:Never seen before"]}'),
}
