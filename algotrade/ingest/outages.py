"""That an exchange says it is down, written down by whatever asks it: a hole that falls into the time is explained."""

from __future__ import annotations

import asyncio

from algotrade.errors import AlgotradeError, AwaitMaintenance
from algotrade.exchange.base import system_ms
from algotrade.store.corrections import close_outage, note_outage
from algotrade.store.database import Database


async def note_if_down(database: Database, exchange: str, error: AlgotradeError, now_ms: int | None = None) -> None:
    """Write down that an exchange is down, if that is what the error says.

    Args:
        database: the store.
        exchange: its name.
        error: that ended a question.
        now_ms: the exchange's time, milliseconds; None where it has not told it.
    """
    if isinstance(error, AwaitMaintenance):
        when = system_ms() if now_ms is None else now_ms
        await asyncio.to_thread(note_outage, database, exchange, when, error.message)


async def note_up(database: Database, exchange: str, now_ms: int) -> None:
    """Write down that an exchange answers again; without an outage nothing is written."""
    await asyncio.to_thread(close_outage, database, exchange, now_ms)
