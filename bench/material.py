"""What is measured: the shipped moving-average cross over candles of the demo market, stored and in memory."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from algotrade.backtest.setup import Setup
from algotrade.discover import load_file
from algotrade.engine.fills import Costs
from algotrade.market.candles import SeriesKey, times_ms
from algotrade.market.instrument import Instrument
from algotrade.market.simulate import simulate_candles
from algotrade.store.arrivals import write_candles
from algotrade.store.database import Database, open_database
from algotrade.strategy.signals import SignalStrategy
from bench.measure import ROOT

KEY = SeriesKey("bench", "BTC/USD", "1m", "import")
START_MS = 1_640_995_200_000  # 2022-01-01
MINUTE_MS = 60_000
MILLION = 1_000_000

# A basis point: with Kraken's fee a million minutes of this strategy would leave nothing to trade with.
SETUP = Setup((Instrument("BTC/USD"),), "1m", cash=1_000_000.0, costs=Costs(fee_rate=0.0001, slippage_rate=0.0))


def minutes(bars: int) -> pd.DataFrame:
    """The first candles of 2022 on the demo market."""
    return simulate_candles(KEY.symbol, KEY.timeframe, START_MS, START_MS + (bars - 1) * MINUTE_MS)


def sma_cross(fast: int = 10, slow: int = 20) -> SignalStrategy:
    """The shipped strategy."""
    (found,) = load_file(ROOT / "strategies" / "sma_cross.py")
    strategy = found(fast=fast, slow=slow)
    assert isinstance(strategy, SignalStrategy)
    return strategy


def store(database: Database, candles: pd.DataFrame) -> None:
    """Write candles under KEY."""
    write_candles(database, KEY, times_ms(candles), candles.to_numpy().T)


def project(folder: Path, bars: int) -> Path:
    """A project whose database holds candles; the folder to run commands in."""
    folder.mkdir()
    (folder / "algotrade.toml").write_text("")
    with open_database(folder / ".algotrade" / "algotrade.db") as database:
        store(database, minutes(bars))
    return folder
