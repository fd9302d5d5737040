"""A headless chromium, driven over its own debugging protocol: enough to load a page, turn the wheel and look."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, Self

import aiohttp

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--remote-debugging-port=0", "--window-size=1400,1500",
)  # fmt: skip


class Browser:
    """One page; `events` is what the browser reported, in order."""

    async def __aenter__(self) -> Self:
        self._folder = tempfile.mkdtemp()
        assert CHROMIUM is not None
        quiet = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(
            CHROMIUM, *FLAGS, f"--user-data-dir={self._folder}", "about:blank", stdout=quiet, stderr=quiet
        )
        self._session = aiohttp.ClientSession()
        self._socket = await self._session.ws_connect(await self._address(), max_msg_size=0)
        self._calls = 0
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self.call(f"{domain}.enable")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        self._process.terminate()
        await self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _address(self) -> str:
        file = Path(self._folder) / "DevToolsActivePort"
        while not (file.exists() and file.read_text().strip()):
            await asyncio.sleep(0.05)
        port = file.read_text().split()[0]
        while True:
            async with self._session.get(f"http://127.0.0.1:{port}/json") as answer:
                pages = [target for target in await answer.json() if target["type"] == "page"]
            if pages:
                return pages[0]["webSocketDebuggerUrl"]
            await asyncio.sleep(0.05)

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._calls += 1
        await self._socket.send_json({"id": self._calls, "method": method, "params": parameters})
        while True:
            message = json.loads((await self._socket.receive()).data)
            if message.get("id") == self._calls:
                return message["result"]
            self.events.append(message)

    async def value(self, script: str) -> Any:
        """What a JavaScript expression gives."""
        answer = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    async def until(self, script: str) -> None:
        """Wait until an expression is true."""
        while not await self.value(script):
            await asyncio.sleep(0.1)
