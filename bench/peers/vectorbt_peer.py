"""vectorbt. Its signals are shifted to the bar that they trade on, whose open is the price."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import vectorbt
from contract import answer


def run(candles: pd.DataFrame, want: Any, cash: float, fee_rate: float) -> tuple[float, float, list[list[float]]]:
    held = pd.Series(np.append(False, want[:-1]), index=candles.index)

    def portfolio() -> Any:
        made = vectorbt.Portfolio.from_signals(
            candles["close"], held, ~held, price=candles["open"], init_cash=cash, fees=fee_rate, freq="1min"
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
