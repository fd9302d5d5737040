from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from algotrade.errors import FixStrategy
from algotrade.strategy.signals import SignalStrategy
from algotrade.testing import assert_honest, demo_candles, strategy_from_file
from tests.leaks.rotations import BestOfTomorrow


class Peeks(SignalStrategy):
    """Long before a rise."""

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        return candles.assign(signal=(candles["close"].shift(-1) > candles["close"]).astype(float))


def test_demo_candles_are_the_same_for_the_days_they_share() -> None:
    year = demo_candles("ETH/USD", "1d", start="2021-01-01", end="2021-12-31")
    month = demo_candles("ETH/USD", "1d", start="2021-03-01", end="2021-03-31")
    assert len(year) == 365
    pd.testing.assert_frame_equal(year.loc["2021-03"], month, check_freq=False)


def test_a_strategy_that_peeks_is_named_with_its_bar() -> None:
    with pytest.raises(AssertionError, match=r"peeks fails look_ahead: .*20\d\d-"):
        assert_honest(Peeks(), demo_candles(end="2020-12-31"))


def test_a_shipped_strategy_is_honest() -> None:
    shipped = Path(__file__).parents[2] / "strategies" / "sma_cross.py"
    assert_honest(strategy_from_file(shipped)(), demo_candles(end="2020-12-31"), full=True)


def test_a_rotation_is_checked_over_all_its_symbols() -> None:
    tables = {symbol: demo_candles(symbol, end="2020-12-31") for symbol in ("BTC/USD", "ETH/USD", "SOL/USD")}
    shipped = Path(__file__).parents[2] / "strategies" / "momentum_rotation.py"
    assert_honest(strategy_from_file(shipped)(window=20), tables, full=False)
    with pytest.raises(AssertionError, match=r"best_of_tomorrow fails look_ahead: the weight of"):
        assert_honest(BestOfTomorrow(), tables, full=False)


def test_a_file_without_a_strategy_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.py").write_text("x = 1\n")
    with pytest.raises(FixStrategy, match="defines no strategy"):
        strategy_from_file(tmp_path / "empty.py")
