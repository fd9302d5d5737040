"""Every story that signals can tell, told by the kernel, by its machine code and by the event loop."""

from __future__ import annotations

import pytest

from algotrade.engine.rules import PATHS
from tests.scenarios import (
    test_costs,
    test_leverage,
    test_limit_orders,
    test_protected_targets,
    test_sizes,
)
from tests.scenarios.signal_machines import (
    MACHINES,
    Machine,
    Signals,
    by_kind,
    can_run,
    final_equity,
    signals_of,
    told_by_result,
)
from tests.scenarios.story import Story

FILES = (test_costs, test_leverage, test_limit_orders, test_protected_targets, test_sizes)
TALES = [(tale, signals) for file in FILES for tale in file.STORIES if (signals := signals_of(tale)) is not None]


def test_most_stories_of_targets_can_be_told_by_signals() -> None:
    assert len(TALES) >= 35


@pytest.mark.parametrize(
    ("tale", "signals", "path", "run"),
    [
        pytest.param(tale, signals, path, run, id=f"{tale.title}-{path}-{run.__name__}")
        for tale, signals in TALES
        for path in PATHS
        for run in MACHINES
        if can_run(run, signals, tale.setup)
    ],
)
def test_signals(tale: Story, signals: Signals, path: str, run: Machine) -> None:
    result = run(signals, tale.on(path))
    told, expected = told_by_result(result), by_kind(tale.endings[path])
    assert [each[:4] for each in told] == [each[:4] for each in expected]
    for each, wanted in zip(told, expected, strict=True):
        assert each.numbers == pytest.approx(wanted.numbers, rel=1e-9, abs=1e-9)
    assert result.equity_values[-1] == pytest.approx(final_equity(tale, path), rel=1e-9, abs=1e-9)
