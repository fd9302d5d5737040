"""Years of BTC/USD from Kraken: the hours inside the days say which way the price went, between both bounds."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from algotrade.backtest.event_loop import run_event_loop
from algotrade.backtest.feed import Inside, coverage
from algotrade.backtest.setup import Setup
from algotrade.engine.events import CandleClosed
from algotrade.engine.fills import Costs
from algotrade.evaluate.result import Result
from algotrade.market.candles import candle_table, check_candles, times_ms
from algotrade.market.instrument import Instrument
from algotrade.strategy.base import Strategy, on, param

SHARED = Path(os.environ.get("ALGOTRADE_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
HOURS, DAYS = SHARED / "kraken_btcusd_1h.parquet", SHARED / "kraken_btcusd_1d.csv.gz"
COLUMNS = ("open", "high", "low", "close", "volume")
SYMBOL = "BTC/USD"

pytestmark = pytest.mark.skipif(not (HOURS.exists() and DAYS.exists()), reason=f"{HOURS.name} is not here")


class Bracketed(Strategy):
    """Buys every rising day, with a stop and a target that a day can both reach."""

    distance: float = param(0.02, low=0.001, high=0.5)

    @on("candles")
    def enter(self, candle: CandleClosed) -> None:
        if self.position == 0.0 and candle.close > candle.open:
            self.buy(notional=1_000.0, stop_loss=self.distance, take_profit=self.distance)


@pytest.fixture(scope="module")
def hours() -> pd.DataFrame:
    rows = pd.read_parquet(HOURS).set_index("timestamp").loc["2016-01-01":"2021-12-31"]
    return check_candles(candle_table(times_ms(rows), [rows[name] for name in COLUMNS]))


@pytest.fixture(scope="module")
def days() -> pd.DataFrame:
    rows = pd.read_csv(DAYS, index_col="timestamp", parse_dates=True).loc["2016-01-01":"2021-12-31"]
    return check_candles(candle_table(times_ms(rows.tz_localize("UTC")), [rows[name] for name in COLUMNS]))


def run(days: pd.DataFrame, path: str, inside: Inside, distance: float) -> Result:
    strategy = Bracketed(distance=distance)
    strategy.begin(SYMBOL, None, timeframe="1d")
    setup = Setup((Instrument(SYMBOL),), "1d", costs=Costs(0.0026, 0.0005), path=path)
    return run_event_loop(days, strategy, setup, inside=inside)


@pytest.mark.parametrize("distance", [0.01, 0.02, 0.03])
def test_what_the_hours_say_lies_between_the_worse_and_the_better_way(
    days: pd.DataFrame, hours: pd.DataFrame, distance: float
) -> None:
    assert coverage(days, "1d", hours) == 1.0
    worst, best = (run(days, path, Inside(), distance) for path in ("worst", "best"))
    detail = run(days, "worst", Inside(detail={SYMBOL: hours}), distance)
    assert len(worst.ambiguous.bar) > len(detail.ambiguous.bar)
    finals = [float(result.equity_values[-1]) for result in (worst, detail, best)]
    assert finals == sorted(finals)
    assert finals[0] < finals[2]
