"""How many planted leaks the checks find, and how often they complain of a clean strategy."""

from __future__ import annotations

import pytest

from algotrade.strategy.checks import Budget
from tests.leaks.bank import LEAKS, OneBarPeeksInACrowd
from tests.leaks.candles import demo_market, random_walk, verdicts
from tests.leaks.clean import clean_strategies

BARS = 2_000
FEW_BARS = 300  # for clean strategies under --check full, which cannot stop at the first leak
MARKETS = {"random walk": random_walk(BARS), "demo market": demo_market(BARS)}
BUDGETS = {"least": Budget(seconds=0.0), "default": Budget(), "full": Budget(full=True)}
MAY_MISS = {"least": 3, "default": 1, "full": 0}


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("market", MARKETS)
def test_leaks_are_found_and_nothing_else_is(market: str, budget: str, capsys: pytest.CaptureFixture[str]) -> None:
    candles = MARKETS[market]
    checks = {leak: verdicts(leak(), candles, BUDGETS[budget]) for leak in LEAKS}
    missed = [leak for leak in LEAKS if "look_ahead" not in checks[leak].failed]
    few = candles.iloc[:FEW_BARS] if budget == "full" else candles
    clean = clean_strategies()
    false_alarms = [strategy.name() for strategy in clean if verdicts(strategy, few, BUDGETS[budget]).failed]
    with capsys.disabled():
        rates = f"{len(LEAKS) - len(missed)} of {len(LEAKS)} leaks, {len(false_alarms)} of {len(clean)} false alarms"
        print(f"\n{market}, {BARS:,} bars, budget {budget}: {rates}")
    assert len(missed) <= MAY_MISS[budget]
    assert false_alarms == []


def test_a_peek_among_a_thousand_changes_needs_every_bar() -> None:
    assert verdicts(OneBarPeeksInACrowd(), MARKETS["demo market"]).look_ahead.passed
    full = verdicts(OneBarPeeksInACrowd(), MARKETS["demo market"], BUDGETS["full"]).look_ahead
    assert full.passed is False
    assert "the signal at 2021-05-10T12:00:00Z is" in full.detail


def test_no_leak_is_found_only_because_it_raises() -> None:
    details = [verdicts(leak(), MARKETS["demo market"], BUDGETS["full"]).look_ahead.detail for leak in LEAKS]
    assert [detail for detail in details if "all bars known" not in detail] == []
