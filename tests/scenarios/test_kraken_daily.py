"""Nine years of BTC/USD from Kraken: kernel, event loop and naive twin trade alike, to the last cent."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from algotrade.backtest.event_loop import run_event_loop
from algotrade.backtest.kernel import run_kernel
from algotrade.backtest.known_signals import KnownSignals
from algotrade.backtest.setup import Setup
from algotrade.engine.fills import Costs
from algotrade.evaluate.result import Result
from algotrade.market.candles import candle_table, check_candles, times_ms
from algotrade.market.instrument import Instrument
from algotrade.strategy.indicators import sma
from algotrade.strategy.protection import Wanted
from tests import naive

SHARED = Path(os.environ.get("ALGOTRADE_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
FILE = SHARED / "kraken_btcusd_1d.csv.gz"
SYMBOL, CASH, FEE = "BTC/USD", 100_000.0, 0.0026
CROSSES = pytest.mark.parametrize(("fast", "slow"), [(10, 20), (50, 100)])

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not here")


class Run(NamedTuple):
    fills: list[tuple[float, ...]]
    equity: list[float]


@pytest.fixture(scope="module")
def candles() -> pd.DataFrame:
    rows = pd.read_csv(FILE, index_col="timestamp", parse_dates=True).loc["2015-01-01":"2023-12-31"]
    times = times_ms(rows.tz_localize("UTC"))
    return check_candles(candle_table(times, [rows[name] for name in ("open", "high", "low", "close", "volume")]))


def targets_of(candles: pd.DataFrame, fast: int, slow: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return (sma(candles["close"], fast) > sma(candles["close"], slow)).to_numpy(np.float64)


def run_of(result: Result) -> Run:
    fills = list(zip(*(column.tolist() for column in result.filled[:5]), strict=True))
    return Run(fills, result.equity_values.tolist())


@CROSSES
def test_our_averages_cross_on_the_bars_on_which_plain_means_cross(candles: pd.DataFrame, fast: int, slow: int) -> None:
    ours = targets_of(candles, fast, slow).tolist()
    assert ours == naive.sma_cross(candles["close"].tolist(), fast, slow)


@CROSSES
def test_kernel_event_loop_and_naive_agree_on_nine_years_of_days(candles: pd.DataFrame, fast: int, slow: int) -> None:
    targets = targets_of(candles, fast, slow)
    setup = Setup((Instrument(SYMBOL),), "1d", cash=CASH, costs=Costs(FEE, 0.0))
    bars = naive.Bars(*(candles[name].tolist() for name in ("open", "high", "low", "close")))
    by_hand = naive.backtest(bars, naive.sma_cross(bars.close, fast, slow), CASH, naive.Market(FEE))
    expected = Run([tuple(fill) for fill in by_hand.fills], by_hand.equity)
    assert len(candles) > 3_000
    assert len(expected.fills) > 10
    for result in (
        run_kernel(candles, targets, setup, compile_from=10**9),
        run_kernel(candles, targets, setup, compile_from=0),
        run_event_loop(candles, KnownSignals({SYMBOL: Wanted(targets)}), setup),
    ):
        run = run_of(result)
        assert run.fills == expected.fills
        assert run.equity == pytest.approx(expected.equity, rel=1e-12)
        assert run.equity[-1] == pytest.approx(expected.equity[-1], abs=1e-6)
        assert result.rejections == ()
