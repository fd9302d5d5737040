"""The funding of several markets, one after the other: there is little of it, a year in one answer or two."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final, NamedTuple, Protocol, cast

from algotrade.errors import AlgotradeError
from algotrade.exchange.base import Exchange
from algotrade.ingest.funding.fetch import fetch_funding
from algotrade.ingest.funding.report import FundingReport, funding_report
from algotrade.ingest.many import lock_path
from algotrade.ingest.report import FetchProgress
from algotrade.ingest.shared_exchange import SharedClock, Turn
from algotrade.market.candles import SeriesKey
from algotrade.market.span import Span
from algotrade.store.database import Database
from algotrade.store.files import hold_lock

FUNDING: Final = "funding"  # in the place of the timeframe, in the name of a lock


class Market(NamedTuple):
    """A perpetual contract of an exchange."""

    exchange: str
    symbol: str

    @property
    def label(self) -> str:
        """How people are told of it: "binance BTC/USDT:USDT funding"."""
        return f"{self.exchange} {self.symbol} {FUNDING}"


class Watcher(Protocol):
    """Who is told how it goes."""

    def began(self, market: Market) -> None:
        """A market has its turn."""

    def advanced(self, step: FetchProgress) -> None:
        """An answer of it is stored."""

    def ended(self, market: Market, report: FundingReport) -> None:
        """It is over, well or not."""


async def fetch_several(
    markets: Sequence[Market],
    database: Database,
    span: Span,
    *,
    open_named: Callable[[str], Exchange],
    watcher: Watcher,
    stopping: asyncio.Event,
) -> list[FundingReport]:
    """Fetch the funding of every market. One that fails does not lose the others: its report carries the error.

    Args:
        markets: those of one exchange beside each other.
        database: the store.
        span: see `fetch_funding`.
        open_named: opens an exchange by its name; each is opened once.
        watcher: told of every step.
        stopping: once set, no more is asked for; the reports of what is left carry Stopped.

    Returns:
        One report a market, in the order given.
    """
    reports: list[FundingReport] = []
    for name, group in groupby(markets, lambda market: market.exchange):
        waiting = list(group)
        try:
            async with open_named(name) as exchange:
                turn = cast(Exchange, Turn(exchange, SharedClock(exchange), stopping))
                while waiting:
                    watcher.began(waiting[0])
                    reports.append(await _fetch(turn, database, waiting[0], span, watcher))
                    watcher.ended(waiting.pop(0), reports[-1])
        except AlgotradeError as error:  # of opening it
            for market in waiting:
                reports.append(await asyncio.to_thread(_failed, database, market, error))
                watcher.ended(market, reports[-1])
    return reports


async def _fetch(exchange: Exchange, database: Database, market: Market, span: Span, watcher: Watcher) -> FundingReport:
    """The funding of one market, under a lock of its own."""
    path = lock_path(database, SeriesKey(*market, FUNDING))
    try:
        with hold_lock(path, f"a fetch of {market.label}", hint=None):
            return await fetch_funding(exchange, database, market.symbol, span, watcher.advanced)
    except AlgotradeError as error:
        return await asyncio.to_thread(_failed, database, market, error)


def _failed(database: Database, market: Market, error: AlgotradeError) -> FundingReport:
    return funding_report(database, market, error=error)
