"""What can go wrong on the way from an exchange: each fault takes the request and the right answer, and answers."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from aiohttp import web

DIGITS = re.compile(r'"#([0-9.]+)"')


def as_json(answer: Any) -> str:
    """The answer as text; "#1.50" in it stands for the number 1.50 in just these digits."""
    return DIGITS.sub(r"\1", json.dumps(answer))


class Fault(NamedTuple):
    """What goes wrong, for which method ("OHLC"; None for all), how many times (None for always)."""

    name: str
    method: str | None = None
    times: int | None = None


Answering = Callable[[web.Request, Any], Awaitable[web.StreamResponse]]


async def _hang(request: web.Request, answer: Any) -> web.StreamResponse:
    await asyncio.sleep(3600)
    raise AssertionError


async def _trickle(request: web.Request, answer: Any) -> web.StreamResponse:
    """A byte now and then: every single read succeeds, the answer never ends."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.05)


async def _reset(request: web.Request, answer: Any) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def _status(code: int) -> Answering:
    async def respond(request: web.Request, answer: Any) -> web.Response:
        return web.Response(
            status=code, text="<html><body>\x1b[31mnot now[/red]</body></html>", content_type="text/html"
        )

    return respond


def _body(text: Callable[[Any], str], kind: str = "application/json") -> Answering:
    async def respond(request: web.Request, answer: Any) -> web.Response:
        return web.Response(text=text(answer), content_type=kind)

    return respond


def _rows(change: Callable[[list[Any]], list[Any]]) -> Answering:
    """Change the list of rows in an answer, wherever an exchange puts it."""

    def changed(answer: Any) -> Any:
        if isinstance(answer, list) and answer and isinstance(answer[0], list | dict):
            return change(answer)
        if isinstance(answer, dict):
            return {key: changed(value) for key, value in answer.items()}
        return answer

    return _body(lambda answer: as_json(changed(answer)))


def _with_open(row: Any, value: Any) -> Any:
    if isinstance(row, dict):
        return row | {name: value for name in ("open", "price") if name in row}
    return [row[0], value, *row[2:]]


def _foreign(answer: Any) -> str:
    """The answer under names that were not asked for."""
    inner = answer.get("result", answer)
    renamed = {name if name in ("last", "error") else f"FOREIGN{name}": value for name, value in inner.items()}
    return as_json({**answer, "result": renamed} if "result" in answer else renamed)


def _wrong_types(answer: Any) -> Any:
    """Every number and text in an answer as an object, every object's first value as a list."""
    if isinstance(answer, dict):
        return {key: _wrong_types(value) for key, value in answer.items()}
    if isinstance(answer, list):
        return [_wrong_types(value) for value in answer]
    return {"amount": answer}


async def _huge(request: web.Request, answer: Any) -> web.StreamResponse:
    """The right answer after 100 MB of nothing."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for _ in range(100):
        await response.write(b" " * 1024**2)
    await response.write(as_json(answer).encode())
    return response


FAULTS: dict[str, Answering] = {
    "hang": _hang,
    "trickle": _trickle,
    "reset": _reset,
    "500": _status(500),
    "503": _status(503),
    "429": _status(429),
    "403": _status(403),
    "html": _body(lambda answer: "<html><body>Please log in to the hotel's network</body></html>", "text/html"),
    "truncated": _body(lambda answer: as_json(answer)[: len(as_json(answer)) // 2]),
    "empty": _body(lambda answer: ""),
    "no_result": _body(lambda answer: '{"error": []}'),
    "null_result": _body(lambda answer: '{"error": [], "result": null}'),
    "empty_object": _body(lambda answer: "{}"),
    "list": _body(lambda answer: "[1, 2]"),
    "foreign_key": _body(_foreign),
    "duplicate_rows": _rows(lambda rows: [*rows, *rows[-3:]]),
    "reversed_rows": _rows(lambda rows: rows[::-1]),
    "no_rows": _rows(lambda rows: []),
    "null_value": _rows(lambda rows: [*rows[:-1], _with_open(rows[-1], None)]),
    "text_value": _rows(lambda rows: [*rows[:-1], _with_open(rows[-1], "high")]),
    "huge": _huge,
    "deep": _body(lambda answer: "[" * 100_000 + "]" * 100_000),
    "wrong_types": _body(lambda answer: as_json(_wrong_types(answer))),
    "huge_number": _rows(lambda rows: [*rows[:-1], _with_open(rows[-1], 10**400)]),
    "endless_number": _body(lambda answer: "9" * 100_000),
    "duplicate_keys": _body(lambda answer: '{"error": [], "error": 5, "result": {}, "result": {"last": {}}}'),
    "rate_limit": _body(lambda answer: '{"error": ["EAPI:Rate limit exceeded"]}'),
    "too_many": _body(lambda answer: '{"error": ["EGeneral:Too many requests"]}'),
    "lockout": _body(lambda answer: '{"error": ["EGeneral:Temporary lockout"]}'),
    "unavailable": _body(lambda answer: '{"error": ["EService:Unavailable"]}'),
    "maintenance": _body(lambda answer: '{"error": ["EService:Market in cancel_only mode"]}'),
    "unlisted": _body(lambda answer: '{"error": ["EGeneral:Never seen before"]}'),
}
