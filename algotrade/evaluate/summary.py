"""The figures of a result, by name, and the same figures for having bought and held."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from algotrade.engine.account import cash_after
from algotrade.engine.fills import Costs, fee_of
from algotrade.engine.sizing import Terms, market_fill
from algotrade.evaluate import metrics
from algotrade.evaluate.executions import Fills, fills_of, no_ambiguous_bars, no_charges
from algotrade.evaluate.round_trips import closed_round_trips
from algotrade.market.candles import Floats
from algotrade.market.timeframe import bars_per_year

if TYPE_CHECKING:
    from algotrade.evaluate.portfolio import Outcome
    from algotrade.evaluate.result import Result


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what a float cannot hold is infinite or NaN
def summarize(result: Outcome) -> dict[str, float]:
    """The summary of a result, or of a portfolio as a whole; each figure is defined in evaluate/metrics.py.

    Returns:
        final_equity, fees_paid, borrow_paid and funding_paid in quote units; round_trips and ambiguous_bars counts;
        maker_share of the notional traded; everything else a fraction or a ratio. NaN where a figure is undefined.
    """
    equity = result.equity_values
    returns = metrics.returns_of(equity)
    per_year = bars_per_year(result.timeframe, result.calendar)
    annual = metrics.annual_return(equity, result.times)
    deepest = metrics.max_drawdown(equity)
    filled, charges = result.filled, result.charges
    profits = np.concatenate([_profits(part) for part in result.results])
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
        "exposure": _exposure(result),
        "fees_paid": float(filled.fee.sum()),
        "buy_and_hold_return": metrics.total_return(result.held.equity_values),
        "borrow_paid": charges.paid_for("borrow"),
        "funding_paid": charges.paid_for("funding"),
        "maker_share": maker_share(filled),
        "ambiguous_bars": result.ambiguous_count,
    }


def maker_share(filled: Fills) -> float:
    """Share of the notional traded that rested in the book; NaN without fills."""
    notional = filled.quantity * filled.price
    return float(notional[filled.maker].sum() / notional.sum()) if len(notional) else math.nan


def _profits(result: Result) -> Floats:
    return closed_round_trips(result.filled, result.charges).profit


def _exposure(result: Outcome) -> float:
    """Share of the bars at whose close anything was held."""
    filled, bars = result.filled, len(result.equity_values)
    moved = filled.side * filled.received
    if len(result.results) == 1:
        return metrics.exposure(filled.bar, moved, bars)
    held = np.zeros(bars, np.bool_)
    until = np.searchsorted(filled.bar, np.arange(bars), side="right")
    for part in range(len(result.results)):
        held |= np.append(0.0, np.cumsum(np.where(filled.part == part, moved, 0.0)))[until] != 0.0
    return float(held.mean()) if bars else math.nan


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
        costs = result.costs
        terms = Terms(_first_fee(costs), costs.slippage_rate + costs.spread_rate / 2.0)
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
        filled=fills_of(bars.astype(np.int64), sides.astype(np.int64), quantities, prices, fees),
        rejections=(),
        fingerprint={},
        charges=no_charges(),
        ambiguous=no_ambiguous_bars(),
        bounds=None,
    )


def _first_fee(costs: Costs) -> float:
    """The taker's fee of an account that has not traded yet."""
    return costs.fee_schedule[0][2] if costs.fee_schedule and costs.fee_schedule[0][0] <= 0.0 else costs.fee_rate
