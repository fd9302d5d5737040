"""Whatever was cut off, spoilt and repaired in whatever order: the store ends with what one clean fetch brings."""

from __future__ import annotations

import asyncio
import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from algotrade.errors import CheckConnection
from algotrade.ingest.fetch import FetchRequest, fetch_candles
from algotrade.ingest.repair import repair_candles
from algotrade.market.candles import Floats, SeriesKey, content_hash
from algotrade.store.candles import read_candles
from algotrade.store.corrections import open_quarantine
from algotrade.store.database import Database, open_database
from tests.shell.ingest.listed_exchange import MINUTE, NOON, ListedExchange, minutes

KEY = SeriesKey("kraken", "BTC/USD", "1m")
LAST = 60
CLEAN = [row for row in minutes(0, LAST) if (row[0] - NOON) // MINUTE % 17 != 5]  # some minutes have no trades


class Step(NamedTuple):
    """Something that is done to the store, and what goes wrong meanwhile.

    Attributes:
        repair: ask again, instead of fetching.
        start: of the fetch, minutes after noon.
        length: of the fetch, minutes.
        cut_after: so many answers come, then the connection breaks.
        spoilt: minutes whose price comes as no number.
        spikes: minutes whose price comes a thousandfold; only when fetching, for a repair believes the exchange.
    """

    repair: bool
    start: int
    length: int
    cut_after: int
    spoilt: frozenset[int]
    spikes: frozenset[int]


at = st.integers(0, LAST)
steps = st.builds(
    Step,
    st.booleans(),
    at,
    st.integers(0, 40),
    st.integers(1, 12),
    st.frozensets(at, max_size=6),
    st.frozensets(at, max_size=2),
)


@contextmanager
def new_store() -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as folder, open_database(Path(folder) / "store.sqlite") as opened:
        yield opened


def spoil(exchange: ListedExchange, step: Step) -> None:
    """Let an exchange do what a step says goes wrong."""
    answers = iter(range(step.cut_after))

    def spoilt(symbol: str, rows: Floats) -> Floats:
        if next(answers, None) is None:
            raise CheckConnection("Cannot reach kraken: cut off")
        changed = rows.copy()
        minute = (changed[:, 0] - NOON) // MINUTE
        changed[np.isin(minute, list(step.spoilt)), 4] = math.nan
        if not step.repair:
            changed[np.isin(minute, list(step.spikes)), 2] *= 1000
        return changed

    exchange.spoil = spoilt


async def take(exchange: ListedExchange, database: Database, step: Step) -> None:
    spoil(exchange, step)
    if step.repair:
        await repair_candles(exchange, database, KEY)
    else:
        await fetch(exchange, database, NOON + step.start * MINUTE, NOON + (step.start + step.length) * MINUTE)


async def fetch(exchange: ListedExchange, database: Database, start: int, end: int) -> None:
    await fetch_candles(exchange, database, FetchRequest(("BTC/USD",), "1m", start, end))


async def clean_up(exchange: ListedExchange, database: Database) -> None:
    exchange.spoil = lambda symbol, rows: rows
    await fetch(exchange, database, NOON, NOON + LAST * MINUTE)
    await repair_candles(exchange, database, KEY)


def outcome(done: list[Step]) -> tuple[str, dict[int, str]]:
    async def run(database: Database) -> None:
        exchange = ListedExchange(CLEAN, NOON + (LAST + 2) * MINUTE)
        for step in done:
            await take(exchange, database, step)
        await clean_up(exchange, database)

    with new_store() as database:
        asyncio.run(run(database))
        return content_hash(read_candles(database, KEY)), open_quarantine(database, KEY)


@settings(max_examples=25)
@given(st.lists(steps, max_size=5))
def test_any_interleaving_ends_in_the_bytes_of_one_clean_fetch(done: list[Step]) -> None:
    assert outcome(done) == outcome([])
