"""Fetch candles for a run that a person waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from algotrade.config import Settings
from algotrade.errors import CheckConnection
from algotrade.exchange.opening import open_exchange
from algotrade.ingest.fetch import FetchRequest, fetch_candles
from algotrade.market.candles import SeriesKey
from algotrade.market.span import Span
from algotrade.store.database import Database

REACH_S: Final = 10.0  # in all, for reaching the exchange
Answer = TypeVar("Answer")


def fetch_now(key: SeriesKey, span: Span, database: Database, settings: Settings) -> tuple[str, ...]:
    """Fetch what a run needs into the store, and return what is to be said about it.

    Args:
        key: the series; its exchange is asked, whatever the origin.
        span: first and last moment, both inclusive.
        database: the store.
        settings: the exchange's options.

    Raises:
        CheckConnection: the exchange was not reached within ten seconds, or broke off before the first candle.
        TryLater, FixCommand: it asks for patience, or has no such symbol or timeframe.
    """
    return run_to_end(_fetch(key, span, database, settings))


def run_to_end(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run it; in a thread of its own where a loop is running already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()


async def _fetch(key: SeriesKey, span: Span, database: Database, settings: Settings) -> tuple[str, ...]:
    async with open_exchange(key.exchange, options=settings.ccxt_options(key.exchange)) as exchange:
        try:
            async with asyncio.timeout(REACH_S):
                await exchange.instrument(key.symbol)
        except TimeoutError:
            raise CheckConnection(f"Cannot reach {key.exchange} within {REACH_S:.0f} s") from None
        asked = FetchRequest(key.symbol, key.timeframe, span.start, span.end)
        report = await fetch_candles(exchange, database, asked)
    if report.error is None:
        return (report.note,) if report.note else ()
    if not report.added:
        raise report.error
    return (f"the fetch ended early: {report.error.message}",)
