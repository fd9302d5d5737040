"""Read no more of an answer than an exchange can mean to send."""

from __future__ import annotations

from typing import Any, Final

import aiohttp
from ccxt.base.errors import BadResponse

LONGEST_ANSWER: Final = 64 * 1024 * 1024  # bytes, unpacked; the longest list of markets is a quarter of it
CHUNK: Final = 64 * 1024


class BoundedAnswer(aiohttp.ClientResponse):
    """An answer that is given up when it turns out too long."""

    async def text(self, encoding: str | None = None, errors: str = "strict") -> str:
        """The body; BadResponse when it is longer than LONGEST_ANSWER."""
        body = bytearray()
        async for chunk in self.content.iter_chunked(CHUNK):
            body += chunk
            if len(body) > LONGEST_ANSWER:
                self.close()
                raise BadResponse(f"it is longer than {LONGEST_ANSWER // 1024**2} MB")
        return body.decode(encoding or "utf-8", errors)


def bound_answers(client: Any) -> None:
    """Let a client of ccxt's async kind read bounded answers from now on. It needs a running event loop."""
    client.open()
    unbounded = client.session
    client.session = aiohttp.ClientSession(
        connector=client.tcp_connector, trust_env=client.aiohttp_trust_env, response_class=BoundedAnswer
    )
    unbounded.detach()
