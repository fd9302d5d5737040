"""Real runs to show: the demo market, a real strategy, the real pipeline."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console, RenderableType

from algotrade.backtest.setup import Setup
from algotrade.engine.fills import Costs
from algotrade.ingest.inside import Markets
from algotrade.ingest.source import MarketData
from algotrade.market.candles import SeriesKey
from algotrade.market.instrument import Instrument
from algotrade.market.simulate import simulate_candles
from algotrade.pipeline import Run, run_backtest
from algotrade.show.tables import print_result
from algotrade.strategy.base import param
from algotrade.strategy.signals import Bounds, SignalStrategy

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


class Guarded(SignalStrategy):
    """Long or short by the last move, with a close stop and a close target."""

    def generate_signals(self, candles):
        signals = candles[["close"]].assign(stop_loss=0.015, take_profit=0.02)
        signals["signal"] = (candles.close.diff() > 0) * 2.0 - 1.0
        return signals


def make_guarded(bars: int = 900, *, symbols: tuple[str, ...] = ("BTC/USD",)) -> Run:
    """A backtest of `Guarded` with borrowing costs, on one symbol or several; the second begins a month later."""
    series = tuple(
        MarketData(
            SeriesKey("demo", symbol, "1d", "demo"),
            simulate_candles(symbol, "1d", START + (30 * DAY_MS if number else 0), START + (bars - 1) * DAY_MS),
            Instrument(symbol),
            simulated=True,
        )
        for number, symbol in enumerate(symbols)
    )
    costs = Costs(maker_fee_rate=0.001, borrow_rate=0.1)
    setup = Setup(tuple(each.instrument for each in series), "1d", costs=costs, bounds=Bounds(1.0, allow_short=True))
    return run_backtest(Guarded(), Markets(series), setup, check="none")


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
