"""Real runs to show: the demo market, a real strategy, the real pipeline."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console, RenderableType

from algotrade.backtest.setup import Setup
from algotrade.ingest.source import MarketData
from algotrade.market.candles import SeriesKey
from algotrade.market.instrument import Instrument
from algotrade.market.simulate import simulate_candles
from algotrade.pipeline import Run, run_backtest
from algotrade.show.tables import print_result
from algotrade.strategy.base import param
from algotrade.strategy.signals import SignalStrategy

DAY_MS = 86_400_000
START = 1_514_764_800_000  # 2018-01-01


class Cross(SignalStrategy):
    """Long while the fast average is above the slow one; shows an oscillator beside."""

    fast: int = param(10, low=2, high=100)
    slow: int = param(20, low=5, high=400)

    def generate_signals(self, candles):
        signals = candles[["close"]].assign(
            fast=candles.close.rolling(self.fast).mean(), slow=candles.close.rolling(self.slow).mean()
        )
        signals["oscillator"] = signals.fast / signals.slow - 1
        signals["signal"] = (signals.fast > signals.slow).astype(float)
        return signals


def make_run(bars: int = 900, *, check: str = "none", symbol: str = "BTC/USD", **parameters: int) -> Run:
    """A backtest over the first `bars` days of the demo market."""
    candles = simulate_candles("BTC/USD", "1d", START, START + (bars - 1) * DAY_MS)
    setup = Setup((Instrument(symbol),), "1d")
    market = MarketData(SeriesKey("demo", symbol, "1d", "demo"), candles, setup.instrument, simulated=True)
    return run_backtest(Cross(**parameters), market, setup, check=check)


def piped(*parts: RenderableType, encoding: str = "utf-8") -> str:
    """What a pipe or a file gets."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    print_result(Console(file=stream, width=80), *parts)
    stream.seek(0)
    return stream.read()


def on_terminal(*parts: RenderableType, width: int = 80, height: int = 24, **options: Any) -> str:
    """What a terminal of that size gets, without colours unless asked for."""
    chosen: dict[str, Any] = {"color_system": None, "legacy_windows": False, **options}
    console = Console(file=io.StringIO(), force_terminal=True, width=width, height=height, **chosen)
    print_result(console, *parts)
    return console.file.getvalue()
