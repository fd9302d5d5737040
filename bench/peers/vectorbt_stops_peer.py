"""vectorbt with a stop loss and a take-profit at fractions of the entry price; entries at the next open.

Its stops are looked at from the bar after the entry on, before the signals of that bar; a target counts as touched.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import vectorbt
from contract import answer
from vectorbt.portfolio.enums import StopEntryPrice


def run(
    candles: pd.DataFrame, want: Any, cash: float, fee_rate: float, stop_loss: float, take_profit: float
) -> tuple[float, float, list[list[float]]]:
    held = np.append(False, want[:-1])
    before = np.append(False, held[:-1])
    entries, exits = (pd.Series(flags, index=candles.index) for flags in (held & ~before, ~held & before))

    def portfolio() -> Any:
        made = vectorbt.Portfolio.from_signals(
            candles["close"],
            entries,
            exits,
            price=candles["open"],
            open=candles["open"],
            high=candles["high"],
            low=candles["low"],
            sl_stop=stop_loss,
            tp_stop=take_profit,
            stop_entry_price=StopEntryPrice.FillPrice,
            init_cash=cash,
            fees=fee_rate,
            freq="1min",
        )
        made.total_return(), made.sharpe_ratio(), made.sortino_ratio(), made.max_drawdown(), made.trades.win_rate()
        return made

    portfolio()  # compiles
    began = time.process_time()
    done = portfolio()
    seconds = time.process_time() - began
    orders = done.orders.records
    sides = np.where(orders["side"] == 0, 1, -1)
    fills = [orders["idx"].tolist(), sides.tolist(), orders["size"].tolist(), orders["price"].tolist()]
    return seconds, float(done.final_value()), [list(fill) for fill in zip(*fills, strict=True)]


answer(run)
