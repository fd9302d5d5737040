"""One table of cases per metric: typical, empty, one row, constant, ruin, NaN. Expected values are worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from algotrade.evaluate import metrics

pytestmark = pytest.mark.filterwarnings("error")

NAN = math.nan
DAY = 86_400_000
YEAR = 365.25 * DAY


def days(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.int64) * DAY


def equity(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


def same(given: float, expected: float) -> bool:
    return given == pytest.approx(expected, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        ([100, 110, 99], [0.1, -0.1]),
        ([], []),
        ([100], []),
        ([100, 100, 100], [0, 0]),
        ([100, 0], [-1]),
        ([100, 0, 0, 50], [-1, NAN, NAN]),
        ([100, -50, -25], [-1.5, NAN]),
        ([100, NAN, 100], [NAN, NAN]),
    ],
)
def test_returns_begin_with_the_second_bar(curve, expected):
    assert metrics.returns_of(equity(*curve)) == pytest.approx(np.array(expected), nan_ok=True)


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        ([100, 90, 125], 0.25),
        ([], NAN),
        ([100], 0.0),
        ([100, 100], 0.0),
        ([100, 0], -1.0),
        ([100, -20], -1.2),
        ([0, 100], NAN),
        ([NAN, 100], NAN),
        ([100, NAN], NAN),
    ],
)
def test_total_return(curve, expected):
    assert same(metrics.total_return(equity(*curve)), expected)


@pytest.mark.parametrize(
    ("curve", "times", "expected"),
    [
        ([100, 121], [0, 2 * YEAR], 0.1),  # 1.21 ** (1 / 2) - 1
        ([100, 150], [0, YEAR / 2], 1.25),  # 1.5 ** 2 - 1
        ([100, 104, 102.01], [0, YEAR, 2 * YEAR], 0.01),
        ([], [], NAN),
        ([100], [0], NAN),
        ([100, 100], [0, YEAR], 0.0),
        ([100, 0], [0, 3 * YEAR], -1.0),
        ([100, -1], [0, YEAR], NAN),
        ([100, NAN], [0, YEAR], NAN),
        ([100, 110], [0, 1000], NAN),  # ten per cent a second is more than a float holds in a year
        ([100, 90], [0, 1000], -1.0),
    ],
)
def test_annual_return_goes_by_the_calendar(curve, times, expected):
    assert same(metrics.annual_return(equity(*curve), np.array(times, np.int64)), expected)


def test_a_700_day_gain_of_35_per_cent_is_17_per_cent_a_year():
    curve = np.linspace(100, 135, 701)
    assert metrics.annual_return(curve, days(701)) == pytest.approx(0.1695, abs=1e-4)


def test_annual_volatility_is_the_sample_deviation_scaled_by_the_root_of_the_year():
    returns = np.array([0.01, 0.03])  # mean 0.02, squares 0.0001 + 0.0001, over one: 0.0002
    assert same(metrics.annual_volatility(returns, 4.0), math.sqrt(0.0002) * 2)


@pytest.mark.parametrize("returns", [[], [0.01], [0.01, NAN]])
def test_volatility_needs_two_returns(returns):
    assert math.isnan(metrics.annual_volatility(np.array(returns), 365.0))


def test_the_volatility_of_constant_equity_is_nothing():
    assert metrics.annual_volatility(np.zeros(5), 365.0) == 0.0


def test_sharpe_is_mean_over_sample_deviation():
    returns = np.array([0.01, 0.03])
    assert same(metrics.sharpe(returns, 4.0), 0.02 / math.sqrt(0.0002) * 2)


def test_sortino_takes_the_mean_of_squared_losses_over_all_returns():
    returns = np.array([0.04, -0.02, 0.01, -0.01])  # losses: sqrt((0.0004 + 0.0001) / 4)
    assert same(metrics.sortino(returns, 9.0), 0.005 * 3 / math.sqrt(0.000125))


def test_sortino_leaves_the_returns_as_they_are():
    returns = np.array([0.04, -0.02])
    metrics.sortino(returns, 365.0)
    assert returns.tolist() == [0.04, -0.02]


@pytest.mark.parametrize("ratio", [metrics.sharpe, metrics.sortino])
@pytest.mark.parametrize(
    "curve",
    [
        [],
        [100],
        [100, 100, 100],
        [100, 50, 0, 0],
        [100, NAN, 100],
        [100 * 1.01**bar for bar in range(50)],
        [1e-9, 1e-9, 1e-9],
    ],
    ids=["empty", "one row", "constant", "ruin", "NaN", "steady growth", "tiny"],
)
def test_ratios_are_undefined_without_risk_time_or_equity(ratio, curve):
    assert math.isnan(ratio(metrics.returns_of(equity(*curve)), 365.0))


def test_sharpe_stays_defined_when_the_last_bar_takes_everything():
    assert metrics.sharpe(metrics.returns_of(equity(100, 110, 0)), 365.0) < 0.0


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        ([100, 120, 90, 130, 117], [0, 0, -0.25, 0, -0.1]),
        ([], []),
        ([100], [0]),
        ([100, 100], [0, 0]),
        ([100, 0, 50], [0, -1, -0.5]),
        ([100, -50], [0, -1.5]),
        ([0, 100, 50], [NAN, 0, -0.5]),
        ([-100, -50, 20], [NAN, NAN, 0]),
        ([100, NAN, 50], [0, NAN, NAN]),
    ],
)
def test_drawdowns_are_measured_from_the_highest_equity_so_far(curve, expected):
    assert metrics.drawdowns(equity(*curve)) == pytest.approx(np.array(expected, float), nan_ok=True)


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        ([100, 120, 90, 130, 117], -0.25),
        ([], NAN),
        ([100], 0.0),
        ([100, 101, 102], 0.0),
        ([100, 0, 0], -1.0),
        ([100, -50], -1.5),
        ([100, NAN], NAN),
    ],
)
def test_max_drawdown(curve, expected):
    assert same(metrics.max_drawdown(equity(*curve)), expected)


@pytest.mark.parametrize("bars", [metrics.BLOCK_BARS + offset for offset in (-1, 0, 1)] + [7 * metrics.BLOCK_BARS + 5])
@pytest.mark.parametrize("drift", [-1e-3, 0.0, 1e-3])
@pytest.mark.parametrize("seed", range(5))
def test_the_deepest_drawdown_of_a_long_curve_is_the_deepest_of_all(bars, drift, seed):
    steps = np.random.default_rng(seed).normal(drift, 0.01, bars)
    curve = 1000.0 * np.exp(np.cumsum(steps))
    assert metrics.max_drawdown(curve) == metrics.drawdowns(curve).min()


@pytest.mark.parametrize("value", [math.nan, 0.0, -50.0])
@pytest.mark.parametrize("bar", [0, 1500, 2999])
def test_ruin_and_nan_in_a_long_curve_are_seen(value, bar):
    curve = np.linspace(100.0, 200.0, 3000)
    curve[bar] = value
    assert same(metrics.max_drawdown(curve), float(metrics.drawdowns(curve).min()))


def test_a_drawdown_that_spans_many_blocks_is_measured_from_its_peak():
    curve = np.full(10 * metrics.BLOCK_BARS, 100.0)
    curve[10], curve[-3], curve[5000] = 200.0, 50.0, 60.0
    assert metrics.max_drawdown(curve) == -0.75


@pytest.mark.parametrize(
    ("annual", "deepest", "expected"),
    [(0.3, -0.2, 1.5), (-0.1, -0.5, -0.2), (0.3, 0.0, NAN), (0.3, -1e-17, NAN), (NAN, -0.2, NAN), (0.3, NAN, NAN)],
)
def test_calmar(annual, deepest, expected):
    assert same(metrics.calmar(annual, deepest), expected)


@pytest.mark.parametrize(
    ("bars", "fills", "expected"),
    [
        (10, [(2, 1.0), (6, -1.0)], 0.4),  # held at the closes of bars 2, 3, 4, 5
        (10, [(2, 1.0), (2, -1.0)], 0.0),  # in and out within one bar
        (10, [(2, -1.0), (6, 3.0), (8, -2.0)], 0.6),  # short, through zero, flat
        (10, [(9, 1.0)], 0.1),  # still open
        (10, [(1, 0.1), (2, 0.2), (4, -0.1 - 0.2)], 0.3),
        (10, [], 0.0),
        (1, [], 0.0),
        (0, [], NAN),
    ],
)
def test_exposure_counts_the_closes_at_which_something_is_held(bars, fills, expected):
    rows = np.array([bar for bar, _ in fills], np.int64)
    quantities = np.array([quantity for _, quantity in fills], np.float64)
    assert same(metrics.exposure(rows, quantities, bars), expected)


@pytest.mark.parametrize(
    ("profits", "expected"), [([5, -1, 0, 2], 0.5), ([0], 0.0), ([], NAN), ([3], 1.0), ([-3], 0.0)]
)
def test_win_rate_counts_only_what_is_above_zero(profits, expected):
    assert same(metrics.win_rate(np.array(profits, float)), expected)


@pytest.mark.parametrize(
    ("profits", "expected"), [([5, -1, 0, 2, -2.5], 2.0), ([], NAN), ([3], NAN), ([-3], 0.0), ([0], NAN)]
)
def test_profit_factor(profits, expected):
    assert same(metrics.profit_factor(np.array(profits, float)), expected)
