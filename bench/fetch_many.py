"""Fifty series from a Kraken on 127.0.0.1 that allows twenty calls a second, and the same with nothing to do."""

from __future__ import annotations

import asyncio
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from bench.measure import Figure, environment, python
from tests.shell.loopback.kraken import ROWS, Clock, LoopbackKraken

SERIES = 50
CALLS_A_SECOND = 20
COST = 1.2  # of a call for Kraken's candles, as ccxt counts against its rateLimit
MINUTE_S = 60


class Run(NamedTuple):
    """One `algotrade fetch`: when each of its calls for candles came, and the CPU time it took; seconds."""

    calls: list[float]
    cpu: float

    @property
    def share(self) -> float:
        """Of the allowed calls, those that were made between the first and the last."""
        return (len(self.calls) - 1) / (self.calls[-1] - self.calls[0]) / CALLS_A_SECOND


class ManyMarkets(LoopbackKraken):
    """Fifty markets whose minutes cost nothing to answer: prices that only differ.

    Attributes:
        calls: when each call for candles came, seconds.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.calls: list[float] = []

    def _asset_pairs(self, query: dict[str, str]) -> dict[str, Any]:
        (first,) = [pair for pair in super()._asset_pairs(query).values() if pair["altname"] == "XBTUSD"]
        return {
            name: {**first, "altname": name, "wsname": f"{name[:-3]}/USD", "base": name[:-3]} for name in self._names()
        }

    def _ohlc(self, query: dict[str, str]) -> dict[str, Any]:
        self.calls.append(time.monotonic())
        now, since = self.clock() // 1000, int(query.get("since", 0))
        opens = [now // MINUTE_S * MINUTE_S - ago * MINUTE_S for ago in reversed(range(ROWS))]
        price = [f"{100 + at % 7}.00000" for at in range(ROWS)]
        rows = [[at, p, p, p, p, p, "1.00000000", 1] for at, p in zip(opens, price, strict=True) if at > since]
        return {query["pair"]: rows, "last": opens[-2]}

    def _names(self) -> list[str]:
        return [f"C{number:02}USD" for number in range(SERIES)]


def fetch_many(rounds: int) -> list[Figure]:
    """How much of the limit a fetch uses, and what the same fetch costs when everything is stored."""
    runs = [asyncio.run(_round()) for _ in range(rounds)]
    shares = [first.share for first, _ in runs]
    idle = [again.cpu for _, again in runs]
    return [
        Figure(
            f"fetch of {SERIES} series at {CALLS_A_SECOND} calls a second, of that limit used",
            statistics.median(shares),
            "of 1",
            0.9,
            more_is_better=True,
            detail=f"{min(shares):.3f} to {max(shares):.3f}, from the first call for candles to the last",
        ),
        Figure(
            f"the same fetch with {SERIES} series stored and nothing to do",
            statistics.median(idle),
            "s of CPU",
            2.0,
            detail=f"{min(idle):.2f} to {max(idle):.2f}, whole process",
        ),
    ]


async def _round() -> tuple[Run, Run]:
    standing = Clock(1_706_702_430_000)  # 30 seconds into a minute: none closes while it runs
    with tempfile.TemporaryDirectory() as place:
        async with ManyMarkets(standing) as kraken:
            (Path(place) / "algotrade.toml").write_text(_settings(kraken.url))
            first = await _fetch(kraken, place)
            assert len(kraken.calls) == SERIES, f"{len(kraken.calls)} calls for {SERIES} series"
            again = await _fetch(kraken, place)
            assert not again.calls, "nothing was to do"
            return first, again


def _settings(url: str) -> str:
    symbols = ", ".join(f'"C{number:02}/USD"' for number in range(SERIES))
    return (
        f'[[fetch]]\nsymbol = [{symbols}]\ntimeframe = "1m"\n\n'
        f'[exchange.kraken.ccxt]\nrateLimit = {1000 / CALLS_A_SECOND / COST}\nurls = {{api = {{public = "{url}"}}}}\n'
    )


async def _fetch(kraken: ManyMarkets, folder: str) -> Run:
    kraken.calls = []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = await asyncio.create_subprocess_exec(
        *python("-m", "algotrade", "fetch", "--quiet"), stdout=asyncio.subprocess.DEVNULL, cwd=folder, env=environment()
    )
    assert await process.wait() == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Run(kraken.calls, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
