"""The summary of a whole result, and of having bought and held."""

from __future__ import annotations

import math

import numpy as np
import pytest

from algotrade.engine.fills import Costs
from algotrade.evaluate.executions import fills_of
from algotrade.evaluate.result import Result
from algotrade.evaluate.summary import buy_and_hold, summarize
from algotrade.market.candles import candle_table

pytestmark = pytest.mark.filterwarnings("error")

DAY = 86_400_000
KEYS = [
    "final_equity",
    "total_return",
    "annual_return",
    "annual_volatility",
    "sharpe",
    "sortino",
    "max_drawdown",
    "calmar",
    "round_trips",
    "win_rate",
    "exposure",
    "fees_paid",
    "buy_and_hold_return",
    "borrow_paid",
    "funding_paid",
    "maker_share",
    "ambiguous_bars",
]


def result(
    equity: list[float], fills: list[tuple[float, ...]], opens: list[float], closes: list[float], **changes: object
) -> Result:
    times = np.arange(len(closes), dtype=np.int64) * DAY
    columns = np.array(fills, float).reshape(-1, 5).T
    settings: dict[str, object] = {
        "candles": candle_table(times, (opens, opens, closes, closes, np.ones(len(closes)))),
        "signals": None,
        "equity_values": np.array(equity, float),
        "filled": fills_of(columns[0].astype(np.int64), columns[1].astype(np.int64), *columns[2:]),
        "rejections": (),
        "cash": 1000.0,
        "costs": Costs(fee_rate=0.01, slippage_rate=0.02),
        "timeframe": "1d",
    }
    return Result(**(settings | changes))


def test_a_result_worked_on_paper():
    """Bought 8 at 100 (fee 8) on bar 1, sold at 125 (fee 10) on bar 3."""
    given = result(
        [1000, 1112, 952, 1182], [(1, 1, 8, 100, 8), (3, -1, 8, 125, 10)], [100, 100, 115, 125], [100, 115, 95, 120]
    )
    summary = given.summary
    returns = [0.112, 952 / 1112 - 1, 1182 / 952 - 1]
    mean = sum(returns) / 3
    deviation = math.sqrt(sum((r - mean) ** 2 for r in returns) / 2)
    annual = 1.182 ** (365.25 / 3) - 1
    bought = 1000 / (100 * 1.02 * 1.01)
    assert list(summary) == KEYS
    assert summary == pytest.approx(
        {
            "final_equity": 1182,
            "total_return": 0.182,
            "annual_return": annual,
            "annual_volatility": deviation * math.sqrt(365),
            "sharpe": mean / deviation * math.sqrt(365),
            "sortino": mean * math.sqrt(365) / math.sqrt(returns[1] ** 2 / 3),
            "max_drawdown": returns[1],
            "calmar": annual / -returns[1],
            "round_trips": 1,
            "win_rate": 1.0,
            "exposure": 0.5,
            "fees_paid": 18,
            "buy_and_hold_return": bought * 120 / 1000 - 1,
            "borrow_paid": 0,
            "funding_paid": 0,
            "maker_share": 0,
            "ambiguous_bars": 0,
        },
        rel=1e-12,
    )


def test_the_year_of_a_market_that_closes_has_fewer_bars():
    around_the_clock = result([1000, 1010, 1005, 1020], [], [1] * 4, [1] * 4)
    stocks = result([1000, 1010, 1005, 1020], [], [1] * 4, [1] * 4, calendar="stocks")
    assert stocks.summary["sharpe"] / around_the_clock.summary["sharpe"] == pytest.approx(math.sqrt(252 / 365))


def test_no_trades_leave_ratios_undefined_and_counts_at_nothing():
    summary = summarize(result([1000] * 5, [], [100] * 5, [100] * 5))
    assert [name for name in KEYS if math.isnan(summary[name])] == [
        "sharpe",
        "sortino",
        "calmar",
        "win_rate",
        "maker_share",
    ]
    assert summary["round_trips"] == summary["fees_paid"] == summary["exposure"] == summary["total_return"] == 0


@pytest.mark.parametrize("bars", [0, 1])
def test_too_few_bars_are_undefined_and_no_error(bars):
    summary = summarize(result([1000] * bars, [], [100] * bars, [100] * bars))
    assert list(summary) == KEYS
    assert math.isnan(summary["sharpe"])
    assert math.isnan(summary["annual_return"])
    assert summary["round_trips"] == 0


def test_after_ruin_what_is_defined_stays_defined():
    given = result([1000, 500, 0, 0], [(1, -1, 10, 100, 0)], [100, 100, 150, 200], [100, 150, 200, 200])
    summary = given.summary
    assert (summary["final_equity"], summary["total_return"], summary["annual_return"]) == (0, -1, -1)
    assert summary["max_drawdown"] == -1
    assert summary["calmar"] == -1
    assert math.isnan(summary["sharpe"])
    assert math.isnan(summary["annual_volatility"])


def test_buy_and_hold_buys_with_all_cash_at_the_second_open_and_never_sells():
    given = result([1000] * 3, [(1, -1, 3, 4, 5)], [90, 100, 110], [95, 105, 120])
    held = buy_and_hold(given)
    price = 100 * 1.02
    quantity = 1000 / (price * 1.01)
    (fill,) = held.fills.to_dict("records")
    assert (fill["side"], fill["time"].value) == ("buy", DAY * 1_000_000)
    assert (fill["price"], fill["quantity"]) == pytest.approx((price, quantity))
    assert fill["fee"] == pytest.approx(quantity * price * 0.01)
    assert held.equity.tolist() == pytest.approx([1000, quantity * 105, quantity * 120])
    assert held.summary["exposure"] == pytest.approx(2 / 3)
    assert held.summary["round_trips"] == 0
    assert held.summary["total_return"] == held.summary["buy_and_hold_return"] == given.summary["buy_and_hold_return"]


@pytest.mark.parametrize("bars", [0, 1])
def test_buy_and_hold_stays_cash_without_a_second_bar(bars):
    held = buy_and_hold(result([1000] * bars, [], [100] * bars, [100] * bars))
    assert held.equity.tolist() == [1000] * bars
    assert held.fills.empty


def test_prices_beyond_a_float_are_undefined_and_no_warning():
    prices = [1e-300, 1e-300, 1e300, 1e-300]
    given = result(
        [1000, 1000, math.inf, math.nan], [(1, 1, 1e303, 1e-300, 0), (2, -1, 1e303, 1e300, 0)], prices, prices
    )
    assert list(given.summary) == KEYS
    assert math.isnan(given.summary["final_equity"])
    assert not math.isfinite(given.round_trips["profit"][0])
    assert buy_and_hold(given).equity_values[2] == math.inf
