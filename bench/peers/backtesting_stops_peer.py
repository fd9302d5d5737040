"""backtesting.py with a stop loss and a take-profit. It wants them as prices, and before the entry has one.

So the next open is looked up for it; where that lies beyond a level that its order would have to keep to, seen from
the last close, it takes no order and the entry is left out. Units as in backtesting_peer.py.
"""

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
    opens: Any = None
    stop_loss = take_profit = 0.0

    def init(self) -> None:
        pass

    def next(self) -> None:
        bar = len(self.data) - 1
        want, before = self.want[bar], self.want[bar - 1]
        if want and not before and bar + 1 < len(self.opens):
            entry = self.opens[bar + 1]
            stop, target = entry * (1 - self.stop_loss), entry * (1 + self.take_profit)
            if stop < self.data.Close[-1] < target:
                self.buy(size=ALL_IN, sl=stop, tp=target)
        elif self.position and not want:
            self.position.close()


def run(
    candles: pd.DataFrame, want: Any, cash: float, fee_rate: float, stop_loss: float, take_profit: float
) -> tuple[float, float, list[list[float]]]:
    warnings.simplefilter("ignore")
    table = candles.rename(columns=str.capitalize)
    table[["Open", "High", "Low", "Close"]] *= UNIT
    opens = table["Open"].to_numpy()
    began = time.process_time()
    backtest = Backtest(table, Follow, cash=cash, commission=fee_rate, trade_on_close=False, finalize_trades=False)
    stats = backtest.run(want=want, opens=opens, stop_loss=stop_loss, take_profit=take_profit)
    seconds = time.process_time() - began
    fills = []
    for trade in stats["_trades"].itertuples():
        fills.append([trade.EntryBar, 1, trade.Size * UNIT, trade.EntryPrice / UNIT])
        fills.append([trade.ExitBar, -1, trade.Size * UNIT, trade.ExitPrice / UNIT])
    fills += [[trade.entry_bar, 1, trade.size * UNIT, trade.entry_price / UNIT] for trade in stats["_strategy"].trades]
    return seconds, float(stats["Equity Final [$]"]), fills


answer(run)
