"""What a script gets beyond the pipeline: results that draw themselves, candles that remember where they come from."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import algotrade as at
from algotrade.errors import FixConfiguration
from algotrade.evaluate.result import Result
from algotrade.market.simulate import simulate_candles
from algotrade.market.span import parse_span


class Rising(at.SignalStrategy):
    """Long after a bar that rose."""

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"signal": (candles.close > candles.open).astype(float)})


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    monkeypatch.setenv("ALGOTRADE_DATABASE", str(tmp_path / "store.sqlite"))
    return at.load("ETH/USD", timeframe="4h", exchange="demo", start="2024-01-01", end="2024-01-31")


def test_a_result_plots_itself_on_one_page(demo: pd.DataFrame, tmp_path: Path) -> None:
    result = at.backtest(Rising(), demo)
    path = result.plot(tmp_path / "page.html")
    assert path == tmp_path / "page.html"
    page = path.read_text(encoding="utf-8")
    assert "rising" in page
    assert "http-equiv" in page


def test_a_page_that_cannot_be_written_is_a_sentence(demo: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(FixConfiguration, match="cannot write the report"):
        at.backtest(Rising(), demo).plot(tmp_path / "no such folder" / "page.html")


def test_the_result_is_the_value_that_every_mode_ends_in(demo: pd.DataFrame) -> None:
    result = at.backtest(Rising(), demo)
    assert isinstance(result, Result)
    assert result.document["summary"]["final_equity"] == result.summary["final_equity"]


def test_loaded_candles_say_in_the_result_that_they_are_simulated(demo: pd.DataFrame, tmp_path: Path) -> None:
    result = at.backtest(Rising(), demo)
    data = result.document["data"]
    assert (data["exchange"], data["symbol"], data["timeframe"], data["origin"]) == ("demo", "ETH/USD", "4h", "demo")
    assert result.simulated
    assert "SIMULATED" in result.plot(tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_part_of_loaded_candles_is_of_the_same_series(demo: pd.DataFrame) -> None:
    assert at.backtest(Rising(), demo.tail(50)).document["data"]["symbol"] == "ETH/USD"


def test_any_other_table_is_of_unknown_origin() -> None:
    span = parse_span("2024-01-01", "2024-02-29")
    data = at.backtest(Rising(), simulate_candles("BTC/USD", "1d", *span)).document["data"]
    assert (data["exchange"], data["symbol"], data["timeframe"]) == ("memory", "BASE/QUOTE", "1d")


def test_a_table_read_back_from_a_file_keeps_its_series(demo: pd.DataFrame, tmp_path: Path) -> None:
    demo.to_parquet(tmp_path / "candles.parquet")
    kept = pd.read_parquet(tmp_path / "candles.parquet")
    assert at.backtest(Rising(), kept).document["data"]["symbol"] == "ETH/USD"
