"""backtesting.py. It trades whole units only, so prices are scaled down until a unit is next to nothing."""

from __future__ import annotations

import time
import warnings
from typing import Any

import pandas as pd
from backtesting import Backtest, Strategy
from contract import answer

UNIT = 1e-12
ALL_IN = 1 - 1e-15  # the greatest size it takes for a fraction; 1 would mean one unit


class Follow(Strategy):
    want: Any = None

    def init(self) -> None:
        pass

    def next(self) -> None:
        want = self.want[len(self.data) - 1]
        if want and not self.position:
            self.buy(size=ALL_IN)
        elif self.position and not want:
            self.position.close()


def run(candles: pd.DataFrame, want: Any, cash: float, fee_rate: float) -> tuple[float, float, list[list[float]]]:
    warnings.simplefilter("ignore")
    table = candles.rename(columns=str.capitalize)
    table[["Open", "High", "Low", "Close"]] *= UNIT
    began = time.process_time()
    backtest = Backtest(table, Follow, cash=cash, commission=fee_rate, trade_on_close=False, finalize_trades=False)
    stats = backtest.run(want=want)
    seconds = time.process_time() - began
    fills = []
    for trade in stats["_trades"].itertuples():
        fills.append([trade.EntryBar, 1, trade.Size * UNIT, trade.EntryPrice / UNIT])
        fills.append([trade.ExitBar, -1, trade.Size * UNIT, trade.ExitPrice / UNIT])
    fills += [[trade.entry_bar, 1, trade.size * UNIT, trade.entry_price / UNIT] for trade in stats["_strategy"].trades]
    return seconds, float(stats["Equity Final [$]"]), fills


answer(run)
