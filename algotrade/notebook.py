"""The Python API, for notebooks and scripts: `import algotrade as at`, then `at.load` and `at.backtest`.

It goes the way of the command line, through the pipeline, and stands above `show` as the command line does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import pandas as pd

from algotrade.backtest.setup import Setup
from algotrade.config import load_settings
from algotrade.engine.fills import Costs
from algotrade.errors import FixData
from algotrade.evaluate.result import Result
from algotrade.ingest.file_rows import infer_timeframe
from algotrade.ingest.source import DEMO, DataRequest, MarketData, load_candles
from algotrade.market.candles import SeriesKey, check_candles, times_ms
from algotrade.market.instrument import Instrument
from algotrade.market.span import parse_span
from algotrade.pipeline import UNKNOWN_FEE, run_backtest
from algotrade.store.database import open_database
from algotrade.strategy.base import Strategy
from algotrade.strategy.signals import Bounds

OF_UNKNOWN_ORIGIN: Final = SeriesKey("memory", "BASE/QUOTE", "1d", "import")
SERIES: Final = "series"  # in a table's `attrs`: the series that its candles come from


@dataclass(frozen=True)
class NotebookResult(Result):
    """A result that can be drawn.

    The core, where `Result` lives, knows no screen and no page: so the one that a script gets is made here.

    Attributes:
        document: what `algotrade backtest --json` prints of it.
    """

    document: Mapping[str, Any] = field(default_factory=dict)

    def plot(self, path: str | Path = "report.html") -> Path:
        """Write one page that opens offline: candles with fills, indicators, equity, drawdown, figures.

        Args:
            path: the file; replaced if it exists.

        Returns:
            The path.

        Raises:
            FixConfiguration: bokeh is not installed, or the file cannot be written.
        """
        from algotrade.show.report import write_report  # loads what draws, which most scripts never need

        write_report(self, self.document, Path(path))
        return Path(path)


def load(
    symbol: str,
    *,
    timeframe: str = "1d",
    exchange: str | None = None,
    start: str | None = None,
    end: str | None = None,
) -> pd.DataFrame:
    """Candles from the store, or from the built-in market for `exchange="demo"`.

    Args:
        symbol: "BTC/USD".
        timeframe: "1h", "1d", ...
        exchange: where they were fetched from; may be left out where only one has them.
        start: first day or moment, UTC, inclusive.
        end: last day or moment, UTC, inclusive.

    Returns:
        The candle table: index `time` (UTC), columns open, high, low, close, volume.
    """
    settings = load_settings()
    request = DataRequest(symbol, timeframe, exchange or settings.defaults.exchange, parse_span(start, end))
    with open_database(settings.database) as database:
        market = load_candles(request, database, settings)
    if market.simulated and request.exchange != DEMO:
        raise FixData(f"{market.notes[0]} is for the command line only", hint=f"algotrade fetch --symbol {symbol}")
    market.candles.attrs[SERIES] = market.key
    return market.candles


def backtest(
    strategy: Strategy,
    candles: pd.DataFrame,
    *,
    cash: float = 10_000.0,
    fee_rate: float = UNKNOWN_FEE,
    slippage_rate: float = Costs().slippage_rate,
    timeframe: str | None = None,
    allow_short: bool = False,
) -> NotebookResult:
    """Backtest a strategy over a table of candles.

    Args:
        strategy: with its parameters, like SmaCross(fast=10, slow=20).
        candles: index of UTC times, columns open, high, low, close, volume.
        cash: quote units at the start.
        fee_rate: fraction of the notional of each fill.
        slippage_rate: by which a market order's price is worse than the open.
        timeframe: of the candles; None takes the most common distance between them.
        allow_short: simulate targets below zero.

    Returns:
        `equity`, `fills`, `round_trips`, `summary["sharpe"]`, `plot()` and more.
    """
    table = check_candles(candles)
    if not len(table):
        raise FixData("there are no candles to run over")
    key = SeriesKey(*candles.attrs.get(SERIES, OF_UNKNOWN_ORIGIN))
    key = key._replace(timeframe=timeframe or infer_timeframe(times_ms(table)))
    setup = Setup(
        instrument=Instrument(key.symbol),
        timeframe=key.timeframe,
        cash=float(cash),
        costs=Costs(float(fee_rate), float(slippage_rate)),
        bounds=Bounds(allow_short=allow_short),
    )
    market = MarketData(key, table, setup.instrument, simulated=key.exchange == DEMO)
    run = run_backtest(strategy, market, setup, check="none")
    plain = {each.name: getattr(run.result, each.name) for each in fields(Result)}
    return NotebookResult(**plain, document=run.document)
