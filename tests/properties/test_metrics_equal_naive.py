"""Every metric against its slow, obvious twin: plain loops over lists, straight from the definitions."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from algotrade.evaluate import metrics

pytestmark = pytest.mark.filterwarnings("error")

NAN = math.nan
HOUR = 3_600_000
values = st.floats(min_value=0.01, max_value=1e7)
curves = st.lists(values, max_size=60) | st.tuples(st.lists(values, max_size=10), st.integers(0, 5)).map(
    lambda ruined: ruined[0] + [0.0] * ruined[1]
)


def naive_returns(equity: list[float]) -> list[float]:
    return [after / before - 1 if before > 0 else NAN for before, after in pairwise(equity)]


def naive_mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else NAN


def naive_deviation(numbers: list[float]) -> float:
    if len(numbers) < 2:
        return NAN
    mean = naive_mean(numbers)
    return math.sqrt(sum((number - mean) ** 2 for number in numbers) / (len(numbers) - 1))


def naive_ratio(gain: float, risk: float) -> float:
    return gain / risk if risk > 1e-15 else NAN


def naive_drawdowns(equity: list[float]) -> list[float]:
    highest, found = -math.inf, []
    for value in equity:
        highest = max(highest, value)
        found.append(value / highest - 1 if highest > 0 else NAN)
    return found


def naive_exposure(fills: list[tuple[int, float]], bars: int) -> float:
    held = 0
    for bar in range(bars):
        position = 0.0
        for fill_bar, quantity in fills:
            if fill_bar <= bar:
                position += quantity
        held += position != 0
    return held / bars


def agree(given: float, expected: float) -> bool:
    return given == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)


@given(curves)
def test_returns_and_their_metrics_equal_the_naive_ones(curve):
    returns, expected = metrics.returns_of(np.array(curve, float)), naive_returns(curve)
    assert returns == pytest.approx(np.array(expected, float), rel=1e-12, nan_ok=True)
    deviation, mean = naive_deviation(expected), naive_mean(expected)
    assert agree(metrics.annual_volatility(returns, 8760.0), deviation * math.sqrt(8760.0))
    assume(not 0 < deviation < 1e-12)  # where rounding decides whether there is any risk at all
    assert agree(metrics.sharpe(returns, 8760.0), naive_ratio(mean, deviation) * math.sqrt(8760.0))
    downside = math.sqrt(naive_mean([min(r, 0.0) ** 2 if r == r else NAN for r in expected]))
    assume(not 0 < downside < 1e-12)
    assert agree(metrics.sortino(returns, 8760.0), naive_ratio(mean, downside) * math.sqrt(8760.0))


@given(curves)
def test_drawdowns_equal_the_naive_ones(curve):
    given, expected = np.array(curve, float), naive_drawdowns(curve)
    assert metrics.drawdowns(given) == pytest.approx(np.array(expected, float), rel=1e-12, nan_ok=True)
    assert agree(metrics.max_drawdown(given), min(expected) if curve and curve[0] > 0 else NAN)


@given(curves)
def test_growth_by_the_calendar_compounds_to_the_total_return(curve):
    times = np.arange(len(curve), dtype=np.int64) * 24 * HOUR * 40
    annual = metrics.annual_return(np.array(curve, float), times)
    if len(curve) < 2 or curve[0] <= 0:
        assert math.isnan(annual)
    elif not math.isnan(annual) and annual > -1 + 1e-6:
        years = (len(curve) - 1) * 40 / 365.25
        assert (1 + annual) ** years == pytest.approx(curve[-1] / curve[0], rel=1e-6)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from([-1.0, 1.0, 0.5, -0.5, 2.0, -2.0])), max_size=20),
    st.integers(31, 40),
)
def test_exposure_equals_the_naive_one(fills, bars):
    fills = sorted(fills, key=lambda fill: fill[0])
    rows, quantities = np.array([f[0] for f in fills], np.int64), np.array([f[1] for f in fills], float)
    assert agree(metrics.exposure(rows, quantities, bars), naive_exposure(fills, bars))


@given(st.lists(st.floats(-1e6, 1e6).filter(lambda profit: profit == 0 or abs(profit) > 1e-6), max_size=30))
def test_win_rate_and_profit_factor_equal_the_naive_ones(profits):
    given = np.array(profits, float)
    wins, losses = [p for p in profits if p > 0], [p for p in profits if p < 0]
    assert agree(metrics.win_rate(given), len(wins) / len(profits) if profits else NAN)
    assert agree(metrics.profit_factor(given), sum(wins) / -sum(losses) if losses else NAN)
