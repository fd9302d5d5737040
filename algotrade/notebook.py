"""The Python API, for notebooks and scripts: `import algotrade as at`, then `at.load` and `at.backtest`.

It goes the way of the command line, through the pipeline, and stands above `show` as the command line does.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import pandas as pd

from algotrade.backtest.setup import Setup
from algotrade.config import load_settings
from algotrade.engine.fills import Costs
from algotrade.errors import FixData, FixStrategy
from algotrade.evaluate.result import Result
from algotrade.exchange.base import DEMO
from algotrade.ingest.files.rows import infer_timeframe
from algotrade.ingest.source import DataRequest, MarketData, load_candles
from algotrade.market.candles import SeriesKey, check_candles, times_ms
from algotrade.market.instrument import Instrument
from algotrade.market.span import parse_span
from algotrade.pipeline import fee_rate_of, run_backtest
from algotrade.store.database import open_database
from algotrade.strategy.base import Strategy
from algotrade.strategy.signals import Bounds

OF_UNKNOWN_ORIGIN: Final = SeriesKey("memory", "BASE/QUOTE", "1d", "import")
SERIES: Final = "series"  # in a table's `attrs`: the series that its candles come from
MARKET: Final = "market"  # the same for the instrument: steps, minima, fees


@dataclass(frozen=True)
class NotebookResult(Result):
    """A result that can be drawn.

    The core, where `Result` lives, knows no screen and no page: so the one that a script gets is made here.

    Attributes:
        document: what `algotrade backtest --json` prints of it.
    """

    document: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        data, figures = self.document["data"], self.summary
        where = f"{data['symbol']} {data['timeframe']}{' SIMULATED' if self.simulated else ''}"
        return (
            f"<{self.document['strategy']['name']} on {where}, {data['bars']:,} bars: final equity"
            f" {figures['final_equity']:,.2f}, {figures['round_trips']} round trips, Sharpe {figures['sharpe']:.2f}>"
        )

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
    market.candles.attrs |= {SERIES: tuple(market.key), MARKET: tuple(market.instrument)}
    return market.candles


def backtest(  # noqa: PLR0913 (all but two are named, each with a default)
    strategy: Strategy,
    candles: pd.DataFrame,
    *,
    cash: float = 10_000.0,
    fee_rate: float | None = None,
    slippage_rate: float = Costs().slippage_rate,
    timeframe: str | None = None,
    allow_short: bool = False,
    leverage: float = 1.0,
    check: str = "budget",
) -> NotebookResult:
    """Backtest a strategy over a table of candles, and check it: the figures of the command line, without [risk].

    A failed check is a warning of Python's, and stands in `document["checks"]` with all the others.

    Args:
        strategy: with its parameters, like SmaCross(fast=10, slow=20).
        candles: index of UTC times, columns open, high, low, close, volume.
        cash: quote units at the start.
        fee_rate: fraction of the notional of each fill; None takes the market's own taker fee, 0.4 % where unknown.
        slippage_rate: by which a market order's price is worse than the open.
        timeframe: of the candles; None takes the most common distance between them.
        allow_short: simulate targets below zero.
        leverage: largest exposure, as a multiple of equity.
        check: "budget" (within a second of CPU time), "full" (every bar), "none" (for many runs in a row).

    Returns:
        `equity`, `fills`, `round_trips`, `summary["sharpe"]`, `plot()` and more.
    """
    if not isinstance(strategy, Strategy):
        raise FixStrategy(f"backtest takes a strategy with its parameters, like SmaCross(fast=10), given {strategy!r}")
    table = check_candles(candles)
    if not len(table):
        raise FixData("there are no candles to run over")
    key = SeriesKey(*candles.attrs.get(SERIES, OF_UNKNOWN_ORIGIN))
    key = key._replace(timeframe=timeframe or infer_timeframe(times_ms(table)))
    instrument = Instrument(*candles.attrs.get(MARKET, (key.symbol,)))
    setup = Setup(
        instruments=(instrument,),
        timeframe=key.timeframe,
        cash=float(cash),
        costs=Costs(float(fee_rate_of(fee_rate, instrument)), float(slippage_rate)),
        bounds=Bounds(float(leverage), allow_short),
    )
    market = MarketData(key, table, setup.instrument, simulated=key.exchange == DEMO)
    run = run_backtest(strategy, market, setup, check=check)
    for name, verdict in run.checks.failed.items() if run.checks else ():
        message = f"{strategy.name()} fails the {name.replace('_', '-')} check: {verdict.detail}"
        warnings.warn(message, stacklevel=2)
    plain = {each.name: getattr(run.result, each.name) for each in fields(Result)}
    return NotebookResult(**plain, document=run.document)
