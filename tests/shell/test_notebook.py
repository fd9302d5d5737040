"""What a script gets beyond the pipeline: results that draw themselves, candles that remember where they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import algotrade as at
from algotrade.backtest.setup import Setup
from algotrade.engine.fills import Costs
from algotrade.errors import FixCommand, FixConfiguration, FixData, FixStrategy
from algotrade.evaluate.result import Result
from algotrade.ingest.source import MarketData
from algotrade.market.candles import SeriesKey
from algotrade.market.simulate import instrument_of, simulate_candles
from algotrade.market.span import parse_span
from algotrade.pipeline import run_backtest


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


def test_a_notebook_and_a_terminal_give_the_same_figures(demo: pd.DataFrame, tmp_path: Path) -> None:
    instrument = instrument_of("ETH/USD")
    setup = Setup((instrument,), "4h", costs=Costs(0.004, 0.0005, 0.0025))
    market = MarketData(SeriesKey("demo", "ETH/USD", "4h", "demo"), demo, instrument, simulated=True)
    ours = {**run_backtest(Rising(), market, setup).document, "run": None}
    assert at.backtest(Rising(), demo).document == ours


def test_a_failed_check_is_a_warning_and_stands_in_the_document(demo: pd.DataFrame) -> None:
    class Peeking(at.SignalStrategy):
        """Knows tomorrow's close."""

        def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
            return candles.assign(signal=(candles.close.shift(-1) > candles.close).astype(float))

    with pytest.warns(UserWarning, match="peeking fails the look-ahead check"):
        result = at.backtest(Peeking(), demo)
    assert result.document["checks"]["look_ahead"]["passed"] is False


def test_a_strategy_without_its_parameters_is_a_sentence(demo: pd.DataFrame) -> None:
    with pytest.raises(FixStrategy, match="takes a strategy with its parameters"):
        at.backtest(Rising, demo)  # type: ignore[arg-type]


def test_a_result_says_what_it_is_in_a_line(demo: pd.DataFrame) -> None:
    assert repr(at.backtest(Rising(), demo, check="none")).startswith("<rising on ETH/USD 4h SIMULATED, ")


# ---- several symbols, finer candles, costs --------------------------------------------------------------------------
class Guarded(at.SignalStrategy):
    """Rising, with a stop and a target so close that a day can reach both."""

    warmup = 2

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        rising = candles.close > candles.close.shift(1)
        return candles[["close"]].assign(signal=rising.astype(float), stop_loss=0.01, take_profit=0.01)


def demo_candles(symbol: str, timeframe: str) -> pd.DataFrame:
    return at.load(symbol, timeframe=timeframe, exchange="demo", start="2023-01-01", end="2023-06-30")


def test_finer_candles_lie_between_the_worse_and_the_better_way_through_the_bars() -> None:
    days, hours = demo_candles("BTC/USD", "1d"), demo_candles("BTC/USD", "1h")
    worst = at.backtest(Guarded(), days, check="none")
    best = at.backtest(Guarded(), days, check="none", path="best")
    detail = at.backtest(Guarded(), days, check="none", detail=hours)
    assert worst.bounds == best.bounds is not None
    assert worst.summary["final_equity"] < detail.summary["final_equity"] < best.summary["final_equity"]
    assert (worst.ran_on.machine, detail.ran_on) == ("kernel", ("event loop", "finer candles"))
    assert detail.document["execution"]["detail"] == "1h"


def test_tables_by_symbol_run_in_one_account() -> None:
    tables = {symbol: demo_candles(symbol, "1d") for symbol in ("BTC/USD", "ETH/USD")}
    result = at.backtest(Rising(), tables, check="none", rebalance_band=0.1)
    assert [part.symbol for part in result.parts] == ["BTC/USD", "ETH/USD"]
    assert result.document["data"]["symbol"] == "BTC/USD + ETH/USD"
    assert "rising on BTC/USD + ETH/USD 1d SIMULATED" in repr(result)
    assert len(result.equity) == 181


def test_several_strategies_share_the_cash() -> None:
    result = at.backtest([Rising(), Guarded()], demo_candles("BTC/USD", "1d"), check="none")
    assert [(part.strategy, part.result.cash) for part in result.parts] == [("rising", 5_000.0), ("guarded", 5_000.0)]


def test_the_words_for_costs_are_those_of_the_settings() -> None:
    days = demo_candles("BTC/USD", "1d")
    costs = at.backtest(Rising(), days, check="none", maker_fee=0.001, spread=0.002, latency_bars=1).document["costs"]
    assert (costs["maker_fee_rate"], costs["spread_rate"], costs["latency_bars"]) == (0.001, 0.002, 1)
    assert (
        at.backtest(Rising(), days, check="none", size="volatility=0.2").document["execution"]["sizing"]["amount"]
        == 0.2
    )


def test_funding_is_charged_at_its_times() -> None:
    days = demo_candles("BTC/USD", "1d")
    rates = pd.Series(0.0001, index=days.index)
    assert at.backtest(Rising(), days, check="none", funding=rates).summary["funding_paid"] > 0.0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"spred": 0.1}, r"spred=0\.1: .*Did you mean 'spread'\?"),
        ({"spread": 2.0}, r"spread=2\.0: Input should be less than 1"),
        ({"latency_ms": 100}, r"a latency of 100 ms lies inside a bar of 1d"),
        ({"detail": {"ETH/USD": pd.DataFrame()}}, r"detail is given for ETH/USD, which is not traded"),
    ],
)
def test_words_that_make_no_sense_are_refused(words: dict[str, Any], told: str) -> None:
    with pytest.raises(FixCommand, match=told):
        at.backtest(Rising(), demo_candles("BTC/USD", "1d"), **words)


def test_tables_of_different_timeframes_are_no_run() -> None:
    tables = {"BTC/USD": demo_candles("BTC/USD", "1d"), "ETH/USD": demo_candles("ETH/USD", "4h")}
    with pytest.raises(FixData, match="the same timeframe, given BTC/USD 1d, ETH/USD 4h"):
        at.backtest(Rising(), tables)
    with pytest.raises(FixData, match="there are no candles"):
        at.backtest(Rising(), {})
