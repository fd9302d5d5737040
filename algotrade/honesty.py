"""The verdicts on a strategy, kept in the store: the same code is checked on the same candles once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import pandas as pd

from algotrade.market.candles import content_hash
from algotrade.sources import code_hash, versions
from algotrade.store.database import Database
from algotrade.store.runs import keep_check, read_check
from algotrade.strategy.base import Strategy
from algotrade.strategy.checks import Budget, Checks, check_key, check_portfolio, check_strategy
from algotrade.strategy.weights import PortfolioStrategy


def check_honesty(
    strategy: Strategy,
    candles: pd.DataFrame | Mapping[str, pd.DataFrame],
    signals: pd.DataFrame | None,
    mode: str,
    database: Database | None,
) -> Checks | None:
    """The verdicts on a strategy, from the store where the same was checked before; None for mode "none".

    A strategy of several symbols that answers events is given the candles of all of them, by symbol.
    """

    def make() -> Checks:
        return check_strategy(strategy, candles, signals, Budget(full=mode == "full"), time.process_time)

    return None if mode == "none" else _remembered(strategy, _hash_of(candles), mode, database, make)


def check_weights_honesty(
    strategy: PortfolioStrategy,
    tables: Mapping[str, pd.DataFrame],
    weights: pd.DataFrame,
    mode: str,
    database: Database | None,
) -> Checks | None:
    """As `check_honesty`, for a strategy that decides by the weights of several symbols."""

    def make() -> Checks:
        return check_portfolio(strategy, tables, weights, Budget(full=mode == "full"), time.process_time)

    return None if mode == "none" else _remembered(strategy, _hash_of(tables), mode, database, make)


def _hash_of(candles: pd.DataFrame | Mapping[str, pd.DataFrame]) -> str:
    """Names the bytes of one table, or of several by symbol."""
    if not isinstance(candles, Mapping):
        return content_hash(candles)
    return " ".join(f"{symbol}={content_hash(table)}" for symbol, table in candles.items())


def _remembered(
    strategy: Strategy, data_hash: str, mode: str, database: Database | None, make: Callable[[], Checks]
) -> Checks:
    """The verdicts that were kept of the same strategy on the same candles, else new ones, which are kept."""
    key = check_key(
        strategy,
        code_hash=code_hash(strategy),
        data_hash=data_hash,
        mode=f"{mode} {strategy.bounds}",
        versions=versions(),
    )
    kept = read_check(database, key) if database else None
    if kept is not None:
        return Checks.from_dict(kept)
    checks = make()
    if database:
        keep_check(database, key, checks.to_dict())
    return checks
