"""A run of several symbols is judged, explained, verified and compared like any other."""

from __future__ import annotations

import json

import pytest

from tests.published import check_document
from tests.shell.cli.conftest import Command

TWO = ("backtest", "--exchange", "demo", "--symbol", "BTC/USD", "--symbol", "ETH/USD", "--check", "none")


@pytest.fixture
def kept(algotrade: Command) -> Command:
    assert algotrade(*TWO).code == 0
    return algotrade


def test_it_is_judged_again_with_the_same_figures_and_parts(kept: Command) -> None:
    again = json.loads(kept("evaluate", "--json").out)
    check_document(again)
    profit = again["summary"]["final_equity"] - again["costs"]["cash"]
    assert sum(part["profit"] for part in again["parts"]) == pytest.approx(profit)
    assert [part["symbol"] for part in again["parts"]] == ["BTC/USD", "ETH/USD"]


def test_it_is_verified_to_the_last_figure(kept: Command) -> None:
    run = kept("verify")
    assert (run.code, "every figure the same" in run.out) == (0, True)


def test_one_bar_of_it_is_explained_for_one_symbol(kept: Command) -> None:
    unsaid = kept("why", "2020-06-01")
    assert unsaid.code == 2
    assert "BTC/USD, ETH/USD" in unsaid.err
    assert "algotrade why 2020-06-01 --symbol BTC/USD" in unsaid.err
    said = kept("why", "2020-06-01", "--symbol", "ETH/USD")
    assert (said.code, "SIMULATED MARKET" in said.out) == (0, True)


def test_a_symbol_that_it_has_not_is_told_with_the_nearest(kept: Command) -> None:
    assert "ETH/USD" in kept("why", "2020-06-01", "--symbol", "ETH/USDT").err


def test_it_is_compared_with_a_run_of_one_symbol(kept: Command) -> None:
    assert kept("backtest", "--exchange", "demo", "--check", "none", "--path", "best").code == 0
    run = kept("list", "runs", "--json")
    names = [each["run"] for each in json.loads(run.out)["runs"]]
    compared = kept("evaluate", *names)
    assert (compared.code, "differs" in compared.out) == (0, True)
