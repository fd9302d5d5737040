"""The conditions of a backtest from the outside: several markets, sizes, costs, and how orders fill."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
YEARS = ("backtest", "--exchange", "demo", "--start", "2022-01-01", "--end", "2023-12-31", "--check", "none")
BRACKETED = """
from algotrade import SignalStrategy

class Bracketed(SignalStrategy):
    warmup = 2

    def generate_signals(self, candles):
        rising = candles.close > candles.close.shift(1)
        return candles[["close"]].assign(signal=rising.astype(float), stop_loss=0.01, take_profit=0.01)
"""


def run(algotrade: Command, *arguments: str) -> Any:
    """A run on the demo market, as JSON."""
    done = algotrade(*YEARS, "--json", *arguments)
    assert done.code == 0, done.err
    return done.document


def test_a_run_says_which_machine_made_it_and_why(algotrade: Command) -> None:
    assert run(algotrade)["ran_on"] == {"machine": "kernel", "reason": ""}
    assert run(algotrade, "--latency-bars", "1")["ran_on"] == {"machine": "event loop", "reason": "latency"}
    assert "event loop: latency" in algotrade(*YEARS, "--latency-bars", "1").out


def test_symbols_are_traded_in_one_account(algotrade: Command) -> None:
    document = run(algotrade, "--symbol", "BTC/USD", "--symbol", "ETH/USD")
    assert document["data"]["symbol"] == "BTC/USD + ETH/USD"
    assert [market["data"]["symbol"] for market in document["markets"]] == ["BTC/USD", "ETH/USD"]
    assert len(document["parts"]) == 2
    assert document["costs"]["cash"] == 10_000.0


def test_strategies_have_books_of_their_own_and_parameters_by_their_names(algotrade: Command) -> None:
    document = run(algotrade, "--strategy", "sma_cross", "--strategy", "buy_the_dip", "-p", "sma_cross.fast=5")
    assert [each["book"] for each in document["strategies"]] == ["sma_cross", "buy_the_dip"]
    assert document["strategies"][0]["parameters"]["fast"] == 5
    assert document["strategy"]["name"] == "sma_cross + buy_the_dip"


def test_every_cost_has_a_flag(algotrade: Command) -> None:
    flags = {
        "--fee": ("0.002", "fee_rate"),
        "--maker-fee": ("0.001", "maker_fee_rate"),
        "--slippage": ("0.0003", "slippage_rate"),
        "--spread": ("0.0004", "spread_rate"),
        "--impact": ("0.05", "impact_rate"),
        "--max-volume-share": ("0.5", "max_volume_share"),
        "--borrow-rate": ("0.07", "borrow_rate"),
        "--maintenance-rate": ("0.02", "maintenance_rate"),
        "--latency-bars": ("2", "latency_bars"),
    }
    typed = [word for flag, (value, _) in flags.items() for word in (flag, value)]
    costs = run(algotrade, *typed, "--fee-in-base")["costs"]
    assert {name: costs[name] for _, name in flags.values()} == {name: float(value) for value, name in flags.values()}
    assert costs["fee_in_base"] is True


def test_a_schedule_of_fees_comes_from_the_settings(algotrade: Command, place: Path) -> None:
    (place / "algotrade.toml").write_text("[costs]\nschedule = [[0, 0.0025, 0.004], [50000, 0.002, 0.0035]]\n")
    document = run(algotrade)
    assert document["costs"]["fee_schedule"] == [[0.0, 0.0025, 0.004], [50_000.0, 0.002, 0.0035]]
    assert document["ran_on"]["reason"] == "fees by volume"


@pytest.mark.parametrize("flag", ["--fee", "--maker-fee", "--slippage", "--spread"])
def test_a_fraction_that_may_be_meant_as_percent_is_said(algotrade: Command, flag: str) -> None:
    (warning,) = run(algotrade, flag, "0.25")["warnings"]
    assert warning.endswith(" of 0.25 is 25 % of every fill; was percent meant?")


def test_the_way_through_the_bars_can_be_chosen_or_looked_up(algotrade: Command, place: Path) -> None:
    (place / "bracketed.py").write_text(BRACKETED)
    worst, best, detail = (
        run(algotrade, "--strategy", "bracketed.py", *words) for words in ([], ["--path", "best"], ["--detail", "1h"])
    )
    finals = [each["summary"]["final_equity"] for each in (worst, detail, best)]
    assert finals == sorted(finals)
    assert worst["bounds"] == best["bounds"] == {"worst": finals[0], "best": finals[2]}
    assert detail["execution"]["detail"] == "1h"


def test_milliseconds_of_latency_count_with_finer_candles(algotrade: Command) -> None:
    document = run(algotrade, "--detail", "1h", "--latency-ms", "60000")
    assert document["costs"]["latency_ms"] == 60_000
    bar, *_ = fill = document["fills"][0]
    assert fill[5] - bar == 3_600_000  # at the next hour, the first moment after the delay that is known


def test_sizes_bands_and_touch_are_part_of_the_document(algotrade: Command) -> None:
    document = run(algotrade, "--size", "volatility=0.3", "--rebalance-band", "0.1", "--touch")
    execution = document["execution"]
    assert (execution["sizing"]["kind"], execution["rebalance_band"], execution["touch"]) == ("volatility", 0.1, True)
    assert len(document["fills"]) > len(run(algotrade)["fills"])


def test_the_help_is_in_groups(algotrade: Command) -> None:
    page = algotrade("backtest", "--help").out
    groups = ["Strategy", "Markets and time", "Account and sizes", "Costs", "How orders fill", "Checks and output"]
    places = [page.index(f"─ {group} ─") for group in groups]
    assert places == sorted(places)
    assert max(map(len, page.splitlines())) <= 80
