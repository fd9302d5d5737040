"""The figures of a result, by name, and the same figures for having bought and held."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from algotrade.engine.account import cash_after
from algotrade.engine.fills import fee_of
from algotrade.engine.sizing import Terms, market_fill
from algotrade.evaluate import metrics
from algotrade.evaluate.round_trips import closed_round_trips
from algotrade.market.timeframe import bars_per_year

if TYPE_CHECKING:
    from algotrade.evaluate.result import Result


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what a float cannot hold is infinite or NaN
def summarize(result: Result) -> dict[str, float]:
    """The summary of a result; each figure is defined in evaluate/metrics.py.

    Returns:
        final_equity and fees_paid in quote units, round_trips a count, everything else a fraction or a ratio. NaN where
        a figure is undefined.
    """
    equity = result.equity_values
    returns = metrics.returns_of(equity)
    per_year = bars_per_year(result.timeframe, result.calendar)
    annual = metrics.annual_return(equity, result.times)
    deepest = metrics.max_drawdown(equity)
    filled = result.filled
    profits = closed_round_trips(filled).profit
    return {
        "final_equity": float(equity[-1]) if len(equity) else math.nan,
        "total_return": metrics.total_return(equity),
        "annual_return": annual,
        "annual_volatility": metrics.annual_volatility(returns, per_year),
        "sharpe": metrics.sharpe(returns, per_year),
        "sortino": metrics.sortino(returns, per_year),
        "max_drawdown": deepest,
        "calmar": metrics.calmar(annual, deepest),
        "round_trips": len(profits),
        "win_rate": metrics.win_rate(profits),
        "exposure": metrics.exposure(filled.bar, filled.side * filled.quantity, len(equity)),
        "fees_paid": float(filled.fee.sum()),
        "buy_and_hold_return": metrics.total_return(buy_and_hold(result).equity_values),
    }


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what a float cannot hold is infinite or NaN
def buy_and_hold(result: Result) -> Result:
    """What the same cash would have become, bought once and held: same candles, same costs.

    All cash buys at the open of the second bar, because a decision needs a closed bar; before that, and with fewer than
    two bars, it stays cash. The position is marked at each close and never sold, so it pays one fee. Steps and minima
    of the market are left out.
    """
    open_, close = (result.candles[name].to_numpy() for name in ("open", "close"))
    equity = np.full(len(close), result.cash)
    fills: list[tuple[float, ...]] = []
    if len(close) > 1:
        terms = Terms(result.costs.fee_rate, result.costs.slippage_rate)
        side, quantity, price = market_fill(1.0, result.cash, 0.0, float(open_[1]), terms)
        fee = fee_of(quantity, price, terms.fee_rate)
        np.multiply(close[1:], quantity, out=equity[1:])
        equity[1:] += cash_after(result.cash, side, quantity, price, fee)
        fills.append((1, side, quantity, price, fee))
    bars, sides, quantities, prices, fees = np.array(fills, np.float64).reshape(-1, 5).T
    return replace(
        result,
        signals=None,
        equity_values=equity,
        filled=result.filled._replace(
            bar=bars.astype(np.int64), side=sides.astype(np.int64), quantity=quantities, price=prices, fee=fees
        ),
        rejections=(),
        fingerprint={},
    )
