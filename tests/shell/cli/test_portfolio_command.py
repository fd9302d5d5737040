"""`algotrade backtest` of weights: several symbols, one, and what stands in the way."""

from __future__ import annotations

import re

from tests.shell.cli.conftest import Command

ROTATION = ("backtest", "--exchange", "demo", "--strategy", "momentum_rotation", "-p", "window=20")
TWO = ("--symbol", "BTC/USD", "--symbol", "ETH/USD", "--start", "2023-01-01", "--end", "2023-12-31")


def test_a_rotation_runs_on_the_kernel_and_says_so(algotrade: Command) -> None:
    run = algotrade(*ROTATION, *TWO)
    assert run.code == 0
    assert re.search(r"Ran on +kernel", run.out)
    assert "no weight depends on a later bar" in run.out
    assert "BTC/USD + ETH/USD" in run.out


def test_what_the_kernel_cannot_express_is_named(algotrade: Command) -> None:
    run = algotrade(*ROTATION, *TWO, "--impact", "0.1")
    assert re.search(r"Ran on +event loop.*market impact", run.out)


def test_one_symbol_is_a_portfolio_as_well(algotrade: Command) -> None:
    run = algotrade(*ROTATION, *TWO[:2], *TWO[4:])
    assert run.code == 0
    assert re.search(r"Ran on +kernel", run.out)


def test_weights_take_no_sizes_beside_them(algotrade: Command) -> None:
    run = algotrade(*ROTATION, *TWO, "--size", "risk=0.01")
    assert run.code == 2
    assert "a sizing has no meaning beside them" in run.err
