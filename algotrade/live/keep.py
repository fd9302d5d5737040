"""Keeping the candles that a session built from prices, so that a backtest can run over them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from algotrade.engine.events import CandleClosed
from algotrade.engine.session import Record
from algotrade.errors import AlgotradeError
from algotrade.market.candles import SeriesKey
from algotrade.store.arrivals import write_candles
from algotrade.store.database import Database


class CandleKeeper:
    """Writes closed candles to the store. The journal has them already, so a store that fails costs nothing.

    Args:
        database: the store.
        key: the series.
        earlier: records of the session so far. Their candles are written again with the first new one, for a kill
            may have come between journal and store.
    """

    def __init__(self, database: Database, key: SeriesKey, earlier: Iterable[Record]) -> None:
        self._database = database
        self._key = key
        self._waiting = _candles(earlier)

    def keep(self, records: Sequence[Record]) -> str:
        """Store the candles among the records, and those that could not be stored before; says why it failed, or ""."""
        new = _candles(records)
        if not new:
            return ""
        self._waiting += new
        rows = np.array([candle[1:7] for candle in self._waiting], np.float64)
        try:
            write_candles(self._database, self._key, rows[:, 0].astype(np.int64), rows[:, 1:].T)
        except AlgotradeError as error:
            return f"{error.message}; the candles are in the journal and are stored with the next one"
        self._waiting.clear()
        return ""


def _candles(records: Iterable[Record]) -> list[CandleClosed]:
    return [record for record in records if isinstance(record, CandleClosed)]
