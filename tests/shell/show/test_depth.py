from __future__ import annotations

from math import nan

import numpy as np
import pytest

from algotrade.evaluate import breakdown
from algotrade.show import depth
from tests.shell.show.samples import make_run, on_terminal, piped


@pytest.fixture(scope="module")
def run():
    return make_run()


def test_the_grid_has_a_row_for_each_year_and_fits_eighty_columns(run):
    months = breakdown.by_month(run.result.equity_values, run.result.times, cash=run.result.cash)
    lines = on_terminal(depth.month_grid(months)).splitlines()
    assert [line[:4] for line in lines[-3:]] == ["2018", "2019", "2020"]
    assert f"{months['return']['2018-03'] * 100:.1f}" in lines[-3]
    assert max(map(len, lines)) <= 80


def test_a_month_without_bars_leaves_its_place_empty(run):
    months = breakdown.by_month(run.result.equity_values, run.result.times, cash=run.result.cash)
    row = piped(depth.month_grid(months.loc[["2018-01", "2018-03"]])).splitlines()[-1].split()
    assert row == ["2018", f"{months['return']['2018-01'] * 100:.1f}", f"{months['return']['2018-03'] * 100:.1f}"]


def test_years_show_return_drawdown_and_equity(run):
    years = breakdown.by_year(run.result.equity_values, run.result.times, cash=run.result.cash)
    text = on_terminal(depth.year_table(years))
    for year in years.itertuples():
        assert f"{year.end_equity:,.2f}" in text
        assert f"{year.max_drawdown:.2%}" in text


def test_a_drawdown_that_lasts_has_not_recovered(run):
    times, equity = run.result.times[:6], np.array([100.0, 90.0, 101.0, 80.0, 85.0, 90.0])
    lines = piped(depth.drawdown_table(breakdown.drawdown_table(equity, times))).splitlines()
    assert lines[-2].split() == ["-20.79%", "2018-01-03", "2018-01-04", "not", "yet", "3"]
    assert lines[-1].split() == ["-10.00%", "2018-01-01", "2018-01-02", "2018-01-03", "2"]


def test_an_account_that_never_fell_has_no_drawdowns(run):
    table = breakdown.drawdown_table(np.array([1.0, 2.0]), run.result.times[:2])
    assert piped(depth.drawdown_table(table)).strip().endswith("nothing")


def test_round_trips_are_described_with_undefined_figures_named(run):
    text = piped(depth.distribution_table(breakdown.round_trip_distribution(run.result.round_trips)))
    assert f"{len(run.result.round_trips)}" in text
    assert "n/a" in piped(depth.distribution_table(breakdown.round_trip_distribution(run.result.round_trips.iloc[:0])))


def test_round_trips_are_grouped_by_length(run):
    classes = breakdown.by_holding_time(run.result.round_trips)
    lines = piped(depth.holding_table(classes)).splitlines()
    assert len(lines) == len(classes) + 4


@pytest.mark.parametrize(
    ("fee", "sentence"),
    [
        (0.0123456, "The profit is gone at a fee of 1.2346%; the run paid 0.40%."),
        (nan, "There is no profit, whatever the fee."),
        (1.0, "No fee takes the profit away."),
    ],
)
def test_the_fee_that_ends_the_profit_is_a_sentence(fee, sentence):
    assert depth.break_even_line(fee, 0.004).plain.strip() == sentence


def test_two_runs_are_compared_with_what_differs(run):
    other = make_run(fast=5)
    for document in (run.document, other.document):
        document["summary"] = dict(sorted(document["summary"].items()))  # as a store gives it back
    text = on_terminal(*depth.comparison(run.document, other.document))
    assert text.count("SIMULATED") == 2
    assert "fast=5 slow=20" in text
    assert text.count("differs") == 1
    first, second = run.result.summary["final_equity"], other.result.summary["final_equity"]
    for figure in (first, second, second - first):
        assert f"{figure:,.2f}" in text
    assert text.index("Final equity") < text.index("Sharpe ratio") < text.index("Fees paid")
