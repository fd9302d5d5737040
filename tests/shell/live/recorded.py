"""Paper sessions over candles that are long known: the real feed, engine and journal, at the speed of the machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from algotrade.exchange.base import Exchange, Quote
from algotrade.live.begin import session_header
from algotrade.live.clock import system_clock
from algotrade.live.feed import CandleFeed
from algotrade.live.launch import Launched
from algotrade.live.plan import SessionPlan
from algotrade.live.sessions import begin_session
from algotrade.live.trader import Pace, Trader
from algotrade.market.candles import COLUMNS, Floats, times_ms
from algotrade.store.database import open_database
from algotrade.strategy.base import Strategy
from tests.shell.live.scripted import ScriptedExchange

PAGE = 1000
AT_ONCE = Pace(0.0, lambda: 0.0)


class RecordedExchange(ScriptedExchange):
    """Has the candles of a table, and tells a time at which all of them are over."""

    name = "recorded"
    simulated = False
    origin = "import"

    def __init__(self, candles: pd.DataFrame, now_ms: int) -> None:
        super().__init__()
        self.now = now_ms
        self._times = times_ms(candles)
        self._rows = np.column_stack([self._times, candles[list(COLUMNS)].to_numpy()])

    async def candles(self, symbol: str, timeframe: str, *, since: int | None, limit: int | None) -> Floats:
        first = len(self._rows) - PAGE if since is None else int(np.searchsorted(self._times, since))
        return self._rows[max(first, 0) : max(first, 0) + PAGE]

    async def ticker(self, symbol: str) -> Quote:
        last = float(self._rows[-1, 4])
        return Quote(self.now, last, last, last)


async def trade_on_paper(folder: Path, exchange: Exchange, plan: SessionPlan, strategy: Strategy) -> Path:
    """A whole session, from the plan's start to its last bar; the path of its journal."""
    path = folder / "session.sqlite"
    with open_database(folder / "store.sqlite") as database:
        header = await session_header(plan, [strategy], exchange, database)
        opened = begin_session(path, {**header, "clock": None}, plan)
        with opened.journal:
            feed = CandleFeed(exchange, plan.timeframe, opened.positions)
            await Trader(Launched(opened, exchange, feed), AT_ONCE, lambda update: None).run(system_clock)
    return path
