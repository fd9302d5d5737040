"""Do others come to the same money? Our SMA crosses on Kraken's days, beside backtesting.py where it is installed.

    python bench/agreement.py [CANDLES.csv.gz]

The peer trades whole units only, so its prices are scaled down by 1e12: its cash then buys fractions. A position that
is open at the end pays no exit fee, here and there. Exits 1 if the two differ by more than 1e-9 of the money, 0 if they
agree or the peer is not installed.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from algotrade.backtest.kernel import run_kernel
from algotrade.backtest.setup import Setup
from algotrade.engine.fills import Costs
from algotrade.market.candles import COLUMNS, candle_table, times_ms
from algotrade.market.instrument import Instrument

CASH, FEE, SCALE = 100_000.0, 0.0026, 1e-12
CROSSES = ((10, 20), (50, 100))
SHARED = Path(os.environ.get("ALGOTRADE_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


class Answer(NamedTuple):
    """Account value at the last close, and closed round trips."""

    equity: float
    round_trips: int


def load(path: Path) -> pd.DataFrame:
    """The candles of a CSV file with a column `timestamp`, 2015 to 2023."""
    rows = pd.read_csv(path, index_col="timestamp", parse_dates=True).loc["2015-01-01":"2023-12-31"]
    return candle_table(times_ms(rows.tz_localize("UTC")), [rows[name] for name in COLUMNS])


def is_above(candles: pd.DataFrame, fast: int, slow: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether the fast mean is above the slow one at each close; both get the same, so that only trading differs."""
    close = candles["close"].to_numpy()

    def mean(window: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        known = np.lib.stride_tricks.sliding_window_view(close, window).mean(axis=1)
        return np.r_[np.full(window - 1, np.nan), known]

    return mean(fast) > mean(slow)


def ours(candles: pd.DataFrame, signal: np.ndarray[Any, np.dtype[np.bool_]]) -> Answer:
    """The kernel of algotrade."""
    setup = Setup(Instrument("BTC/USD"), "1d", cash=CASH, costs=Costs(FEE, 0.0))
    result = run_kernel(candles, signal.astype(np.float64), setup)
    return Answer(float(result.equity_values[-1]), int((result.filled.side < 0).sum()))


def theirs(candles: pd.DataFrame, signal: np.ndarray[Any, np.dtype[np.bool_]]) -> Answer:
    """backtesting.py: all in at the next open, out at the next open."""
    from backtesting import Backtest, Strategy

    class Follow(Strategy):
        def init(self) -> None:
            pass

        def next(self) -> None:
            wanted = signal[len(self.data) - 1]
            if wanted and not self.position:
                self.buy(size=1 - 1e-15)
            elif self.position and not wanted:
                self.position.close()

    table = candles.tz_localize(None).rename(columns=str.capitalize)
    table[["Open", "High", "Low", "Close"]] *= SCALE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stats = Backtest(table, Follow, cash=CASH, commission=FEE, finalize_trades=False).run()
    return Answer(float(stats["Equity Final [$]"]), int(stats["# Trades"]))


def main() -> int:
    """Print both answers side by side."""
    candles = load(Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED / "kraken_btcusd_1d.csv.gz")
    peer = importlib.util.find_spec("backtesting") is not None
    agreed = True
    for fast, slow in CROSSES:
        signal = is_above(candles, fast, slow)
        mine = ours(candles, signal)
        print(f"SMA {fast}/{slow}: algotrade       {mine.equity:18,.6f}  {mine.round_trips} round trips")
        if peer:
            other = theirs(candles, signal)
            difference = mine.equity / other.equity - 1
            agreed &= abs(difference) < 1e-9 and mine.round_trips == other.round_trips
            print(
                f"SMA {fast}/{slow}: backtesting.py  {other.equity:18,.6f}  {other.round_trips} round trips"
                f"  (difference {difference:+.1e})"
            )
    if not peer:
        print("backtesting.py is not installed: nothing to compare with")
    return 0 if agreed else 1


if __name__ == "__main__":
    sys.exit(main())
