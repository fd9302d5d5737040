"""Tables by period, drawdown, round trip and fee."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from algotrade.evaluate.breakdown import (
    break_even_fee,
    by_holding_time,
    by_month,
    by_year,
    compare,
    drawdown_table,
    round_trip_distribution,
)

pytestmark = pytest.mark.filterwarnings("error")

DAY = 86_400_000


def at(*dates: str) -> np.ndarray:
    return np.array(dates, "datetime64[ms]").astype(np.int64)


def days(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.int64) * DAY


def trips(*rows: tuple[float, float, int]) -> pd.DataFrame:
    """Rows of (profit, return, bars)."""
    table = pd.DataFrame(rows, columns=["profit", "return", "bars"])
    return table.astype({"profit": float, "return": float, "bars": "int64"})


def test_months_follow_each_other_and_the_first_is_relative_to_the_cash():
    times = at("2023-12-30", "2023-12-31", "2024-01-01", "2024-01-02", "2024-03-01")
    table = by_month(np.array([110.0, 99.0, 88.0, 132.0, 66.0]), times, cash=100.0)
    assert table.index.tolist() == ["2023-12", "2024-01", "2024-03"]
    assert table["return"].tolist() == pytest.approx([-0.01, 132 / 99 - 1, -0.5])
    assert table["max_drawdown"].tolist() == pytest.approx([99 / 110 - 1, 88 / 99 - 1, -0.5])
    assert table["end_equity"].tolist() == [99, 132, 66]
    assert table["bars"].tolist() == [2, 2, 1]


def test_years_compound_to_the_whole():
    rng = np.random.default_rng(7)
    equity = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, 1500)))
    times = days(1500) + at("2020-05-05")[0]
    table = by_year(equity, times, cash=100.0)
    assert table.index.tolist() == ["2020", "2021", "2022", "2023", "2024"]
    assert (1 + table["return"]).prod() == pytest.approx(equity[-1] / 100)
    months = by_month(equity, times, cash=100.0)
    assert (1 + months["return"]).prod() == pytest.approx(equity[-1] / 100)
    assert table["bars"].sum() == months["bars"].sum() == 1500


def test_times_before_1970_belong_to_their_own_year():
    table = by_year(np.array([1.0, 2.0]), at("1969-12-31", "1970-01-01"), cash=1.0)
    assert table.index.tolist() == ["1969", "1970"]


def test_the_periods_after_ruin_have_no_return():
    table = by_month(np.array([0.0, 0.0]), at("2024-01-31", "2024-02-01"), cash=100.0)
    assert table["return"].iloc[0] == -1
    assert math.isnan(table["return"].iloc[1])


def test_no_bars_make_empty_tables_with_the_same_columns():
    nothing, one = (np.empty(0), days(0)), (np.array([1.0]), days(1))
    for table in (by_month, by_year):
        assert len(table(*nothing, cash=1.0)) == 0
        assert table(*nothing, cash=1.0).dtypes.equals(table(*one, cash=1.0).dtypes)
    assert len(drawdown_table(*nothing)) == len(drawdown_table(*one)) == 0
    assert drawdown_table(*nothing).dtypes.equals(drawdown_table(np.array([2.0, 1.0]), days(2)).dtypes)


def test_drawdowns_run_from_the_peak_to_the_bar_that_reaches_it_again():
    #                    0    1    2   3    4    5    6   7    8
    equity = np.array([100, 120, 110, 90, 108, 120, 130, 65, 70.0])
    deepest, milder = drawdown_table(equity, days(9)).to_dict("records")
    day = [pd.Timestamp(int(time), unit="ms", tz="UTC") for time in days(9)]
    assert (deepest["start"], deepest["trough"], deepest["bars"]) == (day[6], day[7], 2)
    assert deepest["recovery"] is pd.NaT
    assert deepest["depth"] == -0.5
    assert (milder["start"], milder["trough"], milder["recovery"], milder["bars"]) == (day[1], day[3], day[5], 4)
    assert milder["depth"] == -0.25


def test_a_drawdown_may_recover_on_the_last_bar():
    (only,) = drawdown_table(np.array([100, 90, 100.0]), days(3)).to_dict("records")
    assert only["recovery"] == pd.Timestamp(int(days(3)[2]), unit="ms", tz="UTC")
    assert only["bars"] == 2


def test_only_the_worst_drawdowns_are_listed():
    equity = np.array([100, 90, 100, 80, 100, 70, 100, 95, 100.0])
    assert drawdown_table(equity, days(9), worst=2)["depth"].tolist() == pytest.approx([-0.3, -0.2])
    assert len(drawdown_table(equity, days(9), worst=10)) == 4


def test_equity_that_only_rises_or_stands_has_no_drawdown():
    assert drawdown_table(np.array([1.0, 1.0, 2.0]), days(3)).empty
    assert drawdown_table(np.array([1.0, 1.0 - 1e-16, 1.0]), days(3)).empty


def test_the_distribution_of_round_trips():
    given = trips((10, 0.1, 1), (20, 0.2, 3), (-5, -0.05, 2), (0, 0, 4), (-5, -0.06, 6), (-5, -0.04, 8))
    assert round_trip_distribution(given) == pytest.approx(
        {
            "count": 6,
            "wins": 2,
            "losses": 3,
            "win_rate": 1 / 3,
            "mean_return": 0.025,
            "median_return": -0.02,
            "best_return": 0.2,
            "worst_return": -0.06,
            "profit_factor": 2.0,
            "longest_winning_streak": 2,
            "longest_losing_streak": 2,
            "mean_bars": 4.0,
        }
    )


def test_no_round_trips_have_a_count_and_nothing_else():
    figures = round_trip_distribution(trips())
    assert [name for name, value in figures.items() if value == 0] == [
        "count",
        "wins",
        "losses",
        "longest_winning_streak",
        "longest_losing_streak",
    ]
    assert all(math.isnan(value) for value in figures.values() if value != 0)
    assert by_holding_time(trips()).columns.tolist() == by_holding_time(trips((1, 1, 1))).columns.tolist()


def test_round_trips_by_holding_time_fall_into_classes_that_double():
    given = trips((1, 0.1, 0), (2, 0.2, 1), (-3, -0.3, 2), (4, 0.5, 3), (5, 0.5, 4), (6, 0.6, 64))
    table = by_holding_time(given)
    assert list(zip(table["from_bars"], table["to_bars"], table["count"], strict=True)) == [
        (0, 0, 1),
        (1, 1, 1),
        (2, 3, 2),
        (4, 7, 1),
        (64, 127, 1),
    ]
    assert table["win_rate"].tolist() == [1, 1, 0.5, 1, 1]
    assert table["mean_return"].tolist() == pytest.approx([0.1, 0.2, 0.1, 0.5, 0.6])
    assert table["profit"].tolist() == [1, 2, 1, 5, 6]


def test_the_break_even_fee_takes_exactly_the_profit():
    def run(fee_rate: float) -> float:
        return 100 / (1 + fee_rate) * 1.5 * (1 - fee_rate)  # all in at 1, all out at 1.5

    assert break_even_fee(run, 100.0) == pytest.approx(0.2, abs=1e-6)


def test_there_is_no_break_even_fee_without_a_profit_to_begin_with():
    assert math.isnan(break_even_fee(lambda fee_rate: 100 - fee_rate, 100.0))
    assert math.isnan(break_even_fee(lambda fee_rate: math.nan, 100.0))


def test_profit_that_outlives_every_fee_breaks_even_at_the_whole_notional():
    assert break_even_fee(lambda fee_rate: 300 / (1 + fee_rate), 100.0) == 1.0


def test_two_summaries_side_by_side():
    table = compare({"sharpe": 1.0, "win_rate": math.nan}, {"win_rate": 0.5, "sharpe": 1.5, "exposure": 0.2})
    assert table["metric"].tolist() == ["sharpe", "win_rate", "exposure"]
    assert table["difference"].iloc[0] == 0.5
    assert table.iloc[1:][["difference"]].isna().all(axis=None)
    assert table["a"].isna().tolist() == [False, True, True]
    assert compare({}, {}).empty
