"""algotrade: fetch market data, backtest a trading strategy, judge it honestly, trade it live.

The names below are loaded when they are first used (PEP 562), so that `import algotrade` costs nothing.
"""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from algotrade import indicators as indicators
    from algotrade.notebook import backtest as backtest
    from algotrade.notebook import load as load
    from algotrade.strategy.allocation import closes as closes
    from algotrade.strategy.allocation import hold as hold
    from algotrade.strategy.allocation import inverse_volatility as inverse_volatility
    from algotrade.strategy.allocation import rebalance_on as rebalance_on
    from algotrade.strategy.allocation import top as top
    from algotrade.strategy.base import Strategy as Strategy
    from algotrade.strategy.base import on as on
    from algotrade.strategy.base import param as param
    from algotrade.strategy.signals import SignalStrategy as SignalStrategy
    from algotrade.strategy.sizes import Sizing as Sizing
    from algotrade.strategy.timeframes import align as align
    from algotrade.strategy.weights import PortfolioStrategy as PortfolioStrategy

__version__ = "0.1.0"

_HOME = MappingProxyType(
    {
        "backtest": "algotrade.notebook",
        "load": "algotrade.notebook",
        "Strategy": "algotrade.strategy.base",
        "on": "algotrade.strategy.base",
        "param": "algotrade.strategy.base",
        "SignalStrategy": "algotrade.strategy.signals",
        "Sizing": "algotrade.strategy.sizes",
        "PortfolioStrategy": "algotrade.strategy.weights",
        "closes": "algotrade.strategy.allocation",
        "rebalance_on": "algotrade.strategy.allocation",
        "hold": "algotrade.strategy.allocation",
        "top": "algotrade.strategy.allocation",
        "inverse_volatility": "algotrade.strategy.allocation",
        "align": "algotrade.strategy.timeframes",
        "sma": "algotrade.strategy.indicators",
        "ema": "algotrade.strategy.indicators",
        "rsi": "algotrade.strategy.indicators",
        "macd": "algotrade.strategy.indicators",
        "bollinger": "algotrade.strategy.indicators",
        "highest": "algotrade.strategy.indicators",
        "lowest": "algotrade.strategy.indicators",
        "rolling_std": "algotrade.strategy.indicators",
        "atr": "algotrade.strategy.indicators",
    }
)

__all__ = ["__version__", "indicators", *_HOME]  # noqa: PLE0604 (the names are strings, spelt once above)


def __getattr__(name: str) -> Any:
    if name == "indicators":
        return importlib.import_module("algotrade.indicators")
    if name not in _HOME:
        raise AttributeError(f"module 'algotrade' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
