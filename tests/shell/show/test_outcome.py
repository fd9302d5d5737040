"""What a page says beside the figures: bounds, exits, costs by kind, parts, ruin."""

from __future__ import annotations

import copy

import pytest
from rich.cells import cell_len

from algotrade.show.chart import Curve
from algotrade.show.outcome import cost_rows, path_sentences
from algotrade.show.report import report_html
from algotrade.show.run import run_page
from algotrade.show.trades import exit_rows
from algotrade.show.verdicts import losses
from tests.shell.show.samples import make_guarded, make_run, on_terminal


@pytest.fixture(scope="module")
def guarded():
    return make_guarded()


@pytest.fixture(scope="module")
def portfolio():
    return make_guarded(400, symbols=("BTC/USD", "ETH/USD"))


def page(run, width=80):
    return on_terminal(*run_page(run.document, Curve(run.result.times, run.result.equity_values)), width=width)


def document_with(**changes):
    """A document of two ambiguous bars and one round trip that hangs on them."""
    document = {
        "summary": {"ambiguous_bars": 2},
        "bounds": {"worst": 11_200.0, "best": 11_950.0},
        "execution": {"path": "worst"},
        "round_trips": [{"path_dependent": True}, {"path_dependent": False}],
        "ambiguous_bars": [[0, 1.0, 2.0, False], [1, 1.0, 2.0, False]],
    }
    return document | changes


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {},
            "Final equity 11,200.00 in the worst case, 11,950.00 in the best: 2 bars could have gone either way,"
            " 1 round trip hangs on that.",
        ),
        ({"bounds": None}, "2 bars could have gone either way, 1 round trip hangs on that: the worse way for us was"),
        ({"bounds": None, "execution": {"path": "best"}}, "the better way for us was taken through each."),
        (
            {"ambiguous_bars": [[0, 1.0, 2.0, True], [1, 1.0, 2.0, False]]},
            "After 1 of them the two ways hold different positions: these are two possible outcomes, not limits.",
        ),
        ({"bounds": {"worst": 5.0, "best": 5.0}}, "Final equity 5.00 either way: 2 bars"),
    ],
)
def test_how_far_the_result_hangs_on_the_way_through_bars(changes, expected):
    assert expected in " ".join(path_sentences(document_with(**changes)))


def test_nothing_is_said_where_no_bar_could_have_gone_either_way():
    assert path_sentences(document_with(summary={"ambiguous_bars": 0})) == []
    text = page(make_run(300))
    for part in ("either way", "Exits", "Costs paid", "Parts", "hang on"):
        assert part not in text


def test_the_page_has_bounds_exits_costs_and_the_machine(guarded):
    text = page(guarded, 120)
    for part in (
        "Ran on      event loop: borrowing costs",
        "in the worst case",
        "Round trips that hang on the way through a bar",
        "stop loss",
        "take profit",
        "Fees of fills that rested",
        "Borrowing what was sold short",
    ):
        assert part in text


def test_exits_and_costs_add_up(guarded):
    summary = guarded.result.summary
    assert sum(int(row[1].replace(",", "")) for row in exit_rows(guarded.document)) == summary["round_trips"]
    costs = dict(cost_rows(guarded.document))
    assert costs.pop("Borrowing what was sold short") == pytest.approx(summary["borrow_paid"])
    assert sum(costs.values()) == pytest.approx(summary["fees_paid"])


@pytest.mark.parametrize("width", [80, 120])
def test_a_portfolio_has_a_row_for_each_symbol_and_one_for_all(portfolio, width):
    text = page(portfolio, width)
    assert max(map(cell_len, text.splitlines())) <= width
    first, second = portfolio.result.parts
    for profit in (first.profit, second.profit, portfolio.result.summary["final_equity"] - 10_000.0):
        assert f"{profit:+,.2f}" in text
    assert "guarded on BTC/USD + ETH/USD 1d - SIMULATED MARKET" in text
    assert "warning: ETH/USD begins later than the others, on 2018-01-31" in text.replace("\n", " ")
    assert "2018-" in text
    assert not any(line.rstrip().endswith("2018-0") for line in text.splitlines())  # a date is never broken


def test_ruin_and_liquidation_stand_at_the_top(guarded):
    document = copy.deepcopy(guarded.document)
    assert losses(document) == []
    document["ruined_at"] = "2018-03-01T00:00:00Z"
    document["fills"][3][6] = document["fills"][5][6] = "liquidation"
    ruined = guarded._replace(document=document)
    assert page(ruined).startswith("RUINED: nothing was left at the close of 2018-03-01.\nLIQUIDATED: 2 positions were")


def test_the_report_draws_every_symbol_and_lists_the_parts(portfolio):
    pytest.importorskip("bokeh")
    text = report_html(portfolio.result, portfolio.document)
    for part in ("share of cash", "Exits", "Costs paid", "in the worst case", "ETH/USD"):
        assert part in text
